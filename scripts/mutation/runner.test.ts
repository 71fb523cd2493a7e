import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMutantRunner } from './runner.mjs';

// Code as Stryker instruments it: a mutant is a branch that is taken when its number is the active one.
const CODE = `
const stryker = (globalThis.__stryker__ ??= {});
const coverage = (stryker.mutantCoverage ??= { static: {}, perTest: {} });
function on(id: string): boolean {
  const reached = stryker.currentTestId ? (coverage.perTest[stryker.currentTestId] ??= {}) : coverage.static;
  reached[id] = (reached[id] ?? 0) + 1;
  return stryker.activeMutant === id && (stryker.hitCount === undefined || ++stryker.hitCount <= stryker.hitLimit);
}
export const LIMIT = on('constant') ? 1 : 10;
export const twice = (n: number): number => (on('noticed') ? n : n * 2);
export const half = (n: number): number => (on('unnoticed') ? n : n / 2);
export const nobodyAsks = (): number => (on('unreached') ? 1 : 2);
export function count(): number {
  let n = 0;
  while (n < 3 || on('endless')) n += 1;
  return n;
}
let kept: number | undefined;
export const first = (n: number): number => (kept ??= on('kept') ? n + 1 : n);
let broken = 0;
export const leave = (): number => (on('leaves') ? (broken = 1) : broken);
`;
const TESTS = `
import { describe, expect, it } from 'vitest';
import { count, first, half, leave, LIMIT, twice } from './code.ts';
describe('code', () => {
  it('has a limit', () => { expect(LIMIT).toBe(10); });
  it.each([[1, 2], [2, 4]])('doubles %i', (n, doubled) => { expect(twice(n)).toBe(doubled); });
  it.each([[1], 2, null])('takes %j as it stands', (item) => { expect([[1], 2, null]).toContainEqual(item); });
  it('halves', () => { half(2); });
  it('counts', () => { expect(count()).toBe(3); });
  it('remembers', async () => { expect(first(7)).toBe(7); });
  it('leaves nothing', () => { expect(leave()).toBe(0); });
});
`;

describe('mutants of a package', () => {
  let directory: string;
  let runner: ReturnType<typeof createMutantRunner>;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepwatch-mutants-'));
    mkdirSync(join(directory, 'src'));
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(directory, 'src/code.ts'), CODE);
    writeFileSync(join(directory, 'src/code.test.ts'), TESTS);
    writeFileSync(join(directory, 'src/slow.property.test.ts'), 'throw new Error("not to be run")');
    runner = createMutantRunner(directory);
  });
  afterAll(async () => {
    await runner.dispose();
    rmSync(directory, { recursive: true });
  });

  const run = (id: string, more: object = {}) =>
    runner.mutantRun({
      ...{ activeMutant: { id }, testFilter: [], hitLimit: undefined },
      ...{ sandboxFileName: join(directory, 'src/code.ts'), ...more },
    });

  it('has tests that pass and tells what each reaches', async () => {
    const { tests, mutantCoverage } = await runner.dryRun();
    expect(tests.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      ...['code > has a limit: 0', 'code > doubles 1: 0', 'code > doubles 2: 0'],
      ...['code > takes [1] as it stands: 0', 'code > takes 2 as it stands: 0', 'code > takes null as it stands: 0'],
      'code > halves: 0',
      ...['code > counts: 0', 'code > remembers: 0', 'code > leaves nothing: 0'],
    ]);
    expect(Object.keys(mutantCoverage.static)).toEqual(['constant']);
    expect(mutantCoverage.perTest[`${join(directory, 'src/code.test.ts')}#code > doubles 2`]).toEqual({ noticed: 1 });
  });

  it('is noticed by the test that reaches it', async () => {
    expect(await run('noticed')).toMatchObject({
      status: 'killed',
      failureMessage: expect.stringContaining('expected'),
    });
  });

  it('survives where no test looks, or none comes', async () => {
    expect(await run('unnoticed')).toEqual({ status: 'survived', nrOfTests: 1 });
    expect(await run('unreached')).toEqual({ status: 'survived', nrOfTests: 0 });
  });

  it('is noticed in what is computed once, on loading', async () => {
    expect(await run('constant', { testFilter: undefined })).toMatchObject({ status: 'killed' });
  });

  it('is noticed behind a result that was kept from before', async () => {
    expect(await run('kept')).toMatchObject({ status: 'killed' });
  });

  it('does not make the next one look noticed by what it leaves behind', async () => {
    expect(await run('leaves')).toMatchObject({ status: 'killed' });
    expect(await run('unnoticed')).toEqual({ status: 'survived', nrOfTests: 1 });
    expect(await run('leaves')).toMatchObject({ status: 'killed' });
  });

  it('is ended when it does not end', async () => {
    expect(await run('endless')).toMatchObject({ status: 'timeout' });
    expect(await run('noticed')).toMatchObject({ status: 'killed' });
  });

  it('is ended when it is reached too often', async () => {
    expect(await run('endless', { hitLimit: 100 })).toMatchObject({ status: 'timeout' });
  });
});
