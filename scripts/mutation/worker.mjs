// One thread with the instrumented code and its tests, run by Node itself. Two ways of use (`workerData.active`):
//   without  loads every test file, runs all tests once and tells which test reaches which mutant; then, told of a mutant,
//            switches it on and runs the tests it is given, until one fails
//   with     switches that mutant on before anything is loaded, then loads and runs file by file until one test fails: what
//            a constant holds, or a table, is changed by this alone
import { enableCompileCache, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { files, namespace, active, compiled } = workerData;
// What was compiled once need not be compiled by every thread that loads it anew.
enableCompileCache(compiled);
const stryker = (globalThis[namespace] ??= {});

/** Which module asked for which: so that a mutant is put to the test files that can reach it. */
const imports = new Map();
const collecting = new URL('./collect.mjs', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const from = context.parentURL;
    if (specifier === 'vitest' && from !== collecting) return { url: collecting, shortCircuit: true };
    const found = next(specifier, context);
    if (from && found.url.startsWith('file:')) imports.set(from, (imports.get(from) ?? new Set()).add(found.url));
    return found;
  },
});
const { collectTests } = await import(collecting);

const load = (file) => collectTests(() => import(pathToFileURL(file).href));
const idOf = (file, name) => `${file}#${name}`;

/** Everything that `file` imports, and what that imports. */
function reach(file) {
  const found = new Set([pathToFileURL(file).href]);
  for (const each of found) for (const next of imports.get(each) ?? []) found.add(next);
  return [...found];
}

async function failureOf(run) {
  try {
    await run();
    return undefined;
  } catch (error) {
    return String(error?.message ?? error).slice(0, 500) || 'it failed';
  }
}

function activate(mutant, hitLimit) {
  stryker.activeMutant = mutant;
  stryker.hitCount = hitLimit === undefined ? undefined : 0;
  stryker.hitLimit = hitLimit;
}

/** Loads and runs with the mutant on from the start. */
async function runFresh({ mutant, hitLimit, wanted }) {
  activate(mutant, hitLimit);
  let ran = 0;
  for (const file of files) {
    let tests;
    const failure = await failureOf(async () => (tests = await load(file)));
    if (failure) return { ran, failed: { file, failure }, hits: stryker.hitCount };
    for (const { name, run } of tests) {
      const id = idOf(file, name);
      if (wanted && !wanted.includes(id)) continue;
      ran += 1;
      const failure = await failureOf(run);
      if (failure) return { ran, failed: { id, failure }, hits: stryker.hitCount };
    }
  }
  return { ran, hits: stryker.hitCount };
}

/** Milliseconds that this thread has computed: on a machine that does much else, the clock says more. */
function computed() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Runs every test without a mutant. */
async function rehearse(tests) {
  const results = [];
  for (const [id, { file, name, run }] of tests) {
    const start = computed();
    stryker.currentTestId = id;
    const failure = await failureOf(run);
    stryker.currentTestId = undefined;
    results.push({ id, name, file, timeSpentMs: computed() - start, failure });
  }
  return results;
}

/** Runs tests that were loaded before, with the mutant on; the test that fails is run again with the mutant off. */
async function runWarm(tests, { mutant, hitLimit, wanted }) {
  let ran = 0;
  for (const id of wanted) {
    activate(mutant, hitLimit);
    ran += 1;
    const failure = await failureOf(tests.get(id).run);
    const hits = stryker.hitCount;
    activate(undefined, undefined);
    if (failure || (hitLimit !== undefined && hits > hitLimit)) {
      return { ran, failed: { id, failure }, hits, spoilt: (await failureOf(tests.get(id).run)) !== undefined };
    }
  }
  return { ran };
}

if (active) {
  parentPort.postMessage(await runFresh(active));
} else {
  const tests = new Map();
  for (const file of files) {
    for (const test of await load(file)) tests.set(idOf(file, test.name), { file, ...test });
  }
  const results = await rehearse(tests);
  const { mutantCoverage = { static: {}, perTest: {} } } = stryker;
  const reached = Object.fromEntries(files.map((file) => [file, reach(file)]));
  parentPort.on('message', async (order) => parentPort.postMessage(await runWarm(tests, order)));
  parentPort.postMessage({ results, coverage: mutantCoverage, reached });
}
