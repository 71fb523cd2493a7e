import { describe, expect, it } from 'vitest';
import { etherGrant, etherRequest, PLAIN_ZONES, volume } from '../engine.fixture.ts';
import { evaluate } from '../evaluate.ts';
import { createGrantIndex } from '../grant-index.ts';
import { fillUsage } from './fill-usage.ts';
import { charge, createUsage, settle } from './usage.ts';

const HOUR = 'volume native 3600s';
const DAY_MS = 86_400_000;

describe('fillUsage', () => {
  const grant = etherGrant({
    constraints: [
      volume(100n),
      { type: 'count', limit: 3, window: { ever: true } },
      { type: 'volume', asset: 'native', limit: 50n, window: { calendar: 'day', zone: 'UTC' } },
      { type: 'outstanding', asset: 'native', limit: 20n },
      { type: 'min-interval', seconds: 60 },
      { type: 'max-fee', limit: 5n },
    ],
  });

  it('leaves nothing but what is named', () => {
    const usage = createUsage();
    charge(usage, [{ grant: 'g1', budget: HOUR, amount: 30n }], 0, '1');
    expect(fillUsage(grant, usage, 1000, '9', { [HOUR]: 25n, 'count ever': 1n })).toEqual([
      { grant: 'g1', budget: HOUR, amount: 45n },
      { grant: 'g1', budget: 'count ever', amount: 2n },
      { grant: 'g1', budget: 'volume native day UTC', amount: 50n, fromMs: 1000, untilMs: 1000 + 26 * 3_600_000 },
      { grant: 'g1', budget: 'outstanding native', amount: 20n },
      { grant: 'g1', budget: 'min-interval', amount: 0n },
    ]);
  });

  it('gives nothing back to a budget that has less', () => {
    const usage = createUsage();
    charge(usage, [{ grant: 'g1', budget: HOUR, amount: 90n }], 0, '1');
    fillUsage(grant, usage, 1000, '9', { [HOUR]: 25n });
    expect(fillUsage(grant, usage, 1000, '9', { [HOUR]: 25n }).map(({ budget }) => budget)).not.toContain(HOUR);
  });

  it('spends a calendar budget until its period is over, and what is outstanding until it is settled', () => {
    const only = etherGrant({
      constraints: [
        { type: 'volume', asset: 'native', limit: 100n, window: { calendar: 'day', zone: 'UTC' } },
        { type: 'outstanding', asset: 'native', limit: 100n },
      ],
    });
    const usage = createUsage();
    fillUsage(only, usage, 1000, '9');
    const ask = (now: number) => evaluate(etherRequest(), createGrantIndex([only]), usage, now, PLAIN_ZONES).verdict;
    settle(usage, '9', 'never');
    expect(ask(DAY_MS - 1)).toBe('deny');
    expect(ask(2 * DAY_MS)).toBe('permit');
    fillUsage(only, usage, 2 * DAY_MS, '10');
    expect(ask(9 * DAY_MS)).toBe('deny');
    settle(usage, '10', 'never');
    expect(ask(9 * DAY_MS)).toBe('permit');
  });

  it.each([
    ['day', 26],
    ['week', 7 * 24 + 2],
    ['month', 31 * 24 + 2],
  ] as const)('spends a calendar %s for as long as one can be', (calendar, hours) => {
    const only = etherGrant({ constraints: [{ type: 'count', limit: 3, window: { calendar, zone: 'UTC' } }] });
    expect(fillUsage(only, createUsage(), 1000, '9')).toEqual([
      { grant: 'g1', budget: `count ${calendar} UTC`, amount: 3n, fromMs: 1000, untilMs: 1000 + hours * 3_600_000 },
    ]);
  });

  it('charges nothing where all of it shall remain', () => {
    const only = etherGrant({ constraints: [volume(100n)] });
    expect(fillUsage(only, createUsage(), 1000, '9', { [HOUR]: 100n })).toEqual([]);
    expect(fillUsage(only, createUsage(), 1000, '9', { [HOUR]: 0n })).toMatchObject([{ amount: 100n }]);
  });

  it('refuses a name that is none, and what would give back', () => {
    const usage = createUsage();
    for (const remaining of [{ 'volume native 60s': 1n }, { 'max-fee': 1n }]) {
      expect(() => fillUsage(grant, usage, 0, '9', remaining)).toThrow(new RangeError('the grant has no such budget'));
    }
    expect(() => fillUsage(grant, usage, 0, '9', { [HOUR]: -1n })).toThrow(
      new RangeError('what remains is not negative'),
    );
    expect(usage).toEqual(createUsage());
  });
});
