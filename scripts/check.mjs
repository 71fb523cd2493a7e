// Fast enough to run before each commit: types, lint, format, boundaries, dead code and (unless --static) unit tests.
// All static checks run, two at a time, so that one failure does not hide the next.
import { spawn } from 'node:child_process';

const bin = (path, ...args) => [process.execPath, [`node_modules/${path}`, ...args]];
const checks = [
  ['types of the pure packages', bin('typescript/bin/tsc', '-p', 'tsconfig.pure.json')],
  ['types', bin('typescript/bin/tsc', '-p', 'tsconfig.json')],
  ['lint', bin('eslint/bin/eslint.js', '.')],
  ['format', bin('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')],
  ['boundaries', bin('dependency-cruiser/bin/dependency-cruiser.mjs', '--output-type', 'err', 'packages')],
  ['dead code', bin('knip/bin/knip.js')],
];
if (!process.argv.includes('--static')) {
  checks.push(['unit tests', bin('vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter=dot')]);
}

function run([title, [command, args]]) {
  return new Promise((resolve) => {
    const started = Date.now();
    let output = '';
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('close', (code) => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${title} (${seconds} s)`);
      if (code !== 0) console.log(output.trimEnd());
      resolve(code === 0);
    });
  });
}

const queue = [...checks];
const results = [];
const worker = async () => {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(await run(next));
};
await Promise.all([worker(), worker()]);
process.exit(results.every(Boolean) ? 0 : 1);
