import { concat, fromHex, utf8 } from '@keepwatch/base';
import type { AbiFunction } from './function.ts';
import type { AbiParameter, AbiType } from './type.ts';
import type { NamedValue, Value } from './value.ts';

/**
 * The calldata of a call: selector and arguments, in the function's order. Throws a RangeError where a value is not one of
 * its type.
 */
export function encodeCall(target: AbiFunction, args: readonly Value[]): Uint8Array {
  return concat(fromHex(target.selector)!, encodeParameters(target.inputs, args));
}

/** The canonical encoding of the values: the only one that `decodeParameters` reads. Throws a RangeError likewise. */
export function encodeParameters(parameters: readonly AbiParameter[], values: readonly Value[]): Uint8Array {
  return encodeSequence(
    parameters.map(({ type }) => type),
    values,
  );
}

function encodeSequence(types: readonly AbiType[], values: readonly Value[]): Uint8Array {
  if (types.length !== values.length) throw new RangeError(`${types.length} values are needed, not ${values.length}`);
  const heads: Uint8Array[] = [];
  const tails: Uint8Array[] = [];
  let offset = 0;
  for (const type of types) offset += type.headBytes;
  types.forEach((type, i) => {
    const encoded = encodeValue(type, values[i]!);
    if (!type.dynamic) {
      heads.push(encoded);
      return;
    }
    heads.push(word(BigInt(offset)));
    tails.push(encoded);
    offset += encoded.length;
  });
  return concat(...heads, ...tails);
}

function encodeValue(type: AbiType, value: Value): Uint8Array {
  switch (type.kind) {
    case 'uint':
    case 'int':
      if (typeof value !== 'bigint' || value < type.min || value > type.max) throw mismatch(type);
      return word(value);
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(type);
      return word(value ? 1n : 0n);
    case 'address':
      return concat(new Uint8Array(12), hexBytes(type, value, 20));
    case 'fixed-bytes':
      return concat(hexBytes(type, value, type.size), new Uint8Array(32 - type.size));
    case 'bytes':
      return withLength(hexBytes(type, value));
    case 'string':
      if (typeof value !== 'string' || !value.isWellFormed()) throw mismatch(type);
      return withLength(utf8(value));
    case 'array': {
      if (!Array.isArray(value) || (type.length !== null && value.length !== type.length)) throw mismatch(type);
      const items = encodeSequence(
        value.map(() => type.item),
        value as readonly Value[],
      );
      return type.length === null ? concat(word(BigInt(value.length)), items) : items;
    }
    case 'tuple':
      if (!Array.isArray(value)) throw mismatch(type);
      return encodeParameters(
        type.members,
        (value as readonly NamedValue[]).map((member) => member.value),
      );
  }
}

function withLength(content: Uint8Array): Uint8Array {
  return concat(word(BigInt(content.length)), content, new Uint8Array((32 - (content.length % 32)) % 32));
}

function hexBytes(type: AbiType, value: Value, length?: number): Uint8Array {
  const bytes = typeof value === 'string' && value.startsWith('0x') ? fromHex(value) : undefined;
  if (!bytes || (length !== undefined && bytes.length !== length)) throw mismatch(type);
  return bytes;
}

/** An integer as 32 bytes, in two's complement. */
function word(value: bigint): Uint8Array {
  return fromHex(BigInt.asUintN(256, value).toString(16).padStart(64, '0'))!;
}

function mismatch(type: AbiType): RangeError {
  return new RangeError(`not a value of type ${type.text}`);
}
