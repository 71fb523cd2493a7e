import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { fail } from './failure.ts';
import type { Rules } from './rules.ts';

/**
 * Whether a signature has the one encoding that BIP66 permits, with the byte of its hash type at the end. Wherever
 * signatures are checked here the rule holds, as it does for every block since 2015.
 */
export function isStrictDer(signature: Uint8Array): boolean {
  const { length } = signature;
  if (length < 9 || length > 73 || signature[0] !== 0x30 || signature[1] !== length - 3) return false;
  const rLength = signature[3]!;
  if (5 + rLength >= length) return false;
  const sLength = signature[5 + rLength]!;
  if (rLength + sLength + 7 !== length) return false;
  return isInteger(signature, 2, rLength) && isInteger(signature, 4 + rLength, sLength);
}

/** A positive DER integer without a needless zero in front; `at` is its tag. */
function isInteger(bytes: Uint8Array, at: number, length: number): boolean {
  if (bytes[at] !== 0x02 || length === 0 || (bytes[at + 2]! & 0x80) !== 0) return false;
  return !(length > 1 && bytes[at + 2] === 0 && (bytes[at + 3]! & 0x80) === 0);
}

/** r and s as 64 bytes; `undefined` where one is longer than a number of the curve can be. */
function compact(signature: Uint8Array): Uint8Array | undefined {
  const rLength = signature[3]!;
  const parts = [signature.subarray(4, 4 + rLength), signature.subarray(6 + rLength, signature.length - 1)];
  const out = new Uint8Array(64);
  for (const [i, part] of parts.entries()) {
    const digits = part[0] === 0 ? part.subarray(1) : part;
    if (digits.length > 32) return undefined;
    out.set(digits, 32 * (i + 1) - digits.length);
  }
  return out;
}

/** Half the order of the curve: the largest s of a signature that nobody can change into another (BIP62 rule 5). */
const HALF_ORDER = secp256k1.Point.Fn.ORDER / 2n;

export function checkSignatureEncoding(signature: Uint8Array, rules: Rules): void {
  if (signature.length === 0) return;
  if (!isStrictDer(signature)) fail('sig_der');
  if (rules.has('LOW_S')) {
    const bytes = compact(signature);
    const s = bytes && BigInt(`0x${Array.from(bytes.subarray(32), (b) => b.toString(16).padStart(2, '0')).join('')}`);
    if (s === undefined || s > HALF_ORDER) fail('sig_high_s');
  }
  const type = signature[signature.length - 1]! & ~0x80;
  if (rules.has('STRICTENC') && (type < 1 || type > 3)) fail('sig_hashtype');
}

export function checkKeyEncoding(key: Uint8Array, rules: Rules, segwit: boolean): void {
  const compressed = key.length === 33 && (key[0] === 2 || key[0] === 3);
  if (rules.has('STRICTENC') && !compressed && !(key.length === 65 && key[0] === 4)) fail('pubkeytype');
  if (rules.has('WITNESS_PUBKEYTYPE') && segwit && !compressed) fail('witness_pubkeytype');
}

/** Whether a strictly encoded signature, its hash type included, is one of `hash` by `key`. High s passes. */
export function ecdsaHolds(signature: Uint8Array, hash: Uint8Array, key: Uint8Array): boolean {
  const bytes = compact(signature);
  const point = plainKey(key);
  if (!bytes || !point) return false;
  try {
    return secp256k1.verify(bytes, hash, point, { prehash: false, lowS: false, format: 'compact' });
  } catch {
    // A number that is out of range or a key that is no point: the signature holds for nobody.
    return false;
  }
}

/** Consensus still knows hybrid keys (06 or 07, with both coordinates); the first byte then repeats the parity. */
function plainKey(key: Uint8Array): Uint8Array | undefined {
  if (key.length !== 65 || (key[0] !== 6 && key[0] !== 7)) return key;
  return (key[64]! & 1) === (key[0] & 1) ? Uint8Array.of(4, ...key.subarray(1)) : undefined;
}

/** BIP340: 64 bytes of signature, 32 of the key. */
export function schnorrHolds(signature: Uint8Array, hash: Uint8Array, key: Uint8Array): boolean {
  try {
    return schnorr.verify(signature, hash, key);
  } catch {
    return false;
  }
}
