import { CodedError } from '@keepwatch/base';
import type { Appended } from '@keepwatch/journal';
import { NO_HEAD, type SignedHead } from '@keepwatch/wire';
import { describe, expect, it } from 'vitest';
import type { VaultEvent } from '../state/events.ts';
import { emptyState } from '../state/fold.ts';
import type { State } from '../state/state.ts';
import type { SignEffect } from '../step/step.ts';
import { createEngine, type EngineDeps, type Job } from './engine.ts';

const head = (lastSeq: number): SignedHead => ({
  ...{ version: 1, vault: 'v', epoch: 1, firstSeq: 1, lastSeq, root: NO_HEAD, prev: NO_HEAD, timeMs: 0 },
  signature: new Uint8Array(64),
});

const frozen = (words: string): VaultEvent => ({ type: 'signing.frozen', reason: 'rollback', words });
const full = new CodedError('storage_full', 'full');

/** An engine whose commits the test holds, and a log of everything that happens in their order. */
function engine(change: Partial<EngineDeps> = {}) {
  const log: string[] = [];
  const commits: { entries: number; tightens: boolean; settle: (error?: CodedError) => void }[] = [];
  const state = emptyState();
  const made = createEngine({
    state,
    entropy: (length) => new Uint8Array(length),
    now: () => 1,
    append: (entries, _writes, _timeMs, tightens) =>
      new Promise<Appended>((resolve, reject) => {
        commits.push({
          entries: entries.length,
          tightens,
          settle(error) {
            log.push(error ? 'commit failed' : 'commit');
            if (error) return reject(error);
            const receipt = (i: number) => ({ entry: entries[i]!, seq: i, index: i, path: [], head: head(state.seq) });
            resolve({ head: head(state.seq), seqOf: (i) => i, receipt });
          },
        });
      }),
    sign(effects) {
      log.push(`sign ${effects.map(({ wallet }) => wallet).join(' ')}`);
      return effects.map(() => ({ rs: new Uint8Array(64), yParity: 0 as const }));
    },
    signaturesWait: () => false,
    mirror: () => [],
    committed: (event) => log.push(`committed ${event.type}`),
    broken: (error, tightening) => log.push(`broken ${error.code}, ${tightening.length} again`),
    soon: (run) => void setImmediate(run),
    ...change,
  });
  const job = (name: string, more: Partial<Job> & { sign?: string; events?: VaultEvent[] } = {}): Job => ({
    decide: () => ({
      events: more.events ?? [frozen(name)],
      sign: more.sign === undefined ? null : ({ wallet: more.sign } as SignEffect),
    }),
    done: ({ signature }) => log.push(`${name} done${signature ? ' signed' : ''}`),
    failed: (error) => log.push(`${name} failed ${error.code}`),
    ...more,
  });
  // What it puts off runs in turns like these; a timer may come before them where the machine is busy.
  const turn = async () => {
    for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  };
  return { engine: made, log, commits, job, state, turn };
}

