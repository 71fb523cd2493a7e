import { requireContinuity, type JournalStore, type StoredBatch, type StoredRecord } from './store.ts';

/** A journal store that forgets when the process ends: for tests of what stands above the journal. */
export function createMemoryStore(): JournalStore {
  const stored: StoredBatch[] = [];
  const spaces = new Map<string, Map<string, Uint8Array>>();

  const indexOf = (seq: number) => {
    let [low, high] = [0, stored.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (stored[middle]!.lastSeq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    commit(batches, writes) {
      requireContinuity(stored.at(-1), batches);
      stored.push(...batches.map(copyBatch));
      for (const write of writes) {
        let space = spaces.get(write.space);
        if (space === undefined) spaces.set(write.space, (space = new Map()));
        if (write.op === 'put') space.set(write.key, Uint8Array.from(write.value));
        else space.delete(write.key);
      }
    },
    lastBatch: () => stored.at(-1),
    batchEndingAt(seq) {
      const batch = stored[indexOf(seq)];
      return batch?.lastSeq === seq ? batch : undefined;
    },
    batchContaining(seq) {
      const batch = stored[indexOf(seq)];
      return batch !== undefined && batch.firstSeq <= seq ? batch : undefined;
    },
    *batches(fromSeq) {
      for (let i = indexOf(fromSeq); i < stored.length; i++) yield stored[i]!;
    },
    get: (space, key) => spaces.get(space)?.get(key),
    list(space, { after, limit } = {}) {
      const records: StoredRecord[] = [...(spaces.get(space) ?? [])].map(([key, value]) => ({ key, value }));
      const above = records.filter(({ key }) => after === undefined || byUtf8(key, after) > 0);
      return above.sort((a, b) => byUtf8(a.key, b.key)).slice(0, limit);
    },
    count: (space) => spaces.get(space)?.size ?? 0,
    close() {},
  };
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function copyBatch(batch: StoredBatch): StoredBatch {
  const copy = (bytes: Uint8Array) => Uint8Array.from(bytes);
  return {
    ...batch,
    prev: copy(batch.prev),
    root: copy(batch.root),
    hash: copy(batch.hash),
    signature: copy(batch.signature),
    sealed: copy(batch.sealed),
  };
}
