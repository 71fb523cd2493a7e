import { concat } from '@keepwatch/base';
import { schnorr } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { compactSize } from '../compact-size.ts';
import { sha256d } from '../sha256d.ts';
import type { Transaction, TransactionInput, TransactionOutput } from '../transaction.ts';
import { PrevoutsMissing } from './failure.ts';
import { withoutCodeSeparators } from './walk.ts';

export const SIGHASH_ALL = 1;
export const SIGHASH_NONE = 2;
export const SIGHASH_SINGLE = 3;
export const SIGHASH_ANYONECANPAY = 0x80;

/** What a taproot signature commits to besides the transaction (BIP341, BIP342). */
export interface TaprootExtension {
  /** SHA-256 of the annex with its length; null without one. */
  readonly annexHash: Uint8Array | null;
  /** Of a script path: the leaf, and which OP_CODESEPARATOR ran last (0xffffffff: none). */
  readonly leaf: { readonly hash: Uint8Array; readonly codeSeparator: number } | null;
}

/** What signatures of one transaction sign, in the three ways there are. Hashes that inputs share are made once. */
export interface SignatureHashes {
  legacy(input: number, scriptCode: Uint8Array, type: number): Uint8Array;
  /** BIP143. */
  segwit(input: number, scriptCode: Uint8Array, sats: bigint, type: number): Uint8Array;
  /** BIP341; `undefined` for a type that is none, or SINGLE without an output. Throws `PrevoutsMissing`. */
  taproot(input: number, type: number, extension: TaprootExtension): Uint8Array | undefined;
}

/** `prevouts`: the outputs that the inputs spend, in their order; `undefined` where one is not known. */
export function createSignatureHashes(
  transaction: Transaction,
  prevouts: readonly (TransactionOutput | undefined)[],
): SignatureHashes {
  const { inputs, outputs } = transaction;
  const version = u32le(transaction.version);
  const lockTime = u32le(transaction.lockTime);
  const outpoints = lazy(() => concat(...inputs.map(outpoint)));
  const sequences = lazy(() => concat(...inputs.map(({ sequence }) => u32le(sequence))));
  const allOutputs = lazy(() => concat(...outputs.map(output)));
  const once = (hash: (bytes: Uint8Array) => Uint8Array) => ({
    prevouts: lazy(() => hash(outpoints())),
    sequences: lazy(() => hash(sequences())),
    outputs: lazy(() => hash(allOutputs())),
  });
  const double = once(sha256d);
  const single = once(sha256);
  const known = (index: number): TransactionOutput => {
    const prevout = prevouts[index];
    if (!prevout) throw new PrevoutsMissing();
    return prevout;
  };
  const amounts = lazy(() => sha256(concat(...inputs.map((_, i) => u64le(known(i).sats)))));
  const scripts = lazy(() => sha256(concat(...inputs.map((_, i) => sized(known(i).script)))));

  return {
    legacy: (input, scriptCode, type) => {
      const kind = type & 0x1f;
      // The oldest bug of all, and consensus since: the hash is the number one.
      if (kind === SIGHASH_SINGLE && input >= outputs.length) return Uint8Array.of(1, ...new Uint8Array(31));
      const others = kind === SIGHASH_NONE || kind === SIGHASH_SINGLE;
      const one = (item: TransactionInput, index: number) =>
        concat(
          outpoint(item),
          index === input ? sized(withoutCodeSeparators(scriptCode)) : Uint8Array.of(0),
          u32le(index !== input && others ? 0 : item.sequence),
        );
      const signedInputs = type & SIGHASH_ANYONECANPAY ? [one(inputs[input]!, input)] : inputs.map(one);
      const signedOutputs =
        kind === SIGHASH_NONE
          ? []
          : kind === SIGHASH_SINGLE
            ? outputs.slice(0, input + 1).map((item, i) => (i === input ? output(item) : BLANK_OUTPUT))
            : outputs.map(output);
      return sha256d(
        concat(
          version,
          compactSize(signedInputs.length),
          ...signedInputs,
          compactSize(signedOutputs.length),
          ...signedOutputs,
          lockTime,
          u32le(type),
        ),
      );
    },

    segwit: (input, scriptCode, sats, type) => {
      const kind = type & 0x1f;
      const anyone = (type & SIGHASH_ANYONECANPAY) !== 0;
      const others = kind === SIGHASH_NONE || kind === SIGHASH_SINGLE;
      const own = inputs[input]!;
      const outputsHash = !others
        ? double.outputs()
        : kind === SIGHASH_SINGLE && input < outputs.length
          ? sha256d(output(outputs[input]!))
          : ZEROS;
      return sha256d(
        concat(
          version,
          anyone ? ZEROS : double.prevouts(),
          anyone || others ? ZEROS : double.sequences(),
          outpoint(own),
          sized(scriptCode),
          u64le(sats),
          u32le(own.sequence),
          outputsHash,
          lockTime,
          u32le(type),
        ),
      );
    },

    taproot: (input, type, { annexHash, leaf }) => {
      if (!(type <= 3 || (type >= 0x81 && type <= 0x83))) return undefined;
      const kind = type === 0 ? SIGHASH_ALL : type & 3;
      const anyone = (type & SIGHASH_ANYONECANPAY) !== 0;
      if (kind === SIGHASH_SINGLE && input >= outputs.length) return undefined;
      const own = inputs[input]!;
      const parts = [Uint8Array.of(0, type), version, lockTime];
      if (!anyone) parts.push(single.prevouts(), amounts(), scripts(), single.sequences());
      if (kind === SIGHASH_ALL) parts.push(single.outputs());
      parts.push(Uint8Array.of((leaf ? 2 : 0) + (annexHash ? 1 : 0)));
      if (anyone) parts.push(outpoint(own), u64le(known(input).sats), sized(known(input).script), u32le(own.sequence));
      else parts.push(u32le(input));
      if (annexHash) parts.push(annexHash);
      if (kind === SIGHASH_SINGLE) parts.push(sha256(output(outputs[input]!)));
      if (leaf) parts.push(leaf.hash, Uint8Array.of(0), u32le(leaf.codeSeparator));
      return schnorr.utils.taggedHash('TapSighash', concat(...parts));
    },
  };
}

const ZEROS = new Uint8Array(32);
/** What SINGLE puts in place of the outputs before its own: an amount of −1 and no script. */
const BLANK_OUTPUT = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0);

function lazy(make: () => Uint8Array): () => Uint8Array {
  let value: Uint8Array | undefined;
  return () => (value ??= make());
}

function outpoint({ previous, vout }: TransactionInput): Uint8Array {
  return concat(previous, u32le(vout));
}

function output({ sats, script }: TransactionOutput): Uint8Array {
  return concat(u64le(sats), sized(script));
}

function sized(script: Uint8Array): Uint8Array {
  return concat(compactSize(script.length), script);
}

function u32le(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
}

function u64le(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigInt64(0, value, true);
  return out;
}
