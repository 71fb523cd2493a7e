import { concat, toBase64url, utf8 } from '@keepwatch/base';
import type { IdentityKey } from '@keepwatch/wire';
import { sha256 } from '../store/store.ts';

/** One key is one peer, however often it asks: 16 bytes of a hash, base64url. */
export const peerIdOf = ({ alg, publicKey }: IdentityKey): string =>
  toBase64url(sha256(concat(utf8(`keepwatch/monitor-peer/1/${alg}/`), publicKey)).subarray(0, 16));
