import { describe, expect, it } from 'vitest';
import type { Charge, WindowId } from './grant.ts';
import {
  charge,
  cloneUsage,
  createUsage,
  effectiveTime,
  forgetGrant,
  restoreUsage,
  serialiseUsage,
  spent,
} from './usage.ts';

const HOUR: WindowId = { rule: 'volume', windowSeconds: 3600 };
const volume = (amount: bigint): Charge => ({ ...HOUR, amount });

describe('usage', () => {
  it('keeps grants and windows apart', () => {
    const usage = createUsage();
    charge(usage, 'a', [volume(5n), { rule: 'count', windowSeconds: 3600, amount: 1n }], 1000);
    charge(usage, 'b', [volume(7n)], 1000);
    expect(spent(usage, 'a', HOUR, 1000)).toBe(5n);
    expect(spent(usage, 'a', { rule: 'count', windowSeconds: 3600 }, 1000)).toBe(1n);
    expect(spent(usage, 'a', { rule: 'volume', windowSeconds: 60 }, 1000)).toBe(0n);
    expect(spent(usage, 'b', HOUR, 1000)).toBe(7n);
    forgetGrant(usage, 'a');
    expect(spent(usage, 'a', HOUR, 1000)).toBe(0n);
    expect(spent(usage, 'b', HOUR, 1000)).toBe(7n);
  });

  it('takes an earlier time for the time of the latest charge, whichever grant it was', () => {
    const usage = createUsage();
    charge(usage, 'a', [volume(5n)], 0);
    charge(usage, 'b', [volume(1n)], 3_600_000);
    expect(effectiveTime(usage, 10)).toBe(3_600_000);
    expect(spent(usage, 'a', HOUR, 10)).toBe(0n);
    charge(usage, 'a', [volume(2n)], 10);
    expect(spent(usage, 'a', HOUR, 7_199_999)).toBe(2n);
    expect(spent(usage, 'a', HOUR, 7_200_000)).toBe(0n);
  });

  it('is not changed by looking at it', () => {
    const usage = createUsage();
    charge(usage, 'a', [volume(5n)], 0);
    const before = serialiseUsage(usage);
    expect(spent(usage, 'a', HOUR, 99_000_000)).toBe(0n);
    expect(serialiseUsage(usage)).toEqual(before);
    expect(spent(usage, 'a', HOUR, 1)).toBe(5n);
  });

  it('refuses what would give budget back, without charging a part of it', () => {
    const usage = createUsage();
    expect(() => charge(usage, 'a', [volume(5n), volume(-1n)], 0)).toThrow(RangeError);
    expect(usage).toEqual(createUsage());
    for (const now of [-1, 0.5, Number.NaN, Infinity, 8_000_000_000_000_001]) {
      expect(() => charge(usage, 'a', [volume(5n)], now)).toThrow(RangeError);
    }
  });

  it('clones deeply', () => {
    const usage = createUsage();
    charge(usage, 'a', [volume(5n)], 0);
    const copy = cloneUsage(usage);
    charge(copy, 'a', [volume(1n)], 1);
    charge(copy, 'b', [volume(1n)], 1);
    expect(spent(usage, 'a', HOUR, 1)).toBe(5n);
    expect(usage.grants.has('b')).toBe(false);
    expect(usage.lastMs).toBe(0);
  });

  it('stands in a snapshot in one order', () => {
    const one = createUsage();
    charge(one, 'b', [{ rule: 'count', windowSeconds: 60, amount: 1n }], 5);
    charge(one, 'a', [volume(5n), { rule: 'count', windowSeconds: 60, amount: 1n }], 5);
    const two = createUsage();
    charge(two, 'a', [{ rule: 'count', windowSeconds: 60, amount: 1n }, volume(5n)], 5);
    charge(two, 'b', [{ rule: 'count', windowSeconds: 60, amount: 1n }], 5);
    expect(JSON.stringify(serialiseUsage(one))).toBe(JSON.stringify(serialiseUsage(two)));
    expect(serialiseUsage(one)).toEqual({
      version: 1,
      lastMs: 5,
      grants: [
        {
          id: 'a',
          windows: [
            { rule: 'count', windowSeconds: 60, marks: [[5, '1']] },
            { rule: 'volume', windowSeconds: 3600, marks: [[5, '5']] },
          ],
        },
        { id: 'b', windows: [{ rule: 'count', windowSeconds: 60, marks: [[5, '1']] }] },
      ],
    });
  });
});

describe('restoreUsage', () => {
  it('goes on as the usage that was written, merged marks and all', () => {
    const usage = createUsage();
    const busy = (target: typeof usage, from: number) => {
      for (let i = 0; i < 3000; i++) charge(target, 'a', [volume(1n)], from + 700 * i);
    };
    busy(usage, 0);
    const json = serialiseUsage(usage);
    expect(json.grants[0]!.windows[0]!.marks.length).toBeLessThan(2049);
    const restored = restoreUsage(JSON.parse(JSON.stringify(json)));
    if (!restored.ok) throw new Error(restored.error);
    busy(usage, 3_000_000);
    busy(restored.value, 3_000_000);
    expect(serialiseUsage(restored.value)).toEqual(serialiseUsage(usage));
  });

  const window = { rule: 'volume', windowSeconds: 60, marks: [[5, '1']] };
  const snapshot = (patch: object, windows: unknown = [{ ...window, ...patch }]) => ({
    version: 1,
    lastMs: 9,
    grants: [{ id: 'a', windows }],
  });

  it('reads what the cases below vary', () => {
    expect(restoreUsage(snapshot({})).ok).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['another version', { ...snapshot({}), version: 2 }],
    ['no time', { ...snapshot({}), lastMs: '9' }],
    ['no grants', { ...snapshot({}), grants: {} }],
    ['a grant twice', { ...snapshot({}), grants: [...snapshot({}).grants, ...snapshot({}).grants] }],
    ['windows that are no list', snapshot({}, {})],
    ['a window twice', snapshot({}, [window, window])],
    ['an unknown rule', snapshot({ rule: 'max-fee' })],
    ['no window', snapshot({ windowSeconds: 0 })],
    ['a window of 367 days', snapshot({ windowSeconds: 367 * 86_400 })],
    ['a mark after the last time', snapshot({ marks: [[10, '1']] })],
    [
      'times that go back',
      snapshot({
        marks: [
          [5, '1'],
          [5, '1'],
        ],
      }),
    ],
    ['an amount of nothing', snapshot({ marks: [[5, '0']] })],
    ['a negative amount', snapshot({ marks: [[5, '-1']] })],
    ['an amount that is a number', snapshot({ marks: [[5, 1]] })],
    ['more marks than a window holds', snapshot({ marks: Array.from({ length: 2049 }, (_, i) => [i, '1']) })],
  ])('refuses %s', (_, json) => {
    expect(restoreUsage(json)).toEqual({ ok: false, error: 'invalid_usage' });
  });
});
