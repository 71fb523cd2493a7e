import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts, startDevnetProcess, type Regtest } from '@keepwatch/devnet';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCommandLine, environmentOf, type CommandLine } from './fixtures/command-line.ts';

/** `keepwatch … --monitor`: a monitor over a network, by the real command, through kills of the monitor. */

interface Row {
  readonly seq: number;
  readonly finding: { readonly id: string; readonly detail: { readonly kind: string; readonly txid?: string } };
}

describe('a monitor over a network', { timeout: 400_000 }, () => {
  let cli: CommandLine;
  let chain: Regtest;
  let port: number;
  let monitor: ChildProcess | undefined;
  let connection = '';
  let tokenFile: string | null = null;
  /** What the monitors said on stdout: a service writes it into its log. */
  let said = '';
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    cli = await createCommandLine();
    chain = await startDevnetProcess(environmentOf(cli.directory), () => undefined);
    [port] = (await freePorts(1)) as [number];
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await chain?.stop();
    await cli?.remove();
  });

  const at = () => ['--data', join(cli.directory, 'monitor')];

  async function start(): Promise<void> {
    const args = ['--listen', `127.0.0.1:${port}`, '--network', 'regtest', '--peer', chain.p2p, '--http', 'off'];
    const child = cli.start('--json', 'monitor', 'run', ...at(), ...args);
    children.add(child);
    monitor = child;
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    for (;;) {
      const { value } = (await lines.next()) as { value?: string };
      if (value === undefined) throw new Error('the monitor ended');
      said += value;
      const event = JSON.parse(value) as { event: string; connection: string; tokenFile: string | null };
      if (event.event !== 'listening') continue;
      ({ connection, tokenFile } = event);
      return;
    }
  }

  async function kill(): Promise<void> {
    const ended = once(monitor!, 'exit');
    monitor!.kill('SIGKILL');
    await ended;
    children.delete(monitor!);
  }

  /** Reads `count` rows behind the cursor, or until the monitor is gone. */
  async function tail(after: number, count: number): Promise<Row[]> {
    const child = cli.as('reader').start('--json', 'findings', 'tail', '--after', String(after));
    children.add(child);
    const rows: Row[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      rows.push(JSON.parse(line) as Row);
      if (rows.length >= count) break;
    }
    child.kill('SIGKILL');
    children.delete(child);
    return rows;
  }

  it('lets an operator and a reader in, and a cursor goes on over kills without a gap or a double', async () => {
    const [, data] = at();
    const made = cli.run(['monitor', 'init', '--network', 'regtest', '--key', 'file', ...at()]).out;
    const startIt = `keepwatch monitor run --network regtest --data ${data}`;
    expect(made).toContain(startIt);
    // What is named next works as it stands, wherever the data are.
    expect(cli.run(['monitor', 'status', ...at()]).out).toMatch(
      new RegExp(`keepwatch monitor run --data ${data}\\n.*with --network`),
    );
    expect(cli.run(['watch', 'list', ...at()]).out).toContain(`keepwatch watch add NAME --descriptor D --data ${data}`);
    // As one that was killed leaves it.
    writeFileSync(join(cli.directory, 'monitor', 'bootstrap_token'), 'keepwatch://127.0.0.1:1?token=ended\n');
    await start();
    const left = readFileSync(tokenFile!, 'utf8').trim();
    const token = left.slice(`${connection}&token=`.length);
    expect(left).toBe(`${connection}&token=${token}`);
    // Who asks for it on the monitor's own machine is shown it, to take it elsewhere.
    expect(cli.json('monitor', 'status', ...at())).toMatchObject({ connection: left });
    // The string that `monitor run` printed has no token, and it is said where there is one.
    const without = cli.as('early').run(['monitor', 'join', connection]);
    expect(without.err).toMatch(/has no token[^]*`keepwatch monitor status`[^]*token_invalid/);
    expect(cli.as('operator').json('monitor', 'join', ...at())).toMatchObject({ right: 'operator' });
    expect(existsSync(tokenFile!)).toBe(false);
    expect(cli.as('late').fails('monitor', 'join', ...at()).error).toBe('no_local_monitor');
    expect(cli.as('late').run(['monitor', 'join', ...at()]).err).toContain(`keepwatch monitor join '${connection}'`);
    const asked = cli.as('reader').json('monitor', 'join', connection, '--reader', '--name', 'console');
    expect(asked).toMatchObject({ right: 'candidate' });
    const { peer } = asked as { peer: string };
    expect(cli.as('reader').fails('findings', 'list').error).toBe('peer_unknown');
    cli.as('operator').json('monitor', 'approve', peer, '--reader', '--name', 'console');
    expect(cli.as('reader').json('findings', 'list')).toEqual({ findings: [] });

    const descriptors = chain.descriptors.flatMap((each) => ['--descriptor', each]);
    expect(cli.as('reader').fails('watch', 'add', 'savings', ...descriptors).error).toBe('monitor_not_allowed');
    cli.as('operator').json('watch', 'add', 'savings', ...descriptors);
    await vi.waitFor(
      () => expect(cli.as('operator').json('monitor', 'status')).toMatchObject({ able: true, tip: { height: 101 } }),
      { timeout: 90_000, interval: 300 },
    );

    const follower = cli.as('operator').start('--json', 'findings', 'tail', '--after', '0', '--retry');
    children.add(follower);
    const followed: Row[] = [];
    createInterface({ input: follower.stdout! }).on('line', (line) => followed.push(JSON.parse(line) as Row));
    const seen: Row[] = [];
    const paid: string[] = [];
    for (let round = 0; round < 3; round++) {
      paid.push(await chain.receive(10_000_000n));
      await chain.mine(1);
      seen.push(...(await tail(seen.at(-1)?.seq ?? 0, 1)));
      await kill();
      expect(cli.run(['monitor', 'status', ...at()]).out).toContain(`Next: ${startIt}`);
      paid.push(await chain.receive(10_000_000n));
      await chain.mine(1);
      await start();
    }
    const isReceived = (txid: string) =>
      seen.some(({ finding: { detail } }) => detail.kind === 'received' && detail.txid === txid);
    while (!paid.every(isReceived)) seen.push(...(await tail(seen.at(-1)?.seq ?? 0, 1)));
    const { findings } = cli.as('reader').json('findings', 'list', '--limit', '1000') as { findings: Row[] };
    const last = seen.at(-1)!.seq;
    expect(seen.map(({ seq }) => seq)).toEqual(findings.map(({ seq }) => seq).filter((seq) => seq <= last));
    expect(new Set(seen.map(({ finding: { id } }) => id)).size).toBe(seen.length);
    // One command through all of it tells the same: it tries again by itself, and goes on where it was.
    await vi.waitFor(() => expect(followed.at(-1)?.seq).toBeGreaterThanOrEqual(last), {
      timeout: 90_000,
      interval: 300,
    });
    expect(followed.filter(({ seq }) => seq <= last)).toEqual(seen);
    expect(follower.exitCode).toBeNull();
    follower.kill('SIGTERM');
    children.delete(follower);

    cli.as('operator').json('monitor', 'revoke', 'console');
    expect(cli.as('reader').fails('findings', 'list').error).toBe('peer_unknown');
    expect(said).toContain(connection);
    expect(said).not.toContain(token);
    expect(tokenFile).toBeNull();
    // On its own machine nobody needs a key.
    expect(cli.json('monitor', 'peers', ...at())).toMatchObject({ peers: [{ right: 'operator' }] });
    await kill();
  });
});
