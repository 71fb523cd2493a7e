import { toBase64url, utf8 } from '@keepwatch/base';
import { signerFromSeed, wireCrypto } from '@keepwatch/sdk';
import { describe, expect, it } from 'vitest';
import { openCommand, signCommand, type Command } from './command.ts';
import { finishJws, signingInput } from './jws.ts';

const vault = toBase64url(new Uint8Array(32).fill(1));
const command: Command = {
  vault,
  method: 'grant.create',
  params: { grant: { limit: '5' } },
  expires: 2_000,
  expects: 7,
  id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
};
const context = { vault, nowMs: 1_000, maxLifetimeMs: 60_000 };
const invalid = { ok: false, error: 'command_invalid' };
const expired = { ok: false, error: 'command_expired' };

describe.each(['EdDSA', 'ML-DSA-65'] as const)('a command signed by %s', (alg) => {
  const signer = signerFromSeed(alg, new Uint8Array(32).fill(1));

  it('opens as it was signed', async () => {
    const jws = await signCommand(wireCrypto.codec, signer, command);
    expect(openCommand(wireCrypto, signer, jws, context)).toEqual({ ok: true, value: command });
  });

  it('opens for nobody else', async () => {
    const jws = await signCommand(wireCrypto.codec, signer, command);
    const other = signerFromSeed(alg, new Uint8Array(32).fill(2));
    expect(openCommand(wireCrypto, other, jws, context)).toEqual(invalid);
    expect(openCommand(wireCrypto, signer, jws, { ...context, vault: 'other' })).toEqual(invalid);
  });

  it('is void when it expired, and when it would stay valid longer than its id is remembered', async () => {
    const jws = await signCommand(wireCrypto.codec, signer, command);
    const at = (nowMs: number) => openCommand(wireCrypto, signer, jws, { ...context, nowMs });
    expect(at(1_999).ok).toBe(true);
    expect(at(2_000)).toEqual(expired);
    const eternal = await signCommand(wireCrypto.codec, signer, { ...command, expires: 61_001 });
    expect(openCommand(wireCrypto, signer, eternal, context)).toEqual(expired);
  });
});

describe('a command’s form', () => {
  const signer = signerFromSeed('EdDSA', new Uint8Array(32).fill(1));
  const signed = async (payload: object) => {
    const input = signingInput(wireCrypto.codec, 'keepwatch-command', 'EdDSA', utf8(JSON.stringify(payload)));
    return finishJws(wireCrypto.codec, input, await signer.sign(utf8(input)));
  };
  const sorted = (json: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)));

  it.each([
    ['a member more', { ...command, sudo: true }],
    ['a member less', { ...command, expects: undefined }],
    ['a version that is no count', { ...command, expects: -1 }],
    ['an expiry as text', { ...command, expires: '2000' }],
    ['an id of another version', { ...command, id: '017f22e2-79b0-4cc3-98c4-dc0c0c07398f' }],
    ['parameters that are no object', { ...command, params: [] }],
    ['a method that is no text', { ...command, method: 1 }],
  ])('with %s is invalid', async (_name, json) => {
    expect(openCommand(wireCrypto, signer, await signed(sorted(json)), context)).toEqual(invalid);
  });

  it('is canonical', async () => {
    expect(openCommand(wireCrypto, signer, await signed(sorted({ ...command })), context).ok).toBe(true);
    expect(openCommand(wireCrypto, signer, await signed(command), context)).toEqual(invalid);
  });
});
