import { median } from './figure.ts';

/** How long two things take, in ms, and how many times longer the second takes than the first. */
export interface Paired {
  readonly first: number;
  readonly second: number;
  readonly ratio: number;
}

const WARM_UP_MS = 1_000;

/**
 * Measures two things in turns, so that what else the machine does hits both; the medians of the rounds, and the median of
 * their ratios. Each turn runs a thing as often as its `times` says.
 */
export function measurePaired(
  first: { readonly run: () => void; readonly times: number },
  second: { readonly run: () => void; readonly times: number },
  rounds: number,
): Paired {
  for (const { run } of [first, second]) {
    for (const started = performance.now(); performance.now() - started < WARM_UP_MS;) run();
  }
  const a: number[] = [];
  const b: number[] = [];
  for (let round = 0; round < rounds; round++) {
    a.push(timeOf(first));
    b.push(timeOf(second));
  }
  return { first: median(a), second: median(b), ratio: median(b.map((time, i) => time / a[i]!)) };
}

/** Median of the runs of one turn. */
function timeOf({ run, times }: { readonly run: () => void; readonly times: number }): number {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    run();
    taken.push(performance.now() - started);
  }
  return median(taken);
}
