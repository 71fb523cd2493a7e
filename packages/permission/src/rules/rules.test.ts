import { describe, expect, it } from 'vitest';
import { MAX_OUTSTANDING } from '../budget/outstanding-budget.ts';
import { charge, createUsage, type Usage } from '../budget/usage.ts';
import type { Constraint, Weekday } from '../constraint.ts';
import type { Charge } from '../decision.ts';
import { demandOf } from '../demand.ts';
import { BOB, feeOf, outflow, PLAIN_ZONES, requestOf } from '../engine.fixture.ts';
import type { Fee, Outflow } from '../intent.ts';
import { checkConstraint } from './table.ts';

const COIN = 'erc20:0xc1';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Given {
  readonly outflows?: readonly Outflow[];
  readonly fee?: Fee | null;
  readonly usage?: Usage;
  readonly nowMs?: number;
  readonly approvals?: number;
  readonly replaces?: bigint;
}

/** What one constraint of the grant g says, whole. */
function check(constraint: Constraint, given: Given = {}) {
  const { outflows = [], fee = null, usage = createUsage(), nowMs = 0, approvals = 0, replaces } = given;
  const replaced = replaces === undefined ? null : ({ by: 'same-intent', grant: 'g', maxFeeWei: replaces } as const);
  const demand = demandOf(requestOf({ outflows, fee }, { replaces: replaced }));
  return checkConstraint(constraint, { grant: 'g', demand, usage, nowMs, zones: PLAIN_ZONES, approvals });
}
const usageOf = (...charges: readonly Omit<Charge, 'grant'>[]) => {
  const usage = createUsage();
  charge(
    usage,
    charges.map((each) => ({ grant: 'g', ...each })),
    0,
    'r0',
  );
  return usage;
};
const failed = (reason: object) => ({ verdict: 'fail', reason: { grant: 'g', ...reason } });
const coins = (amount: Outflow['amount'], more: Partial<Outflow> = {}) => [
  outflow(COIN, amount, BOB, 'transfer', more),
];

describe('volume', () => {
  const volume = { type: 'volume', asset: COIN, limit: 10n, window: { seconds: 5 } } as const;
  const facts = { rule: 'volume', asset: COIN, window: '5s', limit: 10n };

  it('takes what fits to the unit, and says what was and will be spent', () => {
    const usage = usageOf({ budget: `volume ${COIN} 5s`, amount: 4n });
    expect(check(volume, { usage, outflows: coins(6n) })).toEqual({
      verdict: 'pass',
      line: { grant: 'g', ...facts, spentBefore: 4n, spentAfter: 10n },
      charges: [{ grant: 'g', budget: `volume ${COIN} 5s`, amount: 6n }],
    });
    expect(check(volume, { usage, outflows: coins(7n) })).toEqual(
      failed({ code: 'volume_exceeded', ...facts, asked: 7n, remaining: 6n, freeAtMs: 5_000 }),
    );
  });

  it('takes nothing where nothing is asked, though more than the limit is spent', () => {
    const usage = usageOf({ budget: `volume ${COIN} 5s`, amount: 40n });
    expect(check(volume, { usage })).toMatchObject({ verdict: 'pass', charges: [] });
    expect(check(volume, { usage, outflows: coins(1n) })).toMatchObject({ reason: { remaining: 0n } });
  });

  it('never has room for what is without a limit, or above it', () => {
    expect(check(volume, { outflows: coins('unlimited') })).toMatchObject({
      reason: { freeAtMs: null, asked: 'unlimited' },
    });
    expect(check(volume, { outflows: coins(11n) })).toMatchObject({ reason: { freeAtMs: null, remaining: 10n } });
    expect(check(volume, { outflows: coins(10n) })).toMatchObject({ verdict: 'pass' });
  });

  it('names the calendar period that it charges, and the zone that is unknown', () => {
    const daily = { ...volume, window: { calendar: 'day', zone: 'UTC' } } as const;
    expect(check(daily, { outflows: coins(1n), nowMs: DAY })).toMatchObject({
      charges: [{ budget: `volume ${COIN} day UTC`, amount: 1n, fromMs: DAY, untilMs: 2 * DAY }],
    });
    expect(check({ ...daily, window: { calendar: 'day', zone: 'Nowhere' } })).toEqual(
      failed({ code: 'unknown_zone', rule: 'volume', asked: 'Nowhere' }),
    );
  });
});

