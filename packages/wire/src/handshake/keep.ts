import { equalBytes, ok, type Result } from '@keepwatch/base';
import type { Role } from '@keepwatch/protocol';
import type { BootSigner, IdentityKey, WireCrypto } from '../crypto.ts';
import { finishJws, jwsHeader, openJws, signingInput, unverifiedPayload } from '../jws.ts';
import { createSession, type Session, type SessionLimits } from '../session.ts';
import type { JsonObject } from '../strict-json.ts';
import { failure, type HandshakeCode, type HandshakeFailure } from './failure.ts';
import {
  decodeHello,
  decodeProof,
  encodeChallenge,
  MESSAGE_LIMITS,
  type Challenge,
  type Hello,
  type Wish,
} from './messages.ts';
import { deriveSessionKeys, keepIdentity, tokenMac, transcriptHash } from './transcript.ts';

/** Who a peer says it is. Until its signature was verified this is a claim and no more. */
export interface PeerClaim {
  readonly role: Role;
  readonly wish: Wish;
  readonly key: IdentityKey;
}

/** What the vault says to a claim. */
export type Admission =
  | { readonly admit: true; /** Bootstrap token to be proved, 32 bytes. */ readonly token?: Uint8Array }
  | { readonly admit: false; readonly code: 'peer_unknown' | 'registration_closed' | 'token_invalid' };

export interface KeepHandshakeDeps {
  readonly crypto: WireCrypto;
  readonly boot: BootSigner;
  readonly receiptPublicKey: Uint8Array;
  /** Is this key registered for this role, or may it register now? Cheap, and without effect: anybody can cause it. */
  admit(claim: PeerClaim): Admission;
  /**
   * Advances the peer's counter and returns it. Called only for a peer that has signed its hello. What it changes must
   * be durable before the challenge is sent.
   */
  advanceNonce(claim: PeerClaim): number;
}

export interface KeepHandshakeOptions {
  /** SPKI SHA-256 of the TLS keys that the edge serves: the current one, and after a rotation the one before it. */
  readonly tlsPins: readonly Uint8Array[];
  /** How long a challenge may be answered, in milliseconds. */
  readonly lifetimeMs: number;
  readonly session?: SessionLimits;
}

/** A peer that has proved who it is, and the session with it. */
export interface AcceptedPeer {
  readonly claim: PeerClaim;
  readonly nonce: number;
  /** The last signed head that the peer says it remembers: to be verified and compared by the vault. */
  readonly head: JsonObject | null;
  /** True where a bootstrap token was asked for and proved. */
  readonly tokenProved: boolean;
  readonly session: Session;
}

export interface KeepHandshake {
  /** Hello in, challenge out. `nowMs`: wall clock. */
  receiveHello(message: Uint8Array, nowMs: number): Result<Uint8Array, HandshakeFailure>;
  /** Proof in, session out. Its first frame from the keep, `ready`, confirms the keys to the peer. */
  receiveProof(message: Uint8Array, nowMs: number): Result<AcceptedPeer, HandshakeFailure>;
}

interface Pending {
  readonly hello: Hello;
  readonly claim: PeerClaim;
  readonly token: Uint8Array | undefined;
  readonly challenge: Challenge;
  readonly startedMs: number;
  readonly transcript: Uint8Array;
  readonly x25519Shared: Uint8Array;
  readonly mlkemShared: Uint8Array;
}

/**
 * The keep's half of one handshake, for one connection. Steps are synchronous and do no I/O. Any failure, and any
 * message out of order, ends it: the connection is then closed.
 *
 * The order of the checks in a hello: form, admission, signature, then everything else. A stranger thus costs one
 * look-up, and learns from a refusal neither whether a key is registered here (an unknown key and a registered key
 * with a bad signature get the same answer) nor anything about identity or TLS.
 */
