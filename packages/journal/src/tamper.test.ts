import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { canonicalBytes, type MaybePromise } from '@keepwatch/base';
import { createJournalKeys, ed25519Verify, sha256, type JournalKeys } from '@keepwatch/testkit';
import { headHash, type SignedHead } from '@keepwatch/wire';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBatchCodec } from './batch-codec.ts';
import { createJournal, type Journal } from './journal.ts';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';

// Somebody has the database file in hand, knows its format and has all the time in the world, but no keys.

const TIME = 1_790_000_000_000;
let dir: string;
let path: string;
let keys: JournalKeys;

function now<T>(value: MaybePromise<T>): T {
  if (value instanceof Promise) throw new Error('a promise where a value was expected');
  return value;
}

function withStore<T>(work: (store: SqliteStore) => T): T {
  const store = openSqliteStore({ path });
  try {
    return work(store);
  } finally {
    store.close();
  }
}

function open(store: SqliteStore, signHead = keys.signHead) {
  return now(createJournal({ store, sha256, signHead, cipher: keys.cipher }, { vault: keys.vault }));
}

function appendAll(journal: Journal, sizes: readonly number[], word: string): SignedHead {
  let next = (journal.head()?.lastSeq ?? 0) + 1;
  for (const size of sizes) {
    const entries = Array.from({ length: size }, (_, i) => canonicalBytes({ n: next + i, word }));
    now(journal.append(entries, [], TIME + next));
    next += size;
  }
  return journal.head()!;
}

// Batches: 1–3, 4–6, 7–9, 10–12 in epoch 1; 13–15, 16–18 in epoch 2.
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tamper-'));
  path = join(dir, 'journal.db');
  keys = createJournalKeys();
  withStore((store) => {
    const journal = open(store);
    if (!journal.ok) throw new Error('not opened');
    appendAll(journal.value, [3, 3, 3, 3], 'first');
    journal.value.startEpoch(2);
    appendAll(journal.value, [3, 3], 'second');
  });
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function tamper(sql: string, ...values: (Uint8Array | number)[]): void {
  const db = new DatabaseSync(path);
  if (values.length > 0) db.prepare(sql).run(...values);
  else db.exec(sql);
  db.close();
}

/** What `verify` says of the file; `opened` where the journal does not even open. */
async function verdict(): Promise<string> {
  const store = openSqliteStore({ path });
  const journal = open(store);
  const result = journal.ok
    ? await journal.value.verify({ receiptPublicKey: keys.receiptPublicKey, ed25519Verify })
    : journal;
  const words = result.ok ? `good up to ${result.value.entries}` : `${result.error.code} ${result.error.seq}`;
  store.close();
  return journal.ok ? words : `not opened: ${words}`;
}

/** What reading all of it says, without the signatures. */
async function reading(from = 1): Promise<string> {
  const store = openSqliteStore({ path });
  const journal = open(store);
  const read = journal.ok ? await journal.value.read(from, 1_000) : journal;
  store.close();
  return read.ok ? `good, ${read.value.length}` : `${read.error.code} ${read.error.seq}`;
}

const SWAP_SEALED = `CREATE TEMP TABLE t AS SELECT * FROM batch;
  UPDATE batch SET sealed = (SELECT sealed FROM t WHERE t.last_seq = 18 - batch.last_seq) WHERE last_seq IN (6, 12)`;
const SWAP_CONTENTS = `CREATE TEMP TABLE t AS SELECT * FROM batch;
  UPDATE batch SET (sealed, root, prev, hash, signature, time_ms, key_id) =
    (SELECT sealed, root, prev, hash, signature, time_ms, key_id FROM t WHERE t.last_seq = 18 - batch.last_seq)
  WHERE last_seq IN (6, 12)`;

describe('a journal that nobody touched', () => {
  it('is good', async () => {
    expect(await verdict()).toBe('good up to 18');
    expect(await reading()).toBe('good, 18');
  });
});

