import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ETHER, makeVault, signParams, type TestPeer, type TestVault } from './test-vault.fixture.ts';

let v: TestVault;
let client: TestPeer;
let wallet: string;
beforeEach(async () => {
  v = await makeVault();
  await v.init();
  client = await v.client();
  wallet = (await v.wallet()).wallet;
  await v.grant(client, wallet);
});
afterEach(() => v.remove());

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a repeat', () => {
  it('voids a permitted request that a deny rule has forbidden since', async () => {
    const params = signParams(wallet, v.clock, { value: 3n });
    await v.signing.transaction(client.session, params);
    await v.command('grant.create', { grant: { kind: 'deny', client: 'any', wallet: 'any', chain: 'any' } });
    await expect(v.signing.transaction(client.session, params)).rejects.toEqual(code('request_voided'));
  });

  it('voids a permitted request whose grant has ended since', async () => {
    const other = (await v.wallet('short')).wallet;
    const untilMs = v.clock.now().wallMs + 30_000;
    await v.grant(client, other, {
      constraints: [
        { type: 'volume', asset: 'native', limit: ETHER.toString(), window: { ever: true } },
        { type: 'validity', fromMs: null, untilMs },
      ],
    });
    const params = signParams(other, v.clock, { value: 3n });
    const first = await v.signing.transaction(client.session, params);
    v.clock.pass(29_000);
    expect(await v.signing.transaction(client.session, params)).toEqual(first);
    v.clock.pass(1_000);
    await expect(v.signing.transaction(client.session, params)).rejects.toEqual(code('request_voided'));
  });

  it('voids a permitted request whose grant is gone, and keeps its nonce', async () => {
    const params = signParams(wallet, v.clock, { value: 3n });
    await v.signing.transaction(client.session, params);
    await v.command('grant.revoke', { grant: 'g1' });
    await expect(v.signing.transaction(client.session, params)).rejects.toEqual(code('request_voided'));
    await v.grant(client, wallet);
    await expect(v.signing.transaction(client.session, params)).rejects.toEqual(code('request_voided'));
    await expect(v.sign(client, wallet, { value: 4n })).rejects.toMatchObject({
      details: { reasons: [{ code: 'replacement_refused', why: 'another_intent' }] },
    });
  });
});
