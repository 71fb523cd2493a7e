import type { Entropy } from '@keepwatch/base';
import { toDisplay, toInternal, type InternalHash, type Txid } from '../hash.ts';
import { amountAt, scriptOf, transactionBytes, type Layout } from '../layout.ts';
import { txidAt } from '../transaction.ts';
import { createByteSet, type Allocate } from './byte-set.ts';
import { drawHashKey } from './keyed-hash.ts';
import type { SharedWatch } from './probe.ts';

export interface Outpoint {
  readonly txid: Txid;
  readonly vout: number;
}

/** A watched output that a transaction creates. */
export interface Received {
  readonly vout: number;
  readonly script: Uint8Array;
  readonly sats: bigint;
}

/** A watched outpoint that a transaction spends. */
export interface Spent {
  readonly vin: number;
  readonly outpoint: Outpoint;
}

/** A transaction that touches something watched. `raw`: the whole serialisation, witness included. */
export interface MatchedTx {
  readonly txid: Txid;
  readonly raw: Uint8Array;
  readonly received: readonly Received[];
  readonly spent: readonly Spent[];
}

/** What was watched at one moment, as a number for each table. It means something to the scanner that gave it, and there alone. */
export interface WatchMark {
  readonly scripts: number;
  readonly outpoints: number;
}

/**
 * Finds what touches the watched scripts and outpoints, in two passes over a layout: hash and look up all outputs, then
 * all inputs. Watched are sets: added twice is in once. Both can change between any two calls.
 */
export interface Scanner {
  /** A script of more than 32,767 bytes cannot be watched (RangeError); no output with more than 10,000 can be spent. */
  addScripts(scripts: Iterable<Uint8Array>): void;
  removeScripts(scripts: Iterable<Uint8Array>): void;
  addOutpoints(outpoints: Iterable<Outpoint>): void;
  removeOutpoints(outpoints: Iterable<Outpoint>): void;
  hasScript(script: Uint8Array): boolean;
  hasOutpoint(outpoint: Outpoint): boolean;
  scripts(): Generator<Uint8Array>;
  /** What is watched now. Taken behind a scan it holds what the scan found and followed. */
  mark(): WatchMark;
  /**
   * Whether something that the transaction touches is watched and was watched at this mark already: then a scan at that mark
   * found it. Of old marks it may say no where the answer is yes.
   */
  covers(match: Pick<MatchedTx, 'received' | 'spent'>, mark: WatchMark): boolean;
  /**
   * The transactions that match, in block order. What a watched script receives is watched as an outpoint from then on, so
   * a coin that the same block creates and spends is found. `txids`: of all transactions, where they are known already.
   */
  scanBlock(layout: Layout, txids?: Uint8Array): MatchedTx[];
  /** One transaction outside a block. Its outputs are not followed: whoever believes it adds them. */
  scanTransaction(layout: Layout): MatchedTx | undefined;
  /** The tables as they are now, for probes in other threads: they share the memory that `allocate` gave. */
  share(): SharedWatch;
  readonly counts: { readonly scripts: number; readonly outpoints: number };
  /** Bytes held in all tables. */
  byteLength(): number;
}

const OUTPOINT_BYTES = 36;

/**
 * `allocate`: where the tables lie, in SharedArrayBuffers if they are to be shared. `expected`: how many will be watched, so
 * that room is made once.
 */
