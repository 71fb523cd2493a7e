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
  /**
   * Which of the `count` places (start and length each) hold a key: their numbers go to `found`, in order, and how many
   * there are comes back. `found` has room for all.
   */
  findAll(bytes: Uint8Array, starts: Uint32Array, lengths: Uint32Array, count: number, found: Uint32Array): number;
  values(): Generator<Uint8Array>;
  /** Of all arrays together. */
  byteLength(): number;
}

const CHUNK_BITS = 18;
const CHUNK = 1 << CHUNK_BITS;
const MAX_KEY = 0x7fff;
const DEAD = 0x8000;
const FREE = 0;
const TOMBSTONE = 0xffff_ffff;
const BITS_PER_KEY = 16;
const MIN_SLOTS = 64;

export function createByteSet(key: HashKey): ByteSet {
  /** Records one behind the other: length (15 bits) and whether dead (1 bit), then the bytes. None crosses chunks. */
  let chunks: Uint8Array[] = [];
  let chunkEnds: number[] = [];
  /** Where a record is, plus one; or FREE, or TOMBSTONE. */
  let slots = new Uint32Array(MIN_SLOTS);
  let tags = new Uint8Array(MIN_SLOTS);
  let bitmap = new Uint32Array((MIN_SLOTS * BITS_PER_KEY) / 32);
  let size = 0;
  let usedSlots = 0;
  let deadBytes = 0;
  let liveBytes = 0;
  const pair = new Uint32Array(2);
  let hashes = new Uint32Array(0);

  const room = (slotCount: number) => Math.floor(slotCount * 0.8);
  const slotOfHash = (half: number) => Math.floor((half * slots.length) / 0x1_0000_0000);
  const setBit = (half: number) => {
    const bit = half & (bitmap.length * 32 - 1);
    bitmap[bit >>> 5]! |= 1 << (bit & 31);
  };

  function recordEquals(record: number, bytes: Uint8Array, start: number, length: number): boolean {
    const chunk = chunks[record >>> CHUNK_BITS]!;
    const at = record & (CHUNK - 1);
    if ((chunk[at]! | (chunk[at + 1]! << 8)) !== length) return false;
    for (let i = 0; i < length; i++) if (chunk[at + 2 + i] !== bytes[start + i]) return false;
    return true;
  }

  /** The slot that holds these bytes, or −1. */
  function find(first: number, second: number, bytes: Uint8Array, start: number, length: number): number {
    const tag = first >>> 24;
    for (let slot = slotOfHash(second); ; slot = slot + 1 === slots.length ? 0 : slot + 1) {
      const reference = slots[slot]!;
      if (reference === FREE) return -1;
      if (tags[slot] === tag && reference !== TOMBSTONE && recordEquals(reference - 1, bytes, start, length)) {
        return slot;
      }
    }
  }

  function place(first: number, second: number, record: number): void {
    let slot = slotOfHash(second);
    while (slots[slot] !== FREE) slot = slot + 1 === slots.length ? 0 : slot + 1;
    slots[slot] = record + 1;
    tags[slot] = first >>> 24;
    setBit(first);
    usedSlots++;
  }

  function append(bytes: Uint8Array): number {
    const needed = bytes.length + 2;
    if (chunks.length === 0 || chunkEnds.at(-1)! + needed > CHUNK) {
      chunks.push(new Uint8Array(CHUNK));
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
    const slotCount = Math.max(MIN_SLOTS, Math.ceil(keys / 0.8) + 1);
    slots = new Uint32Array(slotCount);
    tags = new Uint8Array(slotCount);
    bitmap = new Uint32Array(2 ** Math.ceil(Math.log2(room(slotCount) * BITS_PER_KEY)) / 32);
    usedSlots = 0;
    const before = chunks;
    const moves = deadBytes > liveBytes / 4;
    const live = records(chunks, chunkEnds);
    if (moves) {
      chunks = [];
      chunkEnds = [];
      deadBytes = 0;
    }
    for (const record of live) {
      const chunk = before[record >>> CHUNK_BITS]!;
      const at = record & (CHUNK - 1);
      const length = chunk[at]! | (chunk[at + 1]! << 8);
      hashInto(new DataView(chunk.buffer), at + 2, length, key, pair, 0);
      place(pair[0]!, pair[1]!, moves ? append(chunk.subarray(at + 2, at + 2 + length)) : record);
    }
  }

  function hashOf(bytes: Uint8Array): void {
    hashInto(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, key, pair, 0);
  }

  return {
    get size() {
      return size;
    },
    reserve(more) {
      if (usedSlots + more > room(slots.length)) rebuild(size + more);
    },
    add(bytes) {
      if (bytes.length > MAX_KEY) throw new RangeError(`a key has at most ${MAX_KEY} bytes`);
      hashOf(bytes);
      const [first, second] = [pair[0]!, pair[1]!];
      if (find(first, second, bytes, 0, bytes.length) >= 0) return false;
      if (usedSlots + 1 > room(slots.length)) rebuild(size + (size >> 2) + MIN_SLOTS);
      place(first, second, append(bytes));
      size++;
      liveBytes += bytes.length + 2;
      return true;
    },
    remove(bytes) {
      hashOf(bytes);
      const slot = find(pair[0]!, pair[1]!, bytes, 0, bytes.length);
      if (slot < 0) return false;
      const record = slots[slot]! - 1;
      chunks[record >>> CHUNK_BITS]![(record & (CHUNK - 1)) + 1]! |= DEAD >> 8;
      slots[slot] = TOMBSTONE;
      size--;
      liveBytes -= bytes.length + 2;
      deadBytes += bytes.length + 2;
      if (deadBytes > liveBytes + CHUNK) rebuild(size + (size >> 3));
      return true;
    },
    has(bytes) {
      hashOf(bytes);
      return find(pair[0]!, pair[1]!, bytes, 0, bytes.length) >= 0;
    },
    findAll(bytes, starts, lengths, count, found) {
      if (size === 0) return 0;
      if (hashes.length < count * 2) hashes = new Uint32Array(count * 2);
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
        if (find(hashes[2 * i]!, hashes[2 * i + 1]!, bytes, starts[i]!, lengths[i]!) >= 0) found[kept++] = i;
      }
      return kept;
    },
    *values() {
      for (const record of records(chunks, chunkEnds)) {
        const chunk = chunks[record >>> CHUNK_BITS]!;
        const at = record & (CHUNK - 1);
        yield chunk.slice(at + 2, at + 2 + (chunk[at]! | (chunk[at + 1]! << 8)));
      }
    },
    byteLength: () =>
      chunks.length * CHUNK + slots.byteLength + tags.byteLength + bitmap.byteLength + hashes.byteLength,
  };
}
