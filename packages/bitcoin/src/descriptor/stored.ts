import { concat, equalBytes, err, ok, u32be, utf8, type Result } from '@keepwatch/base';
import { sha256 } from '@noble/hashes/sha2.js';
import type { DerivedScript } from './derive.ts';
import type { Descriptor } from './descriptor.ts';

/**
 * Derived scripts as bytes to store, so that a start reads them and derives nothing. All scripts of a descriptor that
 * stand at the same place of an index have the same length, so it is said once: a script costs its own bytes and no more.
 *
 *     "kwds" 01 | SHA-256 of network, descriptor and checksum (16 bytes) | branch, from, to (u32 each)
 *     | scripts an index (u8) | the length of each (u16) | the scripts | SHA-256 of all before (8 bytes)
 *
 * Integers are big-endian.
 */
const MAGIC = Uint8Array.of(0x6b, 0x77, 0x64, 0x73, 0x01);
const HEADER_BYTES = MAGIC.length + 16 + 12 + 1;
const CHECK_BYTES = 8;

/** A stored range: the indices `from` up to, not including, `to`. `bytes` holds the scripts one after the other. */
export interface StoredScripts {
  readonly branch: number;
  readonly from: number;
  readonly to: number;
  /** The length of each script of an index. */
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

export type StoredScriptsErrorCode =
  | 'stored_scripts_malformed'
  /** A bit is wrong: derive anew. */
  | 'stored_scripts_damaged'
  /** They are those of another descriptor, or of another network. */
  | 'stored_scripts_foreign';

/** `derived`: what `deriveScripts` gave for one range, all of it and in its order. */
export function encodeScripts(
  descriptor: Descriptor,
  branch: number,
  from: number,
  to: number,
  derived: Iterable<DerivedScript>,
): Uint8Array {
  const scripts = [...derived];
  const count = to - from;
  const perIndex = count === 0 ? 0 : scripts.length / count;
  const lengths = scripts.slice(0, perIndex).map(({ script }) => script.length);
  const misplaced = scripts.some(
    (one, i) =>
      one.branch !== branch ||
      one.index !== from + Math.floor(i / perIndex) ||
      one.script.length !== lengths[i % perIndex],
  );
  if (!Number.isInteger(perIndex) || misplaced) throw new RangeError('these are not the scripts of that range');
  const body = concat(
    MAGIC,
    nameOf(descriptor),
    u32be(branch),
    u32be(from),
    u32be(to),
    Uint8Array.of(perIndex),
    ...lengths.map((length) => Uint8Array.of(length >> 8, length & 0xff)),
    ...scripts.map(({ script }) => script),
  );
  return concat(body, sha256(body).subarray(0, CHECK_BYTES));
}

/** Checked before anything is believed. The scripts stay views into `stored`. */
export function decodeScripts(
  stored: Uint8Array,
  descriptor: Descriptor,
): Result<StoredScripts, StoredScriptsErrorCode> {
  if (stored.length < HEADER_BYTES + CHECK_BYTES || !equalBytes(stored.subarray(0, MAGIC.length), MAGIC)) {
    return err('stored_scripts_malformed');
  }
  const end = stored.length - CHECK_BYTES;
  if (!equalBytes(sha256(stored.subarray(0, end)).subarray(0, CHECK_BYTES), stored.subarray(end))) {
    return err('stored_scripts_damaged');
  }
  if (!equalBytes(stored.subarray(MAGIC.length, MAGIC.length + 16), nameOf(descriptor))) {
    return err('stored_scripts_foreign');
  }
  const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
  const [branch, from, to] = [0, 4, 8].map((at) => view.getUint32(MAGIC.length + 16 + at)) as [number, number, number];
  const perIndex = stored[HEADER_BYTES - 1]!;
  const start = HEADER_BYTES + perIndex * 2;
  if (start > end) return err('stored_scripts_malformed');
  const lengths = Array.from({ length: perIndex }, (_, i) => view.getUint16(HEADER_BYTES + i * 2));
  const size = lengths.reduce((sum, length) => sum + length, 0) * (to - from);
  if (from > to || branch >= descriptor.branches || size !== end - start) return err('stored_scripts_malformed');
  return ok({ branch, from, to, lengths, bytes: stored.subarray(start, end) });
}

/** The scripts of a stored range, as `deriveScripts` gave them; each is a view. */
export function* storedScripts(stored: StoredScripts): Generator<DerivedScript, void, undefined> {
  let at = 0;
  for (let index = stored.from; index < stored.to; index++) {
    for (const length of stored.lengths) {
      yield { branch: stored.branch, index, script: stored.bytes.subarray(at, at + length) };
      at += length;
    }
  }
}

function nameOf(descriptor: Descriptor): Uint8Array {
  return sha256(utf8(`${descriptor.network}\n${descriptor.text}#${descriptor.checksum}`)).subarray(0, 16);
}
