import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SUBJECTS } from './subjects.ts';
import type { Progress, Share } from './worker/main.ts';

// `npm run test:sim -- --only budget,watch --histories 10000 [--seed 1] [--workers 2]`: histories that a seed makes again,
// on all cores. The first fault ends it, with the seed that shows it again.
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SUBJECTS).join(',') },
    histories: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});
const [histories, first, workers] = [values.histories, values.seed, values.workers].map(Number) as [
  number,
  number,
  number,
];
if (!Number.isSafeInteger(histories) || histories < 1 || !Number.isSafeInteger(first)) {
  console.error('--histories and --seed are whole numbers.');
  process.exit(64);
}
if (!Number.isSafeInteger(workers) || workers < 1 || workers > 256) {
  console.error('--workers is a whole number from 1 to 256.');
  process.exit(64);
}
const names = values.only.split(',');
for (const name of names) {
  if (Object.hasOwn(SUBJECTS, name)) continue;
  console.error(`--only: “${name}” is none of ${Object.keys(SUBJECTS).join(', ')}.`);
  process.exit(64);
}

const SAY_EVERY_MS = 30_000;

function play(name: string): Promise<void> {
  const sum = new Map<string, number>();
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1_000).toFixed(1);
  let played = 0;
  let saidAt = started;
  const hear = ({ played: more, counts, fault }: Progress) => {
    if (fault) {
      console.error(`${name}: seed ${fault.seed}: ${fault.words}`);
      process.exitCode = 1;
    }
    played += more;
    for (const [what, times] of counts) sum.set(what, (sum.get(what) ?? 0) + times);
    if (performance.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = performance.now();
    console.error(`${name}: ${played} of ${histories} histories after ${seconds()} s`);
  };
  const every = Math.min(workers, histories);
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const shares = Array.from({ length: every }, (_, i) => {
    const share: Share = { subject: name, from: first + i, before: first + histories, every, ended };
    const worker = new Worker(new URL('./worker/main.ts', import.meta.url), { workerData: share });
    worker.on('message', hear);
    return new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  });
  return Promise.all(shares).then(() => {
    if (ended[0] !== 0) return;
    const counts = [...sum].map(([what, times]) => `${times} ${what}`).join(', ');
    console.log(`${name}: ${histories} histories in ${seconds()} s, ${SUBJECTS[name]!.holds}: ${counts}.`);
  });
}

for (const name of names) if (process.exitCode === undefined) await play(name);