export function createScanner(
  deps: { readonly entropy: Entropy; readonly allocate?: Allocate },
  expected: { readonly scripts?: number; readonly outpoints?: number } = {},
): Scanner {
  const scripts = createByteSet(drawHashKey(deps.entropy), deps.allocate);
  const outpoints = createByteSet(drawHashKey(deps.entropy), deps.allocate);
  scripts.reserve(expected.scripts ?? 0);
  outpoints.reserve(expected.outpoints ?? 0);
  let outputsFound = new Uint32Array(0);
  let inputsFound = new Uint32Array(0);
  let outpointLengths = new Uint32Array(0);

  function scan(layout: Layout, txidOf: (tx: number) => InternalHash, follow: boolean): MatchedTx[] {
    const { bytes, txCount, txFirstInput, txFirstOutput, inputAt, scriptAt, scriptLength } = layout;
    const outputCount = txFirstOutput[txCount]!;
    const inputCount = txFirstInput[txCount]!;
    if (outputsFound.length < outputCount) outputsFound = new Uint32Array(outputCount);
    if (inputsFound.length < inputCount) {
      inputsFound = new Uint32Array(inputCount);
      outpointLengths = new Uint32Array(inputCount).fill(OUTPOINT_BYTES);
    }
    const outputs = scripts.findAll(bytes, scriptAt, scriptLength, outputCount, outputsFound);
    const ids = new Map<number, InternalHash>();
    const idOf = (tx: number) => {
      let id = ids.get(tx);
      if (!id) ids.set(tx, (id = txidOf(tx)));
      return id;
    };
    if (follow) {
      let tx = 0;
      for (let i = 0; i < outputs; i++) {
        const output = outputsFound[i]!;
        while (txFirstOutput[tx + 1]! <= output) tx++;
        outpoints.add(outpointKey(idOf(tx), output - txFirstOutput[tx]!));
      }
    }
    const inputs = outpoints.findAll(bytes, inputAt, outpointLengths, inputCount, inputsFound);
    if (outputs + inputs === 0) return [];

    const matches: MatchedTx[] = [];
    for (let tx = 0, o = 0, i = 0; o < outputs || i < inputs; tx++) {
      const received: Received[] = [];
      const spent: Spent[] = [];
      for (; o < outputs && outputsFound[o]! < txFirstOutput[tx + 1]!; o++) {
        const output = outputsFound[o]!;
        const vout = output - txFirstOutput[tx]!;
        received.push({ vout, script: scriptOf(layout, output).slice(), sats: amountAt(layout, output) });
      }
      for (; i < inputs && inputsFound[i]! < txFirstInput[tx + 1]!; i++) {
        const input = inputsFound[i]!;
        spent.push({ vin: input - txFirstInput[tx]!, outpoint: readOutpoint(bytes, inputAt[input]!) });
      }
      if (received.length + spent.length === 0) continue;
      const raw = transactionBytes(layout, tx).slice();
      matches.push({ txid: toDisplay<Txid>(idOf(tx)), raw, received, spent });
    }
    return matches;
  }

  return {
    addScripts(added) {
      if (Array.isArray(added)) scripts.reserve(added.length);
      for (const script of added) scripts.add(script);
    },
    removeScripts(removed) {
      for (const script of removed) scripts.remove(script);
    },
    addOutpoints(added) {
      if (Array.isArray(added)) outpoints.reserve(added.length);
      for (const outpoint of added) outpoints.add(encodeOutpoint(outpoint));
    },
    removeOutpoints(removed) {
      for (const outpoint of removed) outpoints.remove(encodeOutpoint(outpoint));
    },
    hasScript: (script) => scripts.has(script),
    hasOutpoint: (outpoint) => outpoints.has(encodeOutpoint(outpoint)),
    scripts: () => scripts.values(),
    mark: () => ({ scripts: scripts.mark, outpoints: outpoints.mark }),
    covers: ({ received, spent }, mark) =>
      received.some(({ script }) => scripts.hadAt(script, mark.scripts)) ||
      spent.some(({ outpoint }) => outpoints.hadAt(encodeOutpoint(outpoint), mark.outpoints)),
    scanBlock(layout, txids) {
      const given = txids && ((tx: number) => txids.subarray(tx * 32, tx * 32 + 32) as InternalHash);
      return scan(layout, given ?? ((tx) => txidAt(layout, tx)), true);
    },
    scanTransaction: (layout) => scan(layout, (tx) => txidAt(layout, tx), false)[0],
    share: () => ({ scripts: scripts.table(), outpoints: outpoints.table() }),
    get counts() {
      return { scripts: scripts.size, outpoints: outpoints.size };
    },
    byteLength: () => scripts.byteLength() + outpoints.byteLength(),
  };
}

function internalOf(txid: Txid): InternalHash {
  const internal = toInternal(txid);
  if (internal === undefined) throw new TypeError('a txid has 64 lower-case hex digits');
  return internal;
}

/** An outpoint as it stands in an input: the id in internal order, then the number of the output. 36 bytes. */
export function encodeOutpoint({ txid, vout }: Outpoint): Uint8Array {
  return outpointKey(internalOf(txid), vout);
}

function outpointKey(txid: InternalHash, vout: number): Uint8Array {
  const key = new Uint8Array(OUTPOINT_BYTES);
  key.set(txid);
  new DataView(key.buffer).setUint32(32, vout, true);
  return key;
}

function readOutpoint(bytes: Uint8Array, at: number): Outpoint {
  const vout = new DataView(bytes.buffer, bytes.byteOffset + at + 32, 4).getUint32(0, true);
  return { txid: toDisplay<Txid>(bytes.subarray(at, at + 32) as InternalHash), vout };
}
