import { describeFinding, groupOf, type Post, type Privacy } from '@keepwatch/notify';
import type { Finding } from '@keepwatch/watch';
import type { OwnedWallet } from '../evm/owned-wallet.ts';

/** A finding as a message, at the level of privacy of its channel. Its id keeps it from being told twice. */
export function postOf(finding: Finding, wallet: OwnedWallet | undefined, privacy: Privacy): Post {
  const { id, severity, atMs } = finding;
  const about = wallet ? { name: wallet.name, labelOf: (address: string) => wallet.labels[address] ?? null } : null;
  const words = describeFinding(finding, about, privacy);
  return { ...words, key: id, group: groupOf(finding), severity, acknowledgement: null, atMs };
}
