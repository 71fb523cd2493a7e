import { fromHex, toHex, type Wei } from '@keepwatch/base';
import {
  encodeSigned,
  encodeUnsigned,
  signingDigest,
  type SignedAuthorization,
  type Transaction,
} from '@keepwatch/evm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Hash32 } from './facts.ts';
import { address, hash, hex, list, object, quantity, small, type Json } from './words.ts';

/**
 * What the sender of a transaction signed (Keccak-256), made of its fields and believed only where fields and signature
 * give the transaction's hash: then they are its own. Null for a type that is not known, and where they do not.
 */
export function signedDigest(value: unknown): Hash32 | null {
  const given = object(value);
  try {
    const unsigned = encodeUnsigned(transactionOf(given));
    const [r, s] = [scalar(given['r']), scalar(given['s'])];
    const signed = encodeSigned(unsigned, { r, s, yParity: parityOf(given) });
    if (`0x${toHex(keccak_256(signed))}` !== hash(given['hash'])) return null;
    return `0x${toHex(signingDigest(unsigned, keccak_256))}`;
  } catch {
    // A field that is missing or no transaction may have: of another chain's own type, or none that anybody signed.
    return null;
  }
}

function transactionOf(given: Json): Transaction {
  const type = given['type'] === undefined ? 0 : small(given['type']);
  const { to } = given;
  const common = {
    chainId: small(given['chainId']),
    nonce: small(given['nonce']),
    gasLimit: quantity(given['gas']),
    value: quantity(given['value']) as Wei,
    data: fromHex(hex(given['input']))!,
  };
  const target = to === null || to === undefined ? null : address(to);
  if (type === 0) return { type: 'legacy', ...common, gasPrice: wei(given['gasPrice']), to: target };
  const accessList = list(given['accessList'] ?? []).map((each) => {
    const { address: at, storageKeys } = object(each);
    return { address: address(at), storageKeys: list(storageKeys).map(hash) };
  });
  if (type === 1) return { type: 'eip2930', ...common, accessList, gasPrice: wei(given['gasPrice']), to: target };
  const fees = {
    ...{ ...common, accessList, maxFeePerGas: wei(given['maxFeePerGas']) },
    maxPriorityFeePerGas: wei(given['maxPriorityFeePerGas']),
  };
  switch (type) {
    case 2:
      return { type: 'eip1559', ...fees, to: target };
    case 3: {
      const blobVersionedHashes = list(given['blobVersionedHashes']).map(hash);
      return {
        type: 'eip4844',
        ...fees,
        to: address(to),
        maxFeePerBlobGas: wei(given['maxFeePerBlobGas']),
        blobVersionedHashes,
      };
    }
    case 4:
      return {
        type: 'eip7702',
        ...fees,
        to: address(to),
        authorizationList: list(given['authorizationList']).map(authorization),
      };
    default:
      throw new RangeError('a type that is not known');
  }
}

function authorization(value: unknown): SignedAuthorization {
  const given = object(value);
  return {
    ...{ chainId: small(given['chainId']), address: address(given['address']), nonce: small(given['nonce']) },
    ...{ yParity: quantity(given['yParity']) === 1n ? 1 : 0, r: padded(given['r']), s: padded(given['s']) },
  };
}

const wei = (value: unknown) => quantity(value) as Wei;
const padded = (value: unknown): `0x${string}` => `0x${quantity(value).toString(16).padStart(64, '0')}`;
const scalar = (value: unknown) => fromHex(padded(value).slice(2))!;

/** `v` of a legacy transaction is 35 or 36 above twice the chain id (EIP-155). */
function parityOf(given: Json): 0 | 1 {
  if (given['yParity'] !== undefined) return quantity(given['yParity']) === 1n ? 1 : 0;
  const v = quantity(given['v']);
  return v > 1n ? (v % 2n === 0n ? 1 : 0) : v === 1n ? 1 : 0;
}
