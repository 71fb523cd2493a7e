import { describe, expect, it } from 'vitest';
import { USDT_ASSET } from '../engine.fixture.ts';
import { toJson } from '../json.ts';
import { constraints } from './constraint-parse.ts';

const MAX = ((1n << 256n) - 1n).toString();
const BEYOND = (1n << 256n).toString();
const EVER = { ever: true };
const volume = (patch: object = {}) => ({ type: 'volume', asset: 'native', limit: '5', window: EVER, ...patch });
const count = (window: unknown) => ({ type: 'count', limit: 5, window });
const span = (patch: object = {}) => ({ days: ['mon'], from: '08:00', to: '20:00', ...patch });
const weekly = (...spans: readonly object[]) => ({ type: 'weekly', zone: 'Europe/Berlin', spans });
const quorum = (above: object, approvals: unknown = 2) => ({ type: 'quorum', above, approvals });

describe('a constraint', () => {
  it.each<[string, readonly object[]]>([
    ['volume', [volume(), volume({ limit: MAX, asset: USDT_ASSET }), volume({ limit: '1', window: { seconds: 1 } })]],
    ['count', [count(EVER), { ...count({ seconds: 366 * 86_400 }), limit: 1_000_000_000 }]],
    ['count by the calendar', ['day', 'week', 'month'].map((calendar) => count({ calendar, zone: 'Europe/Berlin' }))],
    [
      'max-value',
      [
        { type: 'max-value', asset: 'native', limit: MAX },
        { type: 'max-value', asset: USDT_ASSET, limit: '1' },
      ],
    ],
    ['gas-limit', [{ type: 'gas-limit', limit: ((1n << 64n) - 1n).toString() }]],
    ['max-fee-per-gas', [{ type: 'max-fee-per-gas', limit: MAX }]],
    ['max-priority-fee', [{ type: 'max-priority-fee', limit: '0' }]],
    ['max-fee', [{ type: 'max-fee', limit: '1' }]],
    ['validity from', [{ type: 'validity', fromMs: 0, untilMs: null }]],
    ['validity until', [{ type: 'validity', fromMs: null, untilMs: 8_640_000_000_000_000 }]],
    ['validity', [{ type: 'validity', fromMs: 5, untilMs: 6 }]],
    [
      'weekly',
      [weekly(span(), span({ days: ['tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' }))],
    ],
    ['weekly over midnight', [weekly(span({ from: '23:59', to: '00:00' }), span({ from: '19:00', to: '09:59' }))]],
    ['min-interval', [{ type: 'min-interval', seconds: 366 * 86_400 }]],
    ['outstanding', [{ type: 'outstanding', asset: USDT_ASSET, limit: '7' }]],
    ['quorum', [quorum({ asset: 'native', amount: '0' }, 1), quorum({ asset: 'native', amount: MAX }, 16)]],
  ])('%s is taken, and written as it was', (_, list) => {
    const parsed = constraints(list, '/c');
    expect(parsed.ok && toJson(parsed.value)).toEqual(list);
  });

  const limits = `a whole number from 1 to ${MAX} as a decimal string`;
  const seconds = 'a whole number from 1 to 31622400';
  const time = 'a whole number from 0 to 8640000000000000';
  const windows = '{"ever": true}, {"seconds": …} or {"calendar": …, "zone": …}';
  const after = 'a time after fromMs; not both may be null';
  it.each<[unknown, string, string, string]>([
    [null, 'not_an_object', '', 'an object'],
    ['volume', 'not_an_object', '', 'an object'],
    [
      { type: 'lunar' },
      'unknown_constraint',
      '/type',
      'one of volume, count, max-value, gas-limit, max-fee-per-gas, max-priority-fee, max-fee, validity, weekly, min-interval, outstanding, quorum',
    ],
    [volume({ limit: '0' }), 'invalid_limit', '/limit', limits],
    [volume({ limit: BEYOND }), 'invalid_limit', '/limit', limits],
    [volume({ window: { ever: false } }), 'invalid_window', '/window/ever', 'true'],
    [volume({ window: { ever: 'true' } }), 'invalid_window', '/window/ever', 'true'],
    [volume({ window: {} }), 'invalid_window', '/window', windows],
    [volume({ window: { days: 1 } }), 'invalid_window', '/window', windows],
    [volume({ window: 'ever' }), 'invalid_window', '/window', windows],
    [volume({ window: null }), 'invalid_window', '/window', windows],
    [volume({ window: undefined }), 'invalid_window', '/window', windows],
    [count({ seconds: 0 }), 'invalid_window', '/window/seconds', seconds],
    [count({ seconds: 366 * 86_400 + 1 }), 'invalid_window', '/window/seconds', seconds],
    [count({ calendar: 'year', zone: 'UTC' }), 'invalid_window', '/window/calendar', "'day' or 'week' or 'month'"],
    [
      count({ calendar: 'day', zone: 'here' }),
      'invalid_zone',
      '/window/zone',
      'an IANA time zone such as Europe/Berlin',
    ],
    [count({ calendar: 'day', seconds: 5 }), 'unknown_member', '/window/calendar', 'one of seconds'],
    [{ ...count(EVER), limit: 0 }, 'invalid_limit', '/limit', 'a whole number from 1 to 1000000000'],
    [{ ...count(EVER), limit: 1_000_000_001 }, 'invalid_limit', '/limit', 'a whole number from 1 to 1000000000'],
    [
      { type: 'max-value', asset: 'ETH', limit: '1' },
      'invalid_asset',
      '/asset',
      'native, erc20:0x…, erc721:0x… or erc1155:0x…/ID, in lower case',
    ],
    [
      { type: 'gas-limit', limit: (1n << 64n).toString() },
      'invalid_limit',
      '/limit',
      'a whole number from 1 to 18446744073709551615 as a decimal string',
    ],
    [{ type: 'max-fee-per-gas', limit: '0' }, 'invalid_limit', '/limit', limits],
    [
      { type: 'max-priority-fee', limit: BEYOND },
      'invalid_limit',
      '/limit',
      `a whole number from 0 to ${MAX} as a decimal string`,
    ],
    [{ type: 'max-fee', limit: 1 }, 'invalid_limit', '/limit', limits],
    [{ type: 'max-fee', limit: '1', asset: 'native' }, 'unknown_member', '/asset', 'one of type, limit'],
    [{ type: 'validity', fromMs: 5, untilMs: 5 }, 'invalid_time', '/untilMs', after],
    [{ type: 'validity', fromMs: 6, untilMs: 5 }, 'invalid_time', '/untilMs', after],
    [{ type: 'validity', fromMs: null, untilMs: null }, 'invalid_time', '/untilMs', after],
    [{ type: 'validity', fromMs: -1, untilMs: null }, 'invalid_time', '/fromMs', time],
    [{ type: 'validity', fromMs: null, untilMs: 8_640_000_000_000_001 }, 'invalid_time', '/untilMs', time],
    [{ type: 'validity', fromMs: 5 }, 'invalid_time', '/untilMs', time],
    [weekly(), 'invalid_list', '/spans', 'a list of 1 to 21'],
    [weekly(span({ days: [] })), 'invalid_list', '/spans/0/days', 'a list of 1 to 7'],
    [
      weekly(span({ days: ['monday'] })),
      'invalid_time',
      '/spans/0/days/0',
      "'mon' or 'tue' or 'wed' or 'thu' or 'fri' or 'sat' or 'sun'",
    ],
    ...['24:00', '8:00', '08:60', '25:00', '08:00:00', ' 08:00', '0800', 8].map(
      (from): [unknown, string, string, string] => [
        weekly(span({ from })),
        'invalid_time',
        '/spans/0/from',
        'a time from 00:00 to 23:59',
      ],
    ),
    ...['24:01', '8:00', '30:00', '', '20:00 '].map((to): [unknown, string, string, string] => [
      weekly(span({ to })),
      'invalid_time',
      '/spans/0/to',
      'a time from 00:00 to 24:00',
    ]),
    [weekly(span({ to: '08:00' })), 'invalid_time', '/spans/0/to', 'another time than from'],
    [weekly(span({ note: 1 })), 'unknown_member', '/spans/0/note', 'one of days, from, to'],
    [{ type: 'min-interval', seconds: 0 }, 'invalid_window', '/seconds', seconds],
    [{ type: 'outstanding', asset: 'native', limit: '0' }, 'invalid_limit', '/limit', limits],
    [
      quorum({ asset: 'native', amount: BEYOND }),
      'invalid_limit',
      '/above/amount',
      `a whole number from 0 to ${MAX} as a decimal string`,
    ],
    [quorum({ asset: 'native', amount: '1' }, 0), 'invalid_limit', '/approvals', 'a whole number from 1 to 16'],
    [quorum({ asset: 'native', amount: '1' }, 17), 'invalid_limit', '/approvals', 'a whole number from 1 to 16'],
    [
      quorum({ amount: '1' }),
      'invalid_asset',
      '/above/asset',
      'native, erc20:0x…, erc721:0x… or erc1155:0x…/ID, in lower case',
    ],
  ])('%j is refused: %s at %s', (json, code, path, expected) => {
    expect(constraints([json], '/c')).toEqual({ ok: false, error: { code, path: `/c/0${path}`, expected } });
  });
});

describe('constraints of one grant', () => {
  const twice = (a: object, b: object) => {
    const parsed = constraints([a, b], '/c');
    return parsed.ok ? 'both' : [parsed.error.code, parsed.error.path, parsed.error.expected];
  };
  const DUPLICATE = ['duplicate_constraint', '/c/1', 'one constraint of each type, asset and window'];

  it('are of one type twice only for another asset, window or amount', () => {
    expect(twice(volume(), volume({ limit: '6' }))).toEqual(DUPLICATE);
    expect(twice(volume(), volume({ asset: USDT_ASSET }))).toBe('both');
    expect(twice(volume(), volume({ window: { seconds: 5 } }))).toBe('both');
    expect(twice(count({ calendar: 'day', zone: 'UTC' }), count({ calendar: 'week', zone: 'UTC' }))).toBe('both');
    expect(twice(count(EVER), { ...count(EVER), limit: 6 })).toEqual(DUPLICATE);
    const most = (asset: string, limit: string) => ({ type: 'max-value', asset, limit });
    expect(twice(most('native', '1'), most('native', '2'))).toEqual(DUPLICATE);
    expect(twice(most('native', '1'), most(USDT_ASSET, '1'))).toBe('both');
    const outstanding = (asset: string, limit: string) => ({ type: 'outstanding', asset, limit });
    expect(twice(outstanding('native', '1'), outstanding('native', '2'))).toEqual(DUPLICATE);
    expect(twice(outstanding('native', '1'), outstanding(USDT_ASSET, '2'))).toBe('both');
    const above = (amount: string, approvals: number) => quorum({ asset: 'native', amount }, approvals);
    expect(twice(above('1', 2), above('1', 3))).toEqual(DUPLICATE);
    expect(twice(above('1', 2), above('2', 3))).toBe('both');
    expect(twice({ type: 'gas-limit', limit: '1' }, { type: 'gas-limit', limit: '2' })).toEqual(DUPLICATE);
    expect(twice({ type: 'min-interval', seconds: 1 }, { type: 'min-interval', seconds: 2 })).toEqual(DUPLICATE);
    expect(twice({ type: 'max-fee', limit: '1' }, { type: 'max-fee-per-gas', limit: '1' })).toBe('both');
  });

  it('are sixteen at most', () => {
    const many = (length: number) => Array.from({ length }, (_, i) => count({ seconds: i + 1 }));
    expect(constraints(many(16), '').ok).toBe(true);
    expect(constraints(many(17), '/c')).toEqual({
      ok: false,
      error: { code: 'invalid_list', path: '/c', expected: 'a list of 0 to 16' },
    });
  });
});
