import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { canonicalBytes } from '@keepwatch/base';
import { createJournalKeys, sha256, type JournalKeys } from '@keepwatch/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { createJournal, type Journal } from './journal.ts';
import { createMemoryStore } from './memory-store.ts';
import { CHUNK_SPACE, SNAPSHOT_SPACE } from './snapshots.ts';
import type { JournalStore, StoredBatch, StoredRecord } from './store.ts';

const VERSION = 7;
let keys: JournalKeys;
let store: JournalStore;
let journal: Journal;

beforeEach(() => {
  keys = createJournalKeys();
  store = createMemoryStore();
  journal = open();
});

function open(of = store): Journal {
  const opened = createJournal(
    { store: of, sha256, signHead: keys.signHead, cipher: keys.cipher },
    { vault: keys.vault, snapshotChunkBytes: 100 },
  );
  if (opened instanceof Promise || !opened.ok) throw new Error('not opened');
  return opened.value;
}

async function append(count = 1, of = journal): Promise<void> {
  for (let i = 0; i < count; i++) await of.append([canonicalBytes({ n: i })], [], 1);
}

const records = async (space: string) => (await store.list(space)) as readonly StoredRecord[];
const put = (space: string, key: string, value: Uint8Array) => store.commit([], [{ op: 'put', space, key, value }]);

