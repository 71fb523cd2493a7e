import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '@keepwatch/devnet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';

/** Two operators of one monitor, by the real command: who wins a race, what the journal says, and one who is revoked. */

let cli: CommandLine;
let monitor: ChildProcess;
let connection: string;
const at = () => ['--data', join(cli.directory, 'monitor')];

beforeAll(async () => {
  cli = await createCommandLine();
  cli.json('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at());
  const [port, nobody] = await freePorts(2);
  const args = [
    '--listen',
    `127.0.0.1:${port}`,
    '--network',
    'regtest',
    '--peer',
    `127.0.0.1:${nobody}`,
    '--http',
    'off',
  ];
  monitor = cli.start('--json', 'monitor', 'run', ...at(), ...args);
  for await (const line of createInterface({ input: monitor.stdout! })) {
    const said = JSON.parse(line) as { event: string; connection: string };
    if (said.event !== 'listening') continue;
    ({ connection } = said);
    break;
  }
}, 120_000);
afterAll(async () => {
  const ended = once(monitor, 'exit');
  monitor.kill('SIGTERM');
  await ended;
  await cli.remove();
}, 60_000);

interface Row {
  readonly method: string;
  readonly about: string | null;
  readonly by: { readonly kind: string; readonly name?: string };
  readonly signature: string;
}

it(
  'lets one of two win, names both in the journal, and takes nothing of one who was revoked',
  { timeout: 400_000 },
  async () => {
    const [ada, bo] = [cli.as('ada'), cli.as('bo')];
    const { peer: first } = ada.json<{ peer: string }>('monitor', 'join', ...at());
    ada.json('monitor', 'rename', first, 'ada');
    const { peer } = bo.json<{ peer: string }>('monitor', 'join', connection, '--name', 'bo');
    expect(bo.fails('rules', 'clear').error).toBe('peer_unknown');
    ada.json('monitor', 'approve', peer);

    const { version } = ada.json<{ version: number }>('monitor', 'status');
    expect(version).toBe(3);
    const apply = (who: CommandLine, name: string) => {
      const file = join(cli.directory, `${name}.json`);
      writeFileSync(file, JSON.stringify({ rules: [{ name, when: 'true' }] }));
      return who.ask('rules', 'apply', file, '--expects', String(version)).then(
        () => 'done',
        (error: Error) => error.message,
      );
    };
    const outcomes = await Promise.all([apply(ada, 'of-ada'), apply(bo, 'of-bo')]);
    expect(outcomes.filter((each) => each === 'done')).toHaveLength(1);
    expect(outcomes.find((each) => each !== 'done')).toMatch(/ended with/);
    expect(ada.json('rules', 'show')).toMatchObject({ version: version + 1 });
    const loser = outcomes[0] === 'done' ? bo : ada;
    expect(loser.fails('rules', 'clear', '--expects', String(version)).error).toBe('version_conflict');
    expect(cli.fails('rules', 'clear', '--expects', '0', ...at()).error).toBe('version_conflict');

    // Both go on, without a word of versions; one of them is revoked meanwhile.
    const coin = (who: CommandLine, name: string) =>
      who.ask('watch', 'add', name, '--outpoint', `${'0'.repeat(64)}:${name.slice(1)}`).then(
        () => true,
        () => false,
      );
    expect(await Promise.all([coin(ada, 'a1'), coin(bo, 'b2')])).toEqual([true, true]);
    const [late] = await Promise.all([coin(bo, 'b3'), ada.ask('monitor', 'revoke', 'bo'), coin(ada, 'a4')]);
    expect(bo.fails('watch', 'add', 'late', '--outpoint', `${'0'.repeat(64)}:9`).error).toBe('peer_unknown');
    cli.json('watch', 'remove', 'a1', ...at());

    // What one says of a wallet stays where the other one says something else of it, at once or not.
    const set = (who: CommandLine, ...what: readonly string[]) => who.ask<object>('watch', 'set', 'a4', ...what);
    ada.json('watch', 'set', 'a4', '--above', '2', '--tag', 'cold');
    await Promise.all([set(ada, '--large', '0.5'), set(ada, '--below', '0.1', '--owner', 'ada')]);
    ada.json('watch', 'set', 'a4', '--above', 'none', '--name', 'Savings');
    expect(ada.json('watch', 'show', 'Savings')).toMatchObject({
      ...{ id: 'a4', owner: 'ada', tags: ['cold'] },
      limits: { largeSats: '50000000', aboveSats: null, belowSats: '10000000', dustSats: '1000' },
    });
    expect(ada.run(['watch', 'show', 'Savings']).out).toMatch(/moves at least 0\.5 BTC, has less than 0\.1 BTC/);
    expect(ada.fails('watch', 'set', 'Savings', '--name', 'b2').error).toBe('watched_wallet_exists');
    expect(ada.fails('watch', 'set', 'Savings').error).toBe('usage_option_missing');
    expect(ada.fails('watch', 'set', 'Savings', '--large', 'much').error).toBe('usage_amount');
    expect(ada.fails('watch', 'set', 'Savings', '--limit', 'USDC:large:1').error).toBe('usage_options_conflict');
    expect(ada.fails('watch', 'set', 'nobody', '--owner', 'ada').error).toBe('watched_wallet_unknown');
    expect(ada.fails('watch', 'set', 'nobody', '--limit', 'USDC:large:1').error).toBe('watched_wallet_unknown');
    expect(bo.fails('watch', 'set', 'Savings', '--owner', 'bo').error).toBe('peer_unknown');

    const { orders } = ada.json<{ orders: readonly Row[] }>('monitor', 'journal');
    const words = orders.map(({ method, by, about }) => `${by.name ?? by.kind}: ${method} ${about ?? ''}`.trim());
    const wallets = [
      'ada: wallet.put a1',
      'bo: wallet.put b2',
      'ada: wallet.put a4',
      ...(late ? ['bo: wallet.put b3'] : []),
    ];
    expect(words).toEqual(expect.arrayContaining([...wallets, 'ada: peer.revoke bo']));
    expect(words.filter((each) => each.startsWith('bo: wallet.put'))).toHaveLength(late ? 2 : 1);
    expect(words).toContain('owner: wallet.remove a1');
    expect(words.at(-1)).toBe('ada: wallet.set a4 Savings');
    expect(orders.filter(({ by }) => by.kind === 'peer').every(({ signature }) => signature === 'good')).toBe(true);
    expect(ada.json('findings', 'verify')).toMatchObject({ sameState: true, orders: { unsigned: 2 } });
    const shown = ada.run(['monitor', 'journal']);
    expect(shown.out).toMatch(/ORDER .*BY .*SIGNATURE/);
    expect(shown.out).toMatch(new RegExp(`peer.revoke +bo +ada \\(${first}\\) +good`));
  },
);