export function createKeepHandshake(deps: KeepHandshakeDeps, options: KeepHandshakeOptions): KeepHandshake {
  const { crypto, boot, receiptPublicKey } = deps;
  const { codec } = crypto;
  let phase: { at: 'hello' } | { at: 'proof'; pending: Pending } | { at: 'end' } = { at: 'hello' };

  function answer(message: Uint8Array, nowMs: number): Result<Uint8Array, HandshakeFailure> {
    if (message.length > MESSAGE_LIMITS.hello) return failure('handshake_malformed');
    const jws = codec.toAscii(message);
    const payload = unverifiedPayload(codec, jws);
    if (!payload) return failure('handshake_malformed');
    const decoded = decodeHello(payload);
    if (!decoded.ok) return failure(decoded.error);
    const hello = decoded.value;
    const claim: PeerClaim = { role: hello.role, wish: hello.wish, key: hello.peer };
    if (!jws.startsWith(`${jwsHeader('keepwatch-hello', claim.key.alg)}.`)) return failure('handshake_malformed');

    const admission = deps.admit(claim);
    if (!admission.admit) return failure(admission.code);
    const opened = openJws(crypto, 'keepwatch-hello', claim.key, jws);
    if (!opened.ok) {
      return opened.error === 'jws_signature'
        ? failure('handshake_signature', refusalOf(claim.wish))
        : failure('handshake_malformed');
    }

    if (!equalBytes(hello.vault, keepIdentity(crypto.sha256, boot.publicKey, receiptPublicKey))) {
      return failure('identity_mismatch');
    }
    const tls = options.tlsPins.find((pin) => equalBytes(pin, hello.tls));
    if (!tls) return failure('tls_pin_mismatch');

    const encapsulated = crypto.mlkem768.encapsulate(hello.mlkem768);
    const ephemeral = crypto.x25519.generate();
    const x25519Shared = crypto.x25519.derive(ephemeral.secret, hello.x25519);
    if (!encapsulated || !x25519Shared) return failure('handshake_malformed');

    const challenge: Challenge = {
      boot: boot.publicKey,
      receipt: receiptPublicKey,
      nonce: deps.advanceNonce(claim),
      x25519: ephemeral.publicKey,
      kem: encapsulated.ciphertext,
      expires: nowMs + options.lifetimeMs,
      hello: crypto.sha256(message),
      tls,
    };
    const input = signingInput(codec, 'keepwatch-challenge', 'EdDSA', encodeChallenge(challenge));
    const signature = boot.sign(codec.fromAscii(input));
    const reply = codec.fromAscii(finishJws(codec, input, signature));
    const transcript = transcriptHash(crypto.sha256, hello, challenge, crypto.sha256(reply));
    const mlkemShared = encapsulated.shared;
    const token = admission.token;
    phase = {
      at: 'proof',
      pending: { hello, claim, token, challenge, startedMs: nowMs, transcript, x25519Shared, mlkemShared },
    };
    return ok(reply);
  }

  function finish(pending: Pending, message: Uint8Array, nowMs: number): Result<AcceptedPeer, HandshakeFailure> {
    const { hello, claim, challenge, transcript } = pending;
    if (message.length > MESSAGE_LIMITS.proof) return failure('handshake_malformed');
    // A clock that went behind its own challenge says nothing about how long the peer took.
    if (nowMs > challenge.expires || nowMs < pending.startedMs) return failure('handshake_expired');
    const opened = openJws(crypto, 'keepwatch-proof', claim.key, codec.toAscii(message));
    if (!opened.ok) return failure(opened.error === 'jws_signature' ? 'handshake_signature' : 'handshake_malformed');
    const proof = decodeProof(opened.value);
    if (!proof.ok) return failure(proof.error);
    if (!equalBytes(proof.value.transcript, transcript)) return failure('handshake_transcript');
    if (!tokenFits(pending.token, proof.value.token, transcript)) return failure('token_invalid');

    const keys = deriveSessionKeys(crypto, transcript, pending.x25519Shared, pending.mlkemShared);
    return ok({
      claim,
      nonce: challenge.nonce,
      head: hello.head,
      tokenProved: pending.token !== undefined,
      session: createSession(crypto, keys, 'keep', options.session),
    });
  }

  function tokenFits(asked: Uint8Array | undefined, given: Uint8Array | undefined, transcript: Uint8Array): boolean {
    if (!asked || !given) return asked === given;
    return equalBytes(given, tokenMac(crypto, asked, transcript));
  }

  return {
    receiveHello(message, nowMs) {
      const open = phase.at === 'hello';
      phase = { at: 'end' };
      return open ? answer(message, nowMs) : failure('handshake_out_of_order');
    },
    receiveProof(message, nowMs) {
      const before = phase;
      phase = { at: 'end' };
      return before.at === 'proof' ? finish(before.pending, message, nowMs) : failure('handshake_out_of_order');
    },
  };
}

/** What a peer with an unknown key would have been told, so that a bad signature tells no more. */
function refusalOf(wish: Wish): HandshakeCode {
  switch (wish) {
    case 'session':
      return 'peer_unknown';
    case 'register':
      // Whether the vault takes registrations is no secret, and any key may ask.
      return 'handshake_signature';
  }
}
