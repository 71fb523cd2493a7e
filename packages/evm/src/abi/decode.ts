import { err, fromUtf8, ok, toHex, type Result } from '@keepwatch/base';
import type { AbiParameter, AbiType } from './type.ts';
import type { NamedValue, Value } from './value.ts';

export type AbiDecodeErrorCode =
  | 'abi_truncated'
  | 'abi_trailing_bytes'
  | 'abi_too_large'
  | 'abi_offset_not_canonical'
  | 'abi_length_out_of_range'
  | 'abi_padding_not_zero'
  | 'abi_integer_out_of_range'
  | 'abi_malformed_address'
  | 'abi_malformed_bool'
  | 'abi_malformed_string';

/** What nodes relay at most in one transaction. */
const MAX_BYTES = 128 * 1024;

interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Behind the last byte that was read in a tail. */
  end: number;
  error: AbiDecodeErrorCode;
}

/**
 * The values that `bytes` is the encoding of (calldata without its selector), where it is the one canonical encoding:
 * offsets point to where an encoder would have put the tail, padding is zero, integers are in their type's range, nothing
 * follows. So the values encode to the very same bytes again, and two decoders cannot read two meanings.
 * Never throws, whatever the bytes are.
 *
 * - `abi_truncated`, `abi_trailing_bytes`, `abi_too_large`: more or fewer bytes than the types take; above 128 KiB
 * - `abi_offset_not_canonical`: a tail elsewhere than behind the one before it: shared, overlapping or with a gap
 * - `abi_length_out_of_range`: an array or byte string that is longer than the bytes that are left
 * - `abi_padding_not_zero`, `abi_integer_out_of_range`, `abi_malformed_address`, `abi_malformed_bool`,
 *   `abi_malformed_string` (not UTF-8)
 */
export function decodeParameters(
  parameters: readonly AbiParameter[],
  bytes: Uint8Array,
): Result<readonly NamedValue[], AbiDecodeErrorCode> {
  if (bytes.length > MAX_BYTES) return err('abi_too_large');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor: Cursor = { bytes, view, end: 0, error: 'abi_truncated' };
  const values = readTuple(cursor, parameters, 0);
  if (values === undefined) return err(cursor.error);
  return cursor.end === bytes.length ? ok(values) : err('abi_trailing_bytes');
}

/** A tuple whose head starts at `start`. Leaves `cursor.end` behind its last tail. */
function readTuple(cursor: Cursor, members: readonly AbiParameter[], start: number): NamedValue[] | undefined {
  let head = 0;
  for (const { type } of members) head += type.headBytes;
  cursor.end = start + head;
  if (cursor.end > cursor.bytes.length) return fail(cursor, 'abi_truncated');
  const values: NamedValue[] = [];
  let at = start;
  for (const { name, type } of members) {
    const value = readMember(cursor, type, at, start);
    if (value === undefined) return undefined;
    values.push({ name, type: type.text, value });
    at += type.headBytes;
  }
  return values;
}

/** A value whose place in the head is `at`; offsets count from `base`. The head is known to be within the bytes. */
function readMember(cursor: Cursor, type: AbiType, at: number, base: number): Value | undefined {
  if (!type.dynamic) return readStatic(cursor, type, at);
  const offset = readSize(cursor, at);
  if (offset === undefined || offset + base !== cursor.end) return fail(cursor, 'abi_offset_not_canonical');
  return readDynamic(cursor, type, cursor.end);
}

