import type { SignedHeadJson } from '@keepwatch/protocol';
import { parseHead, verifyHeadChain } from '@keepwatch/wire';
import { afterEach, expect, it } from 'vitest';
import { sha256 } from '../crypto/wire-crypto.ts';
import { createVaults, type TestPeer, type TestVault } from '../vault/test-vault.fixture.ts';
import { readReceipts } from './journal.ts';
import { readContracts, readHeads, readStanding } from './observe.ts';

const { newVault, removeAll } = createVaults();
afterEach(removeAll);

async function observed() {
  const v = await newVault();
  await v.init();
  const client = await v.client('bot');
  const observer = await v.client('monitor');
  const { wallet } = await v.wallet();
  const other = (await v.wallet('other')).wallet;
  await v.grant(client, wallet);
  await v.grant(client, other);
  await v.command('peer.observe', { peer: observer.session.peer, wallets: [wallet] });
  return { v, client, observer, wallet, other };
}

const standing = (v: TestVault, { session }: TestPeer, wallet: string) =>
  readStanding(v.vault, session, { wallets: [wallet] });

async function priors(v: TestVault, { session }: TestPeer, wallet: string) {
  const { receipts } = await readReceipts(v.vault, session, { wallet, from: 1 });
  return receipts.map(({ seq, entry }) => [seq, (JSON.parse(entry) as { prior: number }).prior]);
}

it('each permit names the one before it of its wallet, whatever was signed for others in between', async () => {
  const { v, client, observer, wallet, other } = await observed();
  // Together, so that they share a batch.
  await Promise.all([0, 1].map((nonce) => v.sign(client, wallet, { nonce })));
  await v.sign(client, other);
  await v.sign(client, wallet, { nonce: 2 });
  const found = await priors(v, observer, wallet);
  expect(found).toHaveLength(3);
  expect(found.map(([, prior]) => prior)).toEqual([0, found[0]![0], found[1]![0]]);
  expect(standing(v, observer, wallet)).toMatchObject({ phase: 'unsealed', last: [{ wallet, seq: found[2]![0] }] });
});

it('says the last permit while sealed, to who observed the wallet, as long as the seal is the last entry', async () => {
  const { v, client, observer, wallet } = await observed();
  await v.sign(client, wallet);
  const { head, last } = standing(v, observer, wallet);
  await v.command('vault.seal', {});
  const sealed = standing(v, observer, wallet);
  expect(sealed).toMatchObject({ phase: 'sealed', last });
  expect(sealed.head!.lastSeq).toBe(head!.lastSeq + 1);
  expect(standing(v, client, wallet).last).toEqual([{ wallet, seq: null }]);
  const again = await v.reopen();
  expect(standing(again, observer, wallet)).toEqual(sealed);
});

it('a permit that stands in one batch with the seal is in what is said', async () => {
  const { v, client, observer, wallet } = await observed();
  const [signed] = await Promise.all([v.sign(client, wallet), v.command('vault.seal', {})]);
  expect(standing(v, observer, wallet).last).toEqual([{ wallet, seq: signed.receipt.seq }]);
});

it('a vault that was killed does not say what it cannot know', async () => {
  const { v, client, observer, wallet } = await observed();
  await v.command('vault.seal', {});
  await v.unseal();
  await v.sign(client, wallet);
  const killed = await v.reopen();
  expect(standing(killed, observer, wallet)).toMatchObject({ phase: 'sealed', last: [{ wallet, seq: null }] });
});

it('tells nobody of a wallet that is not theirs to observe', async () => {
  const { v, client, observer, other, wallet } = await observed();
  expect(() => standing(v, client, wallet)).toThrow();
  expect(() => standing(v, observer, other)).toThrow();
  expect(standing(v, v.operator, other).last).toEqual([{ wallet: other, seq: 0 }]);
});

it('shows the registered contracts to who observes a wallet, and to no other client', async () => {
  const { v, client, observer } = await observed();
  const entry = { chain: 'eip155:1', address: `0x${'70'.repeat(20)}`, name: 'usd', symbol: 'USD', decimals: 6 };
  await v.command('contract.register', { entry: { ...entry, standards: ['erc20'], functions: [] } });
  const list = ({ session }: TestPeer) => readContracts(v.vault, session, {});
  expect(list(observer)).toMatchObject({ contracts: [{ entry }], next: null });
  expect(() => list(client)).toThrow('may not call');
});

it('gives the heads that link what was known to what is, sealed or not', async () => {
  const { v, client, observer, wallet } = await observed();
  const known = standing(v, observer, wallet).head!;
  for (let nonce = 0; nonce < 3; nonce++) await v.sign(client, wallet, { nonce });
  await v.command('vault.seal', {});
  const now = standing(v, observer, wallet).head!;
  const { heads } = await readHeads(v.vault, { from: known.lastSeq + 1 });
  expect(heads.at(-1)).toEqual(now);
  const parsed = [known, ...heads].map((head: SignedHeadJson) => {
    const read = parseHead(head);
    if (!read.ok) throw new Error(read.error);
    return read.value;
  });
  expect(verifyHeadChain(parsed, sha256)).toEqual({ ok: true, value: undefined });
  expect((await readHeads(v.vault, { from: now.lastSeq + 1 })).heads).toEqual([]);
});
