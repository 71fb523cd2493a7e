import { hash } from 'node:crypto';
import { CodedError, type MaybePromise } from '@keepwatch/base';
import type { JournalStore, StoredBatch } from '@keepwatch/journal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface StoreUnderTest {
  readonly store: JournalStore;
  /** Closes the store and opens what was stored. Left out by an adapter that forgets. */
  readonly reopen?: () => MaybePromise<JournalStore>;
  readonly cleanUp?: () => MaybePromise<void>;
}

/** What every adapter of `JournalStore` must do. `makeStore` gives an empty store. */
export function journalStoreContract(
  name: string,
  makeStore: () => MaybePromise<StoreUnderTest>,
  { durable }: { readonly durable: boolean },
): void {
  describe(`${name} as a journal store`, () => {
    let made: StoreUnderTest;
    let store: JournalStore;

    beforeEach(async () => {
      made = await makeStore();
      store = made.store;
    });

    afterEach(async () => {
      await store.close();
      await made.cleanUp?.();
    });

    const all = async (fromSeq: number) => {
      const found: StoredBatch[] = [];
      for await (const batch of store.batches(fromSeq)) found.push(batch);
      return found.map(plain);
    };

    it('is empty at first', async () => {
      expect(await store.lastBatch()).toBe(undefined);
      expect(await store.batchEndingAt(1)).toBe(undefined);
      expect(await store.batchContaining(1)).toBe(undefined);
      expect(await all(1)).toEqual([]);
      expect(await store.get('a', 'b')).toBe(undefined);
      expect(await store.list('a')).toEqual([]);
      expect(await store.count('a')).toBe(0);
    });

    it('gives back every field of a batch, and finds it by any of its entries', async () => {
      const batches = chain(undefined, [3, 1, 64]);
      await store.commit(batches.slice(0, 2), []);
      await store.commit(batches.slice(2), []);
      expect(plain((await store.lastBatch())!)).toEqual(plain(batches[2]!));
      for (const batch of batches) {
        expect(plain((await store.batchEndingAt(batch.lastSeq))!)).toEqual(plain(batch));
        for (const seq of [batch.firstSeq, batch.lastSeq]) {
          expect(plain((await store.batchContaining(seq))!)).toEqual(plain(batch));
        }
      }
      expect(await store.batchEndingAt(2)).toBe(undefined);
      for (const seq of [-1, 0, 69]) expect(await store.batchContaining(seq)).toBe(undefined);
    });

    it('iterates in order from the batch that holds an entry', async () => {
      const batches = chain(
        undefined,
        Array.from({ length: 50 }, (_, i) => 1 + (i % 3)),
      );
      await store.commit(batches, []);
      const { firstSeq, lastSeq } = batches[31]!;
      expect(await all(1)).toEqual(batches.map(plain));
      expect(await all(firstSeq)).toEqual(batches.slice(31).map(plain));
      expect(await all(lastSeq)).toEqual(batches.slice(31).map(plain));
      expect(await all(lastSeq + 1)).toEqual(batches.slice(32).map(plain));
      expect(await all(10_000)).toEqual([]);
    });

    it('refuses a batch that does not continue the last one, and what came with it', async () => {
      const [first, second, third] = chain(undefined, [2, 2, 2]) as [StoredBatch, StoredBatch, StoredBatch];
      const refused = async (batches: readonly StoredBatch[]) => {
        const commit = async () => store.commit(batches, [{ op: 'put', space: 's', key: 'k', value: bytes(1) }]);
        const error: unknown = await commit().then(
          () => undefined,
          (cause: unknown) => cause,
        );
        expect(error).toBeInstanceOf(CodedError);
        expect((error as CodedError).code).toBe('storage_out_of_order');
        expect(await store.get('s', 'k')).toBe(undefined);
      };
      await refused([second]);
      await store.commit([first], []);
      await refused([first]);
      await refused([third]);
      await refused([second, second]);
      await refused([{ ...second, prev: bytes(32, 9) }]);
      await refused([{ ...second, firstSeq: 4, lastSeq: 3 }]);
      await refused([{ ...second, lastSeq: 2 }]);
      expect(plain((await store.lastBatch())!)).toEqual(plain(first));
      await store.commit([second, third], []);
      expect(await all(1)).toEqual([first, second, third].map(plain));
    });

    it('applies record writes in order, and with their batch', async () => {
      const [first, second] = chain(undefined, [1, 1]) as [StoredBatch, StoredBatch];
      await store.commit(
        [first],
        [
          { op: 'put', space: 'wallet', key: 'a', value: bytes(1, 1) },
          { op: 'put', space: 'wallet', key: 'b', value: bytes(0) },
          { op: 'put', space: 'wallet', key: 'a', value: bytes(3, 2) },
          { op: 'delete', space: 'wallet', key: 'never' },
        ],
      );
      expect(await store.get('wallet', 'a')).toEqual(bytes(3, 2));
      expect(await store.get('wallet', 'b')).toEqual(bytes(0));
      expect(await store.get('walle', 'a')).toBe(undefined);
      expect(await store.count('wallet')).toBe(2);
      await store.commit([second], [{ op: 'delete', space: 'wallet', key: 'a' }]);
      await store.commit([], [{ op: 'put', space: 'other', key: 'a', value: bytes(1, 7) }]);
      expect(await store.get('wallet', 'a')).toBe(undefined);
      expect(await store.get('other', 'a')).toEqual(bytes(1, 7));
      expect(await store.count('wallet')).toBe(1);
      expect((await store.lastBatch())?.lastSeq).toBe(2);
    });

    it('lists a space by the UTF-8 order of its keys, page by page', async () => {
      // U+FF61 stands before U+1F600 in UTF-8 and after it in UTF-16.
      const keys = ['a', 'a/1', 'a0', 'b', '\uff61', '\u{1f600}'];
      const writes = keys.map((key, i) => ({ op: 'put', space: 's', key, value: bytes(1, i) }) as const);
      await store.commit([], [...writes.toReversed(), { op: 'put', space: 't', key: 'a', value: bytes(1) }]);
      const expected = keys.map((key, i) => ({ key, value: bytes(1, i) }));
      const list = async (options?: Parameters<JournalStore['list']>[1]) =>
        (await store.list('s', options)).map(({ key, value }) => ({ key, value: Uint8Array.from(value) }));
      expect(await list()).toEqual(expected);
      expect(await list({ after: 'a/1' })).toEqual(expected.slice(2));
      expect(await list({ after: 'a/2', limit: 2 })).toEqual(expected.slice(2, 4));
      expect(await list({ limit: 1 })).toEqual(expected.slice(0, 1));
      expect(await list({ after: '\u{1f600}' })).toEqual([]);
    });

    it('keeps its own copy of what it was given', async () => {
      const [batch] = chain(undefined, [1]) as [StoredBatch];
      const value = bytes(4, 1);
      const before = plain(batch);
      await store.commit([batch], [{ op: 'put', space: 's', key: 'k', value }]);
      batch.sealed.fill(0);
      value.fill(0);
      expect(plain((await store.lastBatch())!)).toEqual(before);
      expect(await store.get('s', 'k')).toEqual(bytes(4, 1));
    });

    if (durable) {
      it('finds all of it again after it was closed', async () => {
        const batches = chain(undefined, [5, 5]);
        await store.commit(batches, [{ op: 'put', space: 's', key: 'k', value: bytes(100, 3) }]);
        store = await made.reopen!();
        expect(await all(1)).toEqual(batches.map(plain));
        expect(await store.get('s', 'k')).toEqual(bytes(100, 3));
        const more = chain(batches[1], [2]);
        await store.commit(more, []);
        expect(await all(11)).toEqual(more.map(plain));
      });
    }
  });
}

/** Batches of so many entries each, linked as a store checks them. Contents are arbitrary: a store reads none. */
function chain(after: StoredBatch | undefined, sizes: readonly number[]): StoredBatch[] {
  const batches: StoredBatch[] = [];
  let before = after;
  for (const size of sizes) {
    const firstSeq = (before?.lastSeq ?? 0) + 1;
    const batch: StoredBatch = {
      epoch: 1 + firstSeq,
      firstSeq,
      lastSeq: firstSeq + size - 1,
      prev: before?.hash ?? bytes(32),
      root: hash('sha256', `root ${firstSeq}`, 'buffer'),
      hash: hash('sha256', `hash ${firstSeq}`, 'buffer'),
      timeMs: 1_790_000_000_000 + firstSeq,
      signature: bytes(64, firstSeq),
      keyId: 0xffffffff - firstSeq,
      sealed: bytes(firstSeq * 100, firstSeq),
    };
    batches.push(batch);
    before = batch;
  }
  return batches;
}

function bytes(length: number, fill = 0): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

/** For comparison: the same whether the bytes are a Buffer or a Uint8Array. */
function plain(batch: StoredBatch): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(batch).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : (value as number),
    ]),
  );
}