function readStatic(cursor: Cursor, type: AbiType, at: number): Value | undefined {
  switch (type.kind) {
    case 'uint':
    case 'int':
      return readInteger(cursor, type, at);
    case 'address': {
      const { view } = cursor;
      if ((view.getUint32(at) | view.getUint32(at + 4) | view.getUint32(at + 8)) !== 0) {
        return fail(cursor, 'abi_malformed_address');
      }
      return `0x${toHex(cursor.bytes.subarray(at + 12, at + 32))}`;
    }
    case 'bool': {
      const value = readSize(cursor, at);
      return value === 0 ? false : value === 1 ? true : fail(cursor, 'abi_malformed_bool');
    }
    case 'fixed-bytes':
      if (!isZero(cursor.bytes, at + type.size, at + 32)) return fail(cursor, 'abi_padding_not_zero');
      return `0x${toHex(cursor.bytes.subarray(at, at + type.size))}`;
    case 'array': {
      const items: Value[] = [];
      for (let i = 0; i < type.length!; i++) {
        const item = readStatic(cursor, type.item, at + i * type.item.headBytes);
        if (item === undefined) return undefined;
        items.push(item);
      }
      return items;
    }
    case 'tuple': {
      const values: NamedValue[] = [];
      let memberAt = at;
      for (const member of type.members) {
        const value = readStatic(cursor, member.type, memberAt);
        if (value === undefined) return undefined;
        values.push({ name: member.name, type: member.type.text, value });
        memberAt += member.type.headBytes;
      }
      return values;
    }
    default:
      return fail(cursor, 'abi_truncated');
  }
}

/** A value in the tail, from `at` on. Leaves `cursor.end` behind it. */
function readDynamic(cursor: Cursor, type: AbiType, at: number): Value | undefined {
  if (type.kind === 'tuple') return readTuple(cursor, type.members, at);
  if (type.kind === 'array' && type.length !== null) return readItems(cursor, type.item, type.length, at);
  if (at + 32 > cursor.bytes.length) return fail(cursor, 'abi_truncated');
  const length = readSize(cursor, at);
  if (length === undefined) return fail(cursor, 'abi_length_out_of_range');
  if (type.kind === 'array') return readItems(cursor, type.item, length, at + 32);

  const start = at + 32;
  const padded = start + Math.ceil(length / 32) * 32;
  if (padded > cursor.bytes.length) return fail(cursor, 'abi_length_out_of_range');
  if (!isZero(cursor.bytes, start + length, padded)) return fail(cursor, 'abi_padding_not_zero');
  cursor.end = padded;
  const content = cursor.bytes.subarray(start, start + length);
  if (type.kind === 'bytes') return `0x${toHex(content)}`;
  return fromUtf8(content) ?? fail(cursor, 'abi_malformed_string');
}

function readItems(cursor: Cursor, item: AbiType, length: number, start: number): Value[] | undefined {
  cursor.end = start + length * item.headBytes;
  if (cursor.end > cursor.bytes.length) return fail(cursor, 'abi_length_out_of_range');
  const items: Value[] = [];
  for (let i = 0; i < length; i++) {
    const value = readMember(cursor, item, start + i * item.headBytes, start);
    if (value === undefined) return undefined;
    items.push(value);
  }
  return items;
}

function readInteger(
  cursor: Cursor,
  type: AbiType & { readonly kind: 'uint' | 'int' },
  at: number,
): bigint | undefined {
  let value = readWord(cursor, at);
  if (type.kind === 'int' && value >= HALF) value -= WORD;
  return value < type.min || value > type.max ? fail(cursor, 'abi_integer_out_of_range') : value;
}

const WORD = 1n << 256n;
const HALF = 1n << 255n;

/** A word as an unsigned integer. Most are small, and those need no text on the way. */
function readWord({ bytes, view }: Cursor, at: number): bigint {
  const high =
    view.getUint32(at) |
    view.getUint32(at + 4) |
    view.getUint32(at + 8) |
    view.getUint32(at + 12) |
    view.getUint32(at + 16) |
    view.getUint32(at + 20);
  return high === 0 ? view.getBigUint64(at + 24) : BigInt(`0x${toHex(bytes.subarray(at, at + 32))}`);
}

/** A word as an offset, length or boolean; `undefined` where it is above 2^32 − 1. */
function readSize({ view }: Cursor, at: number): number | undefined {
  for (let i = 0; i < 28; i += 4) if (view.getUint32(at + i) !== 0) return undefined;
  return view.getUint32(at + 28);
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

function fail(cursor: Cursor, error: AbiDecodeErrorCode): undefined {
  cursor.error = error;
  return undefined;
}
