/**
 * A set of keys of four numbers (32 bits each) in 16 bytes a key: for what has to be remembered of very many things when
 * nothing but “was it there” is asked. It is never changed: `withKeys` gives another one, which shares most of the memory.
 *
 * It is kept as a few sorted blocks, each less than half as long as the one before it (a log-structured merge): adding a key
 * moves log n others on average, looking one up is a binary search in log n blocks.
 */
export interface KeySet {
  readonly size: number;
  readonly blocks: readonly Uint32Array[];
}

export type Key = readonly [number, number, number, number];

const WORDS = 4;
export const KEY_BYTES = 16;
export const NO_KEYS: KeySet = { size: 0, blocks: [] };

export function withKeys(set: KeySet, keys: readonly Key[]): KeySet {
  const sorted = keys.filter((key) => !hasKey(set, key)).sort((a, b) => compare(a, 0, b, 0, WORDS));
  const each = sorted.filter((key, i) => i === 0 || compare(key, 0, sorted[i - 1]!, 0, WORDS) !== 0);
  if (each.length === 0) return set;
  const fresh = Uint32Array.from(each.flat());
  const blocks = [...set.blocks];
  let last = fresh;
  while (blocks.length > 0 && blocks.at(-1)!.length < 2 * last.length) last = merged(blocks.pop()!, last);
  return { size: set.size + each.length, blocks: [...blocks, last] };
}

export function hasKey(set: KeySet, key: Key): boolean {
  return set.blocks.some((block) => {
    const at = firstFrom(block, key);
    return at < block.length && compare(block, at, key, 0, WORDS) === 0;
  });
}

/** The least fourth number of a key that begins with these three. */
export function leastLast(set: KeySet, start: readonly [number, number, number]): number | undefined {
  let least: number | undefined;
  for (const block of set.blocks) {
    const at = firstFrom(block, start);
    if (at >= block.length || compare(block, at, start, 0, start.length) !== 0) continue;
    const last = block[at + WORDS - 1]!;
    if (least === undefined || last < least) least = last;
  }
  return least;
}

/** Where the first key stands that is not before this one, or what begins with these numbers. */
function firstFrom(block: Uint32Array, start: readonly number[]): number {
  let low = 0;
  let high = block.length / WORDS;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(block, middle * WORDS, start, 0, start.length) < 0) low = middle + 1;
    else high = middle;
  }
  return low * WORDS;
}

/** Its keys in their order, big-endian: one spelling for one set. */
export function keySetBytes({ size, blocks }: KeySet): Uint8Array {
  const bytes = new Uint8Array(size * KEY_BYTES);
  const view = new DataView(bytes.buffer);
  const all = blocks.reduceRight((sum, block) => merged(block, sum), new Uint32Array(0));
  all.forEach((word, i) => view.setUint32(i * 4, word));
  return bytes;
}

/** Undefined where they are not whole keys, in order, each once. */
export function keySetOf(bytes: Uint8Array): KeySet | undefined {
  if (bytes.length % KEY_BYTES !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const all = Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4));
  for (let at = WORDS; at < all.length; at += WORDS) {
    if (compare(all, at - WORDS, all, at, WORDS) >= 0) return undefined;
  }
  return all.length === 0 ? NO_KEYS : { size: all.length / WORDS, blocks: [all] };
}

function merged(one: Uint32Array, other: Uint32Array): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(one.length + other.length);
  let [i, j] = [0, 0];
  for (let at = 0; at < out.length; at += WORDS) {
    const isFirst = j >= other.length || (i < one.length && compare(one, i, other, j, WORDS) < 0);
    const [from, start] = isFirst ? [one, i] : [other, j];
    for (let word = 0; word < WORDS; word++) out[at + word] = from[start + word]!;
    if (isFirst) i += WORDS;
    else j += WORDS;
  }
  return out;
}

function compare(one: ArrayLike<number>, at: number, other: ArrayLike<number>, otherAt: number, words: number): number {
  for (let i = 0; i < words; i++) {
    const difference = one[at + i]! - other[otherAt + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
