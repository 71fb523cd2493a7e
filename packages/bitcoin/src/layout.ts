import { err, ok, type Result } from '@keepwatch/base';
import { COMPACT_NOT_CANONICAL, COMPACT_TRUNCATED, compactSizeLength, readCompactSize } from './compact-size.ts';

/**
 * Where things stand in the bytes of a block or of one transaction: offsets, nothing copied. One pass writes them into
 * typed arrays; whoever needs a script or an outpoint reads it out of the bytes. This is what makes scanning fast.
 *
 * The walk refuses what a node refuses when it reads a transaction and looks at it alone (`CheckTransaction`): counts and
 * lengths beyond the end, long forms of short numbers, unknown or superfluous witness flags, no inputs or outputs,
 * amounts out of range, coinbase inputs where they do not belong, more weight than a block may have. It does not look
 * for inputs that are spent twice, for signatures or for the number of signature operations.
 */
export interface Layout {
  readonly bytes: Uint8Array;
  readonly txCount: number;
  /** Offset of each transaction; entry `txCount` is where the last one ends. */
  readonly txStart: Uint32Array;
  /** Offset behind the outputs of each transaction: its witnesses, or its lock time where it has none. */
  readonly txOutputsEnd: Uint32Array;
  /** Number of the first input of each transaction, counted through; entry `txCount` is how many inputs there are. */
  readonly txFirstInput: Uint32Array;
  readonly txFirstOutput: Uint32Array;
  /** Offset of the outpoint (36 bytes) of each input. */
  readonly inputAt: Uint32Array;
  /** Offset and length of the script of each output. Its amount stands in front of the length. */
  readonly scriptAt: Uint32Array;
  readonly scriptLength: Uint32Array;
}

export type LayoutErrorCode =
  | 'truncated'
  | 'trailing_bytes'
  | 'number_not_canonical'
  | 'too_large'
  | 'no_transactions'
  | 'no_inputs'
  | 'no_outputs'
  | 'amount_out_of_range'
  | 'witness_flag_unknown'
  | 'witness_superfluous'
  | 'coinbase_misplaced'
  | 'coinbase_script_length';

export const HEADER_BYTES = 80;
/** BIP141: four times the size without witnesses … counted as three times that plus the whole size. */
export const MAX_BLOCK_WEIGHT = 4_000_000;
/** 21 million bitcoin, in satoshi. */
export const MAX_MONEY = 2_100_000_000_000_000;

const OUTPOINT_BYTES = 36;
const MIN_INPUT_BYTES = OUTPOINT_BYTES + 1 + 4;
const MIN_OUTPUT_BYTES = 8 + 1;
const MIN_TX_BYTES = 4 + 1 + MIN_INPUT_BYTES + 1 + MIN_OUTPUT_BYTES + 4;

/**
 * A whole block: header, count, transactions. `reuse`: a layout that is no longer needed; its arrays are filled anew, so
 * that a scan of many blocks makes no garbage.
 */
export function layoutBlock(bytes: Uint8Array, reuse?: Layout): Result<Layout, LayoutErrorCode> {
  if (bytes.length > MAX_BLOCK_WEIGHT) return err('too_large');
  if (bytes.length < HEADER_BYTES) return err('truncated');
  const count = readCompactSize(bytes, HEADER_BYTES);
  if (count < 0) return err(compactFault(count));
  if (count === 0) return err('no_transactions');
  const start = HEADER_BYTES + compactSizeLength(count);
  if (count * MIN_TX_BYTES > bytes.length - start) return err('truncated');
  const layout = emptyLayout(bytes, count, reuse);
  const fault = walk(layout, start);
  if (fault !== undefined) return err(fault);
  if (!isCoinbase(layout, 0)) return err('coinbase_misplaced');
  for (let tx = 1; tx < count; tx++) if (isCoinbase(layout, tx)) return err('coinbase_misplaced');
  let stripped = start;
  for (let tx = 0; tx < count; tx++) stripped += strippedSize(layout, tx);
  return stripped * 3 + bytes.length > MAX_BLOCK_WEIGHT ? err('too_large') : ok(layout);
}

