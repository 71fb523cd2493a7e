import { err, ok, toBase64url, utf8, type Result } from '@keepwatch/base';
import { verifySignature, type IdentityKey, type SignatureAlg, type WireCodec, type WireCrypto } from './crypto.ts';

/**
 * Compact JWS (RFC 7515 §7.1), in the one shape that Keepwatch uses. What a header may say is decided by the reader's
 * state, never by the header: it must be, letter for letter, the one text that belongs to the expected type and
 * algorithm. So `none`, an exchanged algorithm, `jwk`, `jku`, `x5c`, `crit`, `b64`, `zip` and whatever else a header
 * could carry are all refused by one comparison (RFC 8725 §3.1, §3.11).
 */

export type JwsType =
  'keepwatch-hello' | 'keepwatch-challenge' | 'keepwatch-proof' | 'keepwatch-command' | 'keepwatch-tls-statement';

export type JwsError = 'jws_malformed' | 'jws_signature';

const headers = new Map<string, string>();

/** The base64url of the protected header, the same constant at both ends. */
export function jwsHeader(typ: JwsType, alg: SignatureAlg): string {
  const name = `${typ} ${alg}`;
  let header = headers.get(name);
  if (header === undefined) {
    header = toBase64url(utf8(`{"typ":"${typ}","alg":"${alg}"}`));
    headers.set(name, header);
  }
  return header;
}

/** The text that the signature covers (RFC 7515 §5.1, step 5). */
export function signingInput(codec: WireCodec, typ: JwsType, alg: SignatureAlg, payload: Uint8Array): string {
  return `${jwsHeader(typ, alg)}.${codec.toBase64url(payload)}`;
}

export function finishJws(codec: WireCodec, input: string, signature: Uint8Array): string {
  return `${input}.${codec.toBase64url(signature)}`;
}

/** What a JWS of this type says about itself *before* its signature was looked at: to find the key, nothing more. */
export function unverifiedPayload(codec: WireCodec, jws: string): Uint8Array | undefined {
  const first = jws.indexOf('.');
  const second = jws.indexOf('.', first + 1);
  if (first < 0 || second < 0) return undefined;
  return codec.fromBase64url(jws.slice(first + 1, second));
}

/** The payload, if it was signed by this key as this type. */
export function openJws(
  crypto: Pick<WireCrypto, 'ed25519Verify' | 'mldsa65Verify' | 'codec'>,
  typ: JwsType,
  key: IdentityKey,
  jws: string,
): Result<Uint8Array, JwsError> {
  const header = jwsHeader(typ, key.alg);
  const second = jws.indexOf('.', header.length + 1);
  if (!jws.startsWith(`${header}.`) || second < 0) return err('jws_malformed');
  const payload = crypto.codec.fromBase64url(jws.slice(header.length + 1, second));
  const signature = crypto.codec.fromBase64url(jws.slice(second + 1));
  if (!payload || !signature) return err('jws_malformed');
  const input = crypto.codec.fromAscii(jws.slice(0, second));
  return verifySignature(crypto, key, input, signature) ? ok(payload) : err('jws_signature');
}
