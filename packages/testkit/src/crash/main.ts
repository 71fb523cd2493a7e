import { parseArgs } from 'node:util';
import { runCrashTest } from './crash-test.ts';
import { runDiskFullTest } from './disk-full.ts';

/** `npm run test:crash -- [--rounds N]`. Exit code 1 where anything was violated. */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } });
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(`--rounds: “${values.rounds}” is no number of rounds.`);
  process.exit(64);
}
const say = (line: string) => console.log(line);
const crashes = await runCrashTest({ rounds, say });
const disk = await runDiskFullTest(say);
const violations = [...crashes.violations, ...disk.violations];
console.log(
  `${crashes.rounds} rounds, ${crashes.kills} kills, ${crashes.signatures} signatures, ` +
    `${crashes.retried} answers lost and asked again; full disk: ${disk.skipped ? 'skipped' : 'done'}; ` +
    `${violations.length} violations`,
);
process.exit(violations.length === 0 ? 0 : 1);
