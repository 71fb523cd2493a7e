import type { InternalHash } from './hash.ts';
import { encodeHeader, headerHash, type Header } from './header.ts';
import { meetsTarget, targetFromBits } from './proof-of-work.ts';

/** A header with enough work for its bits: for regtest, where one hash in two has it. */
export function mine(header: Omit<Header, 'nonce'>): Uint8Array {
  const target = targetFromBits(header.bits)!;
  for (let nonce = 0; ; nonce++) {
    const bytes = encodeHeader({ ...header, nonce });
    if (meetsTarget(headerHash(bytes), target)) return bytes;
  }
}

/** A header on top of another one, `seconds` later; `salt` tells siblings apart. */
export function mineOn(parent: Uint8Array, parentTime: number, seconds: number, salt: number): Uint8Array {
  const merkleRoot = new Uint8Array(32) as InternalHash;
  new DataView(merkleRoot.buffer).setUint32(0, salt);
  const timeSeconds = parentTime + seconds;
  return mine({ version: 4, previous: headerHash(parent), merkleRoot, timeSeconds, bits: 0x207fffff });
}
