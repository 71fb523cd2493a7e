import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { connectMonitor, isMade, peerIdOf, tokenPath, type RemoteMonitor } from '@keepwatch/monitor';
import { createIdentity, fileMemory, loadIdentity } from '@keepwatch/sdk';
import type { Answer, Context } from '../command.ts';
import { readLeft } from '../connection-argument.ts';
import { expectsOf, monitorDirectory, type MonitorPlace } from './options.ts';

/** A monitor over a network: its key, and where it is, in a folder of the profile. */
interface Joined {
  readonly connection: string;
  readonly role: 'operator' | 'client';
}

const fileOf = (context: Context) => join(context.directories.watcher, 'monitor.json');
const withoutToken = (connection: string) => connection.replace(/&token=[^&]*/, '');

async function readJoined(context: Context): Promise<Joined | undefined> {
  const text = await readFile(fileOf(context), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as Joined);
}

function reach(
  context: Context,
  identity: Awaited<ReturnType<typeof loadIdentity>>,
  how: Joined & { readonly wish: 'session' | 'register'; readonly expects?: number | undefined },
) {
  const memory = fileMemory(join(context.directories.watcher, 'memory.json'));
  const { connection: connectionString, role, wish, expects } = how;
  return connectMonitor({ connectionString, identity, role, wish, memory, expects });
}

/** `undefined`: the one on this machine is meant. */
export async function remoteMonitor(context: Context, place: MonitorPlace): Promise<RemoteMonitor | undefined> {
  const here = place.data !== undefined || isMade(context.directories.monitor);
  if (place.monitor === undefined && here) return undefined;
  const joined = await readJoined(context);
  if (!joined) {
    if (place.monitor === undefined) return undefined;
    throw new CodedError('monitor_not_joined', 'This profile has not joined a monitor.', {
      remedy: 'Run `keepwatch monitor join CONNECTION` first.',
    });
  }
  const identity = await loadIdentity(join(context.directories.watcher, 'identity.json'));
  const connection = place.monitor === undefined ? joined.connection : withoutToken(place.monitor);
  return reach(context, identity, { ...joined, connection, wish: 'session', expects: expectsOf(place) });
}

/** Error code `no_local_monitor`. */
const localConnection = (dataDir: string) =>
  readLeft(tokenPath(dataDir), {
    code: 'no_local_monitor',
    what: 'No monitor on this machine waits for its first operator',
    remedy:
      'Start it with `keepwatch monitor run --listen`, name its directory with --data, or give its connection string.',
  });

export interface JoinOptions {
  readonly name: string | undefined;
  readonly reader: boolean;
  readonly data: string | undefined;
}

export async function monitorJoin(
  context: Context,
  given: string | undefined,
  { name, reader, data }: JoinOptions,
): Promise<Answer> {
  const connection = given ?? (await localConnection(monitorDirectory(context, data)));
  const directory = context.directories.watcher;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'identity.json');
  const identity = await loadIdentity(path).catch((error: unknown) => {
    if (error instanceof CodedError && error.code === 'identity_missing') return createIdentity(path);
    throw error;
  });
  const role = reader ? 'client' : 'operator';
  const monitor = await reach(context, identity, { connection, role, wish: 'register' }).catch((error: unknown) => {
    if (!(error instanceof CodedError) || error.code !== 'proposals_full') throw error;
    const peer = peerIdOf(identity);
    throw new CodedError(error.code, `Too many wait to be let in. Your id: ${peer}`, {
      cause: error,
      remedy: `Have an operator run \`keepwatch monitor approve ${peer}\`, then ask again: there is room for you then.`,
      details: { peer },
    });
  });
  try {
    if (name !== undefined) await monitor.call('peer.self', { name });
    const joined: Joined = { connection: withoutToken(connection), role };
    await writeFile(fileOf(context), `${JSON.stringify(joined)}\n`, { mode: 0o600 });
    const { peer, right } = monitor;
    if (right !== 'candidate') {
      return {
        json: { peer, right },
        text: `You are ${right === 'operator' ? 'an operator' : 'a reader'} of this monitor. Your id: ${peer}`,
      };
    }
    const flag = reader ? ' --reader' : '';
    const text = `You have asked to be let in. Your id: ${peer}\nAn operator compares it and runs:\n  keepwatch monitor approve ${peer}${flag}`;
    return { json: { peer, right }, text };
  } finally {
    monitor.close();
  }
}
