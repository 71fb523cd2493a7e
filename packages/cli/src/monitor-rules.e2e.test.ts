import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLock, openMonitor } from '@keepwatch/monitor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';

/** `keepwatch rules …` by the real command on the data of a monitor that does not run; a chain is not needed. */

const SCRIPT = Uint8Array.from([0, 20, ...new Uint8Array(20).fill(7)]);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const hash = (n: number) => n.toString(16).padStart(64, '0');

interface Row {
  readonly finding: { readonly detail: { readonly kind: string } };
  readonly rules: readonly { readonly rule: string; readonly failed: string | null }[];
  readonly told: readonly { readonly to: string; readonly severity: string; readonly when: string }[];
}

describe('keepwatch rules', { timeout: 240_000 }, () => {
  let cli: CommandLine;
  let at: readonly string[];
  beforeAll(async () => {
    cli = await createCommandLine();
    at = ['--data', join(cli.directory, 'monitor')];
  });
  afterAll(() => cli?.remove());

  const write = (name: string, value: object): string => {
    const file = join(cli.directory, name);
    writeFileSync(file, JSON.stringify(value));
    return file;
  };

  /** A block comes with a payment to the wallet: what a source would have told. */
  async function pay(height: number): Promise<void> {
    const sats = 5_000n + BigInt(height);
    const raw = Buffer.concat([
      Buffer.from(`0100000001${'11'.repeat(32)}00000000` + '00' + 'ffffffff' + '01', 'hex'),
      Buffer.from(BigUint64Array.of(sats).buffer),
      Buffer.from([SCRIPT.length]),
      SCRIPT,
      Buffer.alloc(4),
    ]);
    const tx = {
      txid: hash(0xabc000 + height),
      raw: new Uint8Array(raw),
      received: [{ vout: 0, script: SCRIPT, sats }],
    };
    const block = { height, hash: hash(height), timeSeconds: Math.floor(Date.now() / 1_000) };
    const dataDir = join(cli.directory, 'monitor');
    const monitor = await openMonitor({ dataDir, rootKey: await openLock(dataDir, { credentials: undefined }) });
    try {
      if (height === 1) {
        const range = { descriptor: 0, branch: 0, from: 0, to: 1, lengths: [SCRIPT.length], bytes: SCRIPT };
        await monitor.engine.submit({ room: 'watch', input: { kind: 'scripts', wallet: 'savings', ...range } });
      }
      const matches = height === 1 ? [] : [{ ...tx, spent: [] }];
      const input = { kind: 'connected', block, matches, seenBy: ['a'] };
      await monitor.engine.submit({ room: 'watch', input: input as never });
    } finally {
      await monitor.close();
    }
  }
  const waiting = () =>
    cli
      .json<{ channels: readonly { name: string; waiting: number }[] }>('channel', 'list', ...at)
      .channels.map(({ name, waiting: count }) => `${name} ${count}`)
      .sort();

  const found = () => cli.json<{ findings: readonly unknown[] }>('findings', 'list', ...at).findings.length;

  it('decide whom findings are told, are tried on the past first, and refuse what they cannot mean', async () => {
    cli.json('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at);
    cli.json('watch', 'add', 'savings', '--script', hex(SCRIPT), '--tag', 'cold', ...at);
    const none = (...more: readonly string[]) => cli.run(['findings', 'list', ...more, ...at]).out.trim();
    expect([none(), none('--wallet', 'savings')]).toEqual(['No finding.', 'No finding.']);
    expect(none('--wallet', 'nope')).toBe('No finding. No wallet “nope” is watched.');
    expect(cli.fails('watch', 'add', ' ', '--script', hex(SCRIPT), ...at).error).toBe('monitor_refused');
    for (const name of ['phone', 'mail']) {
      const file = write(`${name}.json`, { kind: 'command', program: '/bin/true' });
      cli.json('channel', 'add', name, '--file', file, '--untested', '--from', 'info', ...at);
    }
    const again = [
      'channel',
      'add',
      'phone',
      '--file',
      write('false.json', { kind: 'command', program: '/bin/false' }),
    ];
    expect(cli.fails(...again, '--untested', ...at).error).toBe('channel_exists');
    expect(cli.json(...again, '--untested', '--from', 'info', '--replace', ...at)).toMatchObject({
      channel: { target: '/bin/false' },
      replaced: { kind: 'command', target: '/bin/true' },
    });
    await pay(1);
    await pay(2);
    const before = waiting();
    expect(before).toEqual(['mail 1', 'phone 1']);

    const paid = { name: 'paid', when: 'finding.kind == "received" && "cold" in wallet.tags', tell: ['phone'] };
    const rules = { rules: [{ name: 'spent', when: 'finding.kind == "spent"', tell: ['mail'] }, paid] };
    const good = write('rules.json', rules);
    const dry = cli.json<{ findings: readonly Row[] }>('rules', 'dry-run', good, ...at);
    expect(dry.findings).toMatchObject([
      {
        finding: { detail: { kind: 'received' } },
        rules: [{ rule: 'paid', failed: null }],
        told: [{ to: 'phone', severity: 'notice', when: 'now' }],
      },
    ]);
    expect(cli.run(['rules', 'dry-run', good, ...at]).out).toMatch(
      /SEQ +TIME +SEVERITY +WALLET +KIND +TOLD .*\n.* notice +savings +received +phone/,
    );
    // It changed nothing.
    expect(cli.json('rules', 'show', ...at)).toMatchObject({ rules: null });
    expect(waiting()).toEqual(before);

    cli.json('rules', 'apply', good, ...at);
    expect(cli.json('rules', 'show', ...at)).toMatchObject({ rules });
    await pay(3);
    expect(waiting()).toEqual(['mail 1', 'phone 2']);
    expect(cli.fails('channel', 'remove', 'mail', ...at).error).toBe('channel_in_rules');

    const refused = (change: object) => {
      const file = write('bad.json', { rules: [{ ...paid, ...change }] });
      return cli.fails('rules', 'apply', file, ...at).error;
    };
    expect(refused({ when: 'finding.kind ==' })).toBe('rule_bad_condition');
    expect(refused({ tell: ['nobody'] })).toBe('rule_channel_unknown');
    expect(refused({ tells: [] })).toBe('rules_malformed');
    expect(cli.json('rules', 'show', ...at)).toMatchObject({ rules });

    // A condition that fails counts as met.
    const failing = write('failing.json', {
      rules: [{ name: 'odd', when: '1 / (finding.depth - finding.depth) == 1', tell: ['mail'] }],
    });
    cli.json('rules', 'apply', failing, ...at);
    const three = found();
    await pay(4);
    const four = found();
    expect(four).toBeGreaterThan(three);
    expect(waiting()).toEqual([`mail ${1 + four - three}`, 'phone 2']);

    cli.json('rules', 'clear', ...at);
    await pay(5);
    const five = found();
    expect(five).toBeGreaterThan(four);
    expect(waiting()).toEqual([`mail ${1 + five - three}`, `phone ${2 + five - four}`]);
    expect(cli.json('findings', 'verify', ...at)).toMatchObject({ sameState: true, findings: five });
  });
});
