import { utf8 } from '@keepwatch/base';
import { signerFromSeed, wireCrypto } from '@keepwatch/sdk';
import { verify, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { finishJws, openJws, signingInput } from './jws.ts';

const { codec } = wireCrypto;
const signer = signerFromSeed('EdDSA', new Uint8Array(32).fill(4));
const payload = utf8('{"a":1}');
const b64 = (text: string) => Buffer.from(text).toString('base64url');

/** A JWS with any header at all, properly signed over it. */
async function signedWith(header: string): Promise<string> {
  const input = `${b64(header)}.${codec.toBase64url(payload)}`;
  return finishJws(codec, input, await signer.sign(utf8(input)));
}

describe('a JWS', () => {
  const good = async () => {
    const input = signingInput(codec, 'keepwatch-command', signer.alg, payload);
    return finishJws(codec, input, await signer.sign(utf8(input)));
  };

  it('opens under the type, algorithm and key that it was signed with', async () => {
    const opened = openJws(wireCrypto, 'keepwatch-command', signer, await good());
    expect(opened.ok && Buffer.from(opened.value).toString()).toBe('{"a":1}');
  });

  it('is what any reader of RFC 7515 verifies', async () => {
    const [header, body, signature] = (await good()).split('.') as [string, string, string];
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ typ: 'keepwatch-command', alg: 'EdDSA' });
    const x = Buffer.from(signer.publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it.each([
    '{"typ":"keepwatch-command","alg":"none"}',
    '{"typ":"keepwatch-command","alg":"HS256"}',
    '{"typ":"keepwatch-command","alg":"ML-DSA-65"}',
    '{"typ":"keepwatch-proof","alg":"EdDSA"}',
    '{"alg":"EdDSA","typ":"keepwatch-command"}',
    '{"typ":"keepwatch-command","alg":"EdDSA" }',
    '{"typ":"keepwatch-command","alg":"EdDSA","jwk":{"kty":"OKP"}}',
    '{"typ":"keepwatch-command","alg":"EdDSA","jku":"https://example.org"}',
    '{"typ":"keepwatch-command","alg":"EdDSA","x5c":[]}',
    '{"typ":"keepwatch-command","alg":"EdDSA","kid":"1"}',
    '{"typ":"keepwatch-command","alg":"EdDSA","crit":["b64"],"b64":false}',
    '{"typ":"keepwatch-command","alg":"EdDSA","zip":"DEF"}',
    '',
  ])('with the header %s is refused though its signature holds', async (header) => {
    const opened = openJws(wireCrypto, 'keepwatch-command', signer, await signedWith(header));
    expect(opened).toEqual({ ok: false, error: 'jws_malformed' });
  });

  it('opens under no other key, type or algorithm', async () => {
    const jws = await good();
    const other = signerFromSeed('EdDSA', new Uint8Array(32).fill(5));
    expect(openJws(wireCrypto, 'keepwatch-command', other, jws)).toEqual({ ok: false, error: 'jws_signature' });
    expect(openJws(wireCrypto, 'keepwatch-proof', signer, jws)).toEqual({ ok: false, error: 'jws_malformed' });
    const confused = { alg: 'ML-DSA-65', publicKey: signer.publicKey } as const;
    expect(openJws(wireCrypto, 'keepwatch-command', confused, jws)).toEqual({ ok: false, error: 'jws_malformed' });
  });

  it('with any byte changed, cut or added does not open', async () => {
    const jws = await good();
    for (let at = 0; at < jws.length; at++) {
      for (const char of ['A', 'z', '.', '=', 'é']) {
        if (jws[at] === char) continue;
        const changed = jws.slice(0, at) + char + jws.slice(at + 1);
        expect(openJws(wireCrypto, 'keepwatch-command', signer, changed).ok, `${char} at ${at}`).toBe(false);
      }
      expect(openJws(wireCrypto, 'keepwatch-command', signer, jws.slice(0, at)).ok).toBe(false);
    }
    for (const added of [`${jws}A`, `${jws}.`, `${jws}=`, ` ${jws}`, `${jws}\n`]) {
      expect(openJws(wireCrypto, 'keepwatch-command', signer, added).ok).toBe(false);
    }
  });
});
