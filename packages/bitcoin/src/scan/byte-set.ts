import { CHUNK, CHUNK_BITS, findAll, findSlot, firstSlot, FREE, TOMBSTONE, type ByteTable } from './byte-table.ts';
import { hashInto, type HashKey } from './keyed-hash.ts';

/**
 * A set of short byte strings that is asked with thousands of places in a buffer at once. A question costs a hash and one
 * look into a bitmap (16 bits or more a key, so that it stays in the cache longest); one in sixteen strangers gets past it
 * to a table of 8-bit tags, and what has the right tag is compared with the bytes themselves: no answer is a guess.
 *
 * Memory: the bytes and 2 more, 5 a slot (64% of the slots or more are used once there are many), 2 to 5 of bitmap.
 */
export interface ByteSet {
  readonly size: number;
  /** Makes room for so many more, so that adding them moves nothing. */
  reserve(more: number): void;
  /** Whether it was new. At most 32,767 bytes. */
  add(bytes: Uint8Array): boolean;
  /** Whether it was there. */
  remove(bytes: Uint8Array): boolean;
  has(bytes: Uint8Array): boolean;
  /** A moment in the life of the set: it rises with every key that is added. */
  readonly mark: number;
  /** Whether the key is in it and was in it at this mark already. Of old marks it may say no where the answer is yes. */
  hadAt(bytes: Uint8Array, mark: number): boolean;
  /** As `findAll` of a table. */
  findAll(bytes: Uint8Array, starts: Uint32Array, lengths: Uint32Array, count: number, found: Uint32Array): number;
  values(): Generator<Uint8Array>;
  /** The tables as they are now. What is added later may be missing in them. */
  table(): ByteTable;
  /** Of all arrays together. */
  byteLength(): number;
}

/** Where memory comes from: zeroed. SharedArrayBuffers, where other threads are to look things up. */
export type Allocate = (byteLength: number) => ArrayBufferLike;

const MAX_KEY = 0x7fff;
const DEAD = 0x8000;
const BITS_PER_KEY = 16;
const MIN_SLOTS = 64;

