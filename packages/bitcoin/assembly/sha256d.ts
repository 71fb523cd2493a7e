/**
 * SHA-256 (FIPS 180-4) applied twice, four messages at a time in the four lanes of a vector. A lane that is through with
 * its message takes the next one, so that messages of any length keep all lanes busy.
 */

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const IV: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
/** The schedule: 64 words, each of four lanes. */
const W: usize = memory.data(64 * 16, 16);
/** Eight words of state, each of four lanes. */
const STATE: usize = memory.data(8 * 16, 16);
/** For each lane a block that holds a first digest with its padding: what the second round hashes. */
const DIGESTS: usize = memory.data(4 * 64, 16);
/** The second block of a message of 64 bytes: padding alone. */
const PADDING_64: usize = memory.data(64, 16);
/** For each lane where it reads, how many blocks are left, which message it has, and which of the two rounds. */
const LANES: usize = memory.data(4 * 16, 16);
const IDLE: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
function rotr(x: v128, by: i32): v128 {
  return v128.or(i32x4.shr_u(x, by), i32x4.shl(x, 32 - by));
}

// @ts-ignore: decorator
@inline
function first(e: v128, f: v128, g: v128, h: v128, k: usize, w: usize): v128 {
  const sigma = v128.xor(v128.xor(rotr(e, 6), rotr(e, 11)), rotr(e, 25));
  const choice = v128.xor(v128.and(e, v128.xor(f, g)), g);
  return i32x4.add(i32x4.add(i32x4.add(h, sigma), choice), i32x4.add(v128.load32_splat(k), v128.load(w)));
}

// @ts-ignore: decorator
@inline
function second(a: v128, b: v128, c: v128): v128 {
  const sigma = v128.xor(v128.xor(rotr(a, 2), rotr(a, 13)), rotr(a, 22));
  return i32x4.add(sigma, v128.or(v128.and(a, b), v128.and(c, v128.or(a, b))));
}

/** Four words of each lane, turned so that each vector holds one word of all lanes, and read as big-endian. */
// @ts-ignore: decorator
@inline
function gather(p0: usize, p1: usize, p2: usize, p3: usize, to: usize): void {
  const bytes = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  const r0 = v128.load(p0);
  const r1 = v128.load(p1);
  const r2 = v128.load(p2);
  const r3 = v128.load(p3);
  const low01 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.swizzle(v128.shuffle<i64>(low01, low23, 0, 2), bytes));
  v128.store(to + 16, v128.swizzle(v128.shuffle<i64>(low01, low23, 1, 3), bytes));
  v128.store(to + 32, v128.swizzle(v128.shuffle<i64>(high01, high23, 0, 2), bytes));
  v128.store(to + 48, v128.swizzle(v128.shuffle<i64>(high01, high23, 1, 3), bytes));
}

