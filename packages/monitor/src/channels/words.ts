import { describeFinding, groupOf, type Post, type Privacy } from '@keepwatch/notify';
import { labelOf, type Finding, type LabelType } from '@keepwatch/watch';
import type { OwnedWallet } from '../evm/owned-wallet.ts';

/** A finding as a message, at the level of privacy of its channel. Its id keeps it from being told twice. */
export function postOf(finding: Finding, wallet: OwnedWallet | undefined, privacy: Privacy): Post {
  const { id, severity, atMs } = finding;
  const words = describeFinding(finding, wallet ? aboutOf(wallet) : null, privacy);
  return { ...words, key: id, group: groupOf(finding), severity, acknowledgement: null, atMs };
}

const aboutOf = ({ name, labels }: OwnedWallet) => ({
  name,
  labelOf: (type: LabelType, ref: string) => labelOf(labels, type, ref),
});
