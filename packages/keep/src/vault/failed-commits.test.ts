import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '@keepwatch/base';

import { verifyJournal } from '../methods/journal.ts';

import type { KeepStore } from './context.ts';
import { createVaults, ETHER, memoryStore } from './test-vault.fixture.ts';
import { statusOf } from './vault.ts';

const { newVault, removeAll } = createVaults();
afterEach(removeAll);

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('commits that fail', () => {
  /** A store whose next commits of batches fail as told. */
  function failing(): { store: KeepStore; fail: (error: CodedError | null) => void; commits: () => number } {
    const inner = memoryStore();
    let error: CodedError | null = null;
    let commits = 0;
    return {
      fail: (next) => {
        error = next;
      },
      commits: () => commits,
      store: {
        ...inner,
        commit(batches, writes) {
          if (error && batches.length > 0) throw error;
          commits += batches.length;
          return inner.commit(batches, writes);
        },
      },
    };
  }

  async function ready(store: KeepStore) {
    const v = await newVault({ store });
    await v.init();
    const client = await v.client();
    const { wallet } = await v.wallet();
    await v.grant(client, wallet);
    return { v, client, wallet };
  }

  it('signs nothing when the disk is full, goes on from what is durable, and still revokes', async () => {
    const { store, fail } = failing();
    const { v, client, wallet } = await ready(store);
    fail(new CodedError('storage_full', 'full'));
    await expect(v.sign(client, wallet, { value: ETHER })).rejects.toEqual(code('storage_full'));
    fail(null);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Nothing of the failed request was charged, and its nonce is free.
    await v.sign(client, wallet, { value: ETHER });
    expect((await verifyJournal(v.vault)).foldMatches).toBe(true);
    v.setDiskLow(true);
    await expect(v.sign(client, wallet, { nonce: 1 })).rejects.toEqual(code('storage_full'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await v.command('grant.revoke', { grant: 'g1' });
    await v.command('vault.seal', {});
    expect(statusOf(v.vault).phase).toBe('sealed');
  });

  it('answers an unseal that finds the disk full, and goes on', async () => {
    const { v } = await ready(memoryStore());
    await v.command('vault.seal', {});
    v.setDiskLow(true);
    await expect(v.unseal()).rejects.toEqual(code('storage_full'));
    expect(v.happened).not.toContain('fatal storage_full');
    v.setDiskLow(false);
    await v.unseal();
  });

  it('answers a revoke that a seal overtook, after a commit that failed', async () => {
    const { store, fail } = failing();
    const { v, client, wallet } = await ready(store);
    fail(new CodedError('storage_full', 'full'));
    const signing = v.sign(client, wallet);
    const revoking = v.command('grant.revoke', { grant: 'g1' });
    const settled = Promise.allSettled([signing, revoking]);
    await signing.catch(() => undefined);
    await v.command('vault.seal', {});
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(v.happened.filter((words) => words.startsWith('fatal'))).toEqual([]);
  });

  it('gives up the process where the outcome of a commit is unknown', async () => {
    const { store, fail } = failing();
    const { v, client, wallet } = await ready(store);
    fail(new CodedError('storage_failed', 'the disk is gone'));
    await expect(v.sign(client, wallet)).rejects.toEqual(code('storage_failed'));
    expect(v.happened).toContain('fatal storage_failed');
  });

  it('answers nobody before the commit', async () => {
    const inner = memoryStore();
    let release: () => void = () => undefined;
    let hold = false;
    const store: KeepStore = {
      ...inner,
      commit(batches, writes) {
        if (!hold || batches.length === 0) return inner.commit(batches, writes);
        return new Promise<void>((resolve) => {
          release = () => resolve(inner.commit(batches, writes) as undefined);
        });
      },
    };
    const { v, client, wallet } = await ready(store);
    hold = true;
    let answered = false;
    const answer = v.sign(client, wallet).then(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    release();
    await answer;
    expect(answered).toBe(true);
  });
});
