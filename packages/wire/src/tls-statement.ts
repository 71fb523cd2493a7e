import { canonicalBytes, equalBytes, err, fromBase64url, ok, toBase64url, type Result } from '@keepwatch/base';
import { LENGTHS, type BootSigner, type WireCodec, type WireCrypto } from './crypto.ts';
import { keepIdentity } from './handshake/transcript.ts';
import { finishJws, openJws, signingInput, unverifiedPayload } from './jws.ts';
import { bytesMember, exactMembers, isCount, parseCanonicalJson } from './strict-json.ts';

/**
 * The keep's word that its edge has a new TLS key. A peer that remembers the old pin gets it over the connection that
 * it does not trust, and takes over the new pin if the statement is signed under the identity it knows.
 */
export interface TlsStatement {
  /** Both public keys, from which the vault's identity follows. */
  readonly boot: Uint8Array;
  readonly receipt: Uint8Array;
  /** Rises with every rotation. */
  readonly counter: number;
  /** SPKI SHA-256 before and after, 32 bytes each. */
  readonly previous: Uint8Array;
  readonly current: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly issuedAt: number;
}

/** Where the edge serves the current statement, over HTTP. */
export const TLS_STATEMENT_PATH = '/.well-known/keepwatch/tls';
/** Longest statement in characters. */
export const MAX_TLS_STATEMENT_CHARS = 2_048;

export type TlsStatementError =
  | 'tls_statement_malformed'
  | 'tls_statement_identity'
  | 'tls_statement_signature'
  /** Not newer than what the peer remembers: a statement put back, perhaps with a stolen old key. */
  | 'tls_statement_stale'
  /** It speaks of another key than the one that the connection ended at. */
  | 'tls_statement_other_key';

const MEMBERS = ['v', 'boot', 'receipt', 'counter', 'previous', 'current', 'issuedAt'] as const;

export function signTlsStatement(codec: WireCodec, boot: BootSigner, statement: Omit<TlsStatement, 'boot'>): string {
  const payload = canonicalBytes({
    v: 1,
    boot: toBase64url(boot.publicKey),
    receipt: toBase64url(statement.receipt),
    counter: statement.counter,
    previous: toBase64url(statement.previous),
    current: toBase64url(statement.current),
    issuedAt: statement.issuedAt,
  });
  const input = signingInput(codec, 'keepwatch-tls-statement', 'EdDSA', payload);
  return finishJws(codec, input, boot.sign(codec.fromAscii(input)));
}

export interface TlsStatementExpectation {
  /** Identity of the vault, 32 bytes. */
  readonly vault: Uint8Array;
  /** The counter of the last statement that was accepted, 0 for none. */
  readonly after: number;
  /** The key that an untrusted connection really ended at; absent where the statement came through a session. */
  readonly seen?: Uint8Array;
}

export function openTlsStatement(
  crypto: Pick<WireCrypto, 'sha256' | 'ed25519Verify' | 'mldsa65Verify' | 'codec'>,
  jws: string,
  expected: TlsStatementExpectation,
): Result<TlsStatement, TlsStatementError> {
  const statement = jws.length <= MAX_TLS_STATEMENT_CHARS ? decode(crypto.codec, jws) : undefined;
  if (!statement) return err('tls_statement_malformed');
  const identity = keepIdentity(crypto.sha256, statement.boot, statement.receipt);
  if (!equalBytes(identity, expected.vault)) return err('tls_statement_identity');
  const opened = openJws(crypto, 'keepwatch-tls-statement', { alg: 'EdDSA', publicKey: statement.boot }, jws);
  if (!opened.ok) return err(opened.error === 'jws_signature' ? 'tls_statement_signature' : 'tls_statement_malformed');
  if (statement.counter <= expected.after) return err('tls_statement_stale');
  if (expected.seen && !equalBytes(statement.current, expected.seen)) return err('tls_statement_other_key');
  return ok(statement);
}

function decode(wire: WireCodec, jws: string): TlsStatement | undefined {
  const payload = unverifiedPayload(wire, jws);
  const members = payload && exactMembers(parseCanonicalJson(payload), MEMBERS);
  if (!members || members.v !== 1 || !isCount(members.counter) || !isCount(members.issuedAt)) return undefined;
  const codec = { fromBase64url };
  const boot = bytesMember(codec, members.boot, LENGTHS.publicKey.EdDSA);
  const receipt = bytesMember(codec, members.receipt, LENGTHS.publicKey.EdDSA);
  const previous = bytesMember(codec, members.previous, LENGTHS.hash);
  const current = bytesMember(codec, members.current, LENGTHS.hash);
  if (!boot || !receipt || !previous || !current) return undefined;
  return { boot, receipt, counter: members.counter, previous, current, issuedAt: members.issuedAt };
}
