import { err, ok, type Result } from '@keepwatch/base';

/** A type of the contract ABI (Solidity documentation, "Contract ABI Specification"), with what a decoder asks of it. */
export type AbiType =
  | (Shape & { readonly kind: 'uint' | 'int'; readonly bits: number; readonly min: bigint; readonly max: bigint })
  | (Shape & { readonly kind: 'address' | 'bool' | 'bytes' | 'string' })
  | (Shape & { readonly kind: 'fixed-bytes'; readonly size: number })
  | (Shape & { readonly kind: 'array'; readonly item: AbiType; readonly length: number | null })
  | (Shape & { readonly kind: 'tuple'; readonly members: readonly AbiParameter[] });

interface Shape {
  /** The canonical spelling, tuples spelled out: what a selector is hashed from. */
  readonly text: string;
  /** Whether its value stands in the tail and the head holds an offset. */
  readonly dynamic: boolean;
  /** What it takes of the head, in bytes: a multiple of 32, and never nothing. */
  readonly headBytes: number;
  /** 1 for a type that holds no other. */
  readonly depth: number;
}

export interface AbiParameter {
  readonly name: string;
  readonly type: AbiType;
}

export type AbiTypeErrorCode =
  'abi_unknown_type' | 'abi_type_too_deep' | 'abi_type_too_large' | 'abi_empty_tuple' | 'abi_duplicate_name';

/** Seaport's orders, the deepest in use, have four levels. */
const MAX_DEPTH = 8;
/** The largest static part of a type. Beyond it nothing is left of a transaction of 128 KiB. */
const MAX_HEAD_BYTES = 64 * 1024;
export const MAX_PARAMETERS = 64;

/**
 * A type without members, by its canonical name. The aliases `uint` and `int` are refused: JSON ABIs never have them, and
 * a selector is hashed from the canonical name. So is `fixed`, which no compiler supports, and every empty array.
 */
export function elementaryType(name: string): AbiType | undefined {
  switch (name) {
    case 'address':
    case 'bool':
      return { kind: name, text: name, dynamic: false, headBytes: 32, depth: 1 };
    case 'bytes':
    case 'string':
      return { kind: name, text: name, dynamic: true, headBytes: 32, depth: 1 };
    case 'function':
      return { kind: 'fixed-bytes', size: 24, text: name, dynamic: false, headBytes: 32, depth: 1 };
  }
  const match = /^(uint|int|bytes)([1-9][0-9]{0,2})$/.exec(name);
  if (!match) return undefined;
  const size = Number(match[2]);
  if (match[1] === 'bytes') {
    return size > 32 ? undefined : { kind: 'fixed-bytes', size, text: name, dynamic: false, headBytes: 32, depth: 1 };
  }
  if (size % 8 !== 0 || size > 256) return undefined;
  const kind = match[1] as 'uint' | 'int';
  const bits = BigInt(size);
  const min = kind === 'uint' ? 0n : -(1n << (bits - 1n));
  const max = kind === 'uint' ? (1n << bits) - 1n : (1n << (bits - 1n)) - 1n;
  return { kind, bits: size, min, max, text: name, dynamic: false, headBytes: 32, depth: 1 };
}

/** `length` null: as many items as the value has. */
export function arrayType(item: AbiType, length: number | null): Result<AbiType, AbiTypeErrorCode> {
  const dynamic = length === null || item.dynamic;
  const headBytes = dynamic ? 32 : item.headBytes * length!;
  if (item.depth >= MAX_DEPTH) return err('abi_type_too_deep');
  if (length === 0) return err('abi_unknown_type');
  if (headBytes > MAX_HEAD_BYTES) return err('abi_type_too_large');
  const text = `${item.text}[${length ?? ''}]`;
  return ok({ kind: 'array', item, length, text, dynamic, headBytes, depth: item.depth + 1 });
}

/** A tuple of the members. One that has none takes no bytes, so an array of it could be endless: it is refused. */
export function tupleType(members: readonly AbiParameter[]): Result<AbiType, AbiTypeErrorCode> {
  if (members.length === 0) return err('abi_empty_tuple');
  const fault = checkParameters(members);
  if (fault) return err(fault);
  let dynamic = false;
  let headBytes = 0;
  let depth = 0;
  for (const { type } of members) {
    dynamic ||= type.dynamic;
    headBytes += type.headBytes;
    depth = Math.max(depth, type.depth);
  }
  if (depth >= MAX_DEPTH) return err('abi_type_too_deep');
  if (headBytes > MAX_HEAD_BYTES) return err('abi_type_too_large');
  const text = `(${members.map(({ type }) => type.text).join(',')})`;
  return ok({ kind: 'tuple', members, text, dynamic, headBytes: dynamic ? 32 : headBytes, depth: depth + 1 });
}

/** Two arguments of one name could not be told apart by a rule about that name. */
export function checkParameters(parameters: readonly AbiParameter[]): AbiTypeErrorCode | undefined {
  if (parameters.length > MAX_PARAMETERS) return 'abi_type_too_large';
  const names = new Set(parameters.map(({ name }) => name));
  return names.size === parameters.length ? undefined : 'abi_duplicate_name';
}

/** The arrays of `item` that `suffix` says, for instance `[2][]`. */
export function arraysOf(item: AbiType, suffix: string): Result<AbiType, AbiTypeErrorCode> {
  if (!/^(\[([1-9][0-9]{0,4})?\])*$/.test(suffix)) return err('abi_unknown_type');
  let type = item;
  for (const match of suffix.matchAll(/\[([0-9]*)\]/g)) {
    const wrapped = arrayType(type, match[1] === '' ? null : Number(match[1]));
    if (!wrapped.ok) return wrapped;
    type = wrapped.value;
  }
  return ok(type);
}
