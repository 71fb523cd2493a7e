import { canonicalBytes, toHex, type MaybePromise } from '@keepwatch/base';
import { createJournalKeys, ed25519Verify, sha256, type JournalKeys } from '@keepwatch/testkit';
import { parseReceipt, receiptToJson, verifyHeadChain, verifyReceipt, type SignedHead } from '@keepwatch/wire';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createJournal, type Appended, type Journal } from './journal.ts';
import { createMemoryStore } from './memory-store.ts';
import type { JournalStore, RecordWrite } from './store.ts';

const TIME = 1_790_000_000_000;

/** The same store as one on the other side of a network would answer: later. */
function promising(store: JournalStore): JournalStore {
  const later = async <T>(work: () => T): Promise<Awaited<T>> => {
    await new Promise((resolve) => setImmediate(resolve));
    return await work();
  };
  return {
    commit: (batches, writes) => later(() => store.commit(batches, writes)),
    lastBatch: () => later(() => store.lastBatch()),
    batchEndingAt: (seq) => later(() => store.batchEndingAt(seq)),
    batchContaining: (seq) => later(() => store.batchContaining(seq)),
    async *batches(fromSeq) {
      for await (const batch of store.batches(fromSeq)) yield batch;
    },
    get: (space, key) => later(() => store.get(space, key)),
    list: (space, options) => later(() => store.list(space, options)),
    count: (space) => later(() => store.count(space)),
    close: () => later(() => store.close()),
  };
}

let keys: JournalKeys;
let store: JournalStore;

beforeEach(() => {
  keys = createJournalKeys();
  store = createMemoryStore();
});

function opened(of = store, as = keys): MaybePromise<Awaited<ReturnType<typeof createJournal>>> {
  return createJournal({ store: of, sha256, signHead: as.signHead, cipher: as.cipher }, { vault: as.vault });
}

function openSync(): Journal {
  const journal = opened();
  if (journal instanceof Promise || !journal.ok) throw new Error('the journal did not open at once');
  return journal.value;
}

function now<T>(value: MaybePromise<T>): T {
  if (value instanceof Promise) throw new Error('a promise where a value was expected');
  return value;
}

const entry = (n: number) => canonicalBytes({ n, salt: `salt ${n}` });
const entriesFrom = (n: number, count: number) => Array.from({ length: count }, (_, i) => entry(n + i));

function append(journal: Journal, count: number, timeMs = TIME, writes: RecordWrite[] = []): Appended {
  return now(journal.append(entriesFrom((journal.head()?.lastSeq ?? 0) + 1, count), writes, timeMs));
}

