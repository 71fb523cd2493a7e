// Tries every property with many more cases than a test run does: what fails once in a thousand runs is found here, and
// not in somebody's check.
//
// Usage: node scripts/properties.mjs [--times N] [FILE …]
//   --times N  so many times the cases that each property names (20)
//   FILE       test files with properties, or part of their paths (all)
//
// Each case is random. What fails is told with its seed, and with the smallest case that fails.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values, positionals } = parseArgs({ options: { times: { type: 'string' } }, allowPositionals: true });
const times = values.times ?? '20';
if (!/^[1-9]\d{0,5}$/.test(times)) {
  console.error('--times takes a whole number from 1 on');
  process.exit(2);
}

const hasProperties = (path) => readFileSync(join(root, path), 'utf8').includes("from 'fast-check'");
const files = globSync('packages/*/src/**/*.test.ts', { cwd: root })
  .filter((path) => !path.endsWith('.e2e.test.ts') && hasProperties(path))
  .filter((path) => positionals.length === 0 || positionals.some((part) => path.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test with properties: ${positionals.join(' ')}`);
  process.exit(2);
}

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/properties/vitest.config.mjs', ...files];
const env = { ...process.env, KEEPWATCH_PROPERTY_TIMES: times };
const { status } = spawnSync(process.execPath, vitest, { cwd: root, env, stdio: 'inherit' });
process.exit(status ?? 1);
