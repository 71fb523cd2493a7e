import { fromHex } from '@keepwatch/base';

/** The order of secp256k1's group (SEC 2, §2.4.1), and half of it. */
const ORDER = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')!;
const HALF_ORDER = fromHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')!;

/** A signature. `r` and `s` are 32 bytes, big-endian. */
export interface TransactionSignature {
  readonly r: Uint8Array;
  readonly s: Uint8Array;
  readonly yParity: 0 | 1;
}

/**
 * What is wrong with the scalars of a signature, or `null`. Of `s` and −s only the lower one is valid (EIP-2). Both have 32
 * bytes.
 */
export function scalarFault(r: Uint8Array, s: Uint8Array): 'scalar_out_of_range' | 'high_s' | null {
  if (isZero(r) || compare(r, ORDER) >= 0 || isZero(s) || compare(s, ORDER) >= 0) return 'scalar_out_of_range';
  return compare(s, HALF_ORDER) > 0 ? 'high_s' : null;
}

/**
 * The scalars as envelopes carry them: integers, so 32 bytes without their leading zeros. Throws a RangeError for scalars
 * that no valid signature has, a high `s` among them.
 */
export function scalarFields({ r, s }: TransactionSignature): [Uint8Array, Uint8Array] {
  if (r.length !== 32 || s.length !== 32) throw new RangeError('a signature scalar has 32 bytes');
  const fault = scalarFault(r, s);
  if (fault !== null) throw new RangeError(`no valid signature: ${fault}`);
  return [trim(r), trim(s)];
}

function isZero(bytes: Uint8Array): boolean {
  return leadingZeros(bytes) === bytes.length;
}

/** Big-endian integers of one length: below zero where `a` is the smaller one. A signature is no secret. */
function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

function trim(bytes: Uint8Array): Uint8Array {
  const zeros = leadingZeros(bytes);
  return zeros === 0 ? bytes : bytes.subarray(zeros);
}

function leadingZeros(bytes: Uint8Array): number {
  let count = 0;
  while (bytes[count] === 0) count++;
  return count;
}
