import { formatBitcoin, type Json } from '@keepwatch/base';
import type { Network } from '@keepwatch/bitcoin';
import type { Post } from '@keepwatch/notify';
import type { Finding, WatchedWallet } from '@keepwatch/watch';
import type { Privacy } from './settings.ts';

/** A finding as a message, at the level of privacy of its channel. */
export function postOf(finding: Finding, wallet: WatchedWallet | undefined, privacy: Privacy, network: Network): Post {
  const { id, severity, atMs, detail } = finding;
  const common = { key: id, severity, atMs, acknowledgement: null, group: `${finding.wallet ?? ''} ${detail.kind}` };
  if (privacy === 'look') {
    return { ...common, subject: 'Keepwatch: something happened, look', body: 'Look at the monitor.', data: null };
  }
  const who = wallet?.name ?? 'The monitor';
  const subject = `Keepwatch: ${who}: ${detail.kind}`;
  const lines = [
    `${who}: ${detail.kind} on ${network}`,
    ...(finding.late ? ['This is late news: the monitor was down when it happened.'] : []),
    ...amounts(finding, privacy),
    ...(finding.evidence.block ? [`block ${finding.evidence.block.height}`] : []),
    `severity ${severity}; at ${new Date(atMs).toISOString()}`,
  ];
  return { ...common, subject, body: lines.join('\n'), data: privacy === 'full' ? plain(finding) : null };
}

function amounts({ detail }: Finding, privacy: Privacy): readonly string[] {
  if (!('receivedSats' in detail) || privacy !== 'full') return [];
  const { receivedSats, spentSats, txid } = detail;
  return [
    `transaction ${txid}`,
    ...(receivedSats > 0n ? [`in ${formatBitcoin(receivedSats)} BTC`] : []),
    ...(spentSats > 0n ? [`out ${formatBitcoin(spentSats)} BTC`] : []),
  ];
}

const plain = (finding: Finding): Json =>
  JSON.parse(
    JSON.stringify(finding, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ) as Json;