/** One transaction and nothing behind it. A coinbase is one too. */
export function layoutTransaction(bytes: Uint8Array, reuse?: Layout): Result<Layout, LayoutErrorCode> {
  if (bytes.length > MAX_BLOCK_WEIGHT) return err('too_large');
  const layout = emptyLayout(bytes, 1, reuse);
  const fault = walk(layout, 0);
  if (fault !== undefined) return err(fault);
  return weight(layout, 0) > MAX_BLOCK_WEIGHT ? err('too_large') : ok(layout);
}

export function hasWitness(layout: Layout, tx: number): boolean {
  return layout.bytes[layout.txStart[tx]! + 4] === 0;
}

/** Offset of the number of inputs: behind the version, and behind marker and flag (BIP144) where they stand. */
export function inputsStart(layout: Layout, tx: number): number {
  return layout.txStart[tx]! + (hasWitness(layout, tx) ? 6 : 4);
}

export function isCoinbase(layout: Layout, tx: number): boolean {
  const first = layout.txFirstInput[tx]!;
  return layout.txFirstInput[tx + 1]! - first === 1 && isNullOutpoint(layout.bytes, layout.inputAt[first]!);
}

/** Bytes of the whole serialisation. */
export function size(layout: Layout, tx: number): number {
  return layout.txStart[tx + 1]! - layout.txStart[tx]!;
}

/** Bytes without marker, flag and witnesses: what the txid is a hash of. */
export function strippedSize(layout: Layout, tx: number): number {
  return 4 + (layout.txOutputsEnd[tx]! - inputsStart(layout, tx)) + 4;
}

/** BIP141 weight units. */
export function weight(layout: Layout, tx: number): number {
  return strippedSize(layout, tx) * 3 + size(layout, tx);
}

/** BIP141 virtual size: a quarter of the weight, rounded up. */
export function virtualSize(layout: Layout, tx: number): number {
  return Math.ceil(weight(layout, tx) / 4);
}

/** Satoshi of the output, counted through the layout. */
export function amountAt(layout: Layout, output: number): bigint {
  const at = layout.scriptAt[output]! - compactSizeLength(layout.scriptLength[output]!) - 8;
  return BigInt(readAmount(layout.bytes, at));
}

/** The script of the output, counted through the layout: a view, not a copy. */
export function scriptOf(layout: Layout, output: number): Uint8Array {
  const at = layout.scriptAt[output]!;
  return layout.bytes.subarray(at, at + layout.scriptLength[output]!);
}

/** The whole serialisation of a transaction: a view, not a copy. */
export function transactionBytes(layout: Layout, tx: number): Uint8Array {
  return layout.bytes.subarray(layout.txStart[tx]!, layout.txStart[tx + 1]!);
}

type Growing = { -readonly [K in keyof Layout]: Layout[K] };

function emptyLayout(bytes: Uint8Array, txCount: number, reuse: Layout | undefined): Growing {
  const room = txCount + 1;
  // A guess by what mainnet blocks hold; arrays that turn out too short grow.
  const guess = Math.max(4, Math.min(bytes.length >> 7, 1 << 15));
  const at = (old: Uint32Array | undefined, length: number) =>
    old && old.length >= length ? old : new Uint32Array(length);
  return {
    bytes,
    txCount,
    txStart: at(reuse?.txStart, room),
    txOutputsEnd: at(reuse?.txOutputsEnd, room),
    txFirstInput: at(reuse?.txFirstInput, room),
    txFirstOutput: at(reuse?.txFirstOutput, room),
    inputAt: reuse?.inputAt ?? new Uint32Array(guess),
    scriptAt: reuse?.scriptAt ?? new Uint32Array(guess),
    scriptLength: reuse?.scriptLength ?? new Uint32Array(guess),
  };
}

