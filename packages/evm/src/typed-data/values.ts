import { concat, fromHex, utf8, type Json, type Keccak256 } from '@keepwatch/base';
import type { AbiType } from '../abi/type.ts';
import type { NamedValue, Value } from '../abi/value.ts';
import { parseAddress } from '../address.ts';
import { refuse, type Judgement } from './judgement.ts';
import { isObject, type FieldType, type StructType } from './types.ts';

/** A value and the 32 bytes that stand for it in the encoding of what holds it (EIP-712, "Definition of encodeData"). */
interface Encoded<T extends Value> {
  readonly value: T;
  readonly word: Uint8Array;
}

const ZERO = new Uint8Array(32);

/** The members of a struct, and its hashStruct. Each member is there, and nothing else is. */
export function readStructValue(
  judgement: Judgement,
  struct: StructType,
  json: Json | undefined,
  path: string,
  keccak: Keccak256,
): Encoded<readonly NamedValue[]> {
  if (!isObject(json)) {
    refuse(judgement, 'typed_data_invalid_value', path);
    return { value: [], word: ZERO };
  }
  const names = new Set(struct.members.map(({ name }) => name));
  for (const key of Object.keys(json)) {
    if (!names.has(key)) refuse(judgement, 'typed_data_extra_field', `${path}.${key}`);
  }
  const value: NamedValue[] = [];
  const words = [struct.typeHash];
  for (const { name, type } of struct.members) {
    const at = `${path}.${name}`;
    if (!Object.hasOwn(json, name)) refuse(judgement, 'typed_data_missing_field', at);
    if (judgement.fault) break;
    const member = readValue(judgement, type, json[name], at, keccak);
    value.push({ name, type: type.text, value: member.value });
    words.push(member.word);
  }
  return { value, word: keccak(concat(...words)) };
}

function readValue(
  judgement: Judgement,
  type: FieldType,
  json: Json | undefined,
  path: string,
  keccak: Keccak256,
): Encoded<Value> {
  switch (type.kind) {
    case 'struct':
      return readStructValue(judgement, type.struct, json, path, keccak);
    case 'array': {
      if (!Array.isArray(json) || (type.length !== null && json.length !== type.length)) {
        refuse(judgement, 'typed_data_invalid_value', path);
        return { value: [], word: ZERO };
      }
      const items: Encoded<Value>[] = [];
      for (const [i, item] of (json as readonly Json[]).entries()) {
        if (judgement.fault) break;
        items.push(readValue(judgement, type.item, item, `${path}[${i}]`, keccak));
      }
      return { value: items.map(({ value }) => value), word: keccak(wordsOf(items)) };
    }
    case 'atomic': {
      const read = readAtomic(type.atomic, json, keccak);
      if (typeof read !== 'string') return read;
      refuse(judgement, read === 'range' ? 'typed_data_out_of_range' : 'typed_data_invalid_value', path);
      return { value: 0n, word: ZERO };
    }
  }
}

function wordsOf(items: readonly Encoded<Value>[]): Uint8Array {
  const out = new Uint8Array(items.length * 32);
  items.forEach(({ word }, i) => out.set(word, i * 32));
  return out;
}

function readAtomic(type: AbiType, json: Json | undefined, keccak: Keccak256): Encoded<Value> | 'invalid' | 'range' {
  switch (type.kind) {
    case 'uint':
    case 'int': {
      const value = integerOf(json);
      if (value === undefined) return 'invalid';
      if (value < type.min || value > type.max) return 'range';
      return { value, word: integerWord(value) };
    }
    case 'bool':
      return typeof json === 'boolean' ? { value: json, word: integerWord(json ? 1n : 0n) } : 'invalid';
    case 'address': {
      // Mixed case claims a checksum (EIP-55); one that is wrong is a mistyped address.
      const address = typeof json === 'string' ? parseAddress(json, keccak) : undefined;
      if (!address?.ok) return 'invalid';
      return { value: address.value, word: concat(ZERO.subarray(20), fromHex(address.value)!) };
    }
    case 'fixed-bytes': {
      // Shorter ones are padded by some wallets and refused by others, so what was meant is not known.
      const bytes = bytesOf(json);
      if (bytes?.length !== type.size) return 'invalid';
      return { value: (json as string).toLowerCase(), word: concat(bytes, ZERO.subarray(type.size)) };
    }
    case 'bytes': {
      const bytes = bytesOf(json);
      return bytes ? { value: (json as string).toLowerCase(), word: keccak(bytes) } : 'invalid';
    }
    case 'string':
      // A lone surrogate has no UTF-8: encoders put another letter in its place.
      if (typeof json !== 'string' || !json.isWellFormed()) return 'invalid';
      return { value: json, word: keccak(utf8(json)) };
    case 'array':
    case 'tuple':
      return 'invalid';
  }
}

/**
 * An integer as wallets take it: a JSON number that is exact, or a text in decimal, or in hex with 0x. Floats, exponents,
 * white space, plus signs and leading zeros of decimals are refused.
 */
function integerOf(json: Json | undefined): bigint | undefined {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : undefined;
  if (typeof json !== 'string' || json.length > 79) return undefined;
  return /^(0|-?[1-9][0-9]*|0x[0-9a-fA-F]{1,64})$/.test(json) ? BigInt(json) : undefined;
}

function bytesOf(json: Json | undefined): Uint8Array | undefined {
  return typeof json === 'string' && json.startsWith('0x') ? fromHex(json) : undefined;
}

function integerWord(value: bigint): Uint8Array {
  return fromHex(BigInt.asUintN(256, value).toString(16).padStart(64, '0'))!;
}
