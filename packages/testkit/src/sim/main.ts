import { parseArgs } from 'node:util';
import { simulateBudget } from './budget.ts';

/** `npm run test:sim -- --only budget --histories 10000 [--seed 1]`: histories that a seed makes again. */
const SUBJECTS = { budget: simulateBudget };

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
  const simulate = SUBJECTS[name as keyof typeof SUBJECTS];
  const sum = { signed: 0, denied: 0, crashes: 0, full: 0 };
  const started = performance.now();
  for (let seed = first; seed < first + histories; seed++) {
    const { fault, signed, denied, crashes, used } = simulate(seed);
    if (fault !== null) {
      console.error(`${name}: seed ${seed}: ${fault}`);
      process.exit(1);
    }
    sum.signed += signed;
    sum.denied += denied;
    sum.crashes += crashes;
    if (used >= 90) sum.full++;
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(
    `${name}: ${histories} histories in ${seconds} s, none exceeds its limit: ${sum.signed} signed, ${sum.denied} denied, ${sum.crashes} crashes; ${sum.full} used their limit to 90% and more.`,
  );
}
