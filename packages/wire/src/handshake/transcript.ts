import { concat, lengthPrefixed, u64be, utf8, type Sha256 } from '@keepwatch/base';
import type { WireCrypto } from '../crypto.ts';
import type { SessionKeys } from '../session.ts';
import { headBytes, WIRE_VERSION, type Challenge, type Hello } from './messages.ts';

/**
 * Everything that the two ends must agree on, as one hash. It is what the peer signs, the salt of the session's keys,
 * and the session's name.
 */

/** SHA-256(label ‖ boot key ‖ receipt key): the identity of a vault, which its connection string carries. 32 bytes. */
export function keepIdentity(sha256: Sha256, bootPublicKey: Uint8Array, receiptPublicKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8('keepwatch/identity/1'), bootPublicKey, receiptPublicKey));
}

/**
 * Whose journal a head belongs to: SHA-256(label ‖ receipt key). It outlives a restore from a backup, which brings a new
 * boot key and with it a new identity, so that one journal is one chain. 32 bytes.
 */
export function vaultId(sha256: Sha256, receiptPublicKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8('keepwatch/vault/1'), receiptPublicKey));
}

/**
 * The hash of the transcript. The messages that it was read from are in it as well, by their own hashes: `hello` as
 * the challenge names it, and `challengeHash`.
 */
export function transcriptHash(
  sha256: Sha256,
  hello: Hello,
  challenge: Challenge,
  challengeHash: Uint8Array,
): Uint8Array {
  return sha256(
    lengthPrefixed(
      utf8('keepwatch/transcript/1'),
      u64be(WIRE_VERSION),
      utf8(hello.role),
      utf8(hello.wish),
      hello.vault,
      challenge.boot,
      challenge.receipt,
      utf8(hello.peer.alg),
      hello.peer.publicKey,
      hello.x25519,
      hello.mlkem768,
      challenge.x25519,
      challenge.kem,
      u64be(challenge.nonce),
      challenge.tls,
      headBytes(hello.head),
      u64be(challenge.expires),
      challenge.hello,
      challengeHash,
    ),
  );
}

const KEEP_TO_PEER = utf8('keepwatch/frames/1 keep-to-peer');
const PEER_TO_KEEP = utf8('keepwatch/frames/1 peer-to-keep');

/** The keys of both directions from both shared secrets, which are wiped. */
export function deriveSessionKeys(
  crypto: Pick<WireCrypto, 'hkdfSha256'>,
  transcript: Uint8Array,
  x25519Shared: Uint8Array,
  mlkemShared: Uint8Array,
): SessionKeys {
  const ikm = concat(x25519Shared, mlkemShared);
  const keepToPeer = crypto.hkdfSha256(ikm, transcript, KEEP_TO_PEER, 32);
  const peerToKeep = crypto.hkdfSha256(ikm, transcript, PEER_TO_KEEP, 32);
  ikm.fill(0);
  x25519Shared.fill(0);
  mlkemShared.fill(0);
  return { id: transcript, keepToPeer, peerToKeep };
}

/**
 * Proof that a peer holds the bootstrap token, good for this handshake alone. HKDF-Expand of one block *is*
 * HMAC(key, info ‖ 0x01) with the key extracted from the token (RFC 5869 §2.2, §2.3).
 */
export function tokenMac(
  crypto: Pick<WireCrypto, 'hkdfSha256'>,
  token: Uint8Array,
  transcript: Uint8Array,
): Uint8Array {
  return crypto.hkdfSha256(token, utf8('keepwatch/bootstrap-token/1'), transcript, 32);
}
