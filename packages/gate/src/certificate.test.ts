import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateTlsKey, spkiFingerprint, tlsKeyFrom } from './certificate.ts';

describe('the certificate', () => {
  it('is one that OpenSSL reads, and signed by its own key', () => {
    const key = generateTlsKey();
    const certificate = new X509Certificate(key.certificate);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.subject).toBe('CN=keepwatch');
    expect(certificate.subjectAltName).toBe('DNS:keepwatch');
    expect(certificate.ca).toBe(false);
    expect(certificate.validTo).toBe('Dec 31 23:59:59 9999 GMT');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('is pinned by its key: the same key, freshly certified, has the same fingerprint', () => {
    const key = generateTlsKey();
    const again = tlsKeyFrom(key.privateKey);
    expect(again.certificate).not.toBe(key.certificate);
    expect(again.fingerprint).toBe(key.fingerprint);
    const spki = new X509Certificate(key.certificate).publicKey.export({ type: 'spki', format: 'der' });
    expect(key.fingerprint).toBe(createHash('sha256').update(spki).digest('base64url'));
    expect(spkiFingerprint(spki)).toBe(key.fingerprint);
    expect(generateTlsKey().fingerprint).not.toBe(key.fingerprint);
  });
});
