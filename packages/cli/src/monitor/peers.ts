import type { Answer, Context } from '../command.ts';
import { table } from '../table.ts';
import { showTime } from '../values.ts';
import type { MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';
import type { JoinOptions } from './remote.ts';

interface PeerRow {
  readonly peer: string;
  readonly name: string;
  readonly right: string;
  readonly sinceMs: number;
}

export function monitorPeers(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const peers = (await api.call('peer.list')) as readonly PeerRow[];
    const rows = peers.map(({ peer, name, right, sinceMs }) => [peer, name || '–', right, showTime(sinceMs)]);
    if (rows.length === 0) return { json: { peers }, text: 'Nobody reaches this monitor over a network.' };
    return { json: { peers }, text: table([['ID', 'NAME', 'RIGHT', 'SINCE'], ...rows], context.terminal.paint.title) };
  });
}

export function monitorApprove(context: Context, peer: string, options: MonitorPlace & JoinOptions): Promise<Answer> {
  return withMonitor(context, options, async (api) => {
    const right = options.reader ? 'reader' : 'operator';
    const name = options.name === undefined ? {} : { name: options.name };
    const json = (await api.call('peer.approve', { peer, right, ...name })) as PeerRow;
    return { json, text: `${json.name} (${json.peer}) is ${right === 'operator' ? 'an operator' : 'a reader'} now.` };
  });
}

export function monitorRename(context: Context, peer: string, name: string, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const json = (await api.call('peer.rename', { peer, name })) as PeerRow;
    return { json, text: `${json.peer} is called ${json.name} now.` };
  });
}

export function monitorRevoke(context: Context, peer: string, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const json = (await api.call('peer.revoke', { peer })) as PeerRow;
    return { json, text: `${json.peer} reaches this monitor no more; its sessions have ended.` };
  });
}
