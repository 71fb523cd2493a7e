import { fromHex, toHex, type Wei } from '@keepwatch/base';
import {
  addressOfPublicKey,
  encodeRlp,
  encodeSigned,
  encodeUnsigned,
  type Address,
  type SignedAuthorization,
  type Transaction,
} from '@keepwatch/evm';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Hash32 } from './facts.ts';
import { address, hash, hex, list, object, quantity, small, type Json } from './words.ts';

/** What a transaction carries besides where it stands: the bytes that were signed, and those with the signature. */
interface Envelope {
  readonly unsigned: Uint8Array;
  readonly signed: Uint8Array;
  readonly signature: { readonly r: bigint; readonly s: bigint; readonly yParity: 0 | 1 };
  /** Null: it is good on any chain (from before EIP-155). */
  readonly chainId: bigint | null;
}

/**
 * What the sender of a transaction signed (Keccak-256), made of its fields and believed only where fields and signature
 * give the transaction's hash: then they are its own. Null for a type that is not known, and where they do not.
 */
export function signedDigest(value: unknown): Hash32 | null {
  const given = object(value);
  try {
    const { unsigned, signed } = envelopeOf(given);
    return hashOf(signed) === hash(given['hash']) ? hashOf(unsigned) : null;
  } catch {
    // A field that is missing or no transaction may have: of another chain's own type, or none that anybody signed.
    return null;
  }
}

/**
 * What a transaction that stands in no block proves by itself:
 *
 * - `signed`: its hash is that of its fields, and its signature is by the key of who is said to send it; `digest` is what was
 *   signed (Keccak-256)
 * - `forged`: it contradicts itself, is of another chain, or has a signature that no block takes (EIP-2)
 * - `unproven`: a type or a member that is not known here, or no signature: somebody says so, and no more
 */
export type TransactionProof =
  { readonly says: 'signed'; readonly digest: Hash32 } | { readonly says: 'forged' | 'unproven' };

/** Half the order of secp256k1: with a higher `s` anybody makes a second form, with another hash, of what somebody signed. */
const MAX_LOW_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

export function proofOf(value: unknown, chainId: bigint): TransactionProof {
  const given = object(value);
  let envelope: Envelope;
  try {
    if (given['s'] !== undefined && quantity(given['s']) > MAX_LOW_S) return { says: 'forged' };
    envelope = envelopeOf(given);
  } catch {
    return { says: 'unproven' };
  }
  if (envelope.chainId !== null && envelope.chainId !== chainId) return { says: 'forged' };
  if (hashOf(envelope.signed) !== hash(given['hash'])) {
    return { says: Object.keys(given).every((name) => MEMBERS.has(name)) ? 'forged' : 'unproven' };
  }
  const digest = keccak_256(envelope.unsigned);
  if (signerOf(digest, envelope.signature) !== address(given['from'])) return { says: 'forged' };
  return { says: 'signed', digest: `0x${toHex(digest)}` };
}

/** Members of transactions as nodes give them (execution-apis, and what some nodes add). */
const MEMBERS = new Set([
  ...['hash', 'type', 'chainId', 'nonce', 'gas', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas', 'to', 'value'],
  ...['input', 'data', 'accessList', 'authorizationList', 'maxFeePerBlobGas', 'blobVersionedHashes'],
  ...['v', 'r', 's', 'yParity', 'from', 'blockHash', 'blockNumber', 'blockTimestamp', 'transactionIndex'],
  ...['creates', 'publicKey', 'raw', 'standardV', 'condition'],
]);

const hashOf = (bytes: Uint8Array): Hash32 => `0x${toHex(keccak_256(bytes))}`;

function signerOf(digest: Uint8Array, { r, s, yParity }: Envelope['signature']): Address | undefined {
  try {
    const key = new secp256k1.Signature(r, s, yParity).recoverPublicKey(digest).toBytes(false);
    return addressOfPublicKey(key, keccak_256);
  } catch {
    return undefined;
  }
}

function envelopeOf(given: Json): Envelope {
  const [r, s] = [quantity(given['r']), quantity(given['s'])];
  const isUnprotected = given['type'] === undefined || small(given['type']) === 0 ? isBeforeEip155(given) : false;
  if (isUnprotected) return unprotected(given, r, s);
  const unsigned = encodeUnsigned(transactionOf(given));
  const yParity = parityOf(given);
  const signed = encodeSigned(unsigned, { r: scalar(given['r']), s: scalar(given['s']), yParity });
  return { unsigned, signed, signature: { r, s, yParity }, chainId: quantity(given['chainId']) };
}

function isBeforeEip155(given: Json): boolean {
  const v = given['v'] === undefined ? 0n : quantity(given['v']);
  return v === 27n || v === 28n;
}

/** A legacy transaction that names no chain: nodes take it from who asks for it, and blocks hold it. No vault signs one. */
function unprotected(given: Json, r: bigint, s: bigint): Envelope {
  const { to } = given;
  const numbers = [given['nonce'], given['gasPrice'], given['gas']].map((each) => integer(quantity(each)));
  const target = to === null || to === undefined ? new Uint8Array() : fromHex(address(to).slice(2))!;
  const fields = [...numbers, target, integer(quantity(given['value'])), fromHex(hex(given['input']))!];
  const yParity = quantity(given['v']) === 28n ? 1 : 0;
  const signed = encodeRlp([...fields, integer(quantity(given['v'])), integer(r), integer(s)]);
  return { unsigned: encodeRlp(fields), signed, signature: { r, s, yParity }, chainId: null };
}

function integer(value: bigint): Uint8Array {
  const digits = value === 0n ? '' : value.toString(16);
  return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)!;
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
