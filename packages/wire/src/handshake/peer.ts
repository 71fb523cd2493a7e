import { equalBytes, ok, type Result } from '@keepwatch/base';
import type { Role } from '@keepwatch/protocol';
import type { IdentitySigner, WireCrypto } from '../crypto.ts';
import { finishJws, openJws, signingInput, unverifiedPayload, type JwsType } from '../jws.ts';
import { createSession, type Session, type SessionLimits } from '../session.ts';
import type { JsonObject } from '../strict-json.ts';
import { failure, type HandshakeFailure } from './failure.ts';
import {
  decodeChallenge,
  encodeHello,
  encodeProof,
  MESSAGE_LIMITS,
  type Challenge,
  type Hello,
  type Wish,
} from './messages.ts';
import { deriveSessionKeys, keepIdentity, tokenMac, transcriptHash } from './transcript.ts';

export interface PeerHandshakeDeps {
  readonly crypto: WireCrypto;
  readonly signer: IdentitySigner;
}

export interface PeerHandshakeOptions {
  readonly role: Role;
  readonly wish: Wish;
  /** Identity of the vault, from the connection string: 32 bytes. */
  readonly vault: Uint8Array;
  /** SPKI SHA-256 of the key that this connection's TLS really ended at: 32 bytes. */
  readonly tls: Uint8Array;
  /** The last signed head that this peer remembers of the vault. */
  readonly head: JsonObject | null;
  /** Bootstrap token, 32 bytes. It is proved, never sent. */
  readonly token?: Uint8Array;
  readonly session?: SessionLimits;
}

/** A vault that has proved its identity, the answer to it, and the session that begins with its `ready` frame. */
export interface AcceptedKeep {
  readonly message: Uint8Array;
  readonly bootPublicKey: Uint8Array;
  readonly receiptPublicKey: Uint8Array;
  readonly nonce: number;
  readonly session: Session;
}

export interface PeerHandshake {
  /** The first message. */
  hello(): Promise<Uint8Array>;
  /** Challenge in, proof and session out. The keys are confirmed once the session has opened the first frame. */
  receiveChallenge(message: Uint8Array): Promise<Result<AcceptedKeep, HandshakeFailure>>;
}

/**
 * A peer's half of one handshake. The expiry in a challenge is the vault's to enforce, by the vault's clock: a peer
 * whose clock is wrong can still connect and be told so.
 */
export function createPeerHandshake(deps: PeerHandshakeDeps, options: PeerHandshakeOptions): PeerHandshake {
  const { crypto, signer } = deps;
  const { codec } = crypto;
  const x25519 = crypto.x25519.generate();
  const mlkem768 = crypto.mlkem768.generate();
  const hello: Hello = {
    role: options.role,
    wish: options.wish,
    peer: { alg: signer.alg, publicKey: signer.publicKey },
    x25519: x25519.publicKey,
    mlkem768: mlkem768.publicKey,
    tls: options.tls,
    vault: options.vault,
    head: options.head,
  };
  let sentHello: Uint8Array | undefined;

  async function signed(typ: JwsType, payload: Uint8Array): Promise<Uint8Array> {
    const input = signingInput(codec, typ, signer.alg, payload);
    return codec.fromAscii(finishJws(codec, input, await signer.sign(codec.fromAscii(input))));
  }

  /** What is wrong with a challenge that is well formed. */
  function faultOf(challenge: Challenge, jws: string, sent: Uint8Array): HandshakeFailure['code'] | undefined {
    const identity = keepIdentity(crypto.sha256, challenge.boot, challenge.receipt);
    if (!equalBytes(identity, options.vault)) return 'identity_mismatch';
    const opened = openJws(crypto, 'keepwatch-challenge', { alg: 'EdDSA', publicKey: challenge.boot }, jws);
    if (!opened.ok) return opened.error === 'jws_signature' ? 'handshake_signature' : 'handshake_malformed';
    if (!equalBytes(challenge.hello, crypto.sha256(sent))) return 'handshake_transcript';
    if (!equalBytes(challenge.tls, options.tls)) return 'tls_pin_mismatch';
    return undefined;
  }

  return {
    async hello() {
      sentHello = await signed('keepwatch-hello', encodeHello(hello));
      return sentHello;
    },

    async receiveChallenge(message) {
      const sent = sentHello;
      sentHello = undefined;
      if (!sent) return failure('handshake_out_of_order');
      if (message.length > MESSAGE_LIMITS.challenge) return failure('handshake_malformed');
      const jws = codec.toAscii(message);
      const payload = unverifiedPayload(codec, jws);
      if (!payload) return failure('handshake_malformed');
      const decoded = decodeChallenge(payload);
      if (!decoded.ok) return failure(decoded.error);
      const challenge = decoded.value;
      const fault = faultOf(challenge, jws, sent);
      if (fault) return failure(fault);
      const x25519Shared = crypto.x25519.derive(x25519.secret, challenge.x25519);
      if (!x25519Shared) return failure('handshake_malformed');
      const mlkemShared = crypto.mlkem768.decapsulate(mlkem768.secret, challenge.kem);

      const transcript = transcriptHash(crypto.sha256, hello, challenge, crypto.sha256(message));
      const token = options.token && tokenMac(crypto, options.token, transcript);
      const proof = await signed('keepwatch-proof', encodeProof({ transcript, token }));
      const keys = deriveSessionKeys(crypto, transcript, x25519Shared, mlkemShared);
      return ok({
        message: proof,
        bootPublicKey: challenge.boot,
        receiptPublicKey: challenge.receipt,
        nonce: challenge.nonce,
        session: createSession(crypto, keys, 'peer', options.session),
      });
    },
  };
}
