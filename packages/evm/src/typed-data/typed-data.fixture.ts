import { toHex, type Json } from '@keepwatch/base';
import { keccak_256 as keccak } from '@noble/hashes/sha3.js';
import { expect } from 'vitest';
import { readTypedData } from './typed-data.ts';

// Typed data for tests: the published example, and messages of one field.

export type Fields = Record<string, string>;
export const members = (fields: Fields) => Object.entries(fields).map(([name, type]) => ({ name, type }));
export const DOMAIN_TYPE: Fields = {
  name: 'string',
  version: 'string',
  chainId: 'uint256',
  verifyingContract: 'address',
};

export function typed(
  types: Record<string, Fields>,
  primaryType: string,
  domain: Json,
  message: Json,
): Record<string, Json> {
  const all: Record<string, Fields> = { EIP712Domain: DOMAIN_TYPE, ...types };
  const spelled = Object.fromEntries(Object.entries(all).map(([name, fields]) => [name, members(fields)]));
  return { types: spelled, primaryType, domain, message };
}

const read = (json: Json, chainId = 1) => readTypedData(json, chainId, keccak);
export function accepted(json: Json) {
  const result = read(json);
  if (!result.ok) throw new Error(`${result.error.code} at ${result.error.path}`);
  const { preimage, digest, ...rest } = result.value;
  expect(keccak(preimage)).toEqual(digest);
  return { ...rest, digest: toHex(digest) };
}

export const COW = { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' };
export const BOB = { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' };
export const PERSON = { name: 'string', wallet: 'address' };
export const MAIL = { from: 'Person', to: 'Person', contents: 'string' };
export const DOMAIN = {
  name: 'Ether Mail',
  version: '1',
  chainId: 1,
  verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
};
/** EIP-712, "Test Cases" (assets/eip-712/Example.js). */
export const EXAMPLE = typed({ Person: PERSON, Mail: MAIL }, 'Mail', DOMAIN, {
  from: COW,
  to: BOB,
  contents: 'Hello, Bob!',
});

/** One field of the type, in a message of its own. */
export const one = (type: string, value: Json) => typed({ Mail: { test: type } }, 'Mail', DOMAIN, { test: value });
export const refusalOf = (json: Json, chainId = 1) => {
  const result = read(json, chainId);
  return result.ok ? null : `${result.error.code} ${result.error.path}`;
};