/** One block of 64 bytes in each lane. */
function compress(p0: usize, p1: usize, p2: usize, p3: usize): void {
  for (let i: usize = 0; i < 4; i++) gather(p0 + i * 16, p1 + i * 16, p2 + i * 16, p3 + i * 16, W + i * 64);
  for (let at = W + 256; at < W + 1024; at += 16) {
    const w15 = v128.load(at - 240);
    const w2 = v128.load(at - 32);
    const s0 = v128.xor(v128.xor(rotr(w15, 7), rotr(w15, 18)), i32x4.shr_u(w15, 3));
    const s1 = v128.xor(v128.xor(rotr(w2, 17), rotr(w2, 19)), i32x4.shr_u(w2, 10));
    v128.store(at, i32x4.add(i32x4.add(v128.load(at - 256), s0), i32x4.add(v128.load(at - 112), s1)));
  }
  let a = v128.load(STATE);
  let b = v128.load(STATE, 16);
  let c = v128.load(STATE, 32);
  let d = v128.load(STATE, 48);
  let e = v128.load(STATE, 64);
  let f = v128.load(STATE, 80);
  let g = v128.load(STATE, 96);
  let h = v128.load(STATE, 112);
  let t: v128;
  for (let i: usize = 0; i < 64; i += 8) {
    t = first(e, f, g, h, K + ((i + 0) << 2), W + ((i + 0) << 4));
    d = i32x4.add(d, t);
    h = i32x4.add(t, second(a, b, c));
    t = first(d, e, f, g, K + ((i + 1) << 2), W + ((i + 1) << 4));
    c = i32x4.add(c, t);
    g = i32x4.add(t, second(h, a, b));
    t = first(c, d, e, f, K + ((i + 2) << 2), W + ((i + 2) << 4));
    b = i32x4.add(b, t);
    f = i32x4.add(t, second(g, h, a));
    t = first(b, c, d, e, K + ((i + 3) << 2), W + ((i + 3) << 4));
    a = i32x4.add(a, t);
    e = i32x4.add(t, second(f, g, h));
    t = first(a, b, c, d, K + ((i + 4) << 2), W + ((i + 4) << 4));
    h = i32x4.add(h, t);
    d = i32x4.add(t, second(e, f, g));
    t = first(h, a, b, c, K + ((i + 5) << 2), W + ((i + 5) << 4));
    g = i32x4.add(g, t);
    c = i32x4.add(t, second(d, e, f));
    t = first(g, h, a, b, K + ((i + 6) << 2), W + ((i + 6) << 4));
    f = i32x4.add(f, t);
    b = i32x4.add(t, second(c, d, e));
    t = first(f, g, h, a, K + ((i + 7) << 2), W + ((i + 7) << 4));
    e = i32x4.add(e, t);
    a = i32x4.add(t, second(b, c, d));
  }
  v128.store(STATE, i32x4.add(v128.load(STATE), a));
  v128.store(STATE, i32x4.add(v128.load(STATE, 16), b), 16);
  v128.store(STATE, i32x4.add(v128.load(STATE, 32), c), 32);
  v128.store(STATE, i32x4.add(v128.load(STATE, 48), d), 48);
  v128.store(STATE, i32x4.add(v128.load(STATE, 64), e), 64);
  v128.store(STATE, i32x4.add(v128.load(STATE, 80), f), 80);
  v128.store(STATE, i32x4.add(v128.load(STATE, 96), g), 96);
  v128.store(STATE, i32x4.add(v128.load(STATE, 112), h), 112);
}

function startLane(lane: usize): void {
  for (let word: usize = 0; word < 8; word++) store<u32>(STATE + word * 16 + lane * 4, load<u32>(IV + word * 4));
}

function startAll(): void {
  for (let word: usize = 0; word < 8; word++) v128.store(STATE + word * 16, v128.load32_splat(IV + word * 4));
}

function writeDigest(lane: usize, to: usize): void {
  for (let word: usize = 0; word < 8; word++) {
    store<u32>(to + word * 4, bswap<u32>(load<u32>(STATE + word * 16 + lane * 4)));
  }
}

function prepareDigests(): void {
  for (let lane: usize = 0; lane < 4; lane++) {
    const at = DIGESTS + lane * 64;
    memory.fill(at + 32, 0, 32);
    store<u8>(at + 32, 0x80);
    store<u16>(at + 62, bswap<u16>(256));
  }
}

/**
 * Hashes `count` messages to `out`, 32 bytes each. Row i of the table is four offsets from `base`: start, bodyStart,
 * bodyEnd, end; its message is four bytes from the start, the body, and four bytes up to the end (a transaction without its
 * witnesses). `scratch`: four times `stride` bytes, each enough for a message with 72 more, a multiple of 64.
 */