describe('count', () => {
  const count = { type: 'count', limit: 2, window: { ever: true } } as const;
  const facts = { rule: 'count', window: 'ever', limit: 2n };
  it('counts signatures, but not replacements', () => {
    const usage = usageOf({ budget: 'count ever', amount: 2n });
    expect(check(count)).toEqual({
      verdict: 'pass',
      line: { grant: 'g', ...facts, spentBefore: 0n, spentAfter: 1n },
      charges: [{ grant: 'g', budget: 'count ever', amount: 1n }],
    });
    expect(check(count, { usage })).toEqual(
      failed({ code: 'count_exceeded', ...facts, asked: 1n, remaining: 0n, freeAtMs: null }),
    );
    expect(check(count, { usage, fee: feeOf(1n), replaces: 1n })).toMatchObject({ verdict: 'pass', charges: [] });
  });
});

describe('outstanding', () => {
  const outstanding = { type: 'outstanding', asset: COIN, limit: 10n } as const;
  const budget = `outstanding ${COIN}`;
  const native = { ...outstanding, asset: 'native' };

  it('charges what is spent as one, and each allowance with its end, an hour later', () => {
    const outflows = [
      ...[outflow('native', 50n, BOB), ...coins(1n), ...coins(2n)],
      ...[...coins(3n, { holds: 'allowance', untilMs: 7 }), ...coins(4n, { holds: 'allowance' })],
    ];
    expect(check(outstanding, { outflows, fee: feeOf(99n) })).toEqual({
      verdict: 'pass',
      line: { grant: 'g', rule: 'outstanding', asset: COIN, limit: 10n, spentBefore: 0n, spentAfter: 10n },
      charges: [
        { grant: 'g', budget, amount: 3n, holds: 'spent' },
        { grant: 'g', budget, amount: 3n, holds: 'allowance', untilMs: 7 + HOUR },
        { grant: 'g', budget, amount: 4n, holds: 'allowance' },
      ],
    });
    expect(check(outstanding, { outflows: [...outflows, ...coins(1n)] })).toMatchObject({
      reason: { code: 'outstanding_exceeded', rule: 'outstanding', asset: COIN, asked: 11n, freeAtMs: null },
    });
  });

  it('charges an allowance alone without anything spent', () => {
    const verdict = check(outstanding, { outflows: coins(3n, { holds: 'allowance' }) });
    expect(verdict).toMatchObject({ charges: [{ amount: 3n, holds: 'allowance' }] });
    expect(verdict.verdict === 'pass' && verdict.charges).toHaveLength(1);
  });

  it('of ether counts the fee as well', () => {
    const given = { outflows: [outflow('native', 3n, BOB)], fee: feeOf(4n) };
    expect(check(native, given)).toMatchObject({ charges: [{ amount: 7n, holds: 'spent' }] });
    expect(check(native, { ...given, replaces: 1n })).toMatchObject({ charges: [{ amount: 3n, holds: 'spent' }] });
    expect(check(native, { fee: feeOf(11n) })).toMatchObject({ verdict: 'fail' });
  });

  it('keeps so many signatures apart and no more', () => {
    const usage = createUsage();
    for (let i = 0; i < MAX_OUTSTANDING - 1; i++) {
      charge(usage, [{ grant: 'g', budget, amount: 1n, holds: 'spent' }], 0, `r${i}`);
    }
    const wide = { ...outstanding, limit: 10_000n };
    expect(check(wide, { usage, outflows: coins(1n) })).toMatchObject({ verdict: 'pass' });
    charge(usage, [{ grant: 'g', budget, amount: 1n, holds: 'spent' }], 0, 'last');
    const limit = BigInt(MAX_OUTSTANDING);
    expect(check(wide, { usage, outflows: coins(1n) })).toEqual(
      failed({ code: 'too_many_outstanding', rule: 'outstanding', asset: COIN, limit, asked: limit + 1n }),
    );
    expect(check(wide, { usage })).toMatchObject({ verdict: 'pass' });
  });
});

