import { once } from 'node:events';
import { join } from 'node:path';
import { lockKind, makeMonitor, requireUnmade, startDaemon, type NewLock } from '@keepwatch/monitor';
import { NETWORKS, type Network } from '@keepwatch/bitcoin';
import type { ChainOptions } from '../chain/options.ts';
import { chainSettings } from '../chain/settings.ts';
import type { Answer, Context } from '../command.ts';
import { parseListen } from '../commands/vault-run.ts';
import { createDaemonLog } from '../daemon-log.ts';
import { usageError } from '../exit-codes.ts';
import { nextCommand } from '../next-command.ts';
import { readNewPassword } from '../secret-input.ts';
import { monitorDirectory, namedDirectory, startCommand, type MonitorPlace } from './options.ts';
import { readPassphrase } from './reach.ts';

const DEFAULT_HTTP = '127.0.0.1:7410';
const CREDENTIAL = 'keepwatch-monitor-key';
const PROTECTION = {
  file: 'a key file beside the data: a stolen disk or a copy of the directory yields everything',
  passphrase: 'a pass phrase at each start: a stolen disk yields nothing without it',
  credential: 'a credential of systemd: a stolen disk yields nothing without it',
};

const firstOperator = (data: string | undefined) => [
  'Nobody has joined it yet. The first operator:',
  `  On this machine:  ${nextCommand('monitor join', { data })}`,
  `  From elsewhere:   keepwatch monitor join CONNECTION, which \`${nextCommand('monitor status', { data })}\` shows here`,
];

export interface InitOptions extends MonitorPlace {
  readonly network: string | undefined;
  readonly key: string | undefined;
  readonly credential: string | undefined;
}

export async function monitorInit(context: Context, options: InitOptions): Promise<Answer> {
  const dataDir = monitorDirectory(context, options.data);
  const network = (options.network ?? 'main') as Network;
  if (!NETWORKS.includes(network)) {
    throw usageError('network', `There is no network “${network}”.`, `There are: ${NETWORKS.join(', ')}.`);
  }
  const kind = options.key ?? (options.credential === undefined ? 'passphrase' : 'credential');
  requireUnmade(dataDir);
  const id = await makeMonitor(dataDir, await newLock(context, options, kind), network);
  const protection = PROTECTION[lockKind(dataDir)];
  const { paint } = context.terminal;
  return {
    json: { monitor: id, data: dataDir, network, key: kind },
    text: [
      `The monitor is made in ${dataDir}, for ${network}.`,
      `It is protected by ${kind === 'file' ? paint.warning(protection) : protection}.`,
      `Next: ${nextCommand('watch add NAME --descriptor D', { data: namedDirectory(options) })}`,
      `and:  ${startCommand(options, network)}`,
    ].join('\n'),
  };
}

async function newLock(context: Context, options: InitOptions, kind: string): Promise<NewLock> {
  if (kind === 'file') return { kind };
  if (kind === 'credential') {
    const directory = context.terminal.environment['CREDENTIALS_DIRECTORY'];
    return { kind, name: options.credential ?? CREDENTIAL, directory };
  }
  if (kind === 'passphrase') {
    const file = options['passphrase-file'];
    const source = { prompt: 'Pass phrase for the monitor', option: '--passphrase-file', file };
    return { kind, passphrase: await readNewPassword(context.terminal, source) };
  }
  throw usageError('key_kind', `--key: “${kind}” is none.`, 'Choose passphrase, credential or file.');
}

export interface RunOptions extends MonitorPlace, Omit<ChainOptions, 'data'> {
  readonly http: string | undefined;
  readonly listen: string | undefined;
}

export async function monitorRun(context: Context, options: RunOptions): Promise<void> {
  const dataDir = monitorDirectory(context, options.data);
  const { configuration: chain } = await chainSettings(context, { ...options, data: join(dataDir, 'chain') });
  const write = createDaemonLog(context.terminal, context.terminal.interactive && !context.json);
  const credentials = context.terminal.environment['CREDENTIALS_DIRECTORY'];
  const lock = lockKind(dataDir);
  const ask = lock === 'passphrase' && (options['passphrase-file'] !== undefined || context.terminal.interactive);
  const daemon = await startDaemon({
    dataDir,
    chain,
    unlocking: {
      credentials,
      ...(ask ? { passphrase: await readPassphrase(context, options['passphrase-file']) } : {}),
    },
    http: options.http === 'off' ? null : parseListen(options.http ?? DEFAULT_HTTP, '--http'),
    listen: options.listen === undefined ? null : parseListen(options.listen, '--listen'),
    log: (level, msg, details) => write({ ...details, time: new Date().toISOString(), level, name: 'monitor', msg }),
  });
  const { phase, httpUrl: http } = daemon;
  if (lock === 'file') context.note(`The monitor is protected by ${PROTECTION.file}.`);
  context.emit({
    json: { event: phase(), network: chain.network, data: dataDir, http, key: lock },
    text: phase() === 'running' ? `The monitor watches ${chain.network}.` : 'The monitor is locked.',
  });
  const connection = daemon.address();
  const tokenFile = daemon.tokenFile();
  if (connection !== null) {
    // Never with the token: what is said here ends in the log of a service.
    context.emit({
      json: { event: 'listening', connection, tokenFile },
      text: [
        `Over the network:  ${connection}`,
        ...(tokenFile === null ? [] : firstOperator(namedDirectory(options))),
      ].join('\n'),
    });
  }
  const ended = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  try {
    await Promise.race([ended, daemon.failed]);
  } finally {
    await daemon.stop();
  }
}
