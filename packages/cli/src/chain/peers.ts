import { CodedError } from '@keepwatch/base';
import type { Ban, P2pSource, PeerInfo } from '@keepwatch/chain';
import type { Answer, Context } from '../command.ts';
import { table } from '../table.ts';
import { showTime } from '../values.ts';
import type { ChainOptions } from './options.ts';
import { chainSettings, withSources } from './settings.ts';
import { isP2p, until } from './watching.ts';

/** Enough to see who is there. */
const ENOUGH = 8;

/** Whom the light client is connected to, after it had `withinMs` to meet them. */
export async function chainPeers(context: Context, options: ChainOptions, withinMs: number): Promise<Answer> {
  const settings = await chainSettings(context, options);
  return withSources(context, settings, async (sources, signal) => {
    const clients = sources.filter(isP2p);
    if (clients.length === 0) {
      throw new CodedError('no_light_client', 'None of the sources is the light client, and only it has peers.', {
        remedy: 'Use it with --peer HOST:PORT, or without any option that names another source.',
      });
    }
    for (const client of clients) client.start();
    const wanted = settings.configuration.sources.flatMap((source) =>
      source.kind === 'p2p' && (source.discover ?? settings.configuration.network !== 'regtest')
        ? [ENOUGH]
        : source.kind === 'p2p'
          ? [source.peers?.length ?? 0]
          : [],
    );
    const met = () => clients.every((client, i) => known(client).length >= wanted[i]!);
    await until(met, withinMs, signal);
    const all = clients.map((client) => ({ source: client.name, peers: client.peers(), bans: client.bans() }));
    return { json: { network: settings.configuration.network, sources: all }, text: textOf(context, all) };
  });
}

/** Those that have also answered a ping. */
const known = (client: P2pSource) => client.peers().filter(({ latencyMs }) => latencyMs !== null);

function textOf(
  { terminal: { paint } }: Context,
  all: readonly { readonly source: string; readonly peers: readonly PeerInfo[]; readonly bans: readonly Ban[] }[],
): string {
  const head = ['ADDRESS', 'SOFTWARE', 'PROTOCOL', 'LINE', 'HEIGHT', 'PING', 'TRAFFIC', 'SERVICES'];
  return all
    .map(({ source, peers, bans }) => {
      const rows = peers.map((peer) => [
        ...[peer.address, printable(peer.userAgent), String(peer.protocol)],
        peer.transport === 'v2' ? paint.good('v2 encrypted') : paint.warning('v1 open'),
        ...[String(peer.height), peer.latencyMs === null ? '–' : `${Math.round(peer.latencyMs)} ms`],
        ...[`${kilobytes(peer.received)} in, ${kilobytes(peer.sent)} out`, peer.services.join(' ')],
      ]);
      const lines = [
        ...(all.length > 1 ? [paint.strong(source)] : []),
        rows.length > 0 ? table([head, ...rows], paint.title) : 'No node of the network is connected.',
      ];
      if (bans.length > 0) {
        const banned = bans.map(({ host, untilMs }) => [host, showTime(untilMs)]);
        lines.push('', table([['BANNED', 'UNTIL'], ...banned], paint.title));
      }
      return lines.join('\n');
    })
    .join('\n\n');
}

/** A peer writes its name itself: nothing of it may move the cursor. */
const printable = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 40);
const kilobytes = (bytes: number) =>
  bytes < 10_000 ? `${bytes} B` : `${Math.round(bytes / 1_000).toLocaleString('en-US')} kB`;
