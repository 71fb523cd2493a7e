import { describe, expect, it } from 'vitest';
import { formatConnectionString, parseConnectionString } from './connection-string.ts';

const b64 = (byte: number) => Buffer.alloc(32, byte).toString('base64url');
const plain = { host: '127.0.0.1', port: 7401, tls: b64(1), id: b64(2) };

describe('connection string', () => {
  it.each([plain, { ...plain, token: b64(3) }, { ...plain, host: '::1' }, { ...plain, host: 'vault.example.org' }])(
    'parses what it formats: %j',
    (parts) => {
      expect(parseConnectionString(formatConnectionString(parts))).toEqual({ ok: true, value: parts });
    },
  );

  it.each([
    '',
    'https://127.0.0.1:1?tls=x',
    `keepwatch://127.0.0.1:0?tls=${b64(1)}&id=${b64(2)}`,
    `keepwatch://127.0.0.1:70000?tls=${b64(1)}&id=${b64(2)}`,
    `keepwatch://127.0.0.1:1?tls=${b64(1)}`,
    `keepwatch://127.0.0.1:1?tls=${b64(1)}&id=${b64(2)}&id=${b64(2)}`,
    `keepwatch://127.0.0.1:1?tls=${b64(1)}&id=${b64(2)}&other=1`,
    `keepwatch://127.0.0.1:1?tls=${b64(1)}&id=${b64(2).slice(1)}`,
    `keepwatch://user@host:1?tls=${b64(1)}&id=${b64(2)}`,
  ])('refuses %s', (text) => {
    expect(parseConnectionString(text)).toMatchObject({ ok: false, error: { code: 'connection_string_invalid' } });
  });
});
