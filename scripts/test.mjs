// The whole test run: static checks, unit and property tests, then the end-to-end tests with real processes.
// Ends with what failed and one line of counts, and with a non-zero exit code where anything failed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failure, failuresOf, tellFailure } from './test-failures.mjs';

const out = mkdtempSync(join(tmpdir(), 'keepwatch-test-'));
let passed = 0;
let failed = 0;
let skipped = 0;
const failures = [];

/** Runs a step; `listen` gets what it prints, too. */
function step(title, args, listen) {
  console.log(`\n— ${title}`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', listen ? 'pipe' : 'inherit', 'inherit'] });
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      listen(text);
    });
    child.on('close', (code) => resolve(code === 0));
  });
}

let told = '';
const listen = (text) => (told += text);
if (
  !(await step('static checks: types, lint, format, boundaries, dead code', ['scripts/check.mjs', '--static'], listen))
) {
  failed++;
  failures.push(failure('static checks', told.slice(told.search(/^FAIL/m))));
}

for (const project of ['unit', 'e2e']) {
  const report = join(out, `${project}.json`);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', project];
  const ok = await step(`${project} tests`, [
    ...vitest,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const before = failures.length;
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    passed += counts.numPassedTests;
    failed += counts.numFailedTests;
    skipped += counts.numPendingTests + counts.numTodoTests;
    failures.push(...failuresOf(project, counts));
    // A file that could not be loaded fails the run without a failed test.
    failed += failures.length - before - counts.numFailedTests;
    for (const file of counts.testResults) {
      for (const test of file.assertionResults) {
        if (test.status === 'skipped' || test.status === 'pending') console.log(`skipped: ${test.fullName}`);
      }
    }
  } catch {
    console.log(`no report of the ${project} tests was written`);
  }
  // An error outside of all tests, such as a promise that nobody waited for.
  if (!ok && failures.length === before) {
    failed++;
    failures.push(failure(`${project} tests`, 'ended with an error outside of a test: see above'));
  }
}

rmSync(out, { recursive: true, force: true });
for (const each of failures) console.log(`\n${tellFailure(each)}`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
