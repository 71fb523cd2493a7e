// Brings everything an npm script needs: runs on whatever Node is there (plain JavaScript, no dependency),
// installs exactly what the lock file says, and so puts the bundled Node 26 first on npm's PATH.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.keepwatch-lock');
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

const installed = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;
if (!installed) {
  console.error('keepwatch: installing what package-lock.json names (npm ci --ignore-scripts) …');
  // npm tells where it is itself; a script started by hand falls back to the npm on the PATH.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--loglevel=error'];
  const run = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: root, stdio: 'inherit' });
  if (run.status !== 0) {
    console.error('keepwatch: the installation failed; npm says why above.');
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}

const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
if (!existsSync(node)) {
  console.error(
    `keepwatch: no bundled Node for ${process.platform}-${process.arch}. Keepwatch runs on linux-x64, linux-arm64 and darwin-arm64.`,
  );
  process.exit(1);
}