describe('a journal whose file was changed', () => {
  const zeros = (column: string, length: number, at: number) =>
    `UPDATE batch SET ${column} = zeroblob(${length}) WHERE last_seq = ${at}`;

  it.each<[string, string, string, string]>([
    [
      'a ciphertext altered',
      'UPDATE batch SET sealed = zeroblob(length(sealed)) WHERE last_seq = 9',
      'journal_entry_altered 7',
      'journal_entry_altered 7',
    ],
    [
      'a ciphertext cut',
      'UPDATE batch SET sealed = substr(sealed, 1, 40) WHERE last_seq = 9',
      'journal_entry_altered 7',
      'journal_entry_altered 7',
    ],
    [
      'a ciphertext emptied',
      "UPDATE batch SET sealed = x'' WHERE last_seq = 18",
      'journal_entry_altered 16',
      'journal_entry_altered 16',
    ],
    [
      'a data key’s number changed',
      'UPDATE batch SET key_id = 2 WHERE last_seq = 9',
      'journal_entry_altered 7',
      'journal_entry_altered 7',
    ],
    ['the first batch dropped', 'DELETE FROM batch WHERE last_seq = 3', 'journal_gap 1', 'journal_gap 1'],
    ['a batch dropped', 'DELETE FROM batch WHERE last_seq = 9', 'journal_gap 7', 'journal_gap 7'],
    ['two ciphertexts exchanged', SWAP_SEALED, 'journal_out_of_order 4', 'journal_entry_altered 4'],
    [
      'all of two batches exchanged but their numbers',
      SWAP_CONTENTS,
      'journal_out_of_order 4',
      'journal_chain_broken 4',
    ],
    [
      'a ciphertext replayed in the place of a later one',
      'UPDATE batch SET sealed = (SELECT sealed FROM batch WHERE last_seq = 3) WHERE last_seq = 9',
      'journal_out_of_order 7',
      'journal_entry_altered 7',
    ],
    ['a root exchanged', zeros('root', 32, 9), 'journal_head_forged 7', 'journal_entry_altered 7'],
    ['a link cut', zeros('prev', 32, 9), 'journal_chain_broken 7', 'journal_chain_broken 7'],
    ['a signature replaced', zeros('signature', 64, 9), 'journal_head_forged 7', 'good, 18'],
    [
      'a time changed',
      'UPDATE batch SET time_ms = time_ms + 1 WHERE last_seq = 9',
      'journal_head_forged 7',
      'journal_chain_broken 10',
    ],
    [
      'a time put back',
      'UPDATE batch SET time_ms = 5 WHERE last_seq = 9',
      'journal_chain_broken 7',
      'journal_chain_broken 7',
    ],
    [
      'an epoch raised',
      'UPDATE batch SET epoch = 2 WHERE last_seq = 9',
      'journal_head_forged 7',
      'journal_entry_altered 7',
    ],
    [
      'an epoch lowered',
      'UPDATE batch SET epoch = 1 WHERE last_seq = 15',
      'journal_head_forged 13',
      'journal_entry_altered 13',
    ],
    [
      'an impossible epoch',
      'UPDATE batch SET epoch = 0 WHERE last_seq = 3',
      'journal_head_forged 1',
      'journal_chain_broken 1',
    ],
    ['a stored hash changed', zeros('hash', 32, 9), 'journal_chain_broken 7', 'good, 18'],
    [
      'two batches renumbered',
      'UPDATE batch SET last_seq = 100 WHERE last_seq = 6; UPDATE batch SET last_seq = 6, first_seq = 4 WHERE last_seq = 9; UPDATE batch SET last_seq = 9, first_seq = 7 WHERE last_seq = 100',
      'journal_out_of_order 4',
      'journal_chain_broken 4',
    ],
    [
      'a beginning claimed that others hold',
      'UPDATE batch SET first_seq = 5 WHERE last_seq = 9',
      'journal_out_of_order 7',
      'journal_out_of_order 7',
    ],
  ])('has %s', async (_, sql, verified, read) => {
    tamper(sql);
    expect(await verdict()).toBe(verified);
    expect(await reading()).toBe(read);
  });

  it.each<[string, string]>([
    ['root', zeros('root', 32, 18)],
    ['epoch', 'UPDATE batch SET epoch = 3 WHERE last_seq = 18'],
    ['hash', zeros('hash', 32, 18)],
  ])('does not open with another %s in its last head', async (_, sql) => {
    tamper(sql);
    expect(await verdict()).toBe('not opened: journal_chain_broken 16');
  });

  it('has an old batch replayed at its end, renumbered and relinked', async () => {
    const last = withStore((store) => store.lastBatch()!);
    const old = withStore((store) => store.batchEndingAt(6)!);
    const forged = { ...old, firstSeq: 19, lastSeq: 21, prev: last.hash, epoch: 2, timeMs: last.timeMs };
    const hash = headHash(sha256, { version: 1, vault: keys.vault, ...forged });
    withStore((store) => store.commit([{ ...forged, hash }], []));
    expect(await verdict()).toBe('journal_out_of_order 19');
    expect(await reading()).toBe('journal_entry_altered 19');
  });

  it('has any one byte of any field changed', async () => {
    const columns = ['prev', 'root', 'hash', 'signature', 'sealed'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(3, 6, 9, 12, 15, 18),
        fc.constantFrom(...columns),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (lastSeq, column, at, mask) => {
          const good = withStore((store) => store.batchEndingAt(lastSeq)!)[column];
          const bad = Uint8Array.from(good);
          bad[at % bad.length]! ^= mask;
          tamper(`UPDATE batch SET ${column} = ? WHERE last_seq = ?`, bad, lastSeq);
          expect(await verdict()).toMatch(/^(not opened: )?journal_/);
          tamper(`UPDATE batch SET ${column} = ? WHERE last_seq = ?`, good, lastSeq);
          expect(await verdict()).toBe('good up to 18');
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has a batch appended under another receipt key', async () => {
    const stranger = createJournalKeys();
    withStore((store) => {
      const journal = open(store, stranger.signHead);
      if (journal.ok) appendAll(journal.value, [2], 'forged');
    });
    expect(await verdict()).toBe('journal_head_forged 19');
  });

  it('has entries changed by one who holds the data key but not the receipt key', async () => {
    const batch = withStore((store) => store.batchEndingAt(9)!);
    const { epoch, firstSeq, lastSeq, root } = batch;
    const codec = createBatchCodec({ vault: keys.vault, sha256, cipher: keys.cipher });
    const place = { epoch, firstSeq, lastSeq, root };
    const others = [7, 8, 9].map((n) => canonicalBytes({ n, word: 'other' }));
    tamper('UPDATE batch SET sealed = ? WHERE last_seq = 9', codec.seal(1, place, others));
    expect(await verdict()).toBe('journal_entry_altered 7');
    expect(await reading()).toBe('journal_entry_altered 7');
    tamper('UPDATE batch SET sealed = ? WHERE last_seq = 9', codec.seal(1, place, others.slice(1)));
    expect(await verdict()).toBe('journal_entry_altered 7');
    tamper('UPDATE batch SET sealed = ? WHERE last_seq = 9', keys.cipher.seal(1, new Uint8Array(9), new Uint8Array(3)));
    expect(await verdict()).toBe('journal_entry_altered 7');
  });

  it('gives no receipt for an entry that was changed', () => {
    tamper(zeros('sealed', 60, 9));
    withStore((store) => {
      const journal = open(store);
      const receipt = journal.ok && now(journal.value.receiptFor(8));
      expect(receipt).toMatchObject({ ok: false, error: { code: 'journal_entry_altered', seq: 7 } });
    });
  });

  it('is noticed from where reading begins, too', async () => {
    tamper('UPDATE batch SET time_ms = time_ms + 1 WHERE last_seq = 9');
    expect(await reading(10)).toBe('journal_chain_broken 10');
    tamper('DELETE FROM batch WHERE last_seq = 9');
    expect(await reading(10)).toBe('journal_chain_broken 10');
    expect(await reading(8)).toBe('journal_gap 8');
    expect(await reading(13)).toBe('good, 6');
  });
});

describe('a journal that lost its end', () => {
  // Only who remembers a later head can tell: that is for the keep to judge.
  it('is good in itself', async () => {
    tamper('DELETE FROM batch WHERE last_seq > 12');
    expect(await verdict()).toBe('good up to 12');
  });

  it('is noticed by the process that wrote it, while it runs', async () => {
    const store = openSqliteStore({ path });
    const cutShort: SqliteStore = {
      ...store,
      *batches(fromSeq) {
        for (const batch of store.batches(fromSeq)) if (batch.lastSeq <= 15) yield batch;
      },
    };
    const journal = open(cutShort);
    if (!journal.ok) throw new Error('not opened');
    const gap = { ok: false, error: { code: 'journal_gap', seq: 16 } };
    const options = { receiptPublicKey: keys.receiptPublicKey, ed25519Verify };
    expect(await journal.value.verify(options)).toMatchObject(gap);
    expect(await journal.value.read(1, 99)).toMatchObject(gap);
    store.close();
  });
});
