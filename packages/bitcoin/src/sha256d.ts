import { sha256 } from '@noble/hashes/sha2.js';
import type { InternalHash } from './hash.ts';

/** SHA-256 applied twice: what bitcoin calls the hash of a block header, a transaction or a merkle node. */
export function sha256d(bytes: Uint8Array): InternalHash {
  return sha256(sha256(bytes)) as InternalHash;
}
