import { concat, err, ok, toHex, type Json, type Keccak256, type Result } from '@keepwatch/base';
import type { NamedValue, Value } from '../abi/value.ts';
import type { Address } from '../address.ts';
import { refuse, type Judgement, type TypedDataError } from './judgement.ts';
import { DOMAIN, isObject, readTypes, typeHashText, type StructType } from './types.ts';
import { readStructValue } from './values.ts';

/** The domain of typed data; `null` is what it does not name. */
export interface TypedDataDomain {
  readonly name: string | null;
  readonly version: string | null;
  /** `null`: the signature is good on every chain. */
  readonly chainId: number | null;
  /** `null`: the signature is good for every contract of that name. */
  readonly verifyingContract: Address | null;
  /** `0x` and 64 lower-case hex digits. */
  readonly salt: `0x${string}` | null;
}

/** Typed data (EIP-712) that was understood completely: nothing else goes into its digest. */
export interface TypedData {
  /** What the account signs: Keccak-256 of 0x19 ‖ 0x01 ‖ domain separator ‖ hashStruct(message). */
  readonly digest: Uint8Array;
  /** The 66 bytes whose Keccak-256 that is. */
  readonly preimage: Uint8Array;
  readonly domain: TypedDataDomain;
  readonly domainSeparator: `0x${string}`;
  readonly primaryType: string;
  /** Of the primary type with all that it refers to: names, order and types of all fields. */
  readonly typeHash: `0x${string}`;
  /** The primary type as EIP-712 spells it. */
  readonly encodedType: string;
  readonly fields: readonly NamedValue[];
}

/** EIP-712, "Definition of domainSeparator": these fields, in this order, each of them or not. */
const DOMAIN_MEMBERS: readonly (readonly [string, string])[] = [
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'uint256'],
  ['verifyingContract', 'address'],
  ['salt', 'bytes32'],
];

/** Longer than any name in use. A grant names one of at most 128 characters. */
const MAX_DOMAIN_TEXT = 256;
/** A domain's name stands in sentences that people decide by: it holds nothing that they would not see. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/**
 * The typed data that `json` is, in the form of `eth_signTypedData_v4`: `{types, primaryType, domain, message}`. `chainId`
 * is the chain that the request is for. `json` comes from a parser that refuses numbers which are not exact.
 *
 * - `typed_data_malformed`: another shape, or members besides those four
 * - `typed_data_too_large`: more than 64 types, 64 members of one, 32 levels, or 256 characters in a domain's text
 * - `typed_data_invalid_name`, `typed_data_duplicate_member`, `typed_data_empty_type`, `typed_data_unknown_type` (`uint` and
 *   `int` are no types of EIP-712), `typed_data_recursive_type`, `typed_data_unused_type`: what `types` declares
 * - `typed_data_primary_type`: not declared, or the domain itself
 * - `typed_data_domain_type`: other fields than EIP-712 gives a domain, or in another order
 * - `typed_data_wrong_chain`: the domain names another chain than the request
 * - `typed_data_missing_field`, `typed_data_extra_field`: values and types do not belong together
 * - `typed_data_invalid_value`, `typed_data_out_of_range`: no value of its type; nothing is cut, padded or rounded. And
 *   a domain's text that holds what nobody sees
 */
export function readTypedData(json: Json, chainId: number, keccak: Keccak256): Result<TypedData, TypedDataError> {
  const judgement: Judgement = { fault: null };
  if (!isObject(json) || Object.keys(json).sort().join() !== 'domain,message,primaryType,types') {
    return err({ code: 'typed_data_malformed', path: '' });
  }
  const { primaryType } = json;
  if (typeof primaryType !== 'string' || primaryType === DOMAIN) {
    return err({ code: 'typed_data_primary_type', path: 'primaryType' });
  }
  const structs = readTypes(judgement, json.types, [DOMAIN, primaryType], keccak);
  if (judgement.fault) return err(judgement.fault);
  const domainType = structs.get(DOMAIN)!;
  const primary = structs.get(primaryType)!;
  checkDomainType(judgement, domainType);

  const domain = readStructValue(judgement, domainType, json.domain, 'domain', keccak);
  const message = readStructValue(judgement, primary, json.message, 'message', keccak);
  const named = new Map(domain.value.map(({ name, value }) => [name, value]));
  const chain = named.get('chainId');
  if (chain !== undefined && chain !== BigInt(chainId)) refuse(judgement, 'typed_data_wrong_chain', 'domain.chainId');
  for (const name of ['name', 'version']) checkDomainText(judgement, name, named.get(name));
  if (judgement.fault) return err(judgement.fault);

  const text = <T extends string>(name: string) => (named.get(name) ?? null) as T | null;
  const preimage = concat(Uint8Array.of(0x19, 0x01), domain.word, message.word);
  return ok({
    digest: keccak(preimage),
    preimage,
    domain: {
      name: text('name'),
      version: text('version'),
      chainId: chain === undefined ? null : chainId,
      verifyingContract: text<Address>('verifyingContract'),
      salt: text<`0x${string}`>('salt'),
    },
    domainSeparator: `0x${toHex(domain.word)}`,
    primaryType,
    typeHash: typeHashText(primary),
    encodedType: primary.encoded,
    fields: message.value,
  });
}

function checkDomainText(judgement: Judgement, name: string, value: Value | undefined): void {
  if (typeof value !== 'string') return;
  if (value.length > MAX_DOMAIN_TEXT) refuse(judgement, 'typed_data_too_large', `domain.${name}`);
  if (UNSEEN.test(value)) refuse(judgement, 'typed_data_invalid_value', `domain.${name}`);
}

function checkDomainType(judgement: Judgement, domain: StructType): void {
  let next = 0;
  for (const { name, type } of domain.members) {
    const at = DOMAIN_MEMBERS.findIndex((member) => member[0] === name && member[1] === type.text);
    if (at < next) refuse(judgement, 'typed_data_domain_type', `types.${DOMAIN}.${name}`);
    next = at + 1;
  }
}
