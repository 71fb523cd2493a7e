import { concat, equalBytes, err, fromHex, ok, toHex, type Result } from '@keepwatch/base';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { rlpListContent, rlpListOf, rlpShortStrings, rlpTailStart } from './transaction-rlp.ts';

/**
 * What a client does with a signature before it believes it: it is the wallet's, over the very bytes that were asked for.
 * The vault might be taken over, the connection might lie; what is broadcast is the client's responsibility, and it is put
 * together here from the client's own bytes.
 */

/** Half the order of secp256k1: a signature with a larger `s` is another form of one with a smaller (EIP-2). */
const MAX_LOW_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

export type SignedTransactionFault =
  /** No unsigned transaction of a type that is known here. */
  | 'transaction_malformed'
  /** The signature is malformed, or in the form that nodes refuse (EIP-2). */
  | 'signature_malformed'
  /** The signature is of another key, or over something else. */
  | 'signature_of_another_wallet';

/** A transaction that can be broadcast. */
export interface RawTransaction {
  readonly raw: Uint8Array;
  /** `0x` and 64 hex digits. */
  readonly hash: string;
}

/**
 * The unsigned transaction with this signature, if it is one of `address` over it. Typed transactions (EIP-2718: types 1 to
 * 4) and legacy ones with a chain id (EIP-155). `signature`: `0x` and r ‖ s ‖ v, as the vault answers.
 */
export function signedTransaction(
  unsigned: Uint8Array,
  signature: string,
  address: string,
): Result<RawTransaction, SignedTransactionFault> {
  const scalars = signatureOver(keccak_256(unsigned), signature, address);
  if (!scalars.ok) return scalars;
  const raw = isLegacy(unsigned) ? legacySigned(unsigned, scalars.value) : typedSigned(unsigned, scalars.value);
  return raw ? ok({ raw, hash: `0x${toHex(keccak_256(raw))}` }) : err('transaction_malformed');
}

/** The scalars of a signature, if it is one of `address` over the digest (32 bytes). */
export function signatureOver(
  digest: Uint8Array,
  signature: string,
  address: string,
): Result<Scalars, Exclude<SignedTransactionFault, 'transaction_malformed'>> {
  const scalars = parseSignature(signature);
  if (!scalars) return err('signature_malformed');
  const fault = signatureFault(digest, scalars, address);
  return fault ? err(fault) : ok(scalars);
}

interface Scalars {
  readonly r: bigint;
  readonly s: bigint;
  readonly yParity: number;
}

const isLegacy = (bytes: Uint8Array) => bytes[0] !== undefined && bytes[0] >= 0xc0;

/** `type ‖ rlp([…fields])` becomes `type ‖ rlp([…fields, yParity, r, s])`. */
function typedSigned(unsigned: Uint8Array, { r, s, yParity }: Scalars): Uint8Array | undefined {
  const type = unsigned[0];
  const fields = rlpListContent(unsigned.subarray(1));
  if (type === undefined || type < 1 || type > 4 || !fields) return undefined;
  return concat(Uint8Array.of(type), rlpListOf(fields, [yParity, r, s]));
}

/** `rlp([…six fields, chainId, 0, 0])` becomes `rlp([…six fields, v, r, s])` with v = chainId × 2 + 35 + yParity (EIP-155). */
function legacySigned(unsigned: Uint8Array, { r, s, yParity }: Scalars): Uint8Array | undefined {
  const content = rlpListContent(unsigned);
  const end = content && rlpTailStart(content, 3);
  if (!content || end === undefined) return undefined;
  const [chainId, ...zeros] = rlpShortStrings(content.subarray(end)) ?? [];
  if (!chainId || chainId.length === 0 || zeros.some(({ length }) => length > 0)) return undefined;
  const v = integer(chainId) * 2n + 35n + BigInt(yParity);
  return rlpListOf(content.subarray(0, end), [v, r, s]);
}

/**
 * What is wrong with a signature of `address` over a digest (32 bytes), if anything is. `digest` is what the client
 * itself computed from what it asked to have signed.
 */
export function signatureFault(
  digest: Uint8Array,
  { r, s, yParity }: Scalars,
  address: string,
): 'signature_malformed' | 'signature_of_another_wallet' | undefined {
  const publicKey = s > MAX_LOW_S ? undefined : recover(digest, yParity, r, s);
  if (!publicKey) return 'signature_malformed';
  const signer = keccak_256(publicKey.subarray(1)).subarray(12);
  const expected = fromHex(address);
  return expected && equalBytes(signer, expected) ? undefined : 'signature_of_another_wallet';
}

/** `0x` and r ‖ s ‖ v in 65 bytes, v 27 or 28: the form of every signature that the vault answers. */
export function parseSignature(text: string): Scalars | undefined {
  if (!/^0x[0-9a-f]{130}$/.test(text)) return undefined;
  const bytes = fromHex(text)!;
  const v = bytes[64]!;
  if (v !== 27 && v !== 28) return undefined;
  return { r: integer(bytes.subarray(0, 32)), s: integer(bytes.subarray(32, 64)), yParity: v - 27 };
}

function integer(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** The uncompressed public key (65 bytes) whose signature this is. */
function recover(digest: Uint8Array, yParity: number, r: bigint, s: bigint): Uint8Array | undefined {
  try {
    return new secp256k1.Signature(r, s, yParity).recoverPublicKey(digest).toBytes(false);
  } catch {
    return undefined;
  }
}
