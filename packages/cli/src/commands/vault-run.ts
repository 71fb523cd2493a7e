import { fileURLToPath } from 'node:url';
import type { ListenAddress } from '@keepwatch/gate';
import { command, type Context } from '../command.ts';
import { createDaemonLog, lineOf } from '../daemon-log.ts';
import { withData } from '../directories.ts';
import { usageError } from '../exit-codes.ts';
import { nextCommand } from '../next-command.ts';
import { findUser } from '../users.ts';
import { showTime } from '../values.ts';

const DEFAULT_LISTEN = '127.0.0.1:7401';

export const VAULT_RUN_COMMAND = command({
  name: 'vault run',
  summary: 'Run the vault daemon in the foreground; Ctrl-C seals and stops it',
  options: {
    listen: { value: 'HOST:PORT', words: `address for peers (default: ${DEFAULT_LISTEN})` },
    data: { value: 'DIR', words: 'data directory (default: $XDG_DATA_HOME/keepwatch/vault)' },
    metrics: { value: 'HOST:PORT', words: 'serve Prometheus metrics there' },
    'keep-user': { value: 'USER', words: 'as root: run the keep as this user' },
    'gate-user': { value: 'USER', words: 'as root: run the edge as this other user' },
    'adopt-tls': { words: 'once, after the edge’s TLS key was lost: sign the new one that it made' },
    'allow-unlocked-memory': { words: 'run although the system does not lock memory: keys may reach the swap' },
    'log-level': { value: 'LEVEL', words: 'debug, info, warn or error (default: info)' },
  },
  more: [
    'Logs go to stderr: JSON lines, or short lines on a terminal. On the first start the connection string with the',
    'one-time token for the first operator is printed on stdout; on this machine `operator join` finds it by itself.',
  ].join('\n'),
  async run(context, options) {
    const { data } = withData(context.directories, options.data);
    const log = createDaemonLog(context.terminal, context.terminal.interactive && !context.json);
    const announce = createAnnouncer(context, options.data === undefined ? undefined : data);
    // Only the daemon needs it: every other command starts sooner without.
    const { supervise } = await import('@keepwatch/gate');
    const supervisor = supervise({
      keepMain: fileURLToPath(import.meta.resolve('@keepwatch/keep/main')),
      dataDir: data,
      keepArgs: (['adopt-tls', 'allow-unlocked-memory'] as const).flatMap((name) =>
        options[name] ? [`--${name}`] : [],
      ),
      listen: parseListen(options.listen ?? DEFAULT_LISTEN, '--listen'),
      logLevel: logLevel(options['log-level']),
      ...(options.metrics === undefined ? {} : { metrics: parseListen(options.metrics, '--metrics') }),
      ...(await usersOf(options)),
      onEvent(event) {
        const line = lineOf(event, Date.now());
        if (line) log(line);
        if (event.type === 'keep_message') announce(event.message);
      },
    });
    await supervisor.ended;
  },
});

async function usersOf(options: { 'keep-user': string | undefined; 'gate-user': string | undefined }) {
  const keep = options['keep-user'];
  const gate = options['gate-user'];
  return {
    ...(keep === undefined ? {} : { keepUser: await findUser(keep, '--keep-user') }),
    ...(gate === undefined ? {} : { gateUser: await findUser(gate, '--gate-user') }),
  };
}

function logLevel(text = 'info'): string {
  if (['debug', 'info', 'warn', 'error'].includes(text)) return text;
  throw usageError('log_level', `--log-level: “${text}” is no level.`, 'Choose debug, info, warn or error.');
}

/** `127.0.0.1:7401`, `[::1]:7401`, `vault.example:7401`. Port 0 lets the system choose. */
export function parseListen(text: string, option: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw usageError(
      'listen',
      `${option}: “${text}” is no address with a port.`,
      `Write one such as ${DEFAULT_LISTEN}.`,
    );
  }
  return { host: match[1] ?? match[2]!, port };
}

/** Prints where the vault is reached, and for the first operator the string with the token. `data`: where it was named. */
function createAnnouncer(
  context: Context,
  data: string | undefined,
): (message: Readonly<Record<string, unknown>>) => void {
  const { paint } = context.terminal;
  return ({ event, connection, phase, expires }) => {
    if (typeof connection !== 'string') return;
    if (event === 'ready') {
      context.emit({ json: { event, phase, connection }, text: `${paint.strong('vault')}  ${connection}` });
    }
    if (event === 'bootstrap' && typeof expires === 'number') {
      const text = [
        'This vault has no operator yet.',
        `  On this machine:  ${nextCommand('operator join', { data })}`,
        `  From elsewhere:   keepwatch operator join '${connection}'`,
        paint.quiet(`  The token in it works once, until ${showTime(expires)}.`),
      ].join('\n');
      context.emit({ json: { event, connection, expires }, text });
    }
  };
}
