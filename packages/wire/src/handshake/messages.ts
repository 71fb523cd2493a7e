import {
  canonicalBytes,
  canonicalJson,
  err,
  fromBase64url,
  ok,
  toBase64url,
  utf8,
  type Json,
  type Result,
} from '@keepwatch/base';
import type { Role } from '@keepwatch/protocol';
import { LENGTHS, type IdentityKey } from '../crypto.ts';
import { bytesMember, exactMembers, isCount, isObject, parseCanonicalJson, type JsonObject } from '../strict-json.ts';

/**
 * The payloads of the three handshake messages. Each is canonical JSON with exact members and exact lengths, so that
 * there is one text for every message and whatever else arrives is refused before anything is computed.
 */

export const WIRE_VERSION = 2;

/** To work with the vault as a registered peer, or to ask to become one. */
export type Wish = 'session' | 'register';

/** Longest messages in bytes. A hello with an ML-DSA-65 key and a remembered head has about 14,000. */
export const MESSAGE_LIMITS = { hello: 24_576, challenge: 8_192, proof: 8_192 } as const;
/** Longest remembered head, as canonical JSON. */
const MAX_HEAD_CHARS = 2_048;

export interface Hello {
  readonly role: Role;
  readonly wish: Wish;
  readonly peer: IdentityKey;
  readonly x25519: Uint8Array;
  readonly mlkem768: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo that the peer's TLS connection ended at. */
  readonly tls: Uint8Array;
  /** Identity of the vault that the peer wants. */
  readonly vault: Uint8Array;
  /** The last signed head that the peer remembers. What it says is for others to judge. */
  readonly head: JsonObject | null;
}

export interface Challenge {
  readonly boot: Uint8Array;
  readonly receipt: Uint8Array;
  readonly nonce: number;
  readonly x25519: Uint8Array;
  readonly kem: Uint8Array;
  /** Milliseconds since the Unix epoch by the vault's clock; the vault judges it. */
  readonly expires: number;
  /** SHA-256 of the hello, as it arrived. */
  readonly hello: Uint8Array;
  readonly tls: Uint8Array;
}

export interface Proof {
  readonly transcript: Uint8Array;
  /** MAC under the bootstrap token, where one is to be proved. */
  readonly token: Uint8Array | undefined;
}

type Decoded<T> = Result<T, 'handshake_malformed' | 'handshake_version'>;

const malformed = err('handshake_malformed' as const);
const codec = { fromBase64url };

/** The members of this version's message; a payload of another version is told apart from one of no version. */
function versioned<K extends string>(payload: Uint8Array, names: readonly K[]): Decoded<{ readonly [key in K]: Json }> {
  const value = parseCanonicalJson(payload);
  if (!isObject(value) || !Object.hasOwn(value, 'v') || !isCount(value['v'] ?? null)) return malformed;
  if (value['v'] !== WIRE_VERSION) return err('handshake_version');
  const members = exactMembers(value, ['v', ...names]);
  return members ? ok(members) : malformed;
}

export function encodeHello(hello: Hello): Uint8Array {
  return canonicalBytes({
    v: WIRE_VERSION,
    role: hello.role,
    wish: hello.wish,
    peer: { alg: hello.peer.alg, key: toBase64url(hello.peer.publicKey) },
    x25519: toBase64url(hello.x25519),
    mlkem768: toBase64url(hello.mlkem768),
    tls: toBase64url(hello.tls),
    vault: toBase64url(hello.vault),
    head: hello.head,
  });
}

function decodeIdentityKey(value: Json): IdentityKey | undefined {
  const peer = exactMembers(value, ['alg', 'key']);
  if (!peer || (peer.alg !== 'EdDSA' && peer.alg !== 'ML-DSA-65')) return undefined;
  const publicKey = bytesMember(codec, peer.key, LENGTHS.publicKey[peer.alg]);
  return publicKey && { alg: peer.alg, publicKey };
}

export function decodeHello(payload: Uint8Array): Decoded<Hello> {
  const names = ['role', 'wish', 'peer', 'x25519', 'mlkem768', 'tls', 'vault', 'head'] as const;
  const members = versioned(payload, names);
  if (!members.ok) return members;
  const { role, wish, head, ...rest } = members.value;
  if (role !== 'operator' && role !== 'client') return malformed;
  if (wish !== 'session' && wish !== 'register') return malformed;
  if (head !== null && (!isObject(head) || canonicalJson(head).length > MAX_HEAD_CHARS)) return malformed;
  const peer = decodeIdentityKey(rest.peer);
  const x25519 = bytesMember(codec, rest.x25519, LENGTHS.x25519);
  const mlkem768 = bytesMember(codec, rest.mlkem768, LENGTHS.mlkem768EncapsulationKey);
  const tls = bytesMember(codec, rest.tls, LENGTHS.hash);
  const vault = bytesMember(codec, rest.vault, LENGTHS.hash);
  if (!peer || !x25519 || !mlkem768 || !tls || !vault) return malformed;
  return ok({ role, wish, peer, x25519, mlkem768, tls, vault, head });
}

export function encodeChallenge(challenge: Challenge): Uint8Array {
  return canonicalBytes({
    v: WIRE_VERSION,
    boot: toBase64url(challenge.boot),
    receipt: toBase64url(challenge.receipt),
    nonce: challenge.nonce,
    x25519: toBase64url(challenge.x25519),
    kem: toBase64url(challenge.kem),
    expires: challenge.expires,
    hello: toBase64url(challenge.hello),
    tls: toBase64url(challenge.tls),
  });
}

export function decodeChallenge(payload: Uint8Array): Decoded<Challenge> {
  const names = ['boot', 'receipt', 'nonce', 'x25519', 'kem', 'expires', 'hello', 'tls'] as const;
  const members = versioned(payload, names);
  if (!members.ok) return members;
  const { nonce, expires, ...rest } = members.value;
  if (!isCount(nonce) || !isCount(expires)) return malformed;
  const boot = bytesMember(codec, rest.boot, LENGTHS.publicKey.EdDSA);
  const receipt = bytesMember(codec, rest.receipt, LENGTHS.publicKey.EdDSA);
  const x25519 = bytesMember(codec, rest.x25519, LENGTHS.x25519);
  const kem = bytesMember(codec, rest.kem, LENGTHS.mlkem768Ciphertext);
  const hello = bytesMember(codec, rest.hello, LENGTHS.hash);
  const tls = bytesMember(codec, rest.tls, LENGTHS.hash);
  if (!boot || !receipt || !x25519 || !kem || !hello || !tls) return malformed;
  return ok({ boot, receipt, nonce, x25519, kem, expires, hello, tls });
}

export function encodeProof(proof: Proof): Uint8Array {
  return canonicalBytes({
    v: WIRE_VERSION,
    transcript: toBase64url(proof.transcript),
    token: proof.token ? toBase64url(proof.token) : null,
  });
}

export function decodeProof(payload: Uint8Array): Decoded<Proof> {
  const members = versioned(payload, ['transcript', 'token']);
  if (!members.ok) return members;
  const transcript = bytesMember(codec, members.value.transcript, LENGTHS.hash);
  const token = members.value.token === null ? undefined : bytesMember(codec, members.value.token, LENGTHS.hash);
  if (!transcript || (members.value.token !== null && !token)) return malformed;
  return ok({ transcript, token });
}

/** The remembered head as the transcript holds it: its canonical JSON, or nothing. */
export function headBytes(head: JsonObject | null): Uint8Array {
  return head === null ? new Uint8Array(0) : utf8(canonicalJson(head));
}
