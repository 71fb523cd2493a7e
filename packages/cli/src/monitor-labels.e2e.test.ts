import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';

/** Labels of another program (BIP329), by the real command into a monitor's data and out again. */

const TXID = 'ab'.repeat(32);

let cli: CommandLine;
beforeAll(async () => {
  cli = await createCommandLine();
});
afterAll(() => cli.remove());

it('keeps what was written to an input and to an output of one reference apart, and shows it where they are named', () => {
  const at = ['--data', join(cli.directory, 'monitor')];
  cli.json('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at);
  cli.json('watch', 'add', 'coin', '--outpoint', `${TXID}:0`, ...at);
  const file = join(cli.directory, 'labels.jsonl');
  const written = [
    { type: 'tx', ref: TXID, label: 'the payment' },
    { type: 'output', ref: `${TXID}:0`, label: 'from Ada' },
    { type: 'input', ref: `${TXID}:0`, label: 'spent for rent' },
  ];
  writeFileSync(file, written.map((each) => JSON.stringify(each)).join('\n'));
  cli.json('watch', 'import', file, '--wallet', 'coin', ...at);
  const { labels } = cli.json<{ labels: object }>('watch', 'show', 'coin', ...at);
  expect(Object.values(labels).sort()).toEqual(['from Ada', 'spent for rent', 'the payment']);
  const { out } = cli.run(['watch', 'show', 'coin', ...at]);
  expect(out).toContain(`  ${TXID}:0  from Ada\n`);
  expect(out).not.toContain('spent for rent');
});
