import { toHex, utf8, type Json, type Keccak256 } from '@keepwatch/base';
import { elementaryType, type AbiType } from '../abi/type.ts';
import { refuse, type Judgement } from './judgement.ts';

/** The type of one field of typed data (EIP-712, "Definition of typed structured data"). */
export type FieldType =
  | { readonly kind: 'atomic'; readonly text: string; readonly depth: number; readonly atomic: AbiType }
  | { readonly kind: 'struct'; readonly text: string; readonly depth: number; readonly struct: StructType }
  | {
      readonly kind: 'array';
      readonly text: string;
      readonly depth: number;
      readonly item: FieldType;
      /** `null`: as many items as the value has. */
      readonly length: number | null;
    };

export interface StructType {
  readonly name: string;
  readonly members: readonly { readonly name: string; readonly type: FieldType }[];
  /** The type and all that it refers to, as EIP-712 spells them: `Mail(Person from,string contents)Person(string name)`. */
  readonly encoded: string;
  /** Keccak-256 of `encoded`. */
  readonly typeHash: Uint8Array;
}

export const DOMAIN = 'EIP712Domain';
const MAX_STRUCTS = 64;
const MAX_MEMBERS = 64;
/** Levels of structs and arrays. Seaport's bulk orders, the deepest in use, have up to 26. */
const MAX_DEPTH = 32;

/**
 * Names of structs on whose encoding all wallets agree: letters, digits and underscores. A dollar sign, though Solidity has
 * it in identifiers, makes some of them lose the type among the referenced ones. Protocols in use put a colon into the
 * name of the primary type (`HyperliquidTransaction:UsdSend`), where it does no harm; within others it is refused.
 */
const STRUCT_NAME = /^[A-Za-z_]\w*(:\w+)*$/;
const MEMBER_NAME = /^[A-Za-z_$][\w$]{0,127}$/;
/** What reads like a type of Solidity is none that a struct may have as its name. */
const RESERVED = /^(u?int|u?fixed|bytes)[0-9x]*$|^(address|bool|string|function|byte|mapping|tuple)$/;
const TYPE = /^([^[\]]+)((?:\[(?:[1-9][0-9]{0,4})?\]){0,32})$/;

type Declarations = ReadonlyMap<string, readonly (readonly [name: string, type: string])[]>;

/**
 * The struct types that `types` declares, by name. Refused besides what is malformed: types that neither `primaryType` nor
 * the domain uses, types that hold themselves, and two members of one name.
 */
export function readTypes(
  judgement: Judgement,
  types: Json | undefined,
  roots: readonly string[],
  keccak: Keccak256,
): ReadonlyMap<string, StructType> {
  const declarations = readDeclarations(judgement, types);
  const structs = new Map<string, StructType>();
  if (judgement.fault) return structs;
  for (const root of roots) {
    if (!declarations.has(root)) refuse(judgement, 'typed_data_unknown_type', `types.${root}`);
    else readStruct({ judgement, declarations, structs, keccak, open: [] }, root);
  }
  for (const name of declarations.keys()) {
    if (!structs.has(name)) refuse(judgement, 'typed_data_unused_type', `types.${name}`);
  }
  return structs;
}

function readDeclarations(judgement: Judgement, types: Json | undefined): Declarations {
  const declarations = new Map<string, (readonly [string, string])[]>();
  if (!isObject(types)) {
    refuse(judgement, 'typed_data_malformed', 'types');
    return declarations;
  }
  const names = Object.keys(types);
  if (names.length > MAX_STRUCTS) refuse(judgement, 'typed_data_too_large', 'types');
  for (const name of names) {
    const path = `types.${name}`;
    if (name.length > 128 || !STRUCT_NAME.test(name) || RESERVED.test(name)) {
      refuse(judgement, 'typed_data_invalid_name', path);
      break;
    }
    declarations.set(name, readMembers(judgement, types[name], path));
    if (judgement.fault) break;
  }
  return declarations;
}

