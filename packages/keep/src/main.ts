import { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { CodedError, directoryFault } from '@keepwatch/base';
import { createLog } from './daemon/log.ts';
import { createClock } from './jail/clock.ts';
import { enterJail } from './jail/jail.ts';
import type { SigningThread } from './secure/index.ts';

/**
 * The keep's process. Started by the supervisor or systemd: the link to gate on fd 3, the supervisor's channel on fd 4
 * (absent under systemd). It closes its jail before it loads the code that touches secrets.
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    'boot-key': { type: 'string' },
    listen: { type: 'string' },
    scheme: { type: 'string' },
    'adopt-tls': { type: 'boolean', default: false },
    'allow-unlocked-memory': { type: 'boolean', default: false },
    'allow-incomplete-jail': { type: 'boolean', default: false },
  },
});

const LINK_FD = 3;
const CONTROL_FD = 4;
const EXIT_FAILED = 70;

const clock = createClock();
const log = createLog(
  (line) => void process.stdout.write(line),
  () => clock.now().wallMs,
);
// Who reads the log may end first: the keep then still seals, as the end of its other channels tells it to.
process.stdout.on('error', () => undefined);
const control = openControl();
const report = (event: Record<string, unknown>) => void control?.write(`${JSON.stringify(event)}\n`);

/** Under systemd there is no supervisor and no such descriptor. */
function openControl(): Socket | null {
  try {
    return new Socket({ fd: CONTROL_FD, readable: true, writable: true });
  } catch {
    return null;
  }
}

process.on('uncaughtException', (error) => fail('unforeseen failure; the keep ends', error));

/** Ends the process. What people can act on goes to the supervisor as well: before a vault is ready, it tells them. */
function fail(words: string, cause: unknown): void {
  const error = directoryFault(values.data ?? '', cause) ?? cause;
  if (error instanceof CodedError) {
    const { code, message, remedy, details } = error;
    log('error', message, { code, remedy, details });
    report({ event: 'failed', code, message, remedy });
  } else {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    log('error', words, { error: message, at: stack?.split('\n')[1]?.trim() });
  }
  process.exit(EXIT_FAILED);
}

async function main(dataDir: string): Promise<void> {
  let signingThread: SigningThread | undefined;
  const jail = await enterJail({
    async loadAddons() {
      const { startSigningThread } = await import('./secure/index.ts');
      signingThread = await startSigningThread(() => log('warn', 'the thread that signs has ended; the first signs'));
    },
    strict: !values['allow-incomplete-jail'],
    linkFd: LINK_FD,
  });
  if (!jail.complete) {
    log('warn', 'seat belts do not hold', {
      missing: jail.belts.filter(({ holds }) => !holds).map(({ name }) => name),
    });
  }
  if (!signingThread) log('info', 'one thread signs: a second one was not allowed');
  const { startDaemon } = await import('./daemon/daemon.ts');
  const daemon = await startDaemon(
    {
      dataDir,
      bootKeyPath: values['boot-key'] ?? `${dataDir}/boot.key`,
      linkFd: LINK_FD,
      allowUnlockedMemory: values['allow-unlocked-memory'],
      adoptTls: values['adopt-tls'],
      ...(values.scheme === '1' ? { scheme: 1 as const } : {}),
    },
    { clock, log, jail, report, exit: (code) => process.exit(code), signingThread },
  );
  const listen = values.listen && /^(.+):([0-9]+)$/.exec(values.listen);
  if (listen) daemon.listening({ host: listen[1]!, port: Number(listen[2]) });

  const end = async () => {
    await daemon.seal('shutdown');
    process.exit(0);
  };
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  control?.on('end', () => void end());
  readCommands(async (command) => {
    if (command['cmd'] === 'seal') {
      await daemon.seal(command['reason'] === 'sleep' ? 'sleep' : 'shutdown');
      report({ event: 'sealed' });
    } else if (command['cmd'] === 'listening') {
      daemon.listening({ host: String(command['host']), port: Number(command['port']) });
    }
  });
}

function readCommands(run: (command: Record<string, unknown>) => Promise<void>): void {
  let rest = '';
  control?.setEncoding('utf8');
  control?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!.slice(0, 65_536);
    for (const line of lines) {
      try {
        void run(JSON.parse(line) as Record<string, unknown>);
      } catch {
        log('warn', 'a line of the supervisor is not JSON');
      }
    }
  });
  control?.on('error', () => undefined);
}

if (values.data === undefined) {
  log('error', 'the keep needs --data DIRECTORY; it is started by `keepwatch vault run`');
  process.exit(64);
}
const { data } = values;
main(data).catch((error: unknown) => fail('the keep did not start', error));
