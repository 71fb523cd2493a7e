import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { NETWORKS } from '@keepwatch/bitcoin';
import { connectApi, isMade, lockKind, requireWhole, socketPath } from '@keepwatch/monitor';
import type { Answer, Context } from '../command.ts';
import { nextCommand } from '../next-command.ts';
import { fields, table } from '../table.ts';
import { showCount, showTime } from '../values.ts';
import { monitorDirectory, namedDirectory, startCommand, type MonitorPlace } from './options.ts';
import { readPassphrase } from './reach.ts';
import { remoteMonitor } from './remote.ts';
import { shownWords, type EvmShown } from './shown-words.ts';

interface Status {
  readonly phase: 'locked' | 'running';
  readonly dataDir?: string;
  readonly lock: 'file' | 'passphrase' | 'credential';
  readonly http: string | null;
  readonly connection?: string | null;
  readonly sessions?: number;
  readonly network?: string;
  readonly able?: boolean;
  readonly tip?: { readonly height: number; readonly hash: string; readonly timeSeconds: number } | null;
  readonly entries?: number;
  readonly version?: number;
  readonly wallets?: number;
  readonly scripts?: number;
  readonly scans?: number;
  readonly messagesWaiting?: number;
  readonly answersAwaited?: number;
  readonly answersMissing?: number;
  readonly channelsDead?: readonly { readonly channel: string; readonly sinceMs: number; readonly words: string }[];
  readonly sources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly state: string;
    readonly tip: { readonly height: number } | null;
    readonly peers: number;
    readonly problem: { readonly code: string; readonly words: string } | null;
  }[];
  readonly evm?: readonly (EvmHealthJson & {
    readonly chainId: string;
    readonly upstreams: readonly (EvmHealthJson & { readonly name: string; readonly pending: EvmShown })[];
  })[];
}

interface EvmHealthJson {
  readonly state: string;
  readonly head: number | null;
  readonly problem: { readonly code: string; readonly words: string } | null;
}

const KEYS = {
  file: 'a key file beside the data: it does not protect a stolen disk',
  passphrase: 'a pass phrase at each start',
  credential: 'a credential of systemd',
};

export async function monitorStatus(context: Context, place: MonitorPlace): Promise<Answer> {
  const dataDir = monitorDirectory(context, place.data);
  const client = (await remoteMonitor(context, place)) ?? (await connectApi(socketPath(dataDir)));
  if (!client) {
    requireWhole(dataDir);
    const made = isMade(dataDir);
    const data = namedDirectory(place);
    const next = made ? whatStarts(dataDir, place) : nextCommand('monitor init', { data });
    return {
      json: { phase: made ? 'stopped' : 'not-made', data: dataDir, ...(made ? { lock: lockKind(dataDir) } : {}) },
      text: `${made ? 'The monitor does not run: nothing is watched.' : 'There is no monitor yet.'}\nNext: ${next}`,
    };
  }
  try {
    const said = (await client.call('status')) as Status;
    // On its own machine: with the token that makes the first operator.
    const whole = 'right' in client || said.phase === 'locked' ? null : await client.call('connection');
    const status = typeof whole === 'string' ? { ...said, connection: whole } : said;
    return { json: status, text: textOf(context, dataDir, status, place) };
  } finally {
    client.close();
  }
}

/** The network of a monitor that does not run is under its lock; where it ran, its folder of the chain is called after it. */
function whatStarts(dataDir: string, place: MonitorPlace): string {
  const [network, ...others] = NETWORKS.filter((each) => existsSync(join(dataDir, 'chain', each)));
  if (network !== undefined && others.length === 0) return startCommand(place, network);
  return `${startCommand(place, undefined)}\n      with --network, if it was made for another one than main`;
}

