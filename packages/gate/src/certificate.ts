import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { toBase64url, utf8 } from '@keepwatch/base';
import {
  derBitString,
  derBoolean,
  derExplicit,
  derGeneralizedTime,
  derImplicit,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derUnsigned,
  derUtcTime,
  derUtf8,
} from './der.ts';

/**
 * A TLS key and its certificate. The certificate says nothing that anyone should believe: peers pin the key (its
 * SubjectPublicKeyInfo, RFC 7469 §2.4) and ask the keep beneath for its identity.
 */
export interface TlsKey {
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  /** X.509, PEM. */
  readonly certificate: string;
  /** base64url of the SHA-256 of the SubjectPublicKeyInfo: what a connection string carries as `tls`. */
  readonly fingerprint: string;
}

const ECDSA_WITH_SHA256 = derSequence(derOid('1.2.840.10045.4.3.2'));
const COMMON_NAME = derOid('2.5.4.3');
const KEY_USAGE = derOid('2.5.29.15');
const EXTENDED_KEY_USAGE = derOid('2.5.29.37');
const BASIC_CONSTRAINTS = derOid('2.5.29.19');
const SUBJECT_ALT_NAME = derOid('2.5.29.17');
const SERVER_AUTH = derOid('1.3.6.1.5.5.7.3.1');

/** ECDSA on P-256: the one curve that every TLS 1.3 client must speak (RFC 8446 §9.1); browsers refuse Ed25519. */
export function generateTlsKey(): TlsKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return tlsKeyFrom(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
}

/** The same key under a freshly written certificate. */
export function tlsKeyFrom(privateKeyPem: string): TlsKey {
  const privateKey = createPrivateKey(privateKeyPem);
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const certified = certifiedPart(spki);
  const signature = sign('sha256', certified, privateKey);
  const der = derSequence(certified, ECDSA_WITH_SHA256, derBitString(signature));
  return { privateKey: privateKeyPem, certificate: pem('CERTIFICATE', der), fingerprint: spkiFingerprint(spki) };
}

/** SHA-256 of a DER SubjectPublicKeyInfo, base64url. */
export function spkiFingerprint(spki: Uint8Array): string {
  return toBase64url(createHash('sha256').update(spki).digest());
}

/** TBSCertificate (RFC 5280 §4.1.2): version 3, self-issued, valid until the date that means "no end" (§4.1.2.5). */
function certifiedPart(spki: Uint8Array): Uint8Array {
  const name = derSequence(derSet(derSequence(COMMON_NAME, derUtf8('keepwatch'))));
  const digitalSignature = derBitString(new Uint8Array([0x80]), 7);
  const dnsName = derImplicit(2, utf8('keepwatch'));
  return derSequence(
    derExplicit(0, derUnsigned(new Uint8Array([2]))),
    derUnsigned(randomBytes(16)),
    ECDSA_WITH_SHA256,
    name,
    derSequence(derUtcTime('200101000000Z'), derGeneralizedTime('99991231235959Z')),
    name,
    spki,
    derExplicit(
      3,
      derSequence(
        critical(BASIC_CONSTRAINTS, derSequence()),
        critical(KEY_USAGE, digitalSignature),
        derSequence(EXTENDED_KEY_USAGE, derOctetString(derSequence(SERVER_AUTH))),
        derSequence(SUBJECT_ALT_NAME, derOctetString(derSequence(dnsName))),
      ),
    ),
  );
}

function critical(oid: Uint8Array, value: Uint8Array): Uint8Array {
  return derSequence(oid, derBoolean(true), derOctetString(value));
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
