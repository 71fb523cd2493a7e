import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { reportError } from '../report-error.ts';
import { processTerminal, type Paint } from '../terminal.ts';
import { play, type Ending } from './play.ts';
import { createScreen } from './screen.ts';
import { setStage, type Stage } from './stage.ts';
import { ALICE } from './vault-scenes.ts';

/**
 * `npm start`: brings up a chain, a vault, its owner and a client, plays what they do with each other; then a bitcoin chain
 * and a monitor that watches it. It leaves both running to be tried out. `npm start -- --once` ends after the play,
 * `--devnet` uses the small bitcoin node even where there is a bitcoind. Exit code 0, or 1 with the step that failed.
 */
const terminal = processTerminal(process);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean', default: false }, devnet: { type: 'boolean', default: false } },
  });
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<'interrupted'>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt('interrupted'));
  const { output, paint } = terminal;
  const columns = () => (output as { columns?: number }).columns ?? 120;
  const screen = createScreen((text) => void output.write(text), paint, columns);
  const stage = await setStage(process.env, { devnetOnly: values.devnet });
  try {
    const ending = await Promise.race([play(stage, screen), interrupted]);
    if (ending === 'interrupted') return EXIT.interrupted;
    if (values.once) {
      screen.plain(`\n    ${paint.good('Everything went as it must.')}`);
      return EXIT.ok;
    }
    screen.plain(whatNext(stage, ending, paint));
    await Promise.race([interrupted, stage.broken]);
    return EXIT.ok;
  } finally {
    await stage.end();
  }
}

/** What to paste into another terminal: the owner's side, and the way of a client of one's own. */
const MONITOR_COMMANDS = ['monitor status', 'watch show savings', 'findings list', 'channel list'];

function whatNext(
  { ownerHome, directory, passwordFile, monitorDirectory }: Stage,
  ending: Ending,
  paint: Paint,
): string {
  const { anvil, connection, receiptFile } = ending;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [
      'First this, which makes two short commands',
      [
        `owner() { npx keepwatch --home ${ownerHome} "$@"; }`,
        `me() { npx keepwatch --home ${join(directory, 'me')} "$@"; }`,
      ],
    ],
    [
      'Look around as the owner',
      [
        'owner vault status',
        'owner grant show payouts',
        'owner journal tail',
        'owner doctor',
        `owner journal check-receipt ${receiptFile}`,
      ],
    ],
    [
      'Become a client yourself, and pay',
      [
        `me client register '${connection}' --name me`,
        'owner client approve me',
        'owner grant create --client me --wallet treasury --chain 31337 --to any --volume 0.05eth/1h',
        `me client sign --wallet treasury --to ${ALICE} --value 0.01eth --broadcast ${anvil.url}`,
      ],
    ],
    [
      'See what the monitor sees, and what it has told',
      [
        `watch() { npx keepwatch "$@" --data ${monitorDirectory}; }`,
        ...MONITOR_COMMANDS.map((each) => `watch ${each}`),
      ],
    ],
    ['Seal and unseal', ['owner vault seal', `owner vault unseal --password-file ${passwordFile}`]],
  ];
  const lines = sections.map(([words, commands]) =>
    [`    ${paint.quiet(`# ${words}`)}`, ...commands.map((command) => `    ${command}`)].join('\n'),
  );
  return [
    '',
    `    ${paint.good('Everything went as it must.')} Vault and monitor stay up until ${paint.strong('Ctrl-C')}; then all of it is removed.`,
    `    To go on, paste into another terminal, in ${process.cwd()}:`,
    '',
    lines.join('\n\n'),
    '',
  ].join('\n');
}

try {
  process.exitCode = await main();
} catch (error) {
  reportError(error, terminal, false);
  process.exitCode = exitCodeOf(error);
}