function walk(layout: Growing, start: number): LayoutErrorCode | undefined {
  const { bytes, txCount, txStart, txOutputsEnd, txFirstInput, txFirstOutput } = layout;
  const end = bytes.length;
  let { inputAt, scriptAt, scriptLength } = layout;
  let inputs = 0;
  let outputs = 0;
  let at = start;
  for (let tx = 0; tx < txCount; tx++) {
    txStart[tx] = at;
    txFirstInput[tx] = inputs;
    txFirstOutput[tx] = outputs;
    at += 4;
    const witness = bytes[at] === 0;
    if (witness) {
      // BIP144: a marker of 0 where the number of inputs would stand, then a flag.
      if (at + 2 > end) return 'truncated';
      if (bytes[at + 1] === 0) return 'no_inputs';
      if (bytes[at + 1] !== 1) return 'witness_flag_unknown';
      at += 2;
    }

    const inputCount = readCompactSize(bytes, at);
    if (inputCount < 0) return compactFault(inputCount);
    if (inputCount === 0) return 'no_inputs';
    at += compactSizeLength(inputCount);
    if (inputCount * MIN_INPUT_BYTES > end - at) return 'truncated';
    if (inputs + inputCount > inputAt.length) inputAt = grown(inputAt, inputs + inputCount);
    for (let i = 0; i < inputCount; i++) {
      inputAt[inputs++] = at;
      if (at + MIN_INPUT_BYTES > end) return 'truncated';
      let length = bytes[at + OUTPOINT_BYTES]!;
      if (length >= 0xfd) {
        length = readCompactSize(bytes, at + OUTPOINT_BYTES);
        if (length < 0) return compactFault(length);
      }
      if (bytes[at + 35] === 0xff && isNullOutpoint(bytes, at)) {
        if (inputCount !== 1) return 'coinbase_misplaced';
        if (length < 2 || length > 100) return 'coinbase_script_length';
      }
      at += OUTPOINT_BYTES + compactSizeLength(length) + length + 4;
    }
    if (at > end) return 'truncated';

    const outputCount = readCompactSize(bytes, at);
    if (outputCount < 0) return compactFault(outputCount);
    if (outputCount === 0) return 'no_outputs';
    at += compactSizeLength(outputCount);
    if (outputCount * MIN_OUTPUT_BYTES > end - at) return 'truncated';
    if (outputs + outputCount > scriptAt.length) {
      scriptAt = grown(scriptAt, outputs + outputCount);
      scriptLength = grown(scriptLength, outputs + outputCount);
    }
    let total = 0;
    for (let i = 0; i < outputCount; i++) {
      if (at + MIN_OUTPUT_BYTES > end) return 'truncated';
      total += readAmount(bytes, at);
      if (total > MAX_MONEY) return 'amount_out_of_range';
      at += 8;
      let length = bytes[at]!;
      if (length >= 0xfd) {
        length = readCompactSize(bytes, at);
        if (length < 0) return compactFault(length);
      }
      at += compactSizeLength(length);
      scriptAt[outputs] = at;
      scriptLength[outputs++] = length;
      at += length;
    }
    txOutputsEnd[tx] = at;

    if (witness) {
      let items = 0;
      for (let i = 0; i < inputCount; i++) {
        const count = readCompactSize(bytes, at);
        if (count < 0) return compactFault(count);
        at += compactSizeLength(count);
        items += count;
        if (count > end - at) return 'truncated';
        for (let item = 0; item < count; item++) {
          let length = bytes[at]!;
          // Most items are short. Behind the end there is nothing to compare, which `readCompactSize` then says.
          if (length < 0xfd) {
            at += 1 + length;
            continue;
          }
          length = readCompactSize(bytes, at);
          if (length < 0) return compactFault(length);
          at += compactSizeLength(length) + length;
        }
      }
      if (items === 0) return 'witness_superfluous';
    }
    at += 4;
    if (at > end) return 'truncated';
  }
  txStart[txCount] = at;
  txFirstInput[txCount] = inputs;
  txFirstOutput[txCount] = outputs;
  layout.inputAt = inputAt;
  layout.scriptAt = scriptAt;
  layout.scriptLength = scriptLength;
  return at === end ? undefined : 'trailing_bytes';
}

function grown(array: Uint32Array, needed: number): Uint32Array {
  const larger = new Uint32Array(Math.max(needed, array.length * 2));
  larger.set(array);
  return larger;
}

function compactFault(fault: number): LayoutErrorCode {
  if (fault === COMPACT_TRUNCATED) return 'truncated';
  return fault === COMPACT_NOT_CANONICAL ? 'number_not_canonical' : 'too_large';
}

/** Exact for every amount that is in range; what is out of range stays out of range. */
function readAmount(bytes: Uint8Array, at: number): number {
  const low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  const high = (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)) >>> 0;
  return high * 0x1_0000_0000 + low;
}

function isNullOutpoint(bytes: Uint8Array, at: number): boolean {
  for (let i = 35; i >= 32; i--) if (bytes[at + i] !== 0xff) return false;
  for (let i = 31; i >= 0; i--) if (bytes[at + i] !== 0) return false;
  return true;
}
