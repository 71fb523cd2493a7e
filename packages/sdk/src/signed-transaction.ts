import { equalBytes, err, fromHex, ok, toHex, type Result } from '@keepwatch/base';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { rlpListContent, rlpShortStrings, rlpTailStart } from './transaction-rlp.ts';

/**
 * What a client checks before it believes a signature: that it is the wallet's, over the very bytes that were asked for.
 * The vault might be taken over, the connection might lie; what is broadcast is the client's responsibility.
 */

/** Half the order of secp256k1: a signature with a larger `s` is another form of one with a smaller (EIP-2). */
const MAX_LOW_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

export type SignedTransactionFault =
  /** Not the requested bytes followed by a signature. */
  | 'transaction_differs'
  /** The signature is malformed, or in the form that nodes refuse (EIP-2). */
  | 'signature_malformed'
  /** The signature is of another key. */
  | 'signature_of_another_wallet';

/**
 * Whether `signed` is byte for byte `unsigned` with a signature added that recovers to `address`. Typed transactions
 * (EIP-2718: types 1 to 4) and legacy ones with a chain id (EIP-155). Returns the transaction's hash (`0x` and 64 hex
 * digits).
 */
export function checkSignedTransaction(
  unsigned: Uint8Array,
  signed: Uint8Array,
  address: string,
): Result<{ readonly hash: string }, SignedTransactionFault> {
  const parts = isLegacy(unsigned) ? legacyParts(unsigned, signed) : typedParts(unsigned, signed);
  if (!parts.ok) return parts;
  const { yParity, r, s } = parts.value;
  // Integers have no leading zeros: otherwise the same signature would give a second transaction hash.
  if (r.length > 32 || s.length > 32 || r[0] === 0 || s[0] === 0) return err('signature_malformed');
  const fault = signatureFault(keccak_256(unsigned), { r: integer(r), s: integer(s), yParity }, address);
  return fault ? err(fault) : ok({ hash: `0x${toHex(keccak_256(signed))}` });
}

interface Scalars<T> {
  readonly r: T;
  readonly s: T;
  readonly yParity: number;
}

const isLegacy = (bytes: Uint8Array) => bytes[0] !== undefined && bytes[0] >= 0xc0;

/** `type ‖ rlp([…fields])` and `type ‖ rlp([…fields, yParity, r, s])`. */
function typedParts(unsigned: Uint8Array, signed: Uint8Array): Result<Scalars<Uint8Array>, SignedTransactionFault> {
  const type = unsigned[0];
  const asked = rlpListContent(unsigned.subarray(1));
  const answered = rlpListContent(signed.subarray(1));
  if (type === undefined || type < 1 || type > 4 || signed[0] !== type) return err('transaction_differs');
  if (!asked || !answered || !equalBytes(answered.subarray(0, asked.length), asked)) return err('transaction_differs');
  const scalars = rlpShortStrings(answered.subarray(asked.length));
  const [yParity, r, s] = scalars ?? [];
  if (scalars?.length !== 3 || !yParity || !r || !s) return err('signature_malformed');
  if (yParity.length > 1 || (yParity.length === 1 && yParity[0] !== 1)) return err('signature_malformed');
  return ok({ r, s, yParity: yParity.length });
}

/** `rlp([…six fields, chainId, 0, 0])` and `rlp([…six fields, v, r, s])` with v = chainId × 2 + 35 + yParity (EIP-155). */
function legacyParts(unsigned: Uint8Array, signed: Uint8Array): Result<Scalars<Uint8Array>, SignedTransactionFault> {
  const asked = rlpListContent(unsigned);
  const answered = rlpListContent(signed);
  const end = asked && rlpTailStart(asked, 3);
  if (!asked || !answered || end === undefined) return err('transaction_differs');
  const [chainId, ...zeros] = rlpShortStrings(asked.subarray(end)) ?? [];
  if (!chainId || chainId.length === 0 || zeros.some(({ length }) => length > 0)) return err('transaction_differs');
  const fields = asked.subarray(0, end);
  if (!equalBytes(answered.subarray(0, fields.length), fields)) return err('transaction_differs');
  const scalars = rlpShortStrings(answered.subarray(fields.length));
  const [v, r, s] = scalars ?? [];
  if (scalars?.length !== 3 || !v || !r || !s) return err('signature_malformed');
  const yParity = integer(v) - integer(chainId) * 2n - 35n;
  if (v[0] === 0 || (yParity !== 0n && yParity !== 1n)) return err('signature_malformed');
  return ok({ r, s, yParity: Number(yParity) });
}

/**
 * What is wrong with a signature of `address` over a digest (32 bytes), if anything is. `digest` is what the client
 * itself computed from what it asked to have signed.
 */
export function signatureFault(
  digest: Uint8Array,
  { r, s, yParity }: Scalars<bigint>,
  address: string,
): 'signature_malformed' | 'signature_of_another_wallet' | undefined {
  const publicKey = s > MAX_LOW_S ? undefined : recover(digest, yParity, r, s);
  if (!publicKey) return 'signature_malformed';
  const signer = keccak_256(publicKey.subarray(1)).subarray(12);
  const expected = fromHex(address);
  return expected && equalBytes(signer, expected) ? undefined : 'signature_of_another_wallet';
}

/** `0x` and r ‖ s ‖ v in 65 bytes, v 27 or 28 (the form in which typed data and messages are signed). */
export function parseSignature(text: string): Scalars<bigint> | undefined {
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
