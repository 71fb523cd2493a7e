import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addCharge, createRollingWindow, MAX_MARKS, sumAt, timeUntilAtMost } from './rolling-window.ts';

// The oracle keeps every charge for ever and adds up.

interface Entry {
  readonly time: number;
  readonly amount: bigint;
}

function naiveSum(entries: readonly Entry[], spanMs: number, now: number): bigint {
  let sum = 0n;
  for (const { time, amount } of entries) if (time > now - spanMs && time <= now) sum += amount;
  return sum;
}

/** Gaps that hit the boundary of the windows below often. */
const gaps = fc.oneof(fc.nat({ max: 3000 }), fc.constantFrom(0, 1, 999, 1000, 1001, 2000));
const steps = fc.array(fc.tuple(gaps, fc.bigInt({ min: 1n, max: 9n })), { maxLength: 80 });

it('is exact while it is short, at every time from now on', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 5), steps, fc.array(gaps, { maxLength: 6 }), (seconds, schedule, probes) => {
      const window = createRollingWindow(seconds);
      const entries: Entry[] = [];
      let now = 0;
      for (const [gap, amount] of schedule) {
        now += gap;
        addCharge(window, amount, now);
        entries.push({ time: now, amount });
        for (const probe of probes) {
          expect(sumAt(window, now + probe)).toBe(naiveSum(entries, seconds * 1000, now + probe));
        }
      }
    }),
  );
});

it('names the first moment at which enough is free', () => {
  fc.assert(
    fc.property(steps, gaps, fc.bigInt({ min: 0n, max: 60n }), (schedule, wait, amount) => {
      const window = createRollingWindow(5);
      const entries: Entry[] = [];
      let now = 0;
      for (const [gap, charged] of schedule) {
        now += gap;
        addCharge(window, charged, now);
        entries.push({ time: now, amount: charged });
      }
      now += wait;
      const free = timeUntilAtMost(window, amount, now);
      expect(free).toBeGreaterThanOrEqual(now);
      expect(naiveSum(entries, 5000, free) <= amount).toBe(true);
      if (free > now) expect(naiveSum(entries, 5000, free - 1) > amount).toBe(true);
    }),
  );
});

it('merged, gives budget back late by less than 1/1024 of the window, and never early', () => {
  const schedule = fc.record({
    seconds: fc.constantFrom(30, 600, 86_400),
    gaps: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 7, maxLength: 7 }),
    pause: fc.integer({ min: 0, max: 25 }),
  });
  let merged = 0;
  fc.assert(
    fc.property(schedule, ({ seconds, gaps, pause }) => {
      const window = createRollingWindow(seconds);
      const spanMs = seconds * 1000;
      const cellMs = Math.ceil(spanMs / 1024);
      const entries: Entry[] = [];
      let now = 1_700_000_000_000;
      for (let i = 0; i < 6000; i++) {
        // Full-speed bursts, with now and then a pause of a part of the window.
        now += i % 1500 === 1499 ? Math.floor((spanMs * pause) / 100) : gaps[i % gaps.length]!;
        const amount = BigInt((i % 5) + 1);
        addCharge(window, amount, now);
        entries.push({ time: now, amount });
        if (i % 101 !== 0) continue;
        // The moments at which some charge leaves the window, and now.
        const leaving = [1, 300, 2000, 3000].map((back) => (entries[i - back]?.time ?? now) + spanMs);
        for (const probe of [now, ...leaving.map((time) => Math.max(now, time))]) {
          const sum = sumAt(window, probe);
          if (sum < naiveSum(entries, spanMs, probe)) expect.fail('budget came back early');
          if (sum > naiveSum(entries, spanMs + cellMs - 1, probe)) expect.fail('budget came back too late');
          if (sum !== naiveSum(entries, spanMs, probe)) merged++;
        }
        expect(window.times.length - window.head).toBeLessThanOrEqual(MAX_MARKS);
        expect(window.times.length).toBeLessThanOrEqual(2 * MAX_MARKS);
      }
    }),
    { numRuns: 12 },
  );
  expect(merged).toBeGreaterThan(50);
});
