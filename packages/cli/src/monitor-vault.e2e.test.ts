import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatConnectionString, parseConnectionString } from '@keepwatch/protocol';
import { startHttpService, type HttpService } from '@keepwatch/devnet';
import { toHex, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCommandLine, startDaemon, type CommandLine, type Daemon } from './fixtures/command-line.ts';
import { startAnvil, type Anvil } from './story/anvil.ts';

/** The spend that the keep did not sign: a vault, a chain, a monitor and a thief, by the real commands. */

const KEY: Hex = `0x${'4b'.repeat(32)}`;
const account = privateKeyToAccount(KEY);
const PAYEE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const TOKEN: Hex = `0x${'70'.repeat(20)}`;
const TRANSFER = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const SLOW = { timeout: 120_000, interval: 250 };

interface Detail {
  readonly kind: string;
  readonly nonce?: string | null;
  readonly by?: string;
  readonly why?: string;
  readonly amends?: string | null;
  readonly over?: boolean;
  readonly upTo?: readonly { readonly vault: string; readonly sealed: boolean }[];
}
interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly detail: Detail;
}

/** An edge that was taken over: it can hold back everything, and forge nothing. */
async function startEdge(to: () => number) {
  let holds = false;
  const open = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(to(), '127.0.0.1');
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('data', (chunk) => void (holds || into.write(chunk)));
      from.on('close', () => (open.delete(from), into.destroy()));
      from.on('error', () => into.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    hold: (yes: boolean) => {
      holds = yes;
      if (!yes) for (const socket of open) socket.destroy();
    },
    stop: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

describe('a monitor that follows a vault', { timeout: 600_000 }, () => {
  let owner: CommandLine;
  let bot: CommandLine;
  let vault: Daemon;
  let anvil: Anvil;
  let edge: Awaited<ReturnType<typeof startEdge>>;
  let hooks: HttpService;
  let monitor: ChildProcess | undefined;
  let port: number;

  const file = (name: string, content: string) => {
    const path = join(owner.directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const at = () => ['--data', join(owner.directory, 'monitor')];
  const password = () => ['--password-file', join(owner.directory, 'password')];
  const data = () => join(owner.directory, 'vault');

  /** The receivers live in this process: it must not wait for a command with its eyes shut. */
  const ask = <T>(who: CommandLine, ...args: readonly string[]) => who.ask<T>(...args);

  async function startMonitor(): Promise<void> {
    // What is in no block is another matter: a spend that was sighted is not taken back with its block.
    const evm = [{ chainId: 31_337, upstreams: [{ url: anvil.url }], pendingSeconds: 0 }];
    const config = file('chain.json', JSON.stringify({ network: 'main', sources: [], evm }));
    monitor = owner.start('--json', 'monitor', 'run', ...at(), '--http', 'off', '--config', config);
    const lines = createInterface({ input: monitor.stdout! })[Symbol.asyncIterator]();
    const { value } = (await lines.next()) as { value?: string };
    expect(JSON.parse(value ?? '{}')).toMatchObject({ event: 'running' });
  }
  async function killMonitor(): Promise<void> {
    const ended = once(monitor!, 'exit');
    monitor!.kill('SIGKILL');
    await ended;
  }

  const findings = async () =>
    (
      await ask<{ findings: { finding: Finding }[] }>(owner, 'findings', 'list', '--limit', '1000', ...at())
    ).findings.map(({ finding }) => finding);
  const awaitFinding = (what: Partial<Detail>) =>
    vi.waitFor(async () => {
      const found = (await findings()).filter(({ detail }) => expect.objectContaining(what).asymmetricMatch(detail));
      expect(found.map(({ detail }) => detail.kind)).toHaveLength(1);
      return found[0]!;
    }, SLOW);

  /** Who has the key needs no vault. */
  async function steal(): Promise<bigint> {
    const nonce = BigInt((await anvil.call('eth_getTransactionCount', [account.address, 'latest'])) as string);
    const raw = await account.signTransaction({
      ...{ type: 'eip1559', chainId: 31_337, nonce: Number(nonce), gas: 21_000n, to: PAYEE, value: 7n },
      ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n },
    });
    await anvil.call('eth_sendRawTransaction', [raw]);
    return nonce;
  }
  const signed = () =>
    ask<{ hash: string; decision: { nonce: number } }>(
      ...([bot, 'client', 'sign', '--wallet', 'hot', '--to', PAYEE, '--value', '0.001eth'] as const),
      ...['--chain', '31337', '--broadcast', anvil.url],
    );

  beforeAll(async () => {
    owner = await createCommandLine();
    bot = owner.as('bot');
    anvil = await startAnvil({ PATH: process.env['PATH'], HOME: owner.directory });
    hooks = await startHttpService(() => ({ status: 200 }));
    await anvil.call('anvil_setBalance', [account.address, toHex(10n ** 20n)]);
    file('password', 'correct horse battery staple\n');
    vault = await startDaemon(owner.directory, data());
    const parsed = parseConnectionString(vault.connection);
    if (!parsed.ok) throw new Error(parsed.error.code);
    port = parsed.value.port;
    edge = await startEdge(() => port);
    await ask(owner, 'operator', 'join', '--data', data());
    await ask(owner, 'vault', 'init', ...password());
    await ask(owner, 'wallet', 'import', 'hot', '--secret-file', file('key', KEY), '--nonce-floor', '31337=0');
    await ask(bot, 'client', 'register', vault.connection, '--name', 'bot');
    await ask(owner, 'client', 'approve', 'bot');
    await ask(
      owner,
      ...[
        'grant',
        'create',
        '--client',
        'bot',
        '--wallet',
        'hot',
        '--chain',
        '31337',
        '--to',
        PAYEE,
        '--volume',
        '1eth/1d',
      ],
    );

    await ask(owner, 'monitor', 'init', '--key', 'file', ...at());
    const watched = ['--evm', account.address, '--chain', '31337', '--token', `${TOKEN}:USD:0`];
    await ask(owner, 'watch', 'add', 'hot', ...watched, ...at());
    const ca = file('ca.pem', hooks.ca);
    await ask(owner, 'channel', 'add', 'hook', '--webhook', hooks.url, '--ca', ca, '--untested', ...at());
    const through = formatConnectionString({ ...parsed.value, port: edge.port });
    const { peer } = await ask<{ peer: string }>(owner, 'monitor', 'vault', 'add', 'keep', through, ...at());
    await ask(owner, 'client', 'approve', peer);
    await ask(owner, 'client', 'observe', peer, '--wallet', 'hot');
    await startMonitor();
    await vi.waitFor(async () => {
      const { vaults } = await ask<{ vaults: { phase: string; wallets: object[] }[] }>(
        owner,
        'monitor',
        'vault',
        'list',
        ...at(),
      );
      expect(vaults).toMatchObject([{ phase: 'unsealed', wallets: [{ address: account.address.toLowerCase() }] }]);
      const { evm } = await ask<{ evm: { block: number | null }[] }>(owner, 'watch', 'list', ...at());
      expect(evm[0]!.block).not.toBe(null);
    }, SLOW);
  }, 240_000);
  afterAll(async () => {
    monitor?.kill('SIGKILL');
    edge?.stop();
    await vault?.stop();
    await anvil?.process.stop();
    await hooks?.stop();
    await owner?.remove();
  });

  it('knows a spend that the vault signed, by its very bytes', async () => {
    const { decision } = await signed();
    const found = await awaitFinding({ kind: 'signed-spend', nonce: String(decision.nonce) });
    expect(found).toMatchObject({ severity: 'info', detail: { by: 'bytes', amends: null } });
  });

  it('tells of a spend that it did not sign, by a channel and within seconds', async () => {
    const nonce = String(await steal());
    const found = await awaitFinding({ kind: 'unsigned-spend', nonce });
    expect(found).toMatchObject({ severity: 'critical', detail: { why: 'no-permit', upTo: [{ vault: 'keep' }] } });
    await vi.waitFor(() => {
      expect(hooks.calls.filter(({ body }) => body.includes('THE VAULT DID NOT SIGN THIS SPEND'))).toHaveLength(1);
    }, SLOW);
  });

  it('tells of tokens that somebody takes by an allowance that was never signed', async () => {
    const word = (value: string) => value.slice(2).toLowerCase().padStart(64, '0');
    const code = [
      ...['602a5f52', `73${PAYEE.slice(2)}`, `73${account.address.slice(2)}`, `7f${TRANSFER}`],
      ...['60205fa3', '60205ff3'],
    ].join('');
    await anvil.call('anvil_setCode', [TOKEN, `0x${code}`]);
    const [taker] = (await anvil.call('eth_accounts', [])) as [string];
    const take = `0x23b872dd${word(account.address)}${word(PAYEE)}${word('0x2a')}`;
    await anvil.call('eth_sendTransaction', [{ from: taker, to: TOKEN, data: take, gas: toHex(200_000n) }]);
    const found = await awaitFinding({ kind: 'unsigned-spend', why: 'no-allowance' });
    expect(found.severity).toBe('critical');
  });

  it('accuses nobody while an edge holds back what the vault says, and concludes when it is heard again', async () => {
    edge.hold(true);
    const nonce = String(await steal());
    const silent = await awaitFinding({ kind: 'vault-silent', nonce });
    expect((await findings()).some(({ detail }) => detail.kind === 'unsigned-spend' && detail.nonce === nonce)).toBe(
      false,
    );
    // A killed monitor forgets neither the question nor what it told.
    await killMonitor();
    await startMonitor();
    edge.hold(false);
    const found = await awaitFinding({ kind: 'unsigned-spend', nonce });
    expect(found.detail.amends).toBe(silent.id);
  });

  it('takes back that a vault was silent when it says that it signed', async () => {
    edge.hold(true);
    const { decision } = await signed();
    const nonce = String(decision.nonce);
    const silent = await awaitFinding({ kind: 'vault-silent', nonce });
    edge.hold(false);
    const found = await awaitFinding({ kind: 'signed-spend', nonce });
    expect(found.detail.amends).toBe(silent.id);
  });

  it('concludes from the head that records that the vault was sealed', async () => {
    await ask(owner, 'vault', 'seal');
    await awaitFinding({ kind: 'vault-sealed', over: false });
    const nonce = String(await steal());
    const found = await awaitFinding({ kind: 'unsigned-spend', nonce });
    expect(found.detail.upTo).toMatchObject([{ vault: 'keep', sealed: true }]);
    await ask(owner, 'vault', 'unseal', ...password());
    await awaitFinding({ kind: 'vault-sealed', over: true });
  });

  it('concludes nothing false when the keep is killed after it signed, before anybody heard of it', async () => {
    edge.hold(true);
    const { decision } = await signed();
    const keep = readdirSync('/proc').find((pid) => {
      try {
        const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
        return parent === String(vault.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keep/src/main');
      } catch {
        return false;
      }
    });
    process.kill(Number(keep), 'SIGKILL');
    const nonce = String(decision.nonce);
    edge.hold(false);
    // Started anew it is sealed, and cannot say what it signed last.
    const silent = await awaitFinding({ kind: 'vault-silent', nonce });
    await ask(owner, 'vault', 'unseal', ...password());
    const found = await awaitFinding({ kind: 'signed-spend', nonce });
    expect(found.detail.amends).toBe(silent.id);
    expect((await findings()).some(({ detail }) => detail.kind === 'unsigned-spend' && detail.nonce === nonce)).toBe(
      false,
    );
  });

  it('says what a sealed vault had not signed when it was gone afterwards, and settles it when it is back', async () => {
    await ask(owner, 'vault', 'seal');
    await vi.waitFor(async () => {
      const { vaults } = await ask<{ vaults: { phase: string }[] }>(owner, 'monitor', 'vault', 'list', ...at());
      expect(vaults).toMatchObject([{ phase: 'sealed' }]);
    }, SLOW);
    edge.hold(true);
    await vi.waitFor(async () => {
      const { vaults } = await ask<{ vaults: { downSinceMs: number | null }[] }>(
        owner,
        'monitor',
        'vault',
        'list',
        ...at(),
      );
      expect(vaults[0]!.downSinceMs).not.toBeNull();
    }, SLOW);
    const nonce = String(await steal());
    const found = await awaitFinding({ kind: 'sealed-spend', nonce });
    expect(found).toMatchObject({ severity: 'critical', detail: { why: 'no-permit', since: [{ vault: 'keep' }] } });
    edge.hold(false);
    const settled = await awaitFinding({ kind: 'unsigned-spend', nonce });
    expect(settled.detail.amends).toBe(found.id);
    await ask(owner, 'vault', 'unseal', ...password());
  });

  it('takes back what it said of a spend that a reorganisation takes back', async () => {
    const snapshot = await anvil.call('evm_snapshot', []);
    const nonce = String(await steal());
    const alarm = await awaitFinding({ kind: 'unsigned-spend', nonce });
    expect(await anvil.call('evm_revert', [snapshot])).toBe(true);
    await anvil.call('anvil_mine', ['0x3']);
    const found = await awaitFinding({ kind: 'spend-withdrawn' });
    expect(found).toMatchObject({ severity: 'warning', detail: { retracts: [alarm.id] } });
  });

  it('tells that what the vault signed is in no block, and at once that another transaction took its nonce', async () => {
    expect(await ask(owner, 'monitor', 'vault', 'set', 'keep', '--unseen-after', '5s', ...at())).toMatchObject({
      unseenMs: 5_000,
    });
    const next = Number(await anvil.call('eth_getTransactionCount', [account.address, 'latest']));
    const { decision } = await ask<{ decision: { nonce: number } }>(
      ...([bot, 'client', 'sign', '--wallet', 'hot', '--to', PAYEE, '--value', '0.001eth'] as const),
      ...['--chain', '31337', '--rpc', anvil.url],
    );
    expect(decision.nonce).toBe(next);
    const nonce = String(next);
    const found = await awaitFinding({ kind: 'signed-unseen', nonce, over: false });
    expect(found.severity).toBe('warning');
    expect(String(await steal())).toBe(nonce);
    expect(await awaitFinding({ kind: 'unsigned-spend', nonce, why: 'other-bytes' })).toMatchObject({
      severity: 'critical',
    });
    await awaitFinding({ kind: 'signed-unseen', nonce, over: true });
  });

  it('tells that an older database of the vault was put back, and that it went on by itself from there', async () => {
    const [older, newest] = [join(owner.directory, 'older'), join(owner.directory, 'newest')];
    const restart = async () => {
      vault = await startDaemon(owner.directory, data(), `127.0.0.1:${port}`);
    };
    await vault.stop();
    cpSync(data(), older, { recursive: true });
    // Who puts it back has an operator's key of that time, too: the owner's own command line would refuse this vault.
    cpSync(join(owner.directory, 'owner'), join(owner.directory, 'twin'), { recursive: true });
    const twin = owner.as('twin');
    await restart();
    await ask(owner, 'vault', 'unseal', ...password());
    const { decision } = await signed();
    await awaitFinding({ kind: 'signed-spend', nonce: String(decision.nonce) });
    await vault.stop();
    renameSync(data(), newest);
    cpSync(older, data(), { recursive: true });
    await restart();
    expect(await awaitFinding({ kind: 'vault-rolled-back', over: false })).toMatchObject({ severity: 'critical' });
    // From here on there are two vaults of one identity, each with a history of its own.
    await ask(twin, 'vault', 'unseal', ...password());
    for (let i = 0; i < 3; i++) {
      await ask(twin, 'vault', 'seal');
      await ask(twin, 'vault', 'unseal', ...password());
    }
    expect(await awaitFinding({ kind: 'vault-forked', over: false })).toMatchObject({ severity: 'critical' });
    await vault.stop();
    rmSync(data(), { recursive: true });
    renameSync(newest, data());
    await restart();
    await awaitFinding({ kind: 'vault-rolled-back', over: true });
    await awaitFinding({ kind: 'vault-forked', over: true });
    await ask(owner, 'vault', 'unseal', ...password());
  });

  it('has told everything once, and its journal holds', async () => {
    const ids = (await findings()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await ask(owner, 'findings', 'verify', ...at())).toMatchObject({ sameState: true });
  });
});
