import { parentPort, workerData } from 'node:worker_threads';
import { SUBJECTS } from '../subjects.ts';

/** Every `every`-th history of a subject, from one seed on and before another. */
export interface Share {
  readonly subject: string;
  readonly from: number;
  readonly before: number;
  readonly every: number;
  /** Not 0 once a fault was found: a thread that is stopped from outside may take the process with it. */
  readonly ended: Int32Array<SharedArrayBuffer>;
}

/** What became of some histories more; a fault ends the share. */
export interface Progress {
  readonly played: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly fault: { readonly seed: number; readonly words: string } | null;
}

const SAY_EVERY_MS = 1_000;

const { subject, from, before, every, ended } = workerData as Share;
let played = 0;
let counts = new Map<string, number>();
let fault: Progress['fault'] = null;
let saidAt = performance.now();
const say = () => {
  parentPort!.postMessage({ played, counts, fault } satisfies Progress);
  played = 0;
  counts = new Map();
  saidAt = performance.now();
};
for (let seed = from; seed < before && Atomics.load(ended, 0) === 0; seed += every) {
  const history = SUBJECTS[subject]!.play(seed);
  played++;
  for (const [what, times] of Object.entries(history.counts)) counts.set(what, (counts.get(what) ?? 0) + times);
  if (history.fault !== null) {
    fault = { seed, words: history.fault };
    Atomics.store(ended, 0, 1);
  }
  if (performance.now() - saidAt >= SAY_EVERY_MS) say();
}
say();
