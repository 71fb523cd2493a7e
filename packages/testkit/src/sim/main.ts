import { parseArgs } from 'node:util';
import { simulateBudget } from './budget.ts';
import { simulateWatch } from './watch/watch.ts';

/** `npm run test:sim -- --only budget,watch --histories 10000 [--seed 1]`: histories that a seed makes again. */
interface Subject {
  /** A fault in words, or null; counts what happened. */
  readonly play: (seed: number, count: (what: string, times?: number) => void) => string | null;
  readonly holds: string;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  budget: {
    holds: 'none exceeds its limit',
    play(seed, count) {
      const { fault, signed, denied, crashes, used } = simulateBudget(seed);
      count('signed', signed);
      count('denied', denied);
      count('crashes', crashes);
      count('used their limit to 90% and more', used >= 90 ? 1 : 0);
      return fault;
    },
  },
  watch: {
    holds: 'no finding missed, doubled or out of order',
    play(seed, count) {
      const { fault, findings, crashes, reorgs, outages, settled } = simulateWatch(seed);
      count('findings', findings);
      count('crashes', crashes);
      count('reorganisations', reorgs);
      count('outages', outages);
      count('settled outputs', settled);
      return fault;
    },
  },
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SUBJECTS).join(',') },
    histories: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
});
const histories = Number(values.histories);
const first = Number(values.seed);
if (!Number.isSafeInteger(histories) || histories < 1 || !Number.isSafeInteger(first)) {
  console.error('--histories and --seed are whole numbers.');
  process.exit(64);
}
for (const name of values.only.split(',')) {
  if (!Object.hasOwn(SUBJECTS, name)) {
    console.error(`--only: “${name}” is none of ${Object.keys(SUBJECTS).join(', ')}.`);
    process.exit(64);
  }
  const subject = SUBJECTS[name]!;
  const sum = new Map<string, number>();
  const count = (what: string, times = 1) => sum.set(what, (sum.get(what) ?? 0) + times);
  const started = performance.now();
  for (let seed = first; seed < first + histories; seed++) {
    const fault = subject.play(seed, count);
    if (fault !== null) {
      console.error(`${name}: seed ${seed}: ${fault}`);
      process.exit(1);
    }
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const counts = [...sum].map(([what, times]) => `${times} ${what}`).join(', ');
  console.log(`${name}: ${histories} histories in ${seconds} s, ${subject.holds}: ${counts}.`);
}
