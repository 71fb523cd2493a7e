import { concat, err, ok, type Result } from '@keepwatch/base';
import { compactSize, compactSizeLength, readCompactSize } from './compact-size.ts';
import type { InternalHash } from './hash.ts';
import { scriptOf, type Layout } from './layout.ts';
import { sha256d } from './sha256d.ts';
import { siphash } from './siphash.ts';

/**
 * BIP158 basic filters: a Golomb-coded set of the scripts that a block creates and spends. It never misses a script
 * and names a wrong one once in 784,931 times.
 */

const P = 19;
const M = 784_931n;
const OP_RETURN = 0x6a;

export type FilterErrorCode = 'filter_malformed';

/**
 * The basic filter of a block. `previousScripts`: of each input but the coinbase's the script that it spends, in block
 * order. Whether they are the right ones nobody can tell from the block alone.
 */
export function buildBasicFilter(
  layout: Layout,
  blockHash: InternalHash,
  previousScripts: readonly Uint8Array[],
): Uint8Array {
  const scripts: Uint8Array[] = [];
  for (let output = 0; output < layout.txFirstOutput[layout.txCount]!; output++) {
    const script = scriptOf(layout, output);
    if (script[0] !== OP_RETURN) scripts.push(script);
  }
  scripts.push(...previousScripts);
  return encodeFilter(scripts, blockHash);
}

/** A filter of just these scripts; empty ones are left out and doubles count once (BIP158 "Contents"). */
function encodeFilter(scripts: readonly Uint8Array[], blockHash: InternalHash): Uint8Array {
  const distinct = new Map(scripts.filter((script) => script.length > 0).map((script) => [script.join(), script]));
  const range = BigInt(distinct.size) * M;
  const key = blockHash.subarray(0, 16);
  const values = [...distinct.values()].map((script) => (siphash(key, script) * range) >> 64n);
  values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const writer = createBitWriter();
  let last = 0n;
  for (const value of values) {
    const delta = Number(value - last);
    last = value;
    for (let quotient = Math.floor(delta / 2 ** P); quotient > 0; quotient--) writer.put(1, 1);
    writer.put(0, 1);
    writer.put(delta % 2 ** P, P);
  }
  return concat(compactSize(distinct.size), writer.end());
}

export interface FilterMatcher {
  /** Whether the block may create or spend one of the scripts. */
  matches(filter: Uint8Array, blockHash: InternalHash): Result<boolean, FilterErrorCode>;
}

/** Holds the scripts ready for many filters. Empty scripts and those that start with OP_RETURN are in no filter. */
export function createFilterMatcher(scripts: Iterable<Uint8Array>): FilterMatcher {
  const held = [...scripts];
  return {
    matches(filter, blockHash) {
      const count = readCompactSize(filter, 0);
      if (count < 0) return err('filter_malformed');
      const values = decodeValues(filter.subarray(compactSizeLength(count)), count);
      if (values === undefined) return err('filter_malformed');
      const key = blockHash.subarray(0, 16);
      const range = BigInt(count) * M;
      return ok(held.some((script) => values.has((siphash(key, script) * range) >> 64n)));
    },
  };
}

/** The set; `undefined` where it ends early or something stands behind it. */
function decodeValues(bytes: Uint8Array, count: number): Set<bigint> | undefined {
  if (count * (P + 1) > bytes.length * 8) return undefined;
  const values = new Set<bigint>();
  let bit = 0;
  let value = 0n;
  const next = () => (bytes[bit >> 3]! >> (7 - (bit++ & 7))) & 1;
  for (let i = 0; i < count; i++) {
    let quotient = 0;
    while (bit < bytes.length * 8 && next() === 1) quotient++;
    if (bit + P > bytes.length * 8) return undefined;
    let rest = 0;
    for (let k = 0; k < P; k++) rest = rest * 2 + next();
    value += BigInt(quotient) * BigInt(2 ** P) + BigInt(rest);
    values.add(value);
  }
  return (bit + 7) >> 3 === bytes.length ? values : undefined;
}

function createBitWriter() {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  return {
    put(value: number, width: number) {
      for (let i = width - 1; i >= 0; i--) {
        held = (held << 1) | ((value >> i) & 1);
        if (++bits === 8) {
          bytes.push(held);
          held = 0;
          bits = 0;
        }
      }
    },
    end: () => Uint8Array.from(bits > 0 ? [...bytes, held << (8 - bits)] : bytes),
  };
}

/** What filter headers commit to. */
export function filterHash(filter: Uint8Array): InternalHash {
  return sha256d(filter);
}

/** BIP157: each filter header commits to its filter and to the header before; the first one's predecessor is 32 zeros. */
export function filterHeader(hash: InternalHash, previous: InternalHash): InternalHash {
  return sha256d(concat(hash, previous));
}

/** Filter headers of consecutive blocks from their filter hashes: what a `cfheaders` message stands for. */
export function filterHeadersFrom(previous: InternalHash, hashes: readonly InternalHash[]): InternalHash[] {
  const headers: InternalHash[] = [];
  for (const hash of hashes) headers.push(filterHeader(hash, headers.at(-1) ?? previous));
  return headers;
}