export function sha256dMany(count: u32, table: usize, base: usize, out: usize, scratch: usize, stride: usize): void {
  prepareDigests();
  let next: u32 = 0;
  let active: u32 = 0;
  for (let lane: usize = 0; lane < 4; lane++) {
    if (take(lane, next, count, table, base, scratch, stride)) {
      next++;
      active++;
    }
  }
  while (active > 0) {
    compress(load<u32>(LANES), load<u32>(LANES, 16), load<u32>(LANES, 32), load<u32>(LANES, 48));
    for (let lane: usize = 0; lane < 4; lane++) {
      const at = LANES + lane * 16;
      const message = load<u32>(at, 8);
      if (message === IDLE) continue;
      const left = load<u32>(at, 4) - 1;
      if (left > 0) {
        store<u32>(at, load<u32>(at) + 64);
        store<u32>(at, left, 4);
      } else if (load<u32>(at, 12) === 0) {
        const digest = DIGESTS + lane * 64;
        writeDigest(lane, digest);
        startLane(lane);
        store<u32>(at, digest as u32);
        store<u32>(at, 1, 4);
        store<u32>(at, 1, 12);
      } else {
        writeDigest(lane, out + message * 32);
        if (take(lane, next, count, table, base, scratch, stride)) next++;
        else active--;
      }
    }
  }
}

/** Gives the lane the next message, written out with its padding; false where there is none. */
function take(lane: usize, message: u32, count: u32, table: usize, base: usize, scratch: usize, stride: usize): bool {
  const at = LANES + lane * 16;
  const to = scratch + lane * stride;
  if (message >= count) {
    store<u32>(at, to as u32);
    store<u32>(at, IDLE, 8);
    return false;
  }
  const row = table + message * 16;
  const bodyStart = load<u32>(row, 4);
  const bodyLength = load<u32>(row, 8) - bodyStart;
  store<u32>(to, load<u32>(base + load<u32>(row)));
  memory.copy(to + 4, base + bodyStart, bodyLength);
  store<u32>(to + 4 + bodyLength, load<u32>(base + load<u32>(row, 12) - 4));
  const length = bodyLength + 8;
  const blocks = (length + 9 + 63) >> 6;
  const end = blocks << 6;
  memory.fill(to + length, 0, end - length);
  store<u8>(to + length, 0x80);
  store<u64>(to + end - 8, bswap<u64>((length as u64) << 3));
  startLane(lane);
  store<u32>(at, to as u32);
  store<u32>(at, blocks, 4);
  store<u32>(at, message, 8);
  store<u32>(at, 0, 12);
  return true;
}

/**
 * The merkle root of `count` hashes at `row`, which is overwritten and ends with the root; there is room for one hash more.
 * Says whether two equal hashes stood side by side as a pair (CVE-2012-2459).
 */
export function merkleRoot(row: usize, count: u32): bool {
  prepareDigests();
  memory.fill(PADDING_64, 0, 64);
  store<u8>(PADDING_64, 0x80);
  store<u16>(PADDING_64 + 62, bswap<u16>(512));
  let mutated = false;
  while (count > 1) {
    for (let at = row; at + 64 <= row + ((count as usize) << 5); at += 64) mutated = mutated || equal(at, at + 32);
    if (count & 1) {
      memory.copy(row + ((count as usize) << 5), row + ((count as usize) << 5) - 32, 32);
      count++;
    }
    const pairs = (count >> 1) as usize;
    for (let pair: usize = 0; pair < pairs; pair += 4) {
      const last = pairs - 1;
      const p1 = row + (min(pair + 1, last) << 6);
      const p2 = row + (min(pair + 2, last) << 6);
      const p3 = row + (min(pair + 3, last) << 6);
      startAll();
      compress(row + (pair << 6), p1, p2, p3);
      compress(PADDING_64, PADDING_64, PADDING_64, PADDING_64);
      for (let lane: usize = 0; lane < 4; lane++) writeDigest(lane, DIGESTS + lane * 64);
      startAll();
      compress(DIGESTS, DIGESTS + 64, DIGESTS + 128, DIGESTS + 192);
      for (let lane: usize = 0; lane < 4 && pair + lane < pairs; lane++) writeDigest(lane, row + ((pair + lane) << 5));
    }
    count = pairs as u32;
  }
  return mutated;
}

function equal(a: usize, b: usize): bool {
  for (let i: usize = 0; i < 32; i += 8) if (load<u64>(a + i) !== load<u64>(b + i)) return false;
  return true;
}