export function createByteSet(key: HashKey, allocate: Allocate = (byteLength) => new ArrayBuffer(byteLength)): ByteSet {
  let chunks: Uint8Array[] = [];
  let chunkEnds: number[] = [];
  let table = emptyTable(MIN_SLOTS);
  let size = 0;
  let usedSlots = 0;
  let deadBytes = 0;
  let liveBytes = 0;
  /** Records lie in the order in which they came, so their places tell when; until they close up, which loses that. */
  let markOfFirst = 0;
  let closedUp = { end: 0, mark: 0 };
  const pair = new Uint32Array(2);
  let hashes = new Uint32Array(0);

  const room = (slotCount: number) => Math.floor(slotCount * 0.8);

  function emptyTable(slotCount: number): ByteTable {
    const bitmapBytes = 2 ** Math.ceil(Math.log2(slotCount * 0.8 * BITS_PER_KEY)) / 8;
    return {
      key,
      chunks,
      slots: new Uint32Array(allocate(slotCount * 4)),
      tags: new Uint8Array(allocate(slotCount)),
      bitmap: new Uint32Array(allocate(bitmapBytes)),
    };
  }

  function place(first: number, second: number, record: number): void {
    const { slots, tags, bitmap } = table;
    let slot = firstSlot(slots, second);
    while (slots[slot] !== FREE) slot = slot + 1 === slots.length ? 0 : slot + 1;
    tags[slot] = first >>> 24;
    slots[slot] = record + 1;
    const bit = first & (bitmap.length * 32 - 1);
    bitmap[bit >>> 5]! |= 1 << (bit & 31);
    usedSlots++;
  }

  function append(bytes: Uint8Array): number {
    const needed = bytes.length + 2;
    if (chunks.length === 0 || chunkEnds.at(-1)! + needed > CHUNK) {
      chunks.push(new Uint8Array(allocate(CHUNK)));
      chunkEnds.push(0);
    }
    const last = chunks.length - 1;
    const at = chunkEnds[last]!;
    chunks[last]![at] = bytes.length & 0xff;
    chunks[last]![at + 1] = bytes.length >> 8;
    chunks[last]!.set(bytes, at + 2);
    chunkEnds[last] = at + needed;
    return last * CHUNK + at;
  }

  const end = () => (chunks.length === 0 ? 0 : (chunks.length - 1) * CHUNK + chunkEnds.at(-1)!);
  const markNow = () => markOfFirst + end();

  function* records(of: readonly Uint8Array[], ends: readonly number[]): Generator<number> {
    for (const [i, chunk] of of.entries()) {
      for (let at = 0; at < ends[i]!;) {
        const head = chunk[at]! | (chunk[at + 1]! << 8);
        if ((head & DEAD) === 0) yield i * CHUNK + at;
        at += 2 + (head & MAX_KEY);
      }
    }
  }

  /** New tables for so many keys; the dead leave, and the bytes close up where much of them is dead. */
  function rebuild(keys: number): void {
    const before = chunks;
    const live = records(chunks, chunkEnds);
    const moves = deadBytes > liveBytes / 4;
    const mark = markNow();
    if (moves) {
      chunks = [];
      chunkEnds = [];
      deadBytes = 0;
    }
    table = emptyTable(Math.max(MIN_SLOTS, Math.ceil(keys / 0.8) + 1));
    usedSlots = 0;
    for (const record of live) {
      const chunk = before[record >>> CHUNK_BITS]!;
      const at = record & (CHUNK - 1);
      const length = chunk[at]! | (chunk[at + 1]! << 8);
      hashInto(new DataView(chunk.buffer), at + 2, length, key, pair, 0);
      place(pair[0]!, pair[1]!, moves ? append(chunk.subarray(at + 2, at + 2 + length)) : record);
    }
    if (!moves) return;
    markOfFirst = mark - end();
    closedUp = { end: end(), mark };
  }

  /** The slot of the key, or −1; its hash is in `pair` from then on. */
  function find(bytes: Uint8Array): number {
    hashInto(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, key, pair, 0);
    return findSlot(table, pair[0]!, pair[1]!, bytes, 0, bytes.length);
  }

  return {
    get size() {
      return size;
    },
    reserve(more) {
      if (usedSlots + more > room(table.slots.length)) rebuild(size + more);
    },
    add(bytes) {
      if (bytes.length > MAX_KEY) throw new RangeError(`a key has at most ${MAX_KEY} bytes`);
      if (find(bytes) >= 0) return false;
      const [first, second] = [pair[0]!, pair[1]!];
      if (usedSlots + 1 > room(table.slots.length)) rebuild(size + (size >> 2) + MIN_SLOTS);
      place(first, second, append(bytes));
      size++;
      liveBytes += bytes.length + 2;
      return true;
    },
    remove(bytes) {
      const slot = find(bytes);
      if (slot < 0) return false;
      const record = table.slots[slot]! - 1;
      chunks[record >>> CHUNK_BITS]![(record & (CHUNK - 1)) + 1]! |= DEAD >> 8;
      table.slots[slot] = TOMBSTONE;
      size--;
      liveBytes -= bytes.length + 2;
      deadBytes += bytes.length + 2;
      if (deadBytes > liveBytes + CHUNK) rebuild(size + (size >> 3));
      return true;
    },
    has: (bytes) => find(bytes) >= 0,
    get mark() {
      return markNow();
    },
    hadAt(bytes, mark) {
      const slot = find(bytes);
      if (slot < 0) return false;
      const record = table.slots[slot]! - 1;
      return record < closedUp.end ? mark >= closedUp.mark : mark > markOfFirst + record;
    },
    findAll(bytes, starts, lengths, count, found) {
      if (size === 0) return 0;
      if (hashes.length < count * 2) hashes = new Uint32Array(count * 2);
      return findAll(table, bytes, starts, lengths, count, found, hashes);
    },
    *values() {
      for (const record of records(chunks, chunkEnds)) {
        const chunk = chunks[record >>> CHUNK_BITS]!;
        const at = record & (CHUNK - 1);
        yield chunk.slice(at + 2, at + 2 + (chunk[at]! | (chunk[at + 1]! << 8)));
      }
    },
    table: () => ({ ...table, chunks: [...chunks] }),
    byteLength: () =>
      chunks.length * CHUNK +
      table.slots.byteLength +
      table.tags.byteLength +
      table.bitmap.byteLength +
      hashes.byteLength,
  };
}
