// Runs mutants for Stryker, hundreds of times faster than by starting a test runner for each: the tests are loaded once
// into a thread that stays, and a mutant is a switch in the code that is loaded.
//
// What could make this say wrong things, and what is done about it:
//   A mutant leaves something behind (a cache): the test that failed must pass again with the mutant off, or the thread is
//     thrown away and the mutant is run in a new one.
//   A mutant is in what is computed once on loading, or the code has kept a result from before: a mutant that nothing
//     noticed is run once more in a thread of its own, where it is on before the first line is loaded.
//   A mutant never ends: the thread is ended.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';

const NAMESPACE = '__stryker__';

// The examples and vectors. Properties and differential tests take seconds each and would run for every mutant; what they
// alone would notice counts as a survivor.
const SLOW = /\.(property|differential|e2e)\.test\.ts$/;
const testFiles = (directory) =>
  globSync('src/**/*.test.ts', { cwd: directory })
    .filter((file) => !SLOW.test(file))
    .sort()
    .map((file) => join(directory, file));

/** How long tests may compute beyond five times what they take otherwise, before they are said not to end. */
const PATIENCE_MS = 2_000;
/** The same where they have to be loaded first. */
const LOADING_MS = 8_000;
/** And the end of all patience, by the clock on the wall: something waits for what never comes. */
const IDLE_MS = 300_000;

/** Runs the mutants of the package in `directory`, whose code has been instrumented by Stryker. */
export function createMutantRunner(directory) {
  /** The thread that stays, and what it told of the tests. */
  let warm;
  /** By the file of a mutant: the test file that noticed the last one in it, which often notices the next. */
  const noticedBy = new Map();

  const start = (files, active) =>
    new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { files, namespace: NAMESPACE, active, compiled: join(directory, '.compiled') },
    });

  /**
   * The next answer of a thread; 'late' when it computed for so long (milliseconds of its own time on a processor, so that
   * a machine that does much else changes nothing) without an answer, and the thread is ended then.
   */
  function answer(thread, milliseconds) {
    return new Promise((resolve, reject) => {
      const since = performance.now();
      let before;
      const watch = setInterval(async () => {
        const { user, system } = await thread.cpuUsage().catch(() => ({ user: 0, system: 0 }));
        before ??= user + system;
        const isLate = (user + system - before) / 1000 > milliseconds || performance.now() - since > IDLE_MS;
        if (isLate)
          finish(
            resolve,
            thread.terminate().then(() => 'late'),
          );
      }, 250);
      const finish = (how, value) => {
        clearInterval(watch);
        for (const [event, listener] of Object.entries(listeners)) thread.off(event, listener);
        how(value);
      };
      const listeners = {
        message: (message) => finish(resolve, message),
        error: (error) => finish(reject, error),
        exit: (code) => finish(reject, new Error(`the thread of the tests ended by itself (${code})`)),
      };
      for (const [event, listener] of Object.entries(listeners)) thread.on(event, listener);
    });
  }

  async function warmUp() {
    if (warm) return warm;
    const thread = start(testFiles(directory));
    const told = await answer(thread, IDLE_MS);
    if (told === 'late') throw new Error('the tests did not end');
    const total = told.results.reduce((sum, { timeSpentMs }) => sum + timeSpentMs, 0);
    warm = { thread, total, ...told };
    return warm;
  }

  async function coolDown() {
    const { thread } = warm ?? {};
    warm = undefined;
    await thread?.terminate();
  }

  const dryRun = async () => {
    const { results, coverage } = await warmUp();
    return {
      status: 'complete',
      mutantCoverage: coverage,
      tests: results.map(({ id, name: title, file, timeSpentMs, failure }) => ({
        ...{ id, name: title, fileName: file, timeSpentMs },
        ...(failure ? { status: 1, failureMessage: failure } : { status: 0 }),
      })),
    };
  };

  /** Test files that can reach the file of the mutant: the one that noticed the last, then those that need least besides. */
  function related(sandboxFile) {
    const url = pathToFileURL(sandboxFile).href;
    return Object.entries(warm.reached)
      .filter(([, reached]) => reached.includes(url))
      .sort(([, a], [, b]) => a.length - b.length)
      .map(([file]) => file)
      .sort((a, b) => Number(b === noticedBy.get(sandboxFile)) - Number(a === noticedBy.get(sandboxFile)));
  }

  const killed = ({ id, file, failure }, ran) => ({
    status: 'killed',
    killedBy: [id ?? warm.results.find((each) => each.file === file).id],
    failureMessage: failure,
    nrOfTests: ran,
  });
  const LATE = { status: 'timeout', reason: 'it did not end' };

  async function mutantRun({ activeMutant: { id }, testFilter, hitLimit, sandboxFileName }) {
    const { thread, coverage, results } = await warmUp();
    const judge = ({ failed, ran, hits }) => {
      if (hitLimit !== undefined && hits > hitLimit) return LATE;
      return failed ? killed(failed, ran) : { status: 'survived', nrOfTests: ran };
    };
    const times = new Map(results.map((each) => [each.id, each.timeSpentMs]));
    const reaching = Object.keys(coverage.perTest).filter((test) => id in coverage.perTest[test]);
    const wanted = reaching.sort((a, b) => times.get(a) - times.get(b));
    const sumOf = (tests) => tests.reduce((sum, test) => sum + times.get(test), 0);
    if (wanted.length > 0) {
      thread.postMessage({ mutant: id, hitLimit, wanted });
      const told = await answer(thread, PATIENCE_MS + 5 * sumOf(wanted));
      if (told === 'late') {
        warm = undefined;
        return LATE;
      }
      if (told.spoilt) await coolDown();
      else if (told.failed) return judge(told);
    }
    const { total } = await warmUp();
    // Only tests that reach it can notice it, unless it was reached while loading.
    const onLoading = testFilter === undefined;
    const files = onLoading ? related(sandboxFileName) : [...new Set(wanted.map((test) => test.split('#')[0]))];
    if (files.length === 0) return { status: 'survived', nrOfTests: 0 };
    const fresh = start(files, { mutant: id, hitLimit, wanted: onLoading ? undefined : wanted });
    const told = await answer(fresh, LOADING_MS + 5 * total);
    if (told === 'late') return LATE;
    await fresh.terminate();
    if (told.failed) noticedBy.set(sandboxFileName, told.failed.file ?? told.failed.id.split('#')[0]);
    return judge(told);
  }

  return { capabilities: () => ({ reloadEnvironment: true }), dryRun, mutantRun, dispose: coolDown };
}

const createRunner = () => createMutantRunner(join(process.cwd(), 'packages', process.env['KEEPWATCH_MUTATED']));
createRunner.inject = [];

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'keepwatch', createRunner)];
