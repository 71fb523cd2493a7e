import { once } from 'node:events';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { findBitcoind, startBitcoind, type BitcoindNode, type Rpc } from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';

/** `keepwatch monitor …` against a real node on regtest, by the real command. */

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const SLOW = { timeout: 120_000, interval: 200 };

interface Row {
  readonly seq: number;
  readonly finding: {
    readonly id: string;
    readonly wallet: string | null;
    readonly detail: { readonly kind: string; readonly txid?: string; readonly grade?: string; readonly by?: string };
  };
}

describe.skipIf('missing' in found)(
  `keepwatch monitor${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 300_000 },
  () => {
    let cli: CommandLine;
    let node: BitcoindNode;
    let others: Rpc;
    let alice: Rpc;
    let miner: string;
    let descriptors: readonly string[];

    beforeAll(async () => {
      cli = await createCommandLine();
      node = await startBitcoind(bitcoind, { zmq: true });
      others = await node.wallet('others');
      miner = await others<string>('getnewaddress');
      await node.mine(120, miner);
      alice = await node.wallet('alice');
      const list = await alice<{ descriptors: { desc: string }[] }>('listdescriptors');
      descriptors = list.descriptors.map(({ desc }) => desc).filter((desc) => desc.startsWith('wpkh('));
    }, 120_000);
    afterAll(async () => {
      await node?.stop();
      await cli?.remove();
    });

    const sources = () => [
      ...['--bitcoind', `http://127.0.0.1:${node.rpcPort}`, '--cookie', node.cookieFile, '--network', 'regtest'],
    ];
    const data = (name: string) => join(cli.directory, name);

    /** Starts the monitor and waits until it says what it does. */
    async function start(name: string, ...more: readonly string[]): Promise<ChildProcess & { http: string }> {
      const child = cli.start(
        ...['--json', 'monitor', 'run', '--data', data(name), '--http', '127.0.0.1:0'],
        ...(more.length > 0 ? more : sources()),
      );
      const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
      const { value } = (await lines.next()) as { value?: string };
      const ready = JSON.parse(value ?? '{}') as { event?: string; http: string };
      expect(ready.event).toBe('running');
      return Object.assign(child, { http: ready.http });
    }
    async function stop(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    const findings = (name: string) =>
      cli.json<{ findings: Row[] }>('findings', 'list', '--data', data(name), '--limit', '1000').findings;
    const told = (name: string, kind: string, txid: string) =>
      findings(name).filter(({ finding: { detail } }) => detail.kind === kind && detail.txid === txid);

    it('finds a coin outside a block, and in one', async () => {
      expect(cli.run(['monitor', 'init', '--network', 'regtest', '--key', 'file', '--data', data('one')]).code).toBe(0);
      const args = descriptors.flatMap((desc) => ['--descriptor', desc]);
      cli.json('watch', 'add', 'alice', ...args, '--data', data('one'));
      const child = await start('one');
      try {
        await vi.waitFor(
          () => expect(cli.json<{ able: boolean }>('monitor', 'status', '--data', data('one')).able).toBe(true),
          SLOW,
        );
        const coin = await others<string>('sendtoaddress', await alice<string>('getnewaddress', '', 'bech32'), 1);
        await vi.waitFor(() => expect(told('one', 'sighted', coin)).toHaveLength(1), SLOW);
        await node.mine(1, miner);
        await vi.waitFor(() => expect(told('one', 'received', coin)).toHaveLength(1), SLOW);
      } finally {
        await stop(child);
      }
    });
  },
);
