import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { toHex } from '@keepwatch/base';
import type { GrantInfo, PeerInfo, VaultStatus, WalletInfo } from '@keepwatch/protocol';
import { encodeTransfer } from '@keepwatch/sdk';
import {
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializedEIP1559,
} from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommandLine, startDaemon, type CommandLine, type Daemon } from './fixtures/command-line.ts';

/** A vault's life from its first start, by the command alone: each test goes on where the one before it ended. */

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const PASSWORD = 'correct horse battery staple';
/** Published in BIP-39's own test vectors (Trezor): never a wallet with anything in it. */
const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';

let owner: CommandLine;
let bot: CommandLine;
let daemon: Daemon;
let data: string;
let passwordFile: string;

const status = () => owner.json<VaultStatus & { connection: string }>('vault', 'status');
const wallets = () => owner.json<{ wallets: WalletInfo[] }>('wallet', 'list').wallets;

function file(name: string, text: string): string {
  const path = join(owner.directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

beforeAll(async () => {
  owner = await createCommandLine();
  bot = owner.as('bot');
  data = join(owner.directory, 'vault');
  passwordFile = file('password', `${PASSWORD}\n`);
  daemon = await startDaemon(owner.directory, data);
});

afterAll(async () => {
  await daemon.stop();
  await owner.remove();
});

describe('the first operator', () => {
  it('joins by the token that only this user can read, once', () => {
    const token = join(data, 'keep', 'bootstrap_token');
    expect(statSync(token).mode & 0o777).toBe(0o600);
    expect(readFileSync(token, 'utf8').trim()).toBe(daemon.bootstrap);
    const bare = daemon.bootstrap!.replace(/&token=.*/, '');
    expect(owner.as('early').run(['operator', 'join', bare]).err).toMatch(/has no token[^]*token_invalid/);
    // A person is told both ways on: a new vault, or one from a backup.
    expect(owner.run(['operator', 'join', '--data', data]).out).toMatch(/vault init\n.*vault restore FILE/);
    expect(existsSync(token)).toBe(false);
    const late = owner.as('late').run(['operator', 'join', '--data', data]).err;
    expect(late).toMatch(/has its first operator[^]*operator join CONNECTION[^]*no_local_vault/);
    expect(owner.as('thief').fails('operator', 'join', daemon.bootstrap!)).toMatchObject({
      error: 'registration_closed',
    });
  });

  it('makes the vault under a password, and only once', () => {
    expect(status()).toMatchObject({ phase: 'uninitialised', counts: null });
    expect(owner.fails('wallet', 'create', 'main')).toEqual({ code: 4, error: 'vault_uninitialised' });
    owner.json('vault', 'init', '--password-file', passwordFile, '--kdf', 'interactive');
    expect(status()).toMatchObject({ phase: 'unsealed', counts: { operators: 1, clients: 0 } });
    expect(owner.fails('vault', 'init', '--password-file', passwordFile)).toMatchObject({ error: 'vault_initialised' });
  });

  it('keeps no secret in its logs and profile', () => {
    const { connection, bootstrap } = daemon;
    expect(bootstrap!.startsWith(connection)).toBe(true);
    const token = bootstrap!.slice(bootstrap!.indexOf('token='));
    expect(daemon.log()).not.toContain(token);
    expect(daemon.log()).not.toContain(PASSWORD);
    expect(readFileSync(join(owner.directory, 'owner/default/operator/vault.json'), 'utf8')).not.toContain(token);
  });
});

describe('wallets', () => {
  it('come from a mnemonic, from its further accounts, or from chance', () => {
    owner.json('wallet', 'create', 'main', '--words', '12');
    owner.json('wallet', 'derive', 'main', 'second');
    owner.json('wallet', 'create', 'hot', '--random', '--count', '2');
    expect(wallets().map(({ name, origin }) => [name, origin])).toEqual(
      expect.arrayContaining([
        ['main', 'mnemonic'],
        ['second', 'derived'],
        ['hot-1', 'random'],
        ['hot-2', 'random'],
      ]),
    );
  });

  it('are imported, and handed out again as they came', () => {
    // The first of the accounts that Hardhat and Anvil publish.
    const key = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
    owner.json('wallet', 'import', 'key', '--secret-file', file('key', key), '--nonce-floor', '1=42');
    owner.json(
      'wallet',
      'import',
      'words',
      '--mnemonic',
      '--passphrase',
      '--secret-file',
      file('words', `${WORDS}\nTREZOR\n`),
    );
    const addressOf = (name: string) => wallets().find((wallet) => wallet.name === name)?.address;
    expect(addressOf('key')).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
    for (const [name, text] of [
      ['key', `${key}\n`],
      ['words', `${WORDS}\nTREZOR\n`],
    ] as const) {
      const out = join(owner.directory, `${name}.backup`);
      owner.json('wallet', 'backup', name, '--password-file', passwordFile, '--out', out);
      expect(readFileSync(out, 'utf8')).toBe(text);
      expect(statSync(out).mode & 0o777).toBe(0o600);
      const again = ['wallet', 'backup', name, '--password-file', passwordFile, '--out', out];
      expect(owner.fails(...again)).toMatchObject({ error: 'file_unwritable' });
    }
  });

  it('are handed out for the password alone', () => {
    const args = ['wallet', 'backup', 'main', '--password-file', file('wrong', 'not the password'), '--out', '-'];
    const { code, out, err } = owner.run(args);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('(wrong_password)');
    expect(owner.run(['wallet', 'backup', 'main', '--password-file', passwordFile, '--out', '-']).out).toMatch(
      /^([a-z]+ ){11}[a-z]+\n$/,
    );
  });

  it('refuse what is no key and no mnemonic', () => {
    const bad = file('bad', WORDS.replace('yellow', 'zoo'));
    expect(owner.fails('wallet', 'import', 'x', '--mnemonic', '--secret-file', bad)).toMatchObject({
      error: 'secret_malformed',
    });
    expect(owner.fails('wallet', 'import', 'x', '--secret-file', bad)).toMatchObject({ error: 'usage_private_key' });
  });

  it('have one name each, and a nonce floor that never falls', () => {
    expect(owner.run(['wallet', 'create', '']).err).toMatch(/^ {2}name: .+$/m);
    owner.json('wallet', 'rename', 'second', 'spare');
    expect(owner.fails('wallet', 'rename', 'spare', 'main')).toMatchObject({ error: 'name_taken' });
    expect(owner.fails('wallet', 'floor', 'key', '1', '41')).toMatchObject({ error: 'nonce_floor_falls' });
  });
});

const signing = (value: string, nonce: string) => [
  ...['client', 'sign', '--wallet', 'main', '--to', ALICE, '--value', value, '--chain', '31337'],
  ...['--nonce', nonce, '--max-fee-per-gas', '20gwei'],
];

describe('a client', () => {
  it('has to be approved by its id or name, and granted something', () => {
    const { peer } = bot.json<{ peer: string }>('client', 'register', daemon.connection, '--name', 'bot');
    expect(bot.fails(...signing('1eth', '0'))).toMatchObject({ error: 'peer_unknown' });
    expect(bot.run(['client', 'register', daemon.connection, '--name', 'bot']).out).toContain('client approve');
    owner.json('client', 'approve', peer);
    const again = bot.run(['client', 'register', daemon.connection, '--name', 'bot']);
    expect([again.code, again.out]).toEqual([
      0,
      `This profile is a client of the vault already. Its id: ${peer}\nNext: keepwatch client grants\n`,
    ]);
    const list = owner.json<{ peers: PeerInfo[] }>('client', 'list').peers;
    expect(list).toMatchObject([{ peer, name: 'bot', state: 'registered' }]);
    expect(bot.fails(...signing('1eth', '0'))).toMatchObject({ code: 2, error: 'usage_unknown_name' });
  });

  it('has a transaction signed within its grant, by the wallet’s key', async () => {
    const grant = ['grant', 'create', '--client', 'bot', '--wallet', 'main', '--chain', '31337', '--to', ALICE];
    const limits = ['--volume', '2eth/1d', '--count', '3/1h', '--max-fee', '0.01eth', '--label', 'payouts'];
    expect(owner.json(...grant, ...limits)).toMatchObject({ grant: 'g1' });
    const receiptFile = join(owner.directory, 'receipt.json');
    // Where the receipt has no place nothing is signed, and so nothing is spent.
    const taken = file('taken.json', '{}');
    for (const path of [taken, join(owner.directory, 'missing', 'receipt.json')]) {
      expect(bot.fails(...signing('0.5eth', '0'), '--receipt-out', path)).toEqual({
        code: 1,
        error: 'file_unwritable',
      });
    }
    const signed = bot.json<{ transaction: string; hash: string; decision: { grant: string } }>(
      ...signing('0.5eth', '0'),
      '--receipt-out',
      receiptFile,
    );
    const unsigned = encodeTransfer({
      chainId: 31337,
      nonce: 0,
      to: ALICE,
      value: 500_000_000_000_000_000n,
      maxFeePerGas: 20_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
    });
    const { address } = wallets().find(({ name }) => name === 'main')!;
    const serialized = signed.transaction as TransactionSerializedEIP1559;
    expect(keccak256(serialized)).toBe(signed.hash);
    const { r: _r, s: _s, v: _v, yParity: _yParity, ...asked } = parseTransaction(serialized);
    expect(serializeTransaction(asked)).toBe(`0x${toHex(unsigned)}`);
    const signer = await recoverTransactionAddress({ serializedTransaction: serialized });
    expect(signer.toLowerCase()).toBe(address);
    const { budgets } = owner.json<GrantInfo>('grant', 'show', 'payouts');
    expect(budgets.map(({ rule, left }) => [rule, left])).toEqual([
      ['volume', '1499580000000000000'],
      ['count', '2'],
      ['max-fee', null],
    ]);
  });

  it('is told which rule of which grant denies, and what is left', () => {
    const noReceipt = join(owner.directory, 'none.json');
    const { code, err } = bot.run([...signing('1.5eth', '1'), '--receipt-out', noReceipt]);
    expect(code).toBe(3);
    expect(existsSync(noReceipt)).toBe(false);
    expect(err).toContain('grant g1');
    expect(err).toContain('1.49958 ETH left');
    const denied = bot.run([
      ...signing('0.1eth', '1').map((word) => (word === ALICE ? `0x${'11'.repeat(20)}` : word)),
      '--json',
    ]);
    expect(JSON.parse(denied.err)).toMatchObject({
      error: { code: 'denied', details: { reasons: [{ grant: 'g1', code: 'recipient_not_permitted' }] } },
    });
  });

  it('gets the first answer again for the same key, and an error for another request with it', () => {
    const first = bot.json<{ key: string; transaction: string }>(...signing('0.1eth', '1'));
    expect(bot.json(...signing('0.1eth', '1'), '--key', first.key)).toEqual(first);
    const other = bot.fails(...signing('0.2eth', '1'), '--key', first.key);
    expect(other).toMatchObject({ error: 'idempotency_key_reused' });
    // What is signed is answered, though the node that should send it is not there.
    const unsent = bot.run([
      '--json',
      ...signing('0.1eth', '1'),
      '--key',
      first.key,
      '--broadcast',
      'http://127.0.0.1:1',
    ]);
    expect(JSON.parse(unsent.out)).toMatchObject({ transaction: first.transaction, key: first.key, mined: null });
    expect(JSON.parse(unsent.err)).toMatchObject({ error: { code: 'node_unreachable' } });
  });

  it('follows a wallet only with the observer’s right, from the first receipt on', async () => {
    expect(bot.fails('client', 'follow', 'main')).toMatchObject({ error: 'not_allowed' });
    owner.json('client', 'observe', 'bot', '--wallet', 'main');
    const following = bot.start('--json', 'client', 'follow', 'main');
    const lines = createInterface({ input: following.stdout! })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value as string) as { seq: number; entry: string };
    const seen = [await next(), await next(), await next(), await next()];
    expect(seen.map(({ entry }) => (JSON.parse(entry) as { type: string }).type)).toEqual([
      'request.permitted',
      'request.denied',
      'request.denied',
      'request.permitted',
    ]);
    // One that comes while it follows.
    bot.fails(...signing('5eth', '2'));
    expect((await next()).seq).toBe(seen[3]!.seq + 2);
    following.kill('SIGINT');
    expect(await once(following, 'exit')).toEqual([0, null]);
    owner.json('client', 'observe', 'bot');
  });
});

describe('the journal', () => {
  it('verifies, and comes out whole', () => {
    const { entries } = owner.json<{ entries: number; foldMatches: boolean }>('journal', 'verify');
    const lines = owner.run(['journal', 'export']).out.trim().split('\n');
    expect(lines).toHaveLength(entries);
    const types = lines.map((line) => (JSON.parse(line) as { entry: { type: string } }).entry.type);
    expect(types.slice(0, 3)).toEqual(['vault.initialised', 'peer.registered', 'vault.unsealed']);
    const tail = owner.json<{ entries: { seq: number }[] }>('journal', 'tail', '--lines', '4').entries;
    expect(tail.map(({ seq }) => seq)).toEqual([entries - 3, entries - 2, entries - 1, entries]);
  });

  it('gives receipts that hold without the vault, and no others', () => {
    const path = join(owner.directory, 'receipt.json');
    expect(owner.json('journal', 'check-receipt', path)).toMatchObject({ entry: { type: 'request.permitted' } });
    expect(bot.json('journal', 'check-receipt', path, '--client')).toMatchObject({ holds: true });
    const { seq } = JSON.parse(readFileSync(path, 'utf8')) as { seq: number };
    expect(owner.fails('journal', 'receipt', '9999')).toEqual({ code: 1, error: 'journal_entry_unknown' });
    expect(owner.json('journal', 'receipt', String(seq))).toEqual(JSON.parse(readFileSync(path, 'utf8')));
    const forged = file('forged.json', readFileSync(path, 'utf8').replace('500000000000000000', '900000000000000000'));
    expect(owner.fails('journal', 'check-receipt', forged)).toEqual({ code: 5, error: 'receipt_path_mismatch' });
  });
});

describe('sealing', () => {
  it('stops everything but the way back', () => {
    owner.json('vault', 'seal');
    expect(status()).toMatchObject({ phase: 'sealed' });
    expect(bot.fails(...signing('0.1eth', '2'))).toMatchObject({ code: 4 });
    const wrong = ['vault', 'unseal', '--password-file', join(owner.directory, 'wrong')];
    expect(owner.fails(...wrong)).toEqual({ code: 1, error: 'wrong_password' });
    owner.json('vault', 'unseal', '--password-file', passwordFile);
    bot.json(...signing('0.1eth', '2'));
  });

  it('outlives the daemon: a new start is sealed and knows everything', async () => {
    const listen = new URL(daemon.connection.replace('keepwatch:', 'http:')).host;
    expect(await daemon.stop()).toBe(0);
    expect(owner.fails('vault', 'status')).toEqual({ code: 4, error: 'connection_failed' });
    daemon = await startDaemon(owner.directory, data, listen);
    expect(status()).toMatchObject({ phase: 'sealed' });
    owner.json('vault', 'unseal', '--password-file', passwordFile);
    expect(owner.json<GrantInfo>('grant', 'show', 'g1').budgets[1]).toMatchObject({ rule: 'count', left: '0' });
  });
});

describe('what protects the vault', () => {
  it('can be changed: password, root key, TLS key, idle time', () => {
    const next = file('next', 'another long password');
    owner.json('vault', 'password', '--password-file', passwordFile, '--new-password-file', next);
    owner.json('vault', 'rotate-root', '--password-file', next);
    owner.json('vault', 'configure', '--idle-seal', '30m');
    owner.json('vault', 'confirm-time');
    expect(status()).toMatchObject({ idleSealSeconds: 1_800 });
    owner.json('vault', 'seal');
    expect(owner.fails('vault', 'unseal', '--password-file', passwordFile)).toMatchObject({ error: 'wrong_password' });
    owner.json('vault', 'unseal', '--password-file', next);
    passwordFile = next;
  });

  it('peers follow a new TLS key by the keep’s signature, and not by faith', () => {
    owner.json('vault', 'rotate-tls');
    expect(status()).toMatchObject({ phase: 'unsealed' });
    // The client was not there when it happened.
    expect(bot.json('client', 'grants')).toMatchObject({ grants: [{ grant: 'g1' }] });
    // The owner hands out a string with the new key.
    expect(status().connection).not.toBe(daemon.connection);
    // Somebody who has nothing but the old string finds the statement as well.
    expect(owner.as('late').json('client', 'register', daemon.connection, '--name', 'late')).toMatchObject({
      state: 'proposed',
    });
    owner.json('client', 'reject', 'late');
  });

  it('is reported by the doctor', () => {
    const { findings } = owner.json<{ findings: { check: string; state: string }[] }>('doctor', '--data', data);
    const states = new Map(findings.map(({ check, state }) => [check, state]));
    expect(states.get('data directory')).toBe('good');
    const nowhere = owner.json<{ findings: { check: string; state: string }[] }>('doctor', '--data', `${data}-nowhere`);
    expect(nowhere.findings).toContainEqual(expect.objectContaining({ check: 'data directory', state: 'warning' }));
    expect(states.get('belt: no network')).toBe('good');
  });
});

describe('operators', () => {
  it('approve each other, and leave at least one', () => {
    const deputy = owner.as('deputy');
    const { peer } = deputy.json<{ peer: string }>('operator', 'join', daemon.connection, '--name', 'deputy');
    expect(deputy.fails('vault', 'status')).toMatchObject({ error: 'peer_unknown' });
    owner.json('operator', 'approve', 'deputy');
    expect(deputy.json('operator', 'whoami')).toMatchObject({ peer, name: 'deputy' });
    owner.json('operator', 'rename', 'first operator', 'owner');
    deputy.json('operator', 'revoke', 'owner');
    expect(owner.fails('vault', 'status')).toMatchObject({ error: 'peer_unknown' });
    // A revoked key stays revoked: nobody can approve it, so nobody is told to.
    const revoked = owner.run(['operator', 'join', daemon.connection, '--name', 'owner']);
    expect([revoked.code, revoked.out]).toEqual([1, '']);
    expect(revoked.err).toContain('(peer_unknown)');
    expect(deputy.run(['operator', 'join', daemon.connection]).out).toContain('You are an operator of this vault.');
    expect(deputy.fails('operator', 'revoke', 'deputy')).toMatchObject({ error: 'last_operator' });
    owner = deputy;
  });
});

describe('a backup', () => {
  it('brings everything back elsewhere, and signs nothing before its owner has spoken', async () => {
    const path = join(owner.directory, 'vault.backup');
    const others = readdirSync(owner.directory);
    expect(owner.fails('vault', 'backup', path, '--password-file', join(owner.directory, 'wrong'))).toMatchObject({
      error: 'wrong_password',
    });
    // Nothing stays of one that failed, so its name is free for the next try.
    expect(readdirSync(owner.directory)).toEqual(others);
    owner.json('vault', 'backup', path, '--password-file', passwordFile);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(owner.fails('vault', 'backup', path, '--password-file', passwordFile)).toMatchObject({
      error: 'file_unwritable',
    });
    const before = wallets();
    await daemon.stop();
    data = join(owner.directory, 'restored');
    daemon = await startDaemon(owner.directory, data);
    owner = owner.as('heir');
    owner.json('operator', 'join', '--data', data);
    const empty = file('empty.backup', '');
    expect(owner.fails('vault', 'restore', empty, '--password-file', passwordFile)).toMatchObject({
      error: 'backup_malformed',
    });
    expect(owner.fails('vault', 'restore', path, '--password-file', join(owner.directory, 'wrong'))).toMatchObject({
      error: 'wrong_password',
    });
    owner.json('vault', 'restore', path, '--password-file', passwordFile);
    expect(status()).toMatchObject({ phase: 'unsealed', signingFrozen: { reason: expect.any(String) } });
    expect(wallets()).toEqual(before);

    // Nothing is revoked by saying nothing: what would be is listed, and has to be asked for.
    const bare = owner.run(['vault', 'resume', '--nonce-floor', 'main=31337=3']);
    expect([bare.code, bare.err]).toEqual([
      2,
      `keepwatch: Nobody is named who stays, so all of this would be revoked.
  operators: deputy
  clients: bot
  grants: g1 (payouts)
  Say who and what stays: --operator, --client and --grant, or --all-peers and --all-grants, or --none.
  (usage_option_missing)
`,
    ]);
    expect(owner.fails('vault', 'resume', '--all-grants')).toEqual({ code: 2, error: 'usage_option_missing' });
    expect(owner.fails('vault', 'resume', '--none', '--client', 'bot')).toEqual({
      code: 2,
      error: 'usage_options_conflict',
    });
    const alone = owner.run(['vault', 'resume', '--grant', 'g1']);
    expect([alone.code, alone.err]).toEqual([
      2,
      expect.stringContaining('(--client bot), or keep all with --all-peers'),
    ]);
    expect(status()).toMatchObject({
      signingFrozen: { reason: expect.any(String) },
      counts: { clients: 1, grants: 1 },
    });
    const resumed = owner.run([
      ...['vault', 'resume', '--client', 'bot', '--grant', 'g1', '--nonce-floor', 'main=31337=3'],
    ]);
    expect(resumed.out).toBe('Signing goes on. In force: 1 operator, 1 client and 1 grant. Revoked: 1 operator.\n');
    expect(owner.fails('vault', 'resume')).toEqual({ code: 1, error: 'not_frozen' });
    expect(status()).toMatchObject({ signingFrozen: null, counts: { operators: 1, clients: 1, grants: 1 } });
    expect(owner.json<GrantInfo>('grant', 'show', 'g1').budgets[0]).toMatchObject({ left: '0' });
    expect(owner.json('journal', 'verify')).toMatchObject({ foldMatches: true });
  });

  it('is noticed by a client that knew the vault under another identity', () => {
    expect(bot.fails('client', 'grants')).toMatchObject({ code: 4 });
    expect(bot.fails('client', 'register', daemon.connection, '--name', 'bot')).toEqual({
      code: 5,
      error: 'identity_mismatch',
    });
    const { connection } = status();
    expect(bot.json('client', 'register', connection, '--name', 'bot')).toMatchObject({ state: 'registered' });
    expect(bot.json('client', 'grants')).toMatchObject({ grants: [{ grant: 'g1' }] });
  });
});
