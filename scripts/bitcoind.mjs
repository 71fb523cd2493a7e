// Finds a real bitcoind for the tests, or fetches Debian's, and says where it is; with `test`, runs the end-to-end tests
// that need one. Exits with 3 where there is none, and says why.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBitcoind } from '../packages/devnet/src/index.ts';

const found = await findBitcoind((words) => console.error(`keepwatch: ${words}`));
if ('missing' in found) {
  console.error(`keepwatch: ${found.missing}`);
  process.exit(3);
}
const { command, leading, version, origin } = found.bitcoind;
console.log(`${version} (${origin === 'path' ? 'on PATH' : 'from Debian, in the cache'})`);
console.log([command, ...leading].join(' '));

if (process.argv[2] === 'test') {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const files = globSync('packages/*/src/**/*.e2e.test.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes('findBitcoind'),
  );
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'e2e', ...files];
  process.exit(spawnSync(process.execPath, vitest, { cwd: root, stdio: 'inherit' }).status ?? 1);
}
