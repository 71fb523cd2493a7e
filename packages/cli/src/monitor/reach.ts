import { CodedError } from '@keepwatch/base';
import {
  connectApi,
  createLocalApi,
  isOrder,
  lockKind,
  openLock,
  openMonitor,
  socketPath,
  type ApiClient,
  type Carried,
  type MonitorApi,
  type Unlocking,
} from '@keepwatch/monitor';
import type { Context } from '../command.ts';
import { nextCommand } from '../next-command.ts';
import { readSecret } from '../secret-input.ts';
import { expectsOf, monitorDirectory, namedDirectory, samePlace, startCommand, type MonitorPlace } from './options.ts';
import { remoteMonitor } from './remote.ts';

export interface Reached {
  /** The command that starts it; null: it runs, and its data was not opened by this process. */
  readonly start: string | null;
  /** On this machine, by the monitor's own user. */
  readonly here: boolean;
}

/**
 * The monitor that is meant: one over a network; or the one in the data directory that runs, over its socket; where none
 * does, its data is opened here for as long as `use` runs. Either way the same methods answer.
 */
export async function withMonitor<T>(
  context: Context,
  place: MonitorPlace,
  use: (api: MonitorApi, how: Reached) => Promise<T>,
): Promise<T> {
  const client = await runningMonitor(context, place);
  if (client) return closing(client, (api) => use(api, { start: null, here: !('order' in api) }));
  const dataDir = monitorDirectory(context, place.data);
  const rootKey = await openLock(dataDir, await unlockingOf(context, dataDir, place));
  const monitor = await openMonitor({ dataDir, rootKey });
  try {
    const start = startCommand(place, monitor.engine.state.watch.settings.network);
    return await use(expecting(createLocalApi(monitor), place), { start, here: true });
  } finally {
    await monitor.close();
  }
}

/** The monitor that is meant, and only if it runs: no data is opened here. Throws `monitor_not_running`. */
export async function withRunningMonitor<T>(
  context: Context,
  place: MonitorPlace,
  use: (api: ApiClient) => Promise<T>,
): Promise<T> {
  const client = await runningMonitor(context, place);
  if (client) return closing(client, use);
  lockKind(monitorDirectory(context, place.data));
  throw new CodedError('monitor_not_running', 'No monitor runs there, and nothing new is found.', {
    remedy: `Start it with \`${startCommand(place, undefined)}\`; \`${nextCommand('findings list', samePlace(place))}\` shows what was found.`,
  });
}

/** `undefined`: none runs in the data directory. */
async function runningMonitor(context: Context, place: MonitorPlace): Promise<ApiClient | undefined> {
  const remote = await remoteMonitor(context, place);
  if (remote) return remote;
  const client = await connectApi(socketPath(monitorDirectory(context, place.data)));
  if (!client) return undefined;
  try {
    const { phase } = (await client.call('status')) as { readonly phase: string };
    if (phase !== 'locked') return expecting(client, place);
    throw new CodedError('monitor_locked', 'The monitor runs, and is locked.', {
      remedy: `Run \`${nextCommand('monitor unlock', { data: namedDirectory(place) })}\` first.`,
    });
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Orders of the monitor's own user are not signed; `--expects` holds for them as well. */
function expecting<A extends MonitorApi>(api: A, place: MonitorPlace): A {
  const given = expectsOf(place);
  if (given === undefined) return api;
  let expects = given;
  return {
    ...api,
    async call(method, params = {}) {
      if (!isOrder(method)) return api.call(method, params);
      const carried = (await api.call('command', { method, params, expects })) as Carried;
      // What the next order of the same command builds on.
      expects = carried.version;
      return carried.value;
    },
  };
}

async function closing<T>(client: ApiClient, use: (api: ApiClient) => Promise<T>): Promise<T> {
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** What opens the lock, where this machine or a person can give it. */
export async function unlockingOf(context: Context, dataDir: string, place: MonitorPlace): Promise<Unlocking> {
  const credentials = context.terminal.environment['CREDENTIALS_DIRECTORY'];
  if (lockKind(dataDir) !== 'passphrase') return { credentials };
  return { credentials, passphrase: await readPassphrase(context, place['passphrase-file']) };
}

export const readPassphrase = (context: Context, file: string | undefined): Promise<Uint8Array> =>
  readSecret(context.terminal, { prompt: 'Pass phrase of the monitor', option: '--passphrase-file', file });
