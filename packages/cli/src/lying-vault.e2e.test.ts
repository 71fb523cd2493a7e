import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fromHex, toBase64url } from '@keepwatch/base';
import { keccak256, serializeTransaction, toHex, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLyingKeep, type LyingKeep } from '../../testkit/src/evil/keep.ts';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';
import { startAnvil, type Anvil } from './story/anvil.ts';

/** A keep that lies, with keys of its own and on the real wire, and a real monitor that follows it. */

const KEY: Hex = `0x${'6d'.repeat(32)}`;
const account = privateKeyToAccount(KEY);
const PAYEE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const SLOW = { timeout: 120_000, interval: 250 };

interface Detail {
  readonly kind: string;
  readonly nonce?: string | null;
  readonly why?: string;
  readonly over?: boolean;
  readonly amends?: string | null;
}
interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly detail: Detail;
}

describe('a keep that lies to its observers', { timeout: 600_000 }, () => {
  let owner: CommandLine;
  let anvil: Anvil;
  let keep: LyingKeep;
  let monitor: ChildProcess | undefined;

  const at = () => ['--data', join(owner.directory, 'monitor')];
  const findings = async () =>
    (
      await owner.ask<{ findings: { finding: Finding }[] }>('findings', 'list', '--limit', '1000', ...at())
    ).findings.map(({ finding }) => finding);
  const has = async (what: Partial<Detail>) =>
    (await findings()).filter(({ detail }) => expect.objectContaining(what).asymmetricMatch(detail));
  const awaitFindings = (count: number, what: Partial<Detail>) =>
    vi.waitFor(async () => {
      const found = await has(what);
      expect(found.map(({ detail }) => detail.kind)).toHaveLength(count);
      return found.at(-1)!;
    }, SLOW);

  /** What the keep permits: the next transaction of the account. */
  async function sign(): Promise<{ readonly nonce: string; readonly seq: number; send(): Promise<void> }> {
    const nonce = Number(await anvil.call('eth_getTransactionCount', [account.address, 'latest']));
    const transaction = {
      ...({ type: 'eip1559', chainId: 31_337, nonce, gas: 21_000n, to: PAYEE, value: 7n } as const),
      ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n },
    };
    const payload = serializeTransaction(transaction);
    const digest = toBase64url(fromHex(keccak256(payload))!);
    const seq = keep.permit({ chain: 'eip155:31337', form: 'transaction', digest, nonce, grant: 'g1', payload });
    const raw = await account.signTransaction(transaction);
    return {
      nonce: String(nonce),
      seq,
      async send() {
        await anvil.call('eth_sendRawTransaction', [raw]);
        await vi.waitFor(async () => {
          expect(Number(await anvil.call('eth_getTransactionCount', [account.address, 'latest']))).toBe(nonce + 1);
        }, SLOW);
      },
    };
  }

  async function startMonitor(): Promise<void> {
    monitor = owner.start('--json', 'monitor', 'run', ...at(), '--http', 'off', '--evm', `31337=${anvil.url}`);
    const { value } = await createInterface({ input: monitor.stdout! })[Symbol.asyncIterator]().next();
    expect(JSON.parse(value as string)).toMatchObject({ event: 'running' });
  }
  async function killMonitor(): Promise<void> {
    const ended = once(monitor!, 'exit');
    monitor!.kill('SIGKILL');
    await ended;
  }

  beforeAll(async () => {
    owner = await createCommandLine();
    anvil = await startAnvil({ PATH: process.env['PATH'], HOME: owner.directory });
    await anvil.call('anvil_setBalance', [account.address, toHex(10n ** 20n)]);
    keep = await startLyingKeep({ address: account.address.toLowerCase(), createdMs: Date.now() - 60_000 });
    await owner.ask('monitor', 'init', '--key', 'file', ...at());
    await owner.ask('watch', 'add', 'hot', '--evm', account.address, '--chain', '31337', ...at());
    await owner.ask('monitor', 'vault', 'add', 'keep', keep.connection, ...at());
    await startMonitor();
    await vi.waitFor(async () => {
      const { vaults } = await owner.ask<{ vaults: object[] }>('monitor', 'vault', 'list', ...at());
      expect(vaults).toMatchObject([{ phase: 'unsealed', wallets: [{ address: account.address.toLowerCase() }] }]);
      const { evm } = await owner.ask<{ evm: { block: number | null }[] }>('watch', 'list', ...at());
      expect(evm[0]!.block).not.toBe(null);
    }, SLOW);
  }, 240_000);
  afterAll(async () => {
    if (monitor?.exitCode === null) await killMonitor();
    await keep?.stop();
    await anvil?.process.stop();
    await owner?.remove();
  });

  it('is believed while it tells the truth', async () => {
    const signed = await sign();
    await signed.send();
    await awaitFindings(1, { kind: 'signed-spend', nonce: signed.nonce });
  });

  it('is caught where it withholds a receipt, and nothing is concluded until it shows it', async () => {
    const signed = await sign();
    keep.lie({ kind: 'withholds', seq: signed.seq });
    await signed.send();
    const caught = await awaitFindings(1, { kind: 'vault-withholds', over: false });
    expect(caught.severity).toBe('critical');
    const silent = await awaitFindings(1, { kind: 'vault-silent', nonce: signed.nonce });
    // What it was told does not hold: a monitor that is killed and asks again is told nothing better.
    await killMonitor();
    const before = keep.calls.length;
    await startMonitor();
    await vi.waitFor(() => expect(keep.calls.slice(before)).toContain('receipts.read'), SLOW);
    expect(await has({ kind: 'unsigned-spend' })).toEqual([]);
    keep.lie({ kind: 'none' });
    const found = await awaitFindings(1, { kind: 'signed-spend', nonce: signed.nonce });
    expect(found.detail.amends).toBe(silent.id);
    await awaitFindings(1, { kind: 'vault-withholds', over: true });
  });

  it('is caught where it shows another receipt than the one that it signed', async () => {
    const signed = await sign();
    const digest = toBase64url(new Uint8Array(32).fill(1));
    keep.lie({ kind: 'forges', seq: signed.seq, change: { digest } });
    await signed.send();
    await awaitFindings(2, { kind: 'vault-withholds', over: false });
    expect(await has({ kind: 'unsigned-spend' })).toEqual([]);
    keep.lie({ kind: 'none' });
    await awaitFindings(1, { kind: 'signed-spend', nonce: signed.nonce });
    await awaitFindings(2, { kind: 'vault-withholds', over: true });
  });

  it('is caught where it names an end of its journal that it has not signed', async () => {
    const signed = await sign();
    keep.lie({ kind: 'false-head' });
    await signed.send();
    await awaitFindings(3, { kind: 'vault-withholds', over: false });
    keep.lie({ kind: 'none' });
    await awaitFindings(1, { kind: 'signed-spend', nonce: signed.nonce });
    await awaitFindings(3, { kind: 'vault-withholds', over: true });
  });

  it('is not accused of what it may have signed before it was restored, and knows what it said before', async () => {
    const known = await sign();
    await vi.waitFor(async () => {
      const { vaults } = await owner.ask<{ vaults: { upTo: number }[] }>('monitor', 'vault', 'list', ...at());
      expect(vaults[0]!.upTo).toBeGreaterThanOrEqual(known.seq);
    }, SLOW);
    await killMonitor();
    await known.send();
    const lost = await sign();
    await lost.send();
    keep.restore(known.seq - 1);
    await startMonitor();
    // The one was read before it was lost.
    await awaitFindings(1, { kind: 'signed-spend', nonce: known.nonce });
    const found = await awaitFindings(1, { kind: 'unclear-spend', why: 'lost-history', nonce: lost.nonce });
    expect(found.severity).toBe('critical');
    expect(await has({ kind: 'unsigned-spend' })).toEqual([]);
    expect(await has({ kind: 'vault-forked' })).toEqual([]);
    const signed = await sign();
    await signed.send();
    await awaitFindings(1, { kind: 'signed-spend', nonce: signed.nonce });
  });

  it('has brought a monitor to say everything once', async () => {
    const ids = (await findings()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await owner.ask('findings', 'verify', ...at())).toMatchObject({ sameState: true });
  });
});