describe('min-interval', () => {
  const interval = { type: 'min-interval', seconds: 5 } as const;
  it('lets the next one come when so many seconds have passed', () => {
    expect(check(interval)).toEqual({
      verdict: 'pass',
      charges: [{ grant: 'g', budget: 'min-interval', amount: 0n }],
    });
    const usage = usageOf({ budget: 'min-interval', amount: 0n });
    expect(check(interval, { usage, nowMs: 4_999 })).toEqual(
      failed({ code: 'too_soon', rule: 'min-interval', freeAtMs: 5_000 }),
    );
    expect(check(interval, { usage, nowMs: 5_000 })).toMatchObject({ verdict: 'pass' });
    expect(check(interval, { usage, fee: feeOf(1n), replaces: 0n })).toEqual({ verdict: 'pass' });
  });
});

describe('limits of one request', () => {
  it('max-value: of the asset, fees excluded', () => {
    const limit = { type: 'max-value', asset: COIN, limit: 5n } as const;
    const facts = { rule: 'max-value', asset: COIN, limit: 5n };
    expect(check(limit, { outflows: [...coins(2n), ...coins(3n)], fee: feeOf(99n) })).toEqual({
      verdict: 'pass',
      line: { grant: 'g', ...facts, spentBefore: 0n, spentAfter: 5n },
    });
    expect(check(limit, { outflows: coins(6n) })).toEqual(failed({ code: 'max_value_exceeded', ...facts, asked: 6n }));
    expect(check(limit, { outflows: coins('unlimited') })).toEqual(
      failed({ code: 'max_value_exceeded', ...facts, asked: 'unlimited' }),
    );
    expect(check(limit, { outflows: [outflow('native', 9n, BOB)] })).toMatchObject({ line: { spentAfter: 0n } });
  });

  it.each([
    ['gas-limit', 'gas_limit_exceeded', { gasLimit: 5n }],
    ['max-fee-per-gas', 'max_fee_per_gas_exceeded', { maxFeePerGas: 5n }],
    ['max-priority-fee', 'max_priority_fee_exceeded', { maxPriorityFeePerGas: 5n }],
    ['max-fee', 'max_fee_exceeded', { maxFeeWei: 5n }],
  ] as const)('%s: to the unit', (type, code, part) => {
    const fee = { maxFeeWei: 1n, gasLimit: 1n, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, ...part };
    expect(check({ type, limit: 5n }, { fee })).toEqual({
      verdict: 'pass',
      line: { grant: 'g', rule: type, limit: 5n, spentBefore: 0n, spentAfter: 5n },
    });
    expect(check({ type, limit: 4n }, { fee })).toEqual(failed({ code, rule: type, limit: 4n, asked: 5n }));
    expect(check({ type, limit: 0n }, { fee: null })).toEqual({ verdict: 'pass' });
  });

  it('quorum: above the amount, so many operators', () => {
    const quorum = { type: 'quorum', above: { asset: COIN, amount: 5n }, approvals: 2 } as const;
    expect(check(quorum, { outflows: coins(5n) })).toEqual({ verdict: 'pass' });
    expect(check(quorum, { outflows: coins(6n) })).toEqual({ verdict: 'needs-approval', needed: 2 });
    expect(check(quorum, { outflows: coins(6n), approvals: 1 })).toEqual({ verdict: 'needs-approval', needed: 2 });
    expect(check(quorum, { outflows: coins(6n), approvals: 2 })).toEqual({ verdict: 'pass' });
    expect(check(quorum, { outflows: coins('unlimited') })).toEqual({ verdict: 'needs-approval', needed: 2 });
    expect(check(quorum)).toEqual({ verdict: 'pass' });
  });
});

