// The whole test run: static checks, unit and property tests, then the end-to-end tests with real processes.
// Ends with one line of counts, and with a non-zero exit code where anything failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const out = mkdtempSync(join(tmpdir(), 'keepwatch-test-'));
let passed = 0;
let failed = 0;
let skipped = 0;

function step(title, args) {
  console.log(`\n— ${title}`);
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0;
}

if (!step('static checks: types, lint, format, boundaries, dead code', ['scripts/check.mjs', '--static'])) failed++;

for (const project of ['unit', 'e2e']) {
  const report = join(out, `${project}.json`);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', project];
  const ok = step(`${project} tests`, [
    ...vitest,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const before = failed;
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    passed += counts.numPassedTests;
    failed += counts.numFailedTests;
    skipped += counts.numPendingTests + counts.numTodoTests;
    for (const file of counts.testResults) {
      for (const test of file.assertionResults) {
        if (test.status === 'skipped' || test.status === 'pending') console.log(`skipped: ${test.fullName}`);
      }
    }
  } catch {
    console.log(`no report of the ${project} tests was written`);
  }
  // A file that could not be loaded fails the run without a failed test.
  if (!ok && failed === before) failed++;
}

rmSync(out, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
