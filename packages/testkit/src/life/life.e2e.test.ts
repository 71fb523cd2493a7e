import { cpSync, rmSync, statSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseConnectionString } from '@keepwatch/protocol';
import { createClient, createOperator, type CheckedReceipt, type Client, type Connection } from '@keepwatch/sdk';
import {
  addClient,
  connectAs,
  connectOperator,
  createPerson,
  createWallet,
  grant,
  setUpOperator,
  startVault,
  unseal,
  type SeatedOperator,
  type VaultProcess,
  type Wallet,
} from '../world/index.ts';

/** A vault's life as its peers see it: everything through real processes and the SDK. */

const CHAIN = 'eip155:1';
const TO = `0x${'22'.repeat(20)}`;
const open: Connection[] = [];

async function clientOf(vault: VaultProcess, person: Parameters<typeof connectAs>[1]): Promise<Client> {
  const connection = await connectAs(vault, person);
  open.push(connection);
  return createClient(connection);
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

const pay = (client: Client, { wallet }: Wallet, nonce: number, value = 1n) =>
  client.signTransaction({
    wallet,
    transaction: { chainId: 1, nonce, to: TO, value, maxFeePerGas: 1n, maxPriorityFeePerGas: 0n },
  });

const allow = (owner: SeatedOperator, client: string, { wallet }: Wallet) =>
  grant(owner.operator, {
    client,
    wallet,
    chain: CHAIN,
    kind: 'ether-transfer',
    recipients: [TO],
    constraints: [{ type: 'volume', asset: 'native', limit: '1000000000', window: { seconds: 86_400 } }],
  });

describe('one vault', () => {
  let vault: VaultProcess;
  let owner: SeatedOperator;
  beforeAll(async () => {
    vault = await startVault();
    owner = await setUpOperator(vault);
  });
  afterAll(() => vault.stop());

  it('keeps its files to itself, and the token’s file goes with the token', () => {
    for (const [name, mode] of [
      ['keep', 0o40700],
      ['gate', 0o40700],
      ['keep/vault.db', 0o100600],
      ['keep/boot.key', 0o100600],
    ] as const) {
      expect(statSync(join(vault.dataDir, name)).mode, name).toBe(mode);
    }
    expect(() => statSync(join(vault.dataDir, 'keep/bootstrap_token'))).toThrow('ENOENT');
  });

  it('ends a revoked client’s session at once, and its grants with it', async () => {
    const person = await addClient(vault, owner.operator, 'revoked');
    const wallet = await createWallet(owner.operator, 'revoked');
    await allow(owner, person.peer, wallet);
    const connection = await connectAs(vault, person);
    const client = createClient(connection);
    await pay(client, wallet, 0);
    await owner.operator.command('peer.revoke', { peer: person.peer });
    await expect(connection.closed).resolves.toBeDefined();
    await expect(pay(client, wallet, 1)).rejects.toThrow();
    await expect(connectAs(vault, person)).rejects.toMatchObject({ code: 'peer_unknown' });
    const { grants } = await owner.connection.call('grant.list', {});
    expect(grants.some(({ draft }) => 'client' in draft && draft.client === person.peer)).toBe(false);
  });

  it('registers a second operator by the first one’s approval, and it commands like the first', async () => {
    const second = createPerson('second', 'operator');
    const asking = await connectAs(vault, second, { wish: 'register' });
    const { peer } = await asking.call('peer.register', { name: 'second', role: 'operator' });
    await expect(asking.call('peer.list', {})).rejects.toMatchObject({ code: 'not_allowed' });
    await asking.close();
    await expect(connectAs(vault, second)).rejects.toMatchObject({ code: 'peer_unknown' });
    await owner.operator.command('peer.approve', { peer, role: 'operator', name: 'second' });
    const seated = await connectOperator(vault, second);
    open.push(seated.connection);
    await seated.operator.command('vault.configure', { idleSealSeconds: 86_400 });
    expect((await owner.operator.status()).idleSealSeconds).toBe(86_400);
  });

  it('lets a client follow the receipts of a wallet that it may observe, without gaps, and of no other', async () => {
    const payer = await addClient(vault, owner.operator, 'payer');
    const watcher = await addClient(vault, owner.operator, 'watcher');
    const wallet = await createWallet(owner.operator, 'watched');
    const other = await createWallet(owner.operator, 'unwatched');
    await allow(owner, payer.peer, wallet);
    await allow(owner, payer.peer, other);
    const paying = await clientOf(vault, payer);
    await pay(paying, wallet, 0);
    const watching = await clientOf(vault, watcher);
    const early = watching.observe(wallet.wallet, { from: 1, onReceipt() {} });
    await expect(early.done).rejects.toMatchObject({ code: 'not_allowed' });
    await owner.operator.command('peer.observe', { peer: watcher.peer, wallets: [wallet.wallet] });
    const seen: CheckedReceipt[] = [];
    let enough: () => void = () => undefined;
    const four = new Promise<void>((resolve) => (enough = resolve));
    const following = watching.observe(wallet.wallet, {
      from: 1,
      onReceipt(receipt) {
        if (seen.push(receipt) === 4) enough();
      },
    });
    await pay(paying, wallet, 1);
    await pay(paying, other, 0);
    await expect(pay(paying, wallet, 2, 10n ** 18n)).rejects.toMatchObject({ code: 'denied' });
    await pay(paying, wallet, 3);
    await four;
    following.stop();
    expect(seen.map(({ entry }) => [entry['type'], entry['nonce']])).toEqual([
      ['request.permitted', 0],
      ['request.permitted', 1],
      ['request.denied', 2],
      ['request.permitted', 3],
    ]);
    const forbidden = watching.observe(other.wallet, { from: 1, onReceipt() {} });
    await expect(forbidden.done).rejects.toMatchObject({ code: 'not_allowed' });
  });

  it('rotates its TLS key: peers on the line are told, others follow the keep’s signed statement', async () => {
    const person = await addClient(vault, owner.operator, 'follower');
    const away = await connectAs(vault, person);
    await away.close();
    const before = vault.connection();
    await owner.operator.command('vault.rotate-tls', {});
    await owner.operator.command('vault.rotate-tls', {});
    // The string that the client holds names a key two rotations old.
    const back = await connectAs(vault, person, { connectionString: before });
    open.push(back);
    await expect(back.call('vault.status', {})).resolves.toMatchObject({ phase: 'unsealed' });
    // A statement under another identity convinces nobody.
    const parsed = parseConnectionString(before);
    if (!parsed.ok) throw new Error('no connection string');
    const foreign = before.replace(parsed.value.id, Buffer.alloc(32, 7).toString('base64url'));
    const stranger = createPerson('stranger', 'client');
    await expect(connectAs(vault, stranger, { connectionString: foreign })).rejects.toThrow();
  });

  it('says that keep is unavailable when it dies, and goes on from its journal when it is back', async () => {
    const person = await addClient(vault, owner.operator, 'steady');
    const wallet = await createWallet(owner.operator, 'steady');
    await allow(owner, person.peer, wallet);
    const connection = await connectAs(vault, person);
    const first = await pay(createClient(connection), wallet, 0);
    const starts = vault.keepStarts();
    vault.killKeep();
    const why = await connection.closed;
    expect(JSON.stringify(why)).toContain('keep_unavailable');
    await vault.keepReady(starts + 1);
    owner = await connectOperator(vault, owner.person);
    expect((await owner.operator.status()).phase).toBe('sealed');
    const sealed = await clientOf(vault, person);
    await expect(pay(sealed, wallet, 1)).rejects.toMatchObject({ code: 'vault_sealed' });
    await unseal(owner.operator);
    const again = await sealed.signTransaction({
      wallet: wallet.wallet,
      transaction: { chainId: 1, nonce: 0, to: TO, value: 1n, maxFeePerGas: 1n, maxPriorityFeePerGas: 0n },
      key: first.key,
    });
    expect(again.hash).toBe(first.hash);
    expect(await owner.operator.query('journal.verify', {})).toMatchObject({ foldMatches: true });
  });

  it('stops signing the moment an operator seals it', async () => {
    const person = await addClient(vault, owner.operator, 'panic');
    const wallet = await createWallet(owner.operator, 'panic');
    await allow(owner, person.peer, wallet);
    const client = await clientOf(vault, person);
    await pay(client, wallet, 0);
    await owner.operator.command('vault.seal', {});
    await expect(pay(client, wallet, 1)).rejects.toMatchObject({ code: 'vault_sealed' });
    await unseal(owner.operator);
    await pay(client, wallet, 1);
  });
});

describe('an old database put back', () => {
  it('is noticed by what any peer remembers, and refuses to sign until an operator has looked', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-old-'));
    const copy = mkdtempSync(join(tmpdir(), 'keepwatch-copy-'));
    try {
      let vault = await startVault({ dataDir });
      let owner = await setUpOperator(vault);
      const person = await addClient(vault, owner.operator, 'bot');
      const wallet = await createWallet(owner.operator, 'main');
      await allow(owner, person.peer, wallet);
      await vault.stop();
      cpSync(join(dataDir, 'keep'), copy, { recursive: true });

      vault = await startVault({ dataDir });
      owner = await connectOperator(vault, owner.person);
      await unseal(owner.operator);
      const connection = await connectAs(vault, person);
      await pay(createClient(connection), wallet, 0);
      await connection.close();
      await vault.stop();
      rmSync(join(dataDir, 'keep'), { recursive: true });
      cpSync(copy, join(dataDir, 'keep'), { recursive: true });

      vault = await startVault({ dataDir });
      // An operator that has seen nothing of the lost entries would not notice; the client does.
      const forgetful = { ...owner.person, memory: createPerson('x', 'operator').memory };
      owner = await connectOperator(vault, forgetful);
      await unseal(owner.operator);
      const client = await clientOf(vault, person);
      await expect(pay(client, wallet, 0)).rejects.toMatchObject({ code: 'signing_frozen' });
      expect((await owner.operator.status()).signingFrozen?.reason).toContain('remembers');
      await vault.stop();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

describe('a lost TLS key', () => {
  it('lets nobody in until somebody on the machine has it replaced, and then peers follow the keep’s word', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-tls-'));
    try {
      let vault = await startVault({ dataDir });
      const port = vault.port();
      const { person } = await setUpOperator(vault);
      const known = vault.connection();
      await vault.stop();
      rmSync(join(dataDir, 'gate'), { recursive: true });
      vault = await startVault({ dataDir, port });
      await expect(connectAs(vault, person, { connectionString: known })).rejects.toMatchObject({
        code: 'tls_pin_mismatch',
      });
      await vault.stop();
      vault = await startVault({ dataDir, port, keepArgs: ['--adopt-tls'] });
      const connection = await connectAs(vault, person, { connectionString: known });
      await expect(connection.call('vault.status', {})).resolves.toMatchObject({ phase: 'sealed' });
      await connection.close();
      await vault.stop();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

describe.runIf(process.getuid?.() === 0)('two users (as root)', () => {
  it('runs keep and gate as users of their own, and says so', async () => {
    const vault = await startVault({
      keepUser: { uid: 61_001, gid: 61_001 },
      gateUser: { uid: 61_002, gid: 61_002 },
      dataDir: mkdtempSync('/var/tmp/keepwatch-users-'),
    });
    try {
      const { keep, gate } = vault.pids();
      expect([statSync(`/proc/${keep}/task`).uid, statSync(`/proc/${gate}/task`).uid]).toEqual([61_001, 61_002]);
      const owner = await setUpOperator(vault);
      const { findings } = await createOperator(owner.connection, owner.person.identity).query('doctor.report', {});
      expect(findings.find(({ check }) => check === 'users')?.state).toBe('good');
      expect(statSync(join(vault.dataDir, 'keep/vault.db')).uid).toBe(61_001);
    } finally {
      await vault.stop();
      rmSync(vault.dataDir, { recursive: true, force: true });
    }
  });
});