function textOf({ terminal: { paint } }: Context, dataDir: string, status: Status, place: MonitorPlace): string {
  if (status.phase === 'locked') {
    const next = nextCommand('monitor unlock', { data: namedDirectory(place) });
    return `${paint.bad('The monitor is locked: nothing is watched.')}\nNext: ${next}`;
  }
  const { tip, able, channelsDead = [], sources = [], evm = [] } = status;
  const about = fields([
    ['monitor', paint.good('watches')],
    ['network', status.network],
    [
      'verdict',
      able
        ? paint.good('enough sources speak')
        : sources.length === 0
          ? 'no bitcoin chain is followed'
          : paint.bad('no set of sources that suffices speaks'),
    ],
    ['tip', tip ? `${tip.height} ${tip.hash}, ${showTime(tip.timeSeconds * 1_000)}` : 'none yet'],
    ['wallets', `${showCount(status.wallets!, 'wallet')} with ${showCount(status.scripts!, 'script')}`],
    ['scans', status.scans ? `the past of ${showCount(status.scans, 'wallet')} is being read` : undefined],
    ['journal', `${showCount(status.entries!, 'entry', 'entries')}`],
    ['version', status.version === undefined ? undefined : String(status.version)],
    ['messages', status.messagesWaiting ? `${status.messagesWaiting} not delivered yet` : 'all delivered'],
    ['answers', answersText(paint, status)],
    ['data', status.dataDir ?? dataDir],
    ['key', status.lock === 'file' ? paint.warning(KEYS.file) : KEYS[status.lock]],
    ['http', status.http ?? undefined],
    ['wire', status.connection ? `${status.connection}, ${showCount(status.sessions ?? 0, 'session')}` : undefined],
  ]);
  const rows = sources.map(({ name, kind, state, tip: at, peers, problem }) => [
    ...[name, kind, state === 'live' ? paint.good(state) : paint.warning(state), at ? String(at.height) : '–'],
    ...[String(peers), problem?.words ?? ''],
  ]);
  const paintState = (state: string) => (state === 'live' ? paint.good(state) : paint.warning(state));
  const chains = evm.flatMap(({ chainId, upstreams, ...all }) =>
    [
      { name: `chain ${chainId}`, pending: null, ...all },
      ...upstreams.map(({ name, ...rest }) => ({ name: `  ${name}`, ...rest })),
    ].map(({ name, state, head, pending, problem }) => [
      ...[name, paintState(state), head === null ? '–' : String(head)],
      ...[pending === null ? '' : shownWords(pending), problem?.words ?? ''],
    ]),
  );
  const dead = channelsDead.map(
    ({ channel, sinceMs, words }) => `${paint.bad(channel)} cannot deliver since ${showTime(sinceMs)}: ${words}`,
  );
  const lines = [
    about,
    ...(rows.length > 0 ? ['', table([['SOURCE', 'KIND', 'STATE', 'HEIGHT', 'PEERS', ''], ...rows], paint.title)] : []),
    ...(chains.length > 0
      ? ['', table([['EVM', 'STATE', 'BLOCK', 'OUTSIDE BLOCKS', ''], ...chains], paint.title)]
      : []),
  ];
  return [...lines, ...(dead.length > 0 ? ['', ...dead] : [])].join('\n');
}

function answersText(paint: Context['terminal']['paint'], status: Status): string | undefined {
  const { answersAwaited: awaited = 0, answersMissing: missing = 0 } = status;
  if (awaited + missing === 0) return undefined;
  const words = [
    ...(awaited > 0 ? [`${showCount(awaited, 'finding')} unanswered`] : []),
    ...(missing > 0 ? [`${showCount(missing, 'finding')} that nobody answered`] : []),
  ];
  return paint.bad(words.join(', '));
}

export async function monitorUnlock(context: Context, place: MonitorPlace): Promise<Answer> {
  const dataDir = monitorDirectory(context, place.data);
  const client = await connectApi(socketPath(dataDir));
  if (!client) {
    throw new CodedError('monitor_not_running', 'No monitor runs there.', {
      remedy: `Start it with \`${startCommand(place, undefined)}\`.`,
    });
  }
  try {
    const { phase } = (await client.call('status')) as Status;
    if (phase === 'running') return { json: { phase }, text: 'The monitor is not locked.' };
    const passphrase = await readPassphrase(context, place['passphrase-file']);
    await client.call('unlock', { passphrase: Buffer.from(passphrase).toString('utf8') });
    return { json: { phase: 'running' }, text: 'The monitor is unlocked, and watches.' };
  } finally {
    client.close();
  }
}
