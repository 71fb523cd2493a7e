import { parseArgs } from 'node:util';
import { runCrashTest } from './crash-test.ts';
import { runDiskFullTest } from './disk-full.ts';
import { runMonitorCrashTest } from './monitor-crash.ts';

/** `npm run test:crash -- [--rounds N] [--only vault|monitor]`. Exit code 1 where anything was violated. */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' }, only: { type: 'string' } } });
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(`--rounds: “${values.rounds}” is no number of rounds.`);
  process.exit(64);
}
const say = (line: string) => console.log(line);
if (values.only !== undefined && !['vault', 'monitor'].includes(values.only)) {
  console.error(`--only: “${values.only}” is neither vault nor monitor.`);
  process.exit(64);
}
let violations = 0;
if (values.only !== 'monitor') {
  const crashes = await runCrashTest({ rounds, say });
  const disk = await runDiskFullTest(say);
  const found = crashes.violations.length + disk.violations.length;
  violations += found;
  console.log(
    `${crashes.rounds} rounds, ${crashes.kills} kills, ${crashes.signatures} signatures, ` +
      `${crashes.retried} answers lost and asked again; full disk: ${disk.skipped ? 'skipped' : 'done'}; ` +
      `${found} violations`,
  );
}
if (values.only !== 'vault') {
  const { kills, messages, repeated, violations: found } = await runMonitorCrashTest({ rounds, say });
  for (const each of found) console.error(each);
  violations += found.length;
  console.log(`monitor: ${kills} kills, ${messages} messages, ${repeated} of them twice; ${found.length} violations`);
}
process.exit(violations === 0 ? 0 : 1);
