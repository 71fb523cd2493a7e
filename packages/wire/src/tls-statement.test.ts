import { toBase64url, utf8 } from '@keepwatch/base';
import { wireCrypto } from '@keepwatch/sdk';
import { createTestVault } from '@keepwatch/testkit';
import { describe, expect, it } from 'vitest';
import { finishJws, signingInput } from './jws.ts';
import { MAX_TLS_STATEMENT_CHARS, openTlsStatement, signTlsStatement } from './tls-statement.ts';

const pin = (byte: number) => new Uint8Array(32).fill(byte);
const vault = createTestVault();
const parts = { receipt: vault.receipt.publicKey, counter: 3, previous: pin(1), current: pin(2), issuedAt: 99 };
const jws = signTlsStatement(wireCrypto.codec, vault.boot, parts);
const expected = { vault: vault.identity, after: 2, seen: pin(2) };
const open = (text: string, change: object = {}) => openTlsStatement(wireCrypto, text, { ...expected, ...change });

describe('a TLS statement', () => {
  it('gives the new pin to who knows the identity', () => {
    expect(open(jws)).toMatchObject({ ok: true, value: { counter: 3, current: pin(2), issuedAt: 99 } });
    expect(openTlsStatement(wireCrypto, jws, { vault: vault.identity, after: 2 }).ok).toBe(true);
  });

  it.each([
    ['of another vault', { vault: pin(9) }, 'tls_statement_identity'],
    ['that was accepted before', { after: 3 }, 'tls_statement_stale'],
    ['older than the last one', { after: 4 }, 'tls_statement_stale'],
    ['for another key than the connection’s', { seen: pin(1) }, 'tls_statement_other_key'],
  ])('%s is refused', (_name, change, error) => {
    expect(open(jws, change)).toEqual({ ok: false, error });
  });

  it('signed by another key is refused, even when it names this vault’s keys', () => {
    const other = createTestVault();
    const claimed = { publicKey: vault.boot.publicKey, sign: other.boot.sign };
    const forged = signTlsStatement(wireCrypto.codec, claimed, parts);
    expect(open(forged)).toEqual({ ok: false, error: 'tls_statement_signature' });
    const own = signTlsStatement(wireCrypto.codec, other.boot, parts);
    expect(open(own)).toEqual({ ok: false, error: 'tls_statement_identity' });
  });

  it('is refused when it is malformed', () => {
    const json = { v: 1, boot: toBase64url(vault.boot.publicKey), counter: 3 };
    const input = signingInput(wireCrypto.codec, 'keepwatch-tls-statement', 'EdDSA', utf8(JSON.stringify(json)));
    const short = finishJws(wireCrypto.codec, input, vault.boot.sign(utf8(input)));
    for (const text of ['', 'a.b.c', short, `${jws}${'A'.repeat(MAX_TLS_STATEMENT_CHARS)}`]) {
      expect(open(text)).toEqual({ ok: false, error: 'tls_statement_malformed' });
    }
    for (let at = 0; at < jws.length; at++) {
      const changed = jws.slice(0, at) + (jws[at] === 'A' ? 'B' : 'A') + jws.slice(at + 1);
      expect(open(changed).ok, `character ${at}`).toBe(false);
    }
  });
});