describe('snapshots', () => {
  it.each([1, 99, 100, 101, 250, 20_000])(
    'come back byte for byte, in parts of %i bytes and in one chunk or many',
    async (partBytes) => {
      expect(await journal.latestSnapshot(VERSION)).toBe(undefined);
      for (const length of [0, 1, 100, 101, 200, 1_234]) {
        await append(2);
        const bytes = new Uint8Array(randomBytes(length));
        const parts = Array.from({ length: Math.ceil(length / partBytes) }, (_, i) =>
          bytes.subarray(i * partBytes, (i + 1) * partBytes),
        );
        await journal.saveSnapshot(VERSION, parts);
        expect(await journal.latestSnapshot(VERSION)).toEqual({ seq: journal.head()!.lastSeq, bytes });
        expect(await open().latestSnapshot(VERSION)).toEqual({ seq: journal.head()!.lastSeq, bytes });
      }
    },
  );

  it('are asked for their parts one after another, while entries arrive', async () => {
    await append();
    const heads: number[] = [];
    function* parts() {
      for (let i = 0; i < 3; i++) {
        heads.push(journal.head()!.lastSeq);
        yield new Uint8Array(10).fill(i);
      }
    }
    let saved = false;
    const saving = journal.saveSnapshot(VERSION, parts()).then(() => (saved = true));
    while (!saved) {
      await append();
      await setImmediate();
    }
    await saving;
    expect(heads.at(-1)).toBeGreaterThan(heads[0]!);
    const bytes = Uint8Array.from({ length: 30 }, (_, i) => Math.floor(i / 10));
    expect(await journal.latestSnapshot(VERSION)).toEqual({ seq: 1, bytes });
  });

  it('that end amid their parts leave the one before', async () => {
    await append();
    await journal.saveSnapshot(VERSION, [Uint8Array.of(1)]);
    await append();
    function* parts() {
      yield new Uint8Array(150);
      throw new Error('no more');
    }
    await expect(journal.saveSnapshot(VERSION, parts())).rejects.toThrow('no more');
    expect(await journal.latestSnapshot(VERSION)).toEqual({ seq: 1, bytes: Uint8Array.of(1) });
    await journal.saveSnapshot(VERSION, [Uint8Array.of(2)]);
    expect(await journal.latestSnapshot(VERSION)).toEqual({ seq: 2, bytes: Uint8Array.of(2) });
  });

  it('are not taken of nothing', async () => {
    await expect(journal.saveSnapshot(VERSION, [new Uint8Array(1)])).rejects.toThrow(/nothing/);
  });

  it('lie encrypted', async () => {
    await append();
    await journal.saveSnapshot(VERSION, [Buffer.from('a secret state '.repeat(30))]);
    for (const space of [SNAPSHOT_SPACE, CHUNK_SPACE]) {
      for (const { value } of await records(space)) expect(Buffer.from(value).includes('secret')).toBe(false);
    }
  });

  it('are kept two at a time, their chunks with them', async () => {
    for (let i = 1; i <= 5; i++) {
      await append();
      await journal.saveSnapshot(VERSION, [new Uint8Array(950).fill(i)]);
    }
    expect((await records(SNAPSHOT_SPACE)).map(({ key }) => Number(key))).toEqual([4, 5]);
    expect(await store.count(CHUNK_SPACE)).toBe(20);
  });

  it('of another fold version are no snapshots', async () => {
    await append();
    await journal.saveSnapshot(VERSION, [Uint8Array.of(1)]);
    await append();
    await journal.saveSnapshot(VERSION + 1, [Uint8Array.of(2)]);
    expect(await journal.latestSnapshot(VERSION)).toEqual({ seq: 1, bytes: Uint8Array.of(1) });
    expect((await journal.latestSnapshot(VERSION + 1))?.seq).toBe(2);
    expect(await journal.latestSnapshot(VERSION + 2)).toBe(undefined);
    // Relabelled in the store, it does not become one either.
    const [, second] = await records(SNAPSHOT_SPACE);
    const relabelled = Uint8Array.from(second!.value);
    relabelled[3]! = VERSION;
    await put(SNAPSHOT_SPACE, second!.key, relabelled);
    expect((await journal.latestSnapshot(VERSION))?.seq).toBe(1);
  });

  it.each<[string, () => Promise<void>]>([
    [
      'a chunk altered',
      async () => {
        const last = (await records(CHUNK_SPACE)).at(-1)!;
        const bent = Uint8Array.from(last.value);
        bent[20]! ^= 1;
        await put(CHUNK_SPACE, last.key, bent);
      },
    ],
    [
      'a chunk lost',
      async () => {
        await store.commit([], [{ op: 'delete', space: CHUNK_SPACE, key: (await records(CHUNK_SPACE)).at(-1)!.key }]);
      },
    ],
    [
      'two chunks exchanged',
      async () => {
        const [a, b] = (await records(CHUNK_SPACE)).slice(-2) as [StoredRecord, StoredRecord];
        await put(CHUNK_SPACE, a.key, b.value);
        await put(CHUNK_SPACE, b.key, a.value);
      },
    ],
    [
      'a chunk of the older snapshot',
      async () => {
        const chunks = await records(CHUNK_SPACE);
        await put(CHUNK_SPACE, chunks.at(-1)!.key, chunks[2]!.value);
      },
    ],
    [
      'the older one’s manifest and chunks under its number',
      async () => {
        const [older, newer] = (await records(SNAPSHOT_SPACE)) as [StoredRecord, StoredRecord];
        await put(SNAPSHOT_SPACE, newer.key, older.value);
        for (const { key, value } of await records(CHUNK_SPACE)) {
          if (key.startsWith(older.key)) await put(CHUNK_SPACE, key.replace(older.key, newer.key), value);
        }
      },
    ],
    [
      'a manifest cut short',
      () => records(SNAPSHOT_SPACE).then(([, newer]) => put(SNAPSHOT_SPACE, newer!.key, newer!.value.subarray(0, 7))),
    ],
    [
      'a manifest that does not decrypt',
      () => records(SNAPSHOT_SPACE).then(([, newer]) => put(SNAPSHOT_SPACE, newer!.key, newer!.value.subarray(0, 60))),
    ],
    [
      'no place in the journal',
      async () => {
        const [, newer] = (await records(SNAPSHOT_SPACE)) as [StoredRecord, StoredRecord];
        await store.commit([], [{ op: 'delete', space: SNAPSHOT_SPACE, key: newer.key }]);
        await put(SNAPSHOT_SPACE, newer.key.replace(/2$/, '9'), newer.value);
      },
    ],
    [
      'a number that is none',
      async () => {
        const [, newer] = (await records(SNAPSHOT_SPACE)) as [StoredRecord, StoredRecord];
        await store.commit([], [{ op: 'delete', space: SNAPSHOT_SPACE, key: newer.key }]);
        await put(SNAPSHOT_SPACE, 'zzz', newer.value);
      },
    ],
  ])('with %s are passed over for the one before', async (_, damage) => {
    await append();
    await journal.saveSnapshot(VERSION, [new Uint8Array(300).fill(1)]);
    await append();
    await journal.saveSnapshot(VERSION, [new Uint8Array(300).fill(2)]);
    await damage();
    expect(await journal.latestSnapshot(VERSION)).toEqual({ seq: 1, bytes: new Uint8Array(300).fill(1) });
  });

  it('of another history of the same vault are not believed', async () => {
    await append(2);
    const fork = createMemoryStore();
    const [first] = [...(store.batches(1) as Iterable<StoredBatch>)] as [StoredBatch];
    await fork.commit([first], []);
    const elsewhere = open(fork);
    await elsewhere.append([canonicalBytes({ n: 'other' })], [], 1);
    await elsewhere.saveSnapshot(VERSION, [Uint8Array.of(66)]);
    for (const space of [SNAPSHOT_SPACE, CHUNK_SPACE]) {
      for (const { key, value } of await fork.list(space)) await put(space, key, value);
    }
    expect(await journal.latestSnapshot(VERSION)).toBe(undefined);
  });

  it('open under the data key of their time, and are gone with it', async () => {
    await append();
    await journal.saveSnapshot(VERSION, [Uint8Array.of(1)]);
    keys.rotate();
    expect((await journal.latestSnapshot(VERSION))?.seq).toBe(1);
    keys.forget(1);
    expect(await journal.latestSnapshot(VERSION)).toBe(undefined);
  });

  it('interrupted at any commit leave the one before, and the next one cleans up', async () => {
    await append();
    await journal.saveSnapshot(VERSION, [new Uint8Array(300).fill(1)]);
    await append();
    // 1 clearing, 3 chunks, 1 manifest: dying before each of them, and once more at the same place with other bytes.
    for (let survived = 0; survived < 5; survived++) {
      let left = survived;
      const dying: JournalStore = {
        ...store,
        commit(batches, writes) {
          if (left-- === 0) throw new Error('killed');
          return store.commit(batches, writes);
        },
      };
      const state = new Uint8Array(300).fill(10 + survived);
      await expect(open(dying).saveSnapshot(VERSION, [state])).rejects.toThrow('killed');
      expect(await open().latestSnapshot(VERSION)).toEqual({ seq: 1, bytes: new Uint8Array(300).fill(1) });
    }
    await append(2);
    await journal.saveSnapshot(VERSION, [new Uint8Array(200).fill(4)]);
    expect((await records(SNAPSHOT_SPACE)).map(({ key }) => Number(key))).toEqual([1, 4]);
    expect((await records(CHUNK_SPACE)).map(({ key }) => Number(key.slice(0, 16)))).toEqual([1, 1, 1, 4, 4]);
  });

  it('are of the head at which they were begun, though entries arrive meanwhile', async () => {
    await append(3);
    const saving = journal.saveSnapshot(VERSION, [new Uint8Array(1_000).fill(3)]);
    await expect(journal.saveSnapshot(VERSION, [Uint8Array.of(1)])).rejects.toThrow(/being saved/);
    await append(4);
    await saving;
    expect(await journal.latestSnapshot(VERSION)).toEqual({ seq: 3, bytes: new Uint8Array(1_000).fill(3) });
    expect((await journal.read(4, 10)).ok).toBe(true);
  });
});
