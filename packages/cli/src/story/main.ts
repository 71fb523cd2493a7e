import { parseArgs } from 'node:util';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { reportError } from '../report-error.ts';
import { processTerminal, type Paint } from '../terminal.ts';
import { ALICE, play, type Ending } from './play.ts';
import { createScreen } from './screen.ts';
import { setStage, type Stage } from './stage.ts';

/**
 * `npm start`: brings up a chain, a vault, its owner and a client, plays what they do with each other, and leaves the
 * vault running to be tried out. `npm start -- --once` ends after the play. Exit code 0, or 1 with the step that failed.
 */
const terminal = processTerminal(process);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<'interrupted'>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt('interrupted'));
  const { output, paint } = terminal;
  const columns = () => (output as { columns?: number }).columns ?? 120;
  const screen = createScreen((text) => void output.write(text), paint, columns);
  const stage = await setStage(process.env);
  const broken = stage.broken.then((words) => Promise.reject(new Error(words)));
  broken.catch(() => undefined);
  try {
    screen.heading('Keepwatch', 'a vault that signs only what its owner allowed');
    const ending = await Promise.race([play(stage, screen), broken, interrupted]);
    if (ending === 'interrupted') return EXIT.interrupted;
    if (values.once) {
      screen.plain(`\n    ${paint.good('Everything went as it must.')}`);
      return EXIT.ok;
    }
    screen.plain(whatNext(stage, ending, paint));
    await Promise.race([interrupted, broken]);
    return EXIT.ok;
  } finally {
    await stage.end();
  }
}

/** Commands to paste. */
function whatNext({ ownerHome, passwordFile }: Stage, { anvil, receiptFile }: Ending, paint: Paint): string {
  const owner = `npx keepwatch --home ${ownerHome}`;
  const commands = [
    ['How the vault stands', `${owner} vault status`],
    ['What the bot may still do', `${owner} grant show payouts`],
    ['What happened', `${owner} journal tail`],
    ['Check a receipt', `${owner} journal check-receipt ${receiptFile}`],
    ['What protects this vault', `${owner} doctor`],
    ['Seal and unseal it', `${owner} vault seal\n      ${owner} vault unseal --password-file ${passwordFile}`],
    [
      'Ask the chain',
      `curl -s ${anvil.url} -H 'content-type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["${ALICE}","latest"]}'`,
    ],
  ];
  const lines = commands.map(([words, line]) => `    ${paint.quiet(`# ${words}`)}\n      ${line}`);
  return [
    '',
    `    ${paint.good('Everything went as it must.')} The vault stays up until ${paint.strong('Ctrl-C')}; then all of it is removed.`,
    '    In another terminal, in this directory:',
    '',
    lines.join('\n'),
  ].join('\n');
}

try {
  process.exitCode = await main();
} catch (error) {
  reportError(error, terminal, false);
  process.exitCode = exitCodeOf(error);
}
