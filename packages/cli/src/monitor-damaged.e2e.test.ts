import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';

/** What a part of a copy that was put back makes of a monitor. */

let cli: CommandLine;
beforeAll(async () => {
  cli = await createCommandLine();
});
afterAll(() => cli.remove());

const RUN = ['monitor', 'run', '--network', 'regtest', '--bitcoind', 'http://127.0.0.1:1', '--cookie', '/nowhere'];

it.each([
  ['journal.sqlite', 'monitor_journal_missing'],
  ['lock.json', 'monitor_lock_damaged'],
])('a monitor without its %s is refused by all commands, and is whole again with it', (name, code) => {
  const dir = join(cli.directory, name);
  const at = ['--data', dir];
  cli.json('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at);
  cli.json('watch', 'add', 'savings', '--script', `0014${'11'.repeat(20)}`, ...at);
  const kept = join(cli.directory, `${name}.kept`);
  renameSync(join(dir, name), kept);
  const before = readdirSync(dir);
  const commands = [
    ...[
      ['watch', 'list'],
      ['findings', 'verify'],
      ['monitor', 'status'],
      ['monitor', 'init', '--key', 'file'],
    ],
    [...RUN, '--http', 'off'],
  ];
  for (const command of commands) {
    expect(cli.fails(...command, ...at), command.join(' ')).toEqual({ code: 1, error: code });
  }
  expect(readdirSync(dir)).toEqual(before);
  renameSync(kept, join(dir, name));
  expect(cli.json('watch', 'list', ...at)).toMatchObject({ wallets: [{ name: 'savings' }] });
  expect(cli.json('findings', 'verify', ...at)).toMatchObject({ sameState: true });
});
