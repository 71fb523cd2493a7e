import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '@keepwatch/sdk';
import {
  addClient,
  connectAs,
  connectOperator,
  createWallet,
  grant,
  setUpOperator,
  startVault,
  unseal,
  type SeatedOperator,
  type VaultProcess,
} from './index.ts';

let vault: VaultProcess;
let owner: SeatedOperator;

beforeAll(async () => {
  vault = await startVault();
  owner = await setUpOperator(vault);
});
afterAll(() => vault.stop());

it('signs for a client under a grant, and again after keep was killed', async () => {
  const person = await addClient(vault, owner.operator, 'shop');
  const { wallet, address } = await createWallet(owner.operator, 'till');
  const constraints = [{ type: 'volume' as const, asset: 'native', limit: '42002', window: { seconds: 3600 } }];
  const draft = { client: person.peer, wallet, chain: 'eip155:1', kind: 'ether-transfer' as const };
  await grant(owner.operator, { ...draft, recipients: 'any', constraints });
  const transaction = { chainId: 1, to: address, value: 1n, maxFeePerGas: 1n, maxPriorityFeePerGas: 0n };
  const before = createClient(await connectAs(vault, person));
  const first = await before.signTransaction({ wallet, transaction: { ...transaction, nonce: 0 } });

  vault.killKeep();
  await vault.keepReady(2);
  owner = await connectOperator(vault, owner.person);
  expect((await owner.operator.status()).phase).toBe('sealed');
  await unseal(owner.operator);

  const after = createClient(await connectAs(vault, person));
  const again = await after.signTransaction({ wallet, transaction: { ...transaction, nonce: 0 }, key: first.key });
  expect(again.hash).toBe(first.hash);
  await after.signTransaction({ wallet, transaction: { ...transaction, nonce: 1 } });
  await expect(after.signTransaction({ wallet, transaction: { ...transaction, nonce: 2 } })).rejects.toMatchObject({
    code: 'denied',
  });
});
