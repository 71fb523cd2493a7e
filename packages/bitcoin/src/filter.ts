import { concat, err, ok, toHex, type Result } from '@keepwatch/base';
import { compactSize, compactSizeLength, readCompactSize } from './compact-size.ts';
import type { InternalHash } from './hash.ts';
import { scriptOf, type Layout } from './layout.ts';
import { sha256d } from './sha256d.ts';
import { sha256dChain } from './wasm/hashing.ts';
import { createKernel, type Kernel } from './wasm/kernel.ts';

/**
 * BIP158 basic filters: a Golomb-coded set of the scripts that a block creates and spends. It never misses a script
 * and names a wrong one once in 784,931 times.
 */

const P = 19;
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
  const distinct = new Map(scripts.filter((script) => script.length > 0).map((script) => [toHex(script), script]));
  const writer = createBitWriter();
  let last = 0n;
  for (const value of valuesOf([...distinct.values()], blockHash)) {
    const delta = Number(value - last);
    last = value;
    for (let quotient = Math.floor(delta / 2 ** P); quotient > 0; quotient--) writer.put(1, 1);
    writer.put(0, 1);
    writer.put(delta % 2 ** P, P);
  }
  return concat(compactSize(distinct.size), writer.end());
}

/** Where the scripts stand in a set of just these, in rising order. */
function valuesOf(scripts: readonly Uint8Array[], blockHash: InternalHash): BigUint64Array {
  const kernel = createKernel();
  const packed = packScripts(kernel, scripts);
  const memory = kernel.memory(packed.end + scripts.length * 8);
  const [k0, k1] = sipKey(blockHash);
  kernel.hashScripts(k0, k1, packed.scripts, packed.offsets, scripts.length, packed.end);
  return new BigUint64Array(memory.buffer, packed.end, scripts.length).sort();
}

export interface FilterMatcher {
  /** Whether the block may create or spend one of the scripts. */
  matches(filter: Uint8Array, blockHash: InternalHash): Result<boolean, FilterErrorCode>;
}

/**
 * Holds the scripts ready for many filters, in memory of its own: some 40 bytes a script. Empty scripts and those that start
 * with OP_RETURN are in no filter.
 */
export function createFilterMatcher(scripts: Iterable<Uint8Array>): FilterMatcher {
  const kernel = createKernel();
  const held = [...scripts].filter((script) => script.length > 0);
  const packed = packScripts(kernel, held);
  return {
    matches(filter, blockHash) {
      const count = readCompactSize(filter, 0);
      if (count < 0) return err('filter_malformed');
      const start = compactSizeLength(count);
      const length = filter.length - start;
      // Each value takes 20 bits or more: a count beyond that asks for memory that no filter needs.
      if (count * (P + 1) > length * 8) return err('filter_malformed');
      const rests = align(packed.end + length + SLACK);
      const starts = align(rests + count * 4);
      const memory = kernel.memory(starts + (count + 1) * 4);
      memory.set(filter.subarray(start), packed.end);
      if (!kernel.decodeFilter(packed.end, length, count, rests, starts)) return err('filter_malformed');
      if (count === 0) return ok(false);
      const [k0, k1] = sipKey(blockHash);
      return ok(kernel.matchScripts(k0, k1, packed.scripts, packed.offsets, held.length, count, rests, starts) !== 0);
    },
  };
}

/** How much can be read behind scripts and filters. */
const SLACK = 8;
const align = (offset: number) => (offset + 7) & ~7;

/** Writes the scripts one behind the other into the kernel's memory, and their offsets. Free is what follows `end`. */
function packScripts(kernel: Kernel, scripts: readonly Uint8Array[]) {
  let total = 0;
  for (const script of scripts) total += script.length;
  const offsets = align(kernel.heapStart());
  const at = align(offsets + (scripts.length + 1) * 4);
  const end = align(at + total + SLACK);
  const memory = kernel.memory(end);
  const table = new Uint32Array(memory.buffer, offsets, scripts.length + 1);
  let used = 0;
  for (const [i, script] of scripts.entries()) {
    memory.set(script, at + used);
    used += script.length;
    table[i + 1] = used;
  }
  return { scripts: at, offsets, end };
}

/** BIP158: the key is the first 16 bytes of the block hash in internal order. */
function sipKey(blockHash: InternalHash): [bigint, bigint] {
  const view = new DataView(blockHash.buffer, blockHash.byteOffset, 16);
  return [view.getBigInt64(0, true), view.getBigInt64(8, true)];
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
  return sha256dChain(previous, hashes);
}
