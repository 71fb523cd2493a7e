/** BIP158: SipHash-2-4 of scripts and the question whether one of them is in a Golomb-coded set. */

const M: u64 = 784931;
const P: u64 = 19;

/** A script's place in a set of `count` (BIP158 "Hashing Data Objects"): which bucket of M values, and which of them. */
// @ts-ignore: decorator
@inline
function bucketOf(hash: u64, count: u64): u64 {
  return ((hash >> 32) * count + (((hash & 0xffffffff) * count) >> 32)) >> 32;
}

// @ts-ignore: decorator
@inline
function restOf(hash: u64, count: u64): u64 {
  // The low 64 bits of hash × count are how far into its bucket the hash lies; of that, the part of M.
  const within = hash * count;
  return ((within >> 32) * M + (((within & 0xffffffff) * M) >> 32)) >> 32;
}

// @ts-ignore: decorator
@inline
function siphash(k0: u64, k1: u64, at: usize, length: usize): u64 {
  let v0 = k0 ^ 0x736f6d6570736575;
  let v1 = k1 ^ 0x646f72616e646f6d;
  let v2 = k0 ^ 0x6c7967656e657261;
  let v3 = k1 ^ 0x7465646279746573;
  const end = at + (length & ~7);
  // What stands behind the script is cut off; there are always eight bytes more in memory.
  const rest = (length & 7) as u64;
  const last = ((length as u64) << 56) | (load<u64>(end) & (((1 as u64) << (rest << 3)) - 1));
  for (; at <= end; at += 8) {
    const word = at < end ? load<u64>(at) : last;
    v3 ^= word;
    for (let i = 0; i < 2; i++) {
      v0 += v1;
      v2 += v3;
      v1 = rotl<u64>(v1, 13) ^ v0;
      v3 = rotl<u64>(v3, 16) ^ v2;
      v0 = rotl<u64>(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = rotl<u64>(v1, 17) ^ v2;
      v3 = rotl<u64>(v3, 21) ^ v0;
      v2 = rotl<u64>(v2, 32);
    }
    v0 ^= word;
  }
  v2 ^= 0xff;
  for (let i = 0; i < 4; i++) {
    v0 += v1;
    v2 += v3;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 = rotl<u64>(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 = rotl<u64>(v2, 32);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}

/**
 * Reads a Golomb-coded set of `count` values: the rest of each within its bucket goes to `rests`, and where each bucket
 * starts among them to `starts` (count + 1 numbers). False where the set ends early or something stands behind it. Eight
 * bytes behind its end can be read.
 */
export function decodeFilter(at: usize, length: usize, count: u32, rests: usize, starts: usize): bool {
  const endBit = (length as u64) << 3;
  let bit: u64 = 0;
  let bucket: u32 = 0;
  let floor: u64 = 0;
  let value: u64 = 0;
  store<u32>(starts, 0);
  for (let i: u32 = 0; i < count; i++) {
    let quotient: u64 = 0;
    while (true) {
      if (bit >= endBit) return false;
      const window = bswap<u64>(load<u64>(at + ((bit >> 3) as usize))) << (bit & 7);
      // Of the window the first 57 bits are there; behind them zeros may have come in.
      const ones = clz<u64>(~window);
      if (ones < 57) {
        quotient += ones;
        bit += ones + 1;
        break;
      }
      quotient += 57;
      bit += 57;
    }
    if (bit + P > endBit) return false;
    const window = bswap<u64>(load<u64>(at + ((bit >> 3) as usize))) << (bit & 7);
    value += (quotient << P) + (window >> (64 - P));
    bit += P;
    while (value >= floor + M) {
      if (++bucket >= count) return false;
      floor += M;
      store<u32>(starts + ((bucket as usize) << 2), i);
    }
    store<u32>(rests + ((i as usize) << 2), (value - floor) as u32);
  }
  while (bucket < count) store<u32>(starts + ((++bucket as usize) << 2), count);
  return ((bit + 7) >> 3) === (length as u64);
}

/**
 * Whether one of the scripts is in the set that `decodeFilter` read. Script i lies from `offsets[i]` to `offsets[i + 1]`
 * behind `scripts`, and eight bytes behind the last one can be read.
 */
export function matchScripts(
  k0: u64,
  k1: u64,
  scripts: usize,
  offsets: usize,
  scriptCount: u32,
  count: u32,
  rests: usize,
  starts: usize,
): bool {
  const end = offsets + ((scriptCount as usize) << 2);
  for (; offsets < end; offsets += 4) {
    const from: usize = load<u32>(offsets);
    const hash = siphash(k0, k1, scripts + from, load<u32>(offsets, 4) - from);
    const bucket = starts + ((bucketOf(hash, count) as usize) << 2);
    const rest = restOf(hash, count) as u32;
    for (let i = load<u32>(bucket); i < load<u32>(bucket, 4); i++) {
      if (load<u32>(rests + ((i as usize) << 2)) === rest) return true;
    }
  }
  return false;
}

/** The values of the scripts in a set of `count`, 8 bytes each, in the order of the scripts. */
export function hashScripts(k0: u64, k1: u64, scripts: usize, offsets: usize, count: u32, values: usize): void {
  for (let i: usize = 0; i < (count as usize); i++) {
    const from: usize = load<u32>(offsets + (i << 2));
    const hash = siphash(k0, k1, scripts + from, load<u32>(offsets + (i << 2), 4) - from);
    store<u64>(values + (i << 3), bucketOf(hash, count) * M + restOf(hash, count));
  }
}
