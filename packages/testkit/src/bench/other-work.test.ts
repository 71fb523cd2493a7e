import { describe, expect, it } from 'vitest';
import { createOtherWork, type BusyTimes } from './other-work.ts';

function played(...times: readonly BusyTimes[]): () => BusyTimes {
  let next = 0;
  return () => times[next++]!;
}

describe('the work of others during a benchmark', () => {
  it('is what the machine was busy for and the benchmark was not, while it was watched', () => {
    const others = createOtherWork(
      played(
        { machine: 1_000, own: 500, now: 0 },
        { machine: 1_400, own: 700, now: 200 },
        // What happens in between is nobody's business: there the benchmark's own processes are at work.
        { machine: 9_000, own: 700, now: 5_000 },
        { machine: 9_200, own: 900, now: 5_200 },
      ),
    );
    expect(others.watch(() => 'signed')).toBe('signed');
    expect(others.cores()).toBe(1);
    others.watch(() => undefined);
    expect(others.cores()).toBe(0.5);
  });

  it('is none where nothing was watched, and never less than none', () => {
    const others = createOtherWork(played({ machine: 0, own: 0, now: 0 }, { machine: 290, own: 300, now: 300 }));
    expect(others.cores()).toBe(0);
    others.watch(() => undefined);
    expect(others.cores()).toBe(0);
  });

  it('reads the times of this machine', () => {
    const others = createOtherWork();
    others.watch(() => undefined);
    expect(others.cores()).toBeGreaterThanOrEqual(0);
  });
});
