import { concat, toBase64url, utf8, type Sha256 } from '@keepwatch/base';
import type { PeerKey } from '@keepwatch/protocol';
import type { IdentityKey } from '@keepwatch/wire';

/** A peer's id follows from its key, so that one key is one peer however often it registers: 16 bytes, base64url. */
export function peerId(sha256: Sha256, key: IdentityKey): string {
  return toBase64url(sha256(concat(utf8(`keepwatch/peer/1/${key.alg}/`), key.publicKey)).subarray(0, 16));
}

export function toPeerKey(key: IdentityKey): PeerKey {
  return { alg: key.alg, publicKey: toBase64url(key.publicKey) };
}