describe('times', () => {
  it('validity: its beginning included, its end not', () => {
    const validity = { type: 'validity', fromMs: 10, untilMs: 20 } as const;
    const outside = (atMs: number, freeAtMs: number | null) =>
      failed({ code: 'outside_validity', rule: 'validity', atMs, freeAtMs });
    expect(check(validity, { nowMs: 9 })).toEqual(outside(9, 10));
    expect(check(validity, { nowMs: 10 })).toEqual({ verdict: 'pass' });
    expect(check(validity, { nowMs: 19 })).toEqual({ verdict: 'pass' });
    expect(check(validity, { nowMs: 20 })).toEqual(outside(20, null));
    expect(check({ ...validity, fromMs: null }, { nowMs: 0 })).toEqual({ verdict: 'pass' });
    expect(check({ ...validity, untilMs: null }, { nowMs: 20 })).toEqual({ verdict: 'pass' });
  });

  // 1970 began on a Thursday.
  const DAYS: readonly Weekday[] = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'];
  const MINUTE = 60_000;
  const open = (days: readonly Weekday[], from: string, to: string, nowMs: number, zone = 'UTC') =>
    check({ type: 'weekly', zone, spans: [{ days, from, to }] }, { nowMs }).verdict === 'pass';

  it.each(DAYS.map((day, i) => [day, i] as const))('weekly: on %s and no other day', (day, i) => {
    DAYS.forEach((_, at) => {
      expect(open([day], '00:00', '24:00', at * DAY)).toBe(at === i);
      expect(open([day], '00:00', '24:00', at * DAY + DAY - 1)).toBe(at === i);
    });
    // A span that ends on the next day belongs to the day on which it began.
    const next = (i + 1) * DAY;
    expect(open([day], '22:00', '06:00', i * DAY + 22 * HOUR)).toBe(true);
    expect(open([day], '22:00', '06:00', i * DAY + 22 * HOUR - MINUTE)).toBe(false);
    expect(open([day], '22:00', '06:00', next + 6 * HOUR - MINUTE)).toBe(true);
    expect(open([day], '22:00', '06:00', next + 6 * HOUR)).toBe(false);
    expect(open([day], '22:00', '06:00', i * DAY + 5 * HOUR)).toBe(false);
  });

  it('weekly: within one of the spans, to the minute, by the clock of the zone', () => {
    expect(open(['thu'], '08:15', '20:30', 8 * HOUR + 15 * MINUTE - 1)).toBe(false);
    expect(open(['thu'], '08:15', '20:30', 8 * HOUR + 15 * MINUTE)).toBe(true);
    expect(open(['thu'], '08:15', '20:30', 20 * HOUR + 30 * MINUTE - 1)).toBe(true);
    expect(open(['thu'], '08:15', '20:30', 20 * HOUR + 30 * MINUTE)).toBe(false);
    expect(open(['thu'], '08:00', '08:00', 9 * HOUR)).toBe(true);
    expect(open(['thu'], '08:00', '08:00', DAY + 7 * HOUR)).toBe(true);
    expect(open(['thu'], '08:00', '08:00', 7 * HOUR)).toBe(false);
    expect(open(['thu'], '08:00', '09:00', 7 * HOUR, 'Fixed/East')).toBe(true);
    const spans = [
      { days: ['fri'], from: '08:00', to: '09:00' },
      { days: ['thu'], from: '10:00', to: '11:00' },
    ] as const;
    expect(check({ type: 'weekly', zone: 'UTC', spans }, { nowMs: 10 * HOUR })).toEqual({ verdict: 'pass' });
    expect(check({ type: 'weekly', zone: 'UTC', spans }, { nowMs: 9 * HOUR })).toEqual(
      failed({ code: 'outside_hours', rule: 'weekly', atMs: 9 * HOUR, freeAtMs: null }),
    );
    expect(check({ type: 'weekly', zone: 'Nowhere', spans })).toEqual(
      failed({ code: 'unknown_zone', rule: 'weekly', asked: 'Nowhere' }),
    );
  });
});

it('a constraint that this version does not know is not met', () => {
  expect(check({ type: 'moon-phase' } as never)).toEqual(failed({ code: 'unknown_constraint', rule: 'moon-phase' }));
});
