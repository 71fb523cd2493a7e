/** The order of secp256k1's group (SEC 2, §2.4.1). */
const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;
const HALF_ORDER = ORDER >> 1n;

/** A signature. `r` and `s` are 32 bytes, big-endian. */
export interface TransactionSignature {
  readonly r: Uint8Array;
  readonly s: Uint8Array;
  readonly yParity: 0 | 1;
}

/** What is wrong with the scalars of a signature, or `null`. Of `s` and −s only the lower one is valid (EIP-2). */
export function scalarFault(r: bigint, s: bigint): 'scalar_out_of_range' | 'high_s' | null {
  if (r === 0n || r >= ORDER || s === 0n || s >= ORDER) return 'scalar_out_of_range';
  return s > HALF_ORDER ? 'high_s' : null;
}

/**
 * The scalars as envelopes carry them: integers, so 32 bytes without their leading zeros. Throws a RangeError for scalars
 * that no valid signature has, a high `s` among them.
 */
export function scalarFields({ r, s }: TransactionSignature): [Uint8Array, Uint8Array] {
  if (r.length !== 32 || s.length !== 32) throw new RangeError('a signature scalar has 32 bytes');
  const fault = scalarFault(bigEndian(r), bigEndian(s));
  if (fault !== null) throw new RangeError(`no valid signature: ${fault}`);
  return [trim(r), trim(s)];
}

function bigEndian(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  let value = 0n;
  for (let at = 0; at < 32; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

function trim(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (bytes[start] === 0) start++;
  return bytes.subarray(start);
}
