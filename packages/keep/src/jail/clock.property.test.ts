import { uptime } from 'node:os';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createClock } from './clock.ts';

/** A machine that runs, sleeps and has its wall clock set, with an uptime that is cut to 10 ms as Linux does. */
function machine() {
  const state = { wall: 1_700_000_000_000, monotonic: 50_000.4, slept: 777.7 };
  const clock = createClock({
    wallMs: () => Math.floor(state.wall),
    monotonicMs: () => state.monotonic,
    uptimeMs: () => Math.floor((state.monotonic + state.slept) / 10) * 10,
  });
  return { state, clock };
}

const step = fc.oneof(
  fc.record({ what: fc.constant('run' as const), ms: fc.double({ min: 0, max: 5_000, noNaN: true }) }),
  fc.record({ what: fc.constant('sleep' as const), ms: fc.double({ min: 100, max: 1e8, noNaN: true }) }),
  fc.record({ what: fc.constant('set wall' as const), ms: fc.double({ min: -1e9, max: 1e9, noNaN: true }) }),
);

it('tells time since boot, sleep included, whatever is done to the wall clock', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const { state, clock } = machine();
      let last = clock.now();
      for (const { what, ms } of steps) {
        if (what === 'run') {
          state.monotonic += ms;
          state.wall += ms;
        } else if (what === 'sleep') {
          state.slept += ms;
          state.wall += ms;
        } else state.wall += ms;
        const now = clock.now();
        const boot = state.monotonic + state.slept;
        expect(now.bootMs).toBeLessThanOrEqual(boot + 1e-6);
        expect(now.bootMs).toBeGreaterThan(boot - 10.001);
        expect(now.bootMs).toBeGreaterThanOrEqual(last.bootMs);
        expect(now.monotonicMs).toBe(state.monotonic);
        expect(now.wallMs).toBe(Math.floor(state.wall));
        last = now;
      }
    }),
  );
});

it('notices a sleep at once, not at the next recheck', () => {
  const { state, clock } = machine();
  const before = clock.now().bootMs;
  state.monotonic += 1;
  state.slept += 60_000;
  state.wall += 60_001;
  expect(clock.now().bootMs - before).toBeGreaterThan(59_990);
});

it('becomes finer than the uptime that it is made of', () => {
  const { state, clock } = machine();
  for (let i = 0; i < 200; i++) {
    state.monotonic += 101.37;
    state.wall += 101.37;
    clock.now();
  }
  expect(state.monotonic + state.slept - clock.now().bootMs).toBeLessThan(0.5);
});

it('takes no stop of its own process for a sleep, wherever it stops', () => {
  for (const stopsBefore of [1, 2, 3, 4]) {
    let asked = 0;
    let ms = 50_000;
    const read = () => {
      if (++asked === stopsBefore) ms += 60_000;
      return ms;
    };
    const clock = createClock({ wallMs: read, monotonicMs: read, uptimeMs: read });
    clock.now();
    expect(clock.now().bootMs).toBeLessThanOrEqual(ms);
  }
});

it('agrees with the real machine', async () => {
  const clock = createClock();
  const before = { bootMs: uptime() * 1_000, wallMs: Date.now() };
  const { bootMs, wallMs } = clock.now();
  const after = { bootMs: uptime() * 1_000, wallMs: Date.now() };
  expect(bootMs).toBeGreaterThan(before.bootMs - 20);
  expect(bootMs).toBeLessThan(after.bootMs + 20);
  expect(wallMs).toBeGreaterThanOrEqual(before.wallMs);
  expect(wallMs).toBeLessThanOrEqual(after.wallMs);
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(clock.now().bootMs - bootMs).toBeGreaterThan(100);
});
