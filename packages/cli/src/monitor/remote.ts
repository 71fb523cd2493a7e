import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import {
  connectApi,
  connectMonitor,
  isMade,
  peerIdOf,
  socketPath,
  tokenPath,
  type RemoteMonitor,
} from '@keepwatch/monitor';
import { createIdentity, fileMemory, loadIdentity } from '@keepwatch/sdk';
import type { Answer, Context } from '../command.ts';
import { readLeft, withoutToken } from '../connection-argument.ts';
import { nextCommand, shellWord } from '../next-command.ts';
import { expectsOf, monitorDirectory, namedDirectory, type MonitorPlace } from './options.ts';

/** A monitor over a network: its key, and where it is, in a folder of the profile. */
interface Joined {
  readonly connection: string;
  readonly role: 'operator' | 'client';
}

const fileOf = (context: Context) => join(context.directories.watcher, 'monitor.json');
const bare = (connection: string) => connection.replace(/&token=[^&]*/, '');

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
  const connection = place.monitor === undefined ? joined.connection : bare(place.monitor);
  return reach(context, identity, { ...joined, connection, wish: 'session', expects: expectsOf(place) });
}

/** Error code `no_local_monitor`. */
async function localConnection(context: Context, data: string | undefined): Promise<string> {
  const dataDir = monitorDirectory(context, data);
  const path = tokenPath(dataDir);
  // Only where nothing was left is the monitor itself asked why.
  const running = existsSync(path) ? undefined : await listening(dataDir);
  const status = nextCommand('monitor status', { data: namedDirectory({ data }) });
  switch (running) {
    case undefined:
      return readLeft(path, {
        code: 'no_local_monitor',
        what: 'No monitor on this machine waits for its first operator',
        remedy:
          'Start it with `keepwatch monitor run --listen HOST:PORT`, name its directory with --data, or give its connection string.',
      });
    case null:
      throw new CodedError(
        'no_local_monitor',
        'The monitor on this machine runs, but nobody can reach it over a network.',
        {
          remedy:
            'Start it again with --listen HOST:PORT. On its own machine, by its own user, it takes commands from whoever has not joined.',
        },
      );
    default:
      throw new CodedError('no_local_monitor', 'The monitor on this machine has its first operator already.', {
        remedy: `To be let in as well: \`keepwatch monitor join ${shellWord(running)}\`. The string is that of \`${status}\`.`,
      });
  }
}

/** How the monitor that runs here is reached over a network; null: not at all. `undefined`: none runs, or it is locked. */
async function listening(dataDir: string): Promise<string | null | undefined> {
  const client = await connectApi(socketPath(dataDir)).catch(() => undefined);
  try {
    const said = (await client?.call('status')) as { readonly phase: string } | undefined;
    return said?.phase === 'running' ? ((await client?.call('connection')) as string | null) : undefined;
  } finally {
    client?.close();
  }
}

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
  const connection = given ?? (await localConnection(context, data));
  const directory = context.directories.watcher;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'identity.json');
  const identity = await loadIdentity(path).catch((error: unknown) => {
    if (error instanceof CodedError && error.code === 'identity_missing') return createIdentity(path);
    throw error;
  });
  const role = reader ? 'client' : 'operator';
  const monitor = await reach(context, identity, { connection, role, wish: 'register' }).catch((error: unknown) => {
    if (!(error instanceof CodedError) || error.code !== 'proposals_full') {
      const find =
        'On the monitor’s machine, `keepwatch monitor join` finds it by itself, and `keepwatch monitor status` shows the whole string, to be taken elsewhere.';
      throw withoutToken(error, connection, find);
    }
    const peer = peerIdOf(identity);
    throw new CodedError(error.code, `Too many wait to be let in. Your id: ${peer}`, {
      cause: error,
      remedy: `Have an operator run \`keepwatch monitor approve ${peer}\`, then ask again: there is room for you then.`,
      details: { peer },
    });
  });
  try {
    if (name !== undefined) await monitor.call('peer.self', { name });
    const joined: Joined = { connection: bare(connection), role };
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
