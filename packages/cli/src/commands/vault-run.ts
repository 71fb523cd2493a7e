import { fileURLToPath } from 'node:url';
import { supervise, type ListenAddress, type SupervisorEvent } from '@keepwatch/gate';
import { command, type Context } from '../command.ts';
import { createDaemonLog, lineOf } from '../daemon-log.ts';
import { withData } from '../directories.ts';
import { usageError } from '../exit-codes.ts';
import { findUser } from '../users.ts';

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
    'log-level': { value: 'LEVEL', words: 'debug, info, warn or error (default: info)' },
  },
  more: [
    'Logs go to stderr: JSON lines, or short lines on a terminal. On the first start the connection string with the',
    'one-time token for the first operator is printed on stdout; on this machine `operator join` finds it by itself.',
  ].join('\n'),
  async run(context, options) {
    const { data } = withData(context.directories, options.data);
    const listen = parseListen(options.listen ?? DEFAULT_LISTEN, '--listen');
    const log = createDaemonLog(context.terminal, context.terminal.interactive && !context.json);
    const announce = createAnnouncer(context);
    const supervisor = supervise({
      keepMain: fileURLToPath(import.meta.resolve('@keepwatch/keep/main')),
      dataDir: data,
      listen,
      logLevel: options['log-level'] ?? 'info',
      ...(options.metrics === undefined ? {} : { metrics: parseListen(options.metrics, '--metrics') }),
      ...(options['keep-user'] === undefined ? {} : { keepUser: await findUser(options['keep-user'], '--keep-user') }),
      ...(options['gate-user'] === undefined ? {} : { gateUser: await findUser(options['gate-user'], '--gate-user') }),
      onEvent(event) {
        const line = lineOf(event, Date.now());
        if (line) log(line);
        announce(event);
      },
    });
    await supervisor.ended;
  },
});

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

/** Says where the vault is reached, once both processes have said what they know of it. */
function createAnnouncer(context: Context): (event: SupervisorEvent) => void {
  return () => void context;
}
