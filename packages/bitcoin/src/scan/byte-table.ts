import { hashInto, type HashKey } from './keyed-hash.ts';

/**
 * The tables of a set of byte strings, as far as they are only read: a bitmap, slots with tags, and the bytes. Over shared
 * memory other threads can look things up in them. While the owner adds to them, a reader may miss what is just being
 * added, and nothing else.
 */
export interface ByteTable {
  readonly key: HashKey;
  /** Records one behind the other: length (15 bits) and whether dead (1 bit), then the bytes. None crosses chunks. */
  readonly chunks: readonly Uint8Array[];
  /** Where a record is, plus one; or FREE, or TOMBSTONE. */
  readonly slots: Uint32Array;
  readonly tags: Uint8Array;
  readonly bitmap: Uint32Array;
}

export const CHUNK_BITS = 18;
export const CHUNK = 1 << CHUNK_BITS;
export const FREE = 0;
export const TOMBSTONE = 0xffff_ffff;

/** The slot where looking for a key starts. */
export function firstSlot(slots: Uint32Array, half: number): number {
  return Math.floor((half * slots.length) / 0x1_0000_0000);
}

/** The slot that holds these bytes, whose hash has these halves; −1 where there is none. */
export function findSlot(
  table: ByteTable,
  first: number,
  second: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  const { slots, tags } = table;
  const tag = first >>> 24;
  for (let slot = firstSlot(slots, second); ; slot = slot + 1 === slots.length ? 0 : slot + 1) {
    const reference = slots[slot]!;
    if (reference === FREE) return -1;
    if (tags[slot] !== tag || reference === TOMBSTONE) continue;
    if (recordEquals(table.chunks, reference - 1, bytes, start, length)) return slot;
  }
}

/**
 * Which of the `count` places (start and length each) hold a key: their numbers go to `found`, in order, and how many there
 * are comes back. `found` has room for all, `hashes` for two numbers each.
 */
export function findAll(
  table: ByteTable,
  bytes: Uint8Array,
  starts: Uint32Array,
  lengths: Uint32Array,
  count: number,
  found: Uint32Array,
  hashes: Uint32Array,
): number {
  const { key, bitmap } = table;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < count; i++) hashInto(view, starts[i]!, lengths[i]!, key, hashes, i);
  // No branch in this loop: the processor fetches many words of the bitmap at once.
  const mask = bitmap.length * 32 - 1;
  let candidates = 0;
  for (let i = 0; i < count; i++) {
    const bit = hashes[2 * i]! & mask;
    found[candidates] = i;
    candidates += (bitmap[bit >>> 5]! >>> (bit & 31)) & 1;
  }
  let kept = 0;
  for (let c = 0; c < candidates; c++) {
    const i = found[c]!;
    if (findSlot(table, hashes[2 * i]!, hashes[2 * i + 1]!, bytes, starts[i]!, lengths[i]!) >= 0) found[kept++] = i;
  }
  return kept;
}

function recordEquals(
  chunks: readonly Uint8Array[],
  record: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  // Another thread's record can lie in a chunk that came after this table was handed over.
  const chunk = chunks[record >>> CHUNK_BITS];
  if (chunk === undefined) return false;
  const at = record & (CHUNK - 1);
  if ((chunk[at]! | (chunk[at + 1]! << 8)) !== length) return false;
  for (let i = 0; i < length; i++) if (chunk[at + 2 + i] !== bytes[start + i]) return false;
  return true;
}
