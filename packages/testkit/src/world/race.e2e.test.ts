import { randomBytes } from 'node:crypto';
import { createClient, denialOf, type Client } from '@keepwatch/sdk';
import { uuidV7 } from '@keepwatch/wire';
import { parseTransaction, recoverTransactionAddress, type TransactionSerialized } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  addClient,
  connectAs,
  connectOperator,
  createWallet,
  grant,
  setUpOperator,
  startVault,
  unseal,
  type Person,
  type SeatedOperator,
  type VaultProcess,
} from './index.ts';

// 64 clients over 64 connections ask a real vault at once for what one budget cannot pay. `npm run test:sim -- --only
// budget` tries many thousand orders of the same race; here are the sockets, the processes and the disk.

const CLIENTS = 64;
const ASKS = 4;
/** What one transfer takes: a value, and 21,000 gas at 1 wei. */
const CHARGE = 1_000n + 21_000n;
/** Enough for a quarter of them, and a bit. */
const FITS = 61n;
const LIMIT = FITS * CHARGE + CHARGE - 1n;
const BOB = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';

let vault: VaultProcess;
let owner: SeatedOperator;
let people: readonly (Person & { readonly peer: string })[];

beforeAll(async () => {
  vault = await startVault();
  owner = await setUpOperator(vault);
  people = [];
  for (let i = 0; i < CLIENTS; i++) people = [...people, await addClient(vault, owner.operator, `racer ${i}`)];
}, 240_000);

afterAll(() => vault?.stop());

const volume = (limit: bigint) => ({
  ...{ type: 'volume' as const, asset: 'native', limit: limit.toString(), window: { ever: true as const } },
});

interface Ask {
  readonly nonce: number;
  readonly key: string;
}

/** What each of the people asks for, one after the other. */
type Asks = ReadonlyMap<Person, readonly Ask[]>;

type Outcome = `0x${string}` | 'denied' | 'lost';

/** `during` runs once, when 20 of them have their signature. */
async function race(wallet: string, asks: Asks, during?: () => void): Promise<readonly Outcome[]> {
  const clients = await Promise.all(
    [...asks].map(async ([person, list]) => [createClient(await connectAs(vault, person)), list] as const),
  );
  const transfer = { chainId: 1, to: BOB, value: 1_000n, maxFeePerGas: 1n, maxPriorityFeePerGas: 0n };
  let signatures = 0;
  async function ask(client: Client, { nonce, key }: Ask): Promise<Outcome> {
    try {
      const { raw } = await client.signTransaction({ wallet, transaction: { ...transfer, nonce }, key });
      if (++signatures === 20) during?.();
      return `0x${Buffer.from(raw).toString('hex')}`;
    } catch (error) {
      const denial = denialOf(error);
      if (denial === undefined) return 'lost';
      expect(denial.reasons.map(({ code }) => code)).toEqual(['volume_exceeded']);
      return 'denied';
    }
  }
  const outcomes = await Promise.all(
    clients.map(async ([client, list]) => {
      const found: Outcome[] = [];
      for (const each of list) found.push(await ask(client, each));
      return found;
    }),
  );
  return outcomes.flat();
}

/** What was signed, once each, whoever got it, by this wallet. */
async function total(outcomes: readonly Outcome[], address: string): Promise<{ count: bigint; leaves: bigint }> {
  const raws = new Set(outcomes.filter((each) => each !== 'denied' && each !== 'lost'));
  let leaves = 0n;
  for (const raw of raws) {
    const { value = 0n, gas = 0n, maxFeePerGas = 0n } = parseTransaction(raw);
    leaves += value + gas * maxFeePerGas;
    const signer = await recoverTransactionAddress({ serializedTransaction: raw as TransactionSerialized });
    expect(signer.toLowerCase()).toBe(address);
  }
  return { count: BigInt(raws.size), leaves };
}

const allAsks = (): Asks =>
  new Map(
    people.map((person, i) => [
      person,
      Array.from({ length: ASKS }, (_, j) => ({ nonce: j * CLIENTS + i, key: uuidV7(Date.now(), randomBytes) })),
    ]),
  );

it('a group’s grant never signs more than its limit, and all that fits', async () => {
  const { wallet, address } = await createWallet(owner.operator, 'shared');
  for (const { peer } of people) await owner.operator.command('peer.groups', { peer, groups: ['racers'] });
  await grant(owner.operator, {
    ...{ client: { group: 'racers' }, wallet, chain: 'eip155:1', kind: 'ether-transfer', recipients: [BOB] },
    constraints: [volume(LIMIT)],
  });
  const outcomes = await race(wallet, allAsks());
  expect(outcomes).not.toContain('lost');
  const { count, leaves } = await total(outcomes, address);
  expect(leaves).toBeLessThanOrEqual(LIMIT);
  expect(count).toBe(FITS);
}, 240_000);

it('a wallet’s cap holds over 64 grants, though keep is killed in the middle and everybody asks again', async () => {
  const { wallet, address } = await createWallet(owner.operator, 'capped');
  for (const { peer: client } of people) {
    await grant(owner.operator, {
      ...{ client, wallet, chain: 'eip155:1', kind: 'ether-transfer', recipients: [BOB] },
      constraints: [volume(LIMIT * 10n)],
    });
  }
  await grant(owner.operator, { kind: 'cap', wallet, chain: 'eip155:1', constraints: [volume(LIMIT)] });
  const asks = allAsks();
  const first = await race(wallet, asks, () => vault.killKeep());
  await vault.keepReady(2);
  owner = await connectOperator(vault, owner.person);
  await unseal(owner.operator);
  // Who lost the answer asks again, by the same key: what was journaled before is not charged once more.
  const second = await race(wallet, asks);
  expect(first).toContain('lost');
  expect(second).not.toContain('lost');
  const { count, leaves } = await total([...first, ...second], address);
  expect(leaves).toBeLessThanOrEqual(LIMIT);
  expect(count).toBe(FITS);
}, 240_000);