describe('engine', () => {
  it('commits first, then signs, then answers, all in the order of arrival', async () => {
    const { engine: e, log, commits, job, turn } = engine();
    e.submit(job('a', { sign: 'w1' }));
    e.submit(job('b'));
    e.submit(job('c', { sign: 'w2' }));
    await turn();
    expect(log).toEqual([]);
    expect(commits.map(({ entries }) => entries)).toEqual([3]);
    commits[0]!.settle();
    await turn();
    const told = Array.from({ length: 3 }, () => 'committed signing.frozen');
    expect(log).toEqual(['commit', ...told, 'sign w1 w2', 'a done signed', 'b done', 'c done signed']);
  });

  it('lets a small batch grow while signatures wait, for a few turns and no longer', async () => {
    const turns: (() => void)[] = [];
    let wait = true;
    const pass = (count: number) => {
      for (let i = 0; i < count; i++) turns.shift()!();
    };
    const { engine: e, commits, job } = engine({ signaturesWait: () => wait, soon: (run) => turns.push(run) });
    e.submit(job('a'));
    pass(10);
    e.submit(job('b'));
    expect(commits).toEqual([]);
    pass(1);
    expect(commits.map(({ entries }) => entries)).toEqual([2]);
    commits[0]!.settle();
    await new Promise(setImmediate);

    for (let i = 0; i < 20; i++) e.submit(job(`large ${i}`));
    pass(1);
    expect(commits.map(({ entries }) => entries)).toEqual([2, 20]);
    commits[1]!.settle();
    await new Promise(setImmediate);

    e.submit(job('c'));
    pass(3);
    expect(commits).toHaveLength(2);
    wait = false;
    pass(1);
    expect(commits.map(({ entries }) => entries)).toEqual([2, 20, 1]);
    expect(turns).toEqual([]);
  });

  it('decides and commits the next batch while another thread signs', async () => {
    const signed: (() => void)[] = [];
    const sign: EngineDeps['sign'] = (effects) =>
      new Promise((resolve) => {
        signed.push(() => resolve(effects.map(() => ({ rs: new Uint8Array(64), yParity: 1 as const }))));
      });
    const { engine: e, log, commits, job, turn } = engine({ sign });
    e.submit(job('a', { sign: 'w1' }));
    await turn();
    commits[0]!.settle();
    await turn();
    e.submit(job('b', { sign: 'w2' }));
    e.submit(job('c'));
    await turn();
    commits[1]!.settle();
    await turn();
    expect(log.filter((line) => line.includes('done'))).toEqual([]);
    signed[1]!();
    await turn();
    signed[0]!();
    await turn();
    expect(log.slice(-3)).toEqual(['b done signed', 'c done', 'a done signed']);
  });

  it('answers without a signature where signing fails after the commit', async () => {
    const { engine: e, log, commits, job, turn } = engine({ sign: () => Promise.reject(new Error('no such key')) });
    e.submit(job('a', { sign: 'w1' }));
    await turn();
    commits[0]!.settle();
    await turn();
    expect(log).toEqual(['commit', 'committed signing.frozen', 'a done']);
  });

  it('signs a large batch piece by piece', async () => {
    const { engine: e, log, commits, job, turn } = engine();
    for (let i = 0; i < 70; i++) e.submit(job(`j${i}`, { sign: 'w' }));
    await turn();
    commits[0]!.settle();
    await turn();
    const signs = log.filter((line) => line.startsWith('sign')).map((line) => line.split(' ').length - 1);
    expect(signs).toEqual([32, 32, 6]);
    expect(log.filter((line) => line.endsWith('done signed'))).toHaveLength(70);
  });

  it('makes one batch of what arrives during a commit, each decided on the state that the one before left', async () => {
    const { engine: e, commits, job, turn } = engine();
    const seen: number[] = [];
    const counting = (): Job =>
      job('x', { decide: (state: State) => (seen.push(state.seq), { events: [frozen('x')] }) });
    e.submit(counting());
    await turn();
    for (let i = 0; i < 300; i++) e.submit(counting());
    await turn();
    expect(commits).toHaveLength(1);
    commits[0]!.settle();
    await turn();
    commits[1]!.settle();
    await turn();
    expect(commits.map(({ entries }) => entries)).toEqual([1, 256, 44]);
    expect(seen).toEqual(Array.from({ length: 301 }, (_, i) => i));
  });

  it('signs nothing of a batch that was not committed, and hands back what only tightens', async () => {
    const { engine: e, log, commits, job, turn } = engine();
    e.submit(job('a', { sign: 'w1' }));
    e.submit(job('revoke', { tightens: true }));
    await turn();
    expect(commits[0]!.tightens).toBe(false);
    commits[0]!.settle(full);
    await turn();
    expect(log).toEqual(['commit failed', 'a failed storage_full', 'broken storage_full, 1 again']);
  });

  it('does not try again what failed though it was alone, or failed for another reason', async () => {
    const lost = new CodedError('storage_failed', 'lost');
    for (const [others, error] of [
      [[], full],
      [['a'], lost],
    ] as const) {
      const { engine: e, log, commits, job, turn } = engine();
      for (const other of others) e.submit(job(other));
      e.submit(job('revoke', { tightens: true }));
      await turn();
      commits[0]!.settle(error);
      await turn();
      expect(log.slice(-2)).toEqual([`revoke failed ${error.code}`, `broken ${error.code}, 0 again`]);
    }
  });

  it('lets one failed decision be the only one', async () => {
    const { engine: e, log, commits, job, turn } = engine();
    const bug = () => {
      throw new TypeError('bug');
    };
    e.submit(job('a', { decide: bug }));
    e.submit(job('b'));
    await turn();
    commits[0]!.settle();
    await turn();
    expect(log).toEqual(['a failed internal_error', 'commit', 'committed signing.frozen', 'b done']);
  });

  it('answers without a commit where nothing is to be journaled', async () => {
    const { engine: e, log, commits, job, turn } = engine();
    e.submit(job('a', { events: [], sign: 'w1' }));
    await turn();
    expect(commits).toEqual([]);
    expect(log).toEqual(['sign w1', 'a done signed']);
  });

  it('fails what is queued when it is stopped, and what comes later', async () => {
    const { engine: e, log, job, turn } = engine();
    e.submit(job('a'));
    e.stop(new CodedError('vault_sealed', 'sealed'));
    e.submit(job('b'));
    await turn();
    expect(log).toEqual(['a failed vault_sealed', 'b failed vault_sealed']);
  });

  it('never says of a committed batch that it was not, whatever fails after it', () => {
    const flushes: (() => void)[] = [];
    const committed = (): Appended => ({ head: head(1), seqOf: (i) => i, receipt: () => undefined as never });
    const {
      engine: e,
      log,
      job,
    } = engine({
      append: committed,
      soon: (run) => void flushes.push(run),
      sign() {
        throw new TypeError('bug');
      },
    });
    e.submit(job('a', { sign: 'w1' }));
    expect(flushes[0]).toThrow('bug');
    expect(log).toEqual(['committed signing.frozen']);
  });
});