function readMembers(judgement: Judgement, list: Json | undefined, path: string): (readonly [string, string])[] {
  const members = new Map<string, string>();
  if (!Array.isArray(list)) {
    refuse(judgement, 'typed_data_malformed', path);
    return [];
  }
  if (list.length === 0) refuse(judgement, 'typed_data_empty_type', path);
  if (list.length > MAX_MEMBERS) refuse(judgement, 'typed_data_too_large', path);
  for (const [i, member] of (list as readonly Json[]).entries()) {
    const at = `${path}[${i}]`;
    if (!isObject(member) || Object.keys(member).length !== 2) refuse(judgement, 'typed_data_malformed', at);
    else {
      const { name, type } = member;
      if (typeof name !== 'string' || typeof type !== 'string') refuse(judgement, 'typed_data_malformed', at);
      else if (!MEMBER_NAME.test(name)) refuse(judgement, 'typed_data_invalid_name', at);
      else if (members.has(name)) refuse(judgement, 'typed_data_duplicate_member', at);
      else members.set(name, type);
    }
    if (judgement.fault) break;
  }
  return [...members];
}

interface Resolution {
  readonly judgement: Judgement;
  readonly declarations: Declarations;
  readonly structs: Map<string, StructType>;
  readonly keccak: Keccak256;
  /** The structs that are being read: one that occurs in itself is endless. */
  readonly open: string[];
}

function readStruct(resolution: Resolution, name: string): StructType | undefined {
  const { judgement, declarations, structs, keccak, open } = resolution;
  const known = structs.get(name);
  if (known) return known;
  const path = `types.${name}`;
  if (open.includes(name)) return refuse(judgement, 'typed_data_recursive_type', path);
  open.push(name);
  const members: { name: string; type: FieldType }[] = [];
  for (const [member, text] of declarations.get(name)!) {
    const type = readType(resolution, text, `${path}.${member}`);
    if (!type) return undefined;
    members.push({ name: member, type });
  }
  open.pop();
  const encoded = encodeType(name, declarations.get(name)!, members);
  const struct = { name, members, encoded, typeHash: keccak(utf8(encoded)) };
  structs.set(name, struct);
  return struct;
}

function readType(resolution: Resolution, text: string, path: string): FieldType | undefined {
  const { judgement, declarations } = resolution;
  const match = text.length > 512 ? null : TYPE.exec(text);
  if (!match) return refuse(judgement, 'typed_data_unknown_type', path);
  const base = match[1]!;
  let type: FieldType;
  const atomic = base === 'function' ? undefined : elementaryType(base);
  // A domain inside the message would make it a type among others.
  if (base === DOMAIN) return refuse(judgement, 'typed_data_domain_type', path);
  if (atomic) type = { kind: 'atomic', text: base, depth: 0, atomic };
  else if (base.includes(':')) return refuse(judgement, 'typed_data_invalid_name', path);
  else if (declarations.has(base)) {
    const struct = readStruct(resolution, base);
    if (!struct) return undefined;
    const depth = 1 + Math.max(...struct.members.map((member) => member.type.depth));
    type = { kind: 'struct', text: `(${struct.members.map((member) => member.type.text).join(',')})`, depth, struct };
  } else return refuse(judgement, 'typed_data_unknown_type', path);
  for (const [suffix, length] of match[2]!.matchAll(/\[([0-9]*)\]/g)) type = arrayOf(type, suffix, length!);
  if (type.depth > MAX_DEPTH || type.text.length > 8192) return refuse(judgement, 'typed_data_too_large', path);
  return type;
}

function arrayOf(item: FieldType, suffix: string, length: string): FieldType {
  const count = length === '' ? null : Number(length);
  return { kind: 'array', item, length: count, text: item.text + suffix, depth: item.depth + 1 };
}

/** EIP-712, "Definition of encodeType": the type itself, then what it refers to, sorted by name. */
function encodeType(
  name: string,
  declared: readonly (readonly [string, string])[],
  members: readonly { readonly type: FieldType }[],
): string {
  const referenced = new Map<string, string>();
  for (const { type } of members) collectReferences(type, referenced);
  const head = `${name}(${declared.map(([member, text]) => `${text} ${member}`).join(',')})`;
  return (
    head +
    [...referenced.keys()]
      .sort()
      .map((each) => referenced.get(each)!)
      .join('')
  );
}

function collectReferences(type: FieldType, into: Map<string, string>): void {
  if (type.kind === 'array') collectReferences(type.item, into);
  if (type.kind !== 'struct' || into.has(type.struct.name)) return;
  const { name, encoded, members } = type.struct;
  into.set(name, encoded.slice(0, encoded.indexOf(')') + 1));
  for (const member of members) collectReferences(member.type, into);
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function typeHashText(struct: StructType): `0x${string}` {
  return `0x${toHex(struct.typeHash)}`;
}
