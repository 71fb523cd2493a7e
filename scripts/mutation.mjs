// Mutation testing of the pure packages: changes the code in small ways and looks whether a test notices. A package takes
// some minutes (scripts/mutation/runner.mjs says why not hours).
//
// Usage: node scripts/mutation.mjs [PACKAGE | FILE …] [--concurrency N] [--report]
//   PACKAGE  evm, permission (both without an argument); FILE  a path below packages/
//   --concurrency N  so many mutants at a time (1)
//   --report     only writes docs/reports/mutation.md anew from what was measured
//
// Leaves docs/reports/mutation-PACKAGE.json (counts and survivors of each file) and the table in docs/reports/mutation.md;
// what stands above its marker is written by hand. Fails where a package scores below 85 %.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const PACKAGES = ['evm', 'permission'];
const LEAST = 85;
/** So many files in one run: what starts each run is shared, and a run that is stopped loses no more than these. */
const AT_ONCE = 12;
const MARKER = '<!-- From here on this page is written by `node scripts/mutation.mjs`. -->';
const PAGE = 'docs/reports/mutation.md';
const isCode = (path) => !/\.(test|fixture)\.ts$|\/fixtures\/|\/index\.ts$/.test(path);

const filesOf = (name) => globSync(`packages/${name}/src/**/*.ts`, { cwd: root }).filter(isCode).sort();
const resultFile = (name) => `docs/reports/mutation-${name}.json`;
const read = (path) => (existsSync(join(root, path)) ? JSON.parse(readFileSync(join(root, path), 'utf8')) : {});

/** Counts of one file, and every mutant that no test noticed. */
function summarise(report, file) {
  const { mutants, source } = report.files[file];
  const lines = source.split('\n');
  const count = (status) => mutants.filter((mutant) => mutant.status === status).length;
  const unnoticed = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  return {
    killed: count('Killed') + count('Timeout'),
    survived: count('Survived'),
    noCoverage: count('NoCoverage'),
    survivors: unnoticed.map(({ mutatorName, replacement, status, location: { start, end } }) => ({
      line: start.line,
      code: lines[start.line - 1].trim(),
      what: `${mutatorName}: ${original(lines, start, end)} → ${short(replacement ?? '')}`,
      ...(status === 'NoCoverage' ? { covered: false } : {}),
    })),
  };
}

const short = (text) => (text.length > 80 ? `${text.slice(0, 77)}…` : text).replaceAll(/\s+/g, ' ');

function original(lines, start, end) {
  const last = start.line === end.line ? end.column - 1 : undefined;
  return short(lines[start.line - 1].slice(start.column - 1, last));
}

/** Runs the mutants of `files`, all of one package; the results of the files whose code and tests could be run. */
function mutate(name, files, concurrency) {
  const stryker = [
    'node_modules/@stryker-mutator/core/bin/stryker.js',
    ...['run', 'stryker.config.mjs', '--mutate', files.join(','), '--testRunner', 'keepwatch', '--logLevel', 'warn'],
    ...['--concurrency', concurrency],
  ];
  const env = { ...process.env, KEEPWATCH_MUTATED: name };
  const { status } = spawnSync(process.execPath, stryker, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) return {};
  const report = JSON.parse(readFileSync(join(root, 'reports/mutation/mutation.json'), 'utf8'));
  const ran = files.filter((file) => !report.files[file]?.mutants.some(({ status: how }) => how === 'RuntimeError'));
  const nothing = { killed: 0, survived: 0, noCoverage: 0, survivors: [] };
  return Object.fromEntries(ran.map((file) => [file, report.files[file] ? summarise(report, file) : nothing]));
}

/** Of types alone nothing can be changed. */
const hasCode = ({ killed, survived, noCoverage }) => killed + survived + noCoverage > 0;
const scoreOf = ({ killed, survived, noCoverage }) => (100 * killed) / (killed + survived + noCoverage || 1);

function total(results) {
  const sum = { killed: 0, survived: 0, noCoverage: 0 };
  for (const each of Object.values(results)) for (const key of Object.keys(sum)) sum[key] += each[key];
  return sum;
}

async function write(path, text) {
  const style = await prettier.resolveConfig(join(root, path));
  writeFileSync(join(root, path), await prettier.format(text, { ...style, filepath: path }));
}

/** Results of files that are there. */
function resultsOf(name) {
  const present = new Set(filesOf(name));
  return Object.fromEntries(Object.entries(read(resultFile(name))).filter(([file]) => present.has(file)));
}

async function writePage() {
  const page = existsSync(join(root, PAGE)) ? readFileSync(join(root, PAGE), 'utf8') : '# Mutation testing\n\n';
  const head = page.includes(MARKER) ? page.slice(0, page.indexOf(MARKER)) : page;
  const out = [head + MARKER, ''];
  for (const name of PACKAGES) {
    const results = resultsOf(name);
    if (Object.keys(results).length === 0) continue;
    const row = (title, each) =>
      `| ${title} | ${scoreOf(each).toFixed(1)} | ${each.killed} | ${each.survived} | ${each.noCoverage} |`;
    out.push(
      `## packages/${name}`,
      '',
      '| file | score | noticed | survived | not covered |',
      '| --- | --: | --: | --: | --: |',
    );
    for (const [file, each] of Object.entries(results)) {
      if (!hasCode(each)) continue;
      out.push(row(`\`${relative(`packages/${name}/src`, file)}\``, each));
    }
    out.push(row('**all**', total(results)), '');
    const missing = filesOf(name).filter((file) => !results[file]);
    const types = Object.keys(results).filter((file) => !hasCode(results[file]));
    if (types.length > 0) out.push(`Types alone: ${types.map((file) => `\`${file}\``).join(', ')}.`, '');
    if (missing.length > 0) out.push(`Not measured: ${missing.map((file) => `\`${file}\``).join(', ')}.`, '');
  }
  await write(PAGE, out.join('\n'));
}

async function main(args) {
  const concurrency = args.includes('--concurrency') ? args[args.indexOf('--concurrency') + 1] : '1';
  const wanted = args.filter((each, i) => !each.startsWith('--') && args[i - 1] !== '--concurrency');
  const files = args.includes('--report')
    ? []
    : (wanted.length > 0 ? wanted : PACKAGES).flatMap((each) => (PACKAGES.includes(each) ? filesOf(each) : [each]));
  mkdirSync(join(root, 'docs/reports'), { recursive: true });
  for (const name of PACKAGES) {
    const own = files.filter((file) => file.startsWith(`packages/${name}/`));
    if (own.length === 0) continue;
    for (let at = 0; at < own.length; at += AT_ONCE) {
      const some = own.slice(at, at + AT_ONCE);
      const measured = mutate(name, some, concurrency);
      for (const file of some) {
        console.log(
          measured[file] ? `${scoreOf(measured[file]).toFixed(1).padStart(5)} %  ${file}` : `${file}: failed`,
        );
        if (!measured[file]) process.exitCode = 1;
      }
      const results = { ...resultsOf(name), ...measured };
      const sorted = Object.fromEntries(Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1)));
      await write(resultFile(name), JSON.stringify(sorted));
    }
  }
  await writePage();
  for (const name of PACKAGES) {
    const results = resultsOf(name);
    if (Object.keys(results).length === 0) continue;
    const score = scoreOf(total(results));
    console.log(`packages/${name}: ${score.toFixed(1)} %`);
    if (score < LEAST) process.exitCode = 1;
  }
}

await main(process.argv.slice(2));
