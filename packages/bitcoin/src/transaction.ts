import { concat, err, ok, type Result } from '@keepwatch/base';
import { compactSize, compactSizeLength, readCompactSize } from './compact-size.ts';
import type { InternalHash } from './hash.ts';
import {
  amountAt,
  hasWitness,
  inputsStart,
  layoutTransaction,
  scriptOf,
  transactionBytes,
  type Layout,
  type LayoutErrorCode,
} from './layout.ts';
import { sha256d } from './sha256d.ts';

/** A transaction as plain data. Scripts and witness items are views into the bytes that it was read from. */
export interface Transaction {
  /** Signed 32-bit, as consensus reads it. */
  readonly version: number;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  readonly lockTime: number;
}

export interface TransactionInput {
  readonly previous: InternalHash;
  readonly vout: number;
  readonly scriptSig: Uint8Array;
  readonly sequence: number;
  /** Empty where the input has no witness. */
  readonly witness: readonly Uint8Array[];
}

export interface TransactionOutput {
  readonly sats: bigint;
  readonly script: Uint8Array;
}

/** Reads one transaction, with or without witnesses, strictly. */
export function decodeTransaction(bytes: Uint8Array): Result<Transaction, LayoutErrorCode> {
  const walked = layoutTransaction(bytes);
  return walked.ok ? ok(transactionAt(walked.value, 0)) : err(walked.error);
}

/** A transaction of a layout as plain data. */
export function transactionAt(layout: Layout, tx: number): Transaction {
  const { bytes, txStart, txFirstInput, txFirstOutput, inputAt, txOutputsEnd } = layout;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let witnessAt = txOutputsEnd[tx]!;
  const withWitness = hasWitness(layout, tx);
  const inputs: TransactionInput[] = [];
  for (let input = txFirstInput[tx]!; input < txFirstInput[tx + 1]!; input++) {
    const at = inputAt[input]!;
    const length = readCompactSize(bytes, at + 36);
    const script = at + 36 + compactSizeLength(length);
    const witness: Uint8Array[] = [];
    if (withWitness) {
      const count = readCompactSize(bytes, witnessAt);
      witnessAt += compactSizeLength(count);
      for (let i = 0; i < count; i++) {
        const itemLength = readCompactSize(bytes, witnessAt);
        witnessAt += compactSizeLength(itemLength);
        witness.push(bytes.subarray(witnessAt, witnessAt + itemLength));
        witnessAt += itemLength;
      }
    }
    inputs.push({
      previous: bytes.subarray(at, at + 32) as InternalHash,
      vout: view.getUint32(at + 32, true),
      scriptSig: bytes.subarray(script, script + length),
      sequence: view.getUint32(script + length, true),
      witness,
    });
  }
  const outputs: TransactionOutput[] = [];
  for (let output = txFirstOutput[tx]!; output < txFirstOutput[tx + 1]!; output++) {
    outputs.push({ sats: amountAt(layout, output), script: scriptOf(layout, output) });
  }
  return {
    version: view.getInt32(txStart[tx]!, true),
    inputs,
    outputs,
    lockTime: view.getUint32(txStart[tx + 1]! - 4, true),
  };
}

/** The serialisation of BIP144: with marker, flag and witnesses where any input has a witness. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  const witness = transaction.inputs.some((input) => input.witness.length > 0);
  const parts = [u32le(transaction.version)];
  if (witness) parts.push(Uint8Array.of(0, 1));
  parts.push(compactSize(transaction.inputs.length));
  for (const { previous, vout, scriptSig, sequence } of transaction.inputs) {
    parts.push(previous, u32le(vout), compactSize(scriptSig.length), scriptSig, u32le(sequence));
  }
  parts.push(compactSize(transaction.outputs.length));
  for (const { sats, script } of transaction.outputs) parts.push(u64le(sats), compactSize(script.length), script);
  if (witness) {
    for (const input of transaction.inputs) {
      parts.push(compactSize(input.witness.length));
      for (const item of input.witness) parts.push(compactSize(item.length), item);
    }
  }
  parts.push(u32le(transaction.lockTime));
  return concat(...parts);
}

/** The transaction without marker, flag and witnesses. */
export function strippedBytes(layout: Layout, tx: number): Uint8Array {
  if (!hasWitness(layout, tx)) return transactionBytes(layout, tx);
  const { bytes, txStart, txOutputsEnd } = layout;
  const start = txStart[tx]!;
  const end = txStart[tx + 1]!;
  return concat(
    bytes.subarray(start, start + 4),
    bytes.subarray(inputsStart(layout, tx), txOutputsEnd[tx]),
    bytes.subarray(end - 4, end),
  );
}

/** Transaction id: hash of the transaction without its witnesses. */
export function txidAt(layout: Layout, tx: number): InternalHash {
  return sha256d(strippedBytes(layout, tx));
}

/** BIP141 witness transaction id: hash of the whole serialisation. */
export function wtxidAt(layout: Layout, tx: number): InternalHash {
  return sha256d(transactionBytes(layout, tx));
}

function u32le(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
}

function u64le(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value, true);
  return out;
}
