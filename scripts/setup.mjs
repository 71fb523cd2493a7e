// Brings everything an npm script needs: runs on whatever Node is there (plain JavaScript, no dependency),
// installs exactly what the lock file says, and so puts the bundled Node 26 first on npm's PATH.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.keepwatch-lock');
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;

if (!installed()) {
  const release = await enter(join(root, '.cache', 'install.lock'));
  try {
    // Whoever held the lock before may have done it.
    if (!installed()) install();
  } finally {
    release();
  }
}

const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
if (!existsSync(node)) {
  const here = `${process.platform}-${process.arch}`;
  fail(`no bundled Node for ${here}. Keepwatch runs on linux-x64, linux-arm64 and darwin-arm64.`);
}

function install() {
  console.error('keepwatch: installing what package-lock.json names (npm ci --ignore-scripts) …');
  const args = ['ci', '--ignore-scripts', '--loglevel=error'];
  const options = { cwd: root, stdio: 'inherit' };
  // npm tells its scripts where it is; a script started by hand falls back to the npm on the PATH.
  const npm = process.env.npm_execpath;
  const run = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, options);
  if (run.status !== 0) fail('the installation failed; npm says why above.');
  writeFileSync(stamp, lock);
}

/** Two scripts started at once must not install over each other: the second waits for the first. */
async function enter(path) {
  mkdirSync(dirname(path), { recursive: true });
  for (let said = false; ; said = true) {
    try {
      mkdirSync(path);
      writeFileSync(join(path, 'pid'), String(process.pid));
      return () => rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!said) console.error('keepwatch: waiting for another installation to end …');
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (ownerIsGone(path)) rmSync(path, { recursive: true, force: true });
  }
}

function ownerIsGone(path) {
  try {
    process.kill(Number(readFileSync(join(path, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function fail(words) {
  console.error(`keepwatch: ${words}`);
  process.exit(1);
}