describe('journal', () => {
  it('is empty at first', async () => {
    const journal = openSync();
    expect(journal.head()).toBe(undefined);
    expect(journal.epoch()).toBe(1);
    expect(await journal.read(1, 10)).toEqual({ ok: true, value: [] });
    expect(now(journal.receiptFor(1))).toMatchObject({ ok: false, error: { code: 'journal_entry_unknown', seq: 1 } });
    const verified = await journal.verify({ receiptPublicKey: keys.receiptPublicKey, ed25519Verify });
    expect(verified).toEqual({ ok: true, value: { entries: 0, batches: 0, head: undefined } });
  });

  it('numbers entries from 1, links the heads, and writes records with them', () => {
    const journal = openSync();
    const first = append(journal, 3, TIME, [{ op: 'put', space: 's', key: 'k', value: Uint8Array.of(1) }]);
    const second = append(journal, 2, TIME + 5);
    expect([first.seqOf(0), first.seqOf(2), second.seqOf(0)]).toEqual([1, 3, 4]);
    expect(second.head).toMatchObject({ version: 1, vault: keys.vault, epoch: 1, firstSeq: 4, lastSeq: 5 });
    expect(second.head.timeMs).toBe(TIME + 5);
    expect(verifyHeadChain([first.head, second.head], sha256).ok).toBe(true);
    expect(journal.head()).toBe(second.head);
    expect(store.get('s', 'k')).toEqual(Uint8Array.of(1));
    now(store.commit([], [{ op: 'delete', space: 's', key: 'k' }]));
    expect(store.get('s', 'k')).toBe(undefined);
  });

  it('stores no plaintext', () => {
    const journal = openSync();
    now(journal.append([Buffer.from('{"to":"a secret address"}')], [], TIME));
    for (const batch of store.batches(1) as Iterable<{ sealed: Uint8Array }>) {
      expect(Buffer.from(batch.sealed).includes('secret')).toBe(false);
    }
  });

  it('gives receipts that anybody can check, at once and at any later time', () => {
    const journal = openSync();
    const parts = [append(journal, 1), append(journal, 7), append(journal, 64)];
    for (const part of parts) {
      for (let i = 0; part.head.firstSeq + i <= part.head.lastSeq; i++) {
        const seq = part.seqOf(i);
        const receipt = part.receipt(i);
        expect(now(journal.receiptFor(seq))).toEqual({ ok: true, value: receipt });
        const parsed = parseReceipt(JSON.parse(JSON.stringify(receiptToJson(receipt))));
        const checked = verifyReceipt(parsed.ok ? parsed.value : receipt, keys, { sha256, ed25519Verify });
        expect(checked).toEqual({ ok: true, value: { seq, entry: { n: seq, salt: `salt ${seq}` } } });
      }
    }
    expect(now(journal.receiptFor(73))).toMatchObject({ ok: false, error: { code: 'journal_entry_unknown' } });
    expect(now(journal.receiptFor(0))).toMatchObject({ ok: false, error: { code: 'journal_entry_unknown' } });
  });

  it('reads any stretch', async () => {
    const journal = openSync();
    for (const [i, count] of [5, 1, 9, 3].entries()) append(journal, count, TIME + i);
    for (let from = 1; from <= 19; from++) {
      for (const limit of [0, 1, 4, 100]) {
        const read = await journal.read(from, limit);
        const expected = entriesFrom(from, Math.max(0, Math.min(limit, 19 - from)));
        expect(read.ok && read.value.map(({ bytes }) => toHex(bytes))).toEqual(expected.map(toHex));
        expect(read.ok && read.value.map(({ seq }) => seq)).toEqual(expected.map((_, i) => from + i));
      }
    }
    const read = await journal.read(5, 2);
    expect(read.ok && read.value.map(({ timeMs }) => timeMs)).toEqual([TIME, TIME + 1]);
  });

  it('goes on where it was, under new data keys and in a later epoch', async () => {
    append(openSync(), 4);
    keys.rotate();
    const journal = openSync();
    expect(journal.epoch()).toBe(1);
    journal.startEpoch(3);
    expect(journal.epoch()).toBe(3);
    const { head } = append(journal, 2);
    expect(head.epoch).toBe(3);
    expect(openSync().epoch()).toBe(3);
    expect((await openSync().read(1, 9)).ok).toBe(true);
    const verified = await openSync().verify({ receiptPublicKey: keys.receiptPublicKey, ed25519Verify });
    expect(verified).toEqual({ ok: true, value: { entries: 6, batches: 2, head } });
    expect(() => journal.startEpoch(3)).toThrow(/only rises/);
  });

  it('verifies with every entry handed out in order, and says how far it is', async () => {
    const journal = openSync();
    append(journal, 3);
    append(journal, 2);
    const seen: number[] = [];
    const progress: unknown[] = [];
    await journal.verify({
      receiptPublicKey: keys.receiptPublicKey,
      ed25519Verify,
      onEntry: ({ seq, bytes }) => {
        expect(toHex(bytes)).toBe(toHex(entry(seq)));
        seen.push(seq);
      },
      onProgress: (done) => void progress.push(done),
    });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(progress).toEqual([
      { seq: 3, of: 5 },
      { seq: 5, of: 5 },
    ]);
  });

  it('does not open as another vault’s', () => {
    append(openSync(), 1);
    const other = { ...keys, vault: createJournalKeys().vault };
    expect(now(opened(store, other))).toMatchObject({ ok: false, error: { code: 'journal_chain_broken', seq: 1 } });
  });

  it('refuses misuse', () => {
    const journal = openSync();
    expect(() => journal.append([], [], TIME)).toThrow(/at least one/);
    append(journal, 1);
    expect(() => journal.append([entry(2)], [], TIME - 1)).toThrow(/older/);
    expect(() => journal.append([entry(2)], [], Number.NaN)).toThrow();
    expect(journal.head()?.lastSeq).toBe(1);
    append(journal, 1);
  });

  it('stays as it was when a commit fails', async () => {
    const journal = openSync();
    append(journal, 2);
    const head = journal.head();
    const { commit } = store;
    store.commit = () => {
      throw new Error('disk');
    };
    expect(() => append(journal, 1)).toThrow('disk');
    expect(journal.head()).toBe(head);
    store.commit = commit;
    append(journal, 1);
    expect((await journal.read(1, 9)).ok).toBe(true);
  });

  it('works the same over a store that answers later, one append at a time', async () => {
    const journal = await opened(promising(store));
    if (!journal.ok) throw new Error('not opened');
    const first = journal.value.append(entriesFrom(1, 3), [], TIME);
    expect(first).toBeInstanceOf(Promise);
    expect(() => journal.value.append([entry(4)], [], TIME)).toThrow(/before the last one ended/);
    expect(journal.value.head()).toBe(undefined);
    const { head } = await first;
    expect(journal.value.head()).toBe(head);
    const second = await journal.value.append(entriesFrom(4, 2), [], TIME);
    expect((await journal.value.receiptFor(5)).ok).toBe(true);
    await journal.value.saveSnapshot(1, [Uint8Array.of(1)]);
    expect(await journal.value.latestSnapshot(1)).toEqual({ seq: 5, bytes: Uint8Array.of(1) });
    const verified = await journal.value.verify({ receiptPublicKey: keys.receiptPublicKey, ed25519Verify });
    expect(verified).toEqual({ ok: true, value: { entries: 5, batches: 2, head: second.head } });
    const again = await opened(promising(store));
    expect(again.ok && again.value.head()).toEqual(second.head);
  });
});

describe('any sequence of appends, reopenings, rotations and epochs', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 9 }) },
    fc.constantFrom('reopen' as const, 'rotate' as const, 'epoch' as const),
  );

  it('reads back what was appended, verifies, and its heads are one chain', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        store = createMemoryStore();
        keys = createJournalKeys();
        let journal = openSync();
        const model: string[] = [];
        const heads: SignedHead[] = [];
        for (const step of steps) {
          if (step === 'reopen') journal = openSync();
          else if (step === 'rotate') keys.rotate();
          else if (step === 'epoch') journal.startEpoch(journal.epoch() + 1);
          else {
            heads.push(now(journal.append(step, [], TIME)).head);
            model.push(...step.map(toHex));
          }
        }
        const read = await journal.read(1, model.length + 1);
        expect(read.ok && read.value.map(({ bytes }) => toHex(bytes))).toEqual(model);
        expect(verifyHeadChain(heads, sha256)).toEqual({ ok: true, value: undefined });
        const verified = await journal.verify({ receiptPublicKey: keys.receiptPublicKey, ed25519Verify });
        expect(verified).toEqual({
          ok: true,
          value: { entries: model.length, batches: heads.length, head: heads.at(-1) },
        });
      }),
      { numRuns: 60 },
    );
  });
});
