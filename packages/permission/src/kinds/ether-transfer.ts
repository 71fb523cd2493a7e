import type { Grant } from '../grant.ts';
import type { EtherTransferIntent } from '../intent.ts';
import type { Cost, KindRules, Mismatch } from './kind.ts';

/** Ether transfers: to whom, and what they take from the wallet. */
export const etherTransfer: KindRules<EtherTransferIntent> = {
  isChain: (chain) => /^eip155:[1-9][0-9]{0,15}$/.test(chain),
  isRecipient: (recipient) => /^0x[0-9a-f]{40}$/.test(recipient),
  mismatch,
  costOf,
};

function mismatch(grant: Grant, intent: EtherTransferIntent): Mismatch | undefined {
  if (grant.recipients === 'any' || grant.recipients.includes(intent.recipient)) return undefined;
  return { rule: 'recipients', asked: intent.recipient, permitted: grant.recipients.length };
}

function costOf(intent: EtherTransferIntent): Cost {
  return { leaves: intent.valueWei + intent.maxFeeWei, maxFee: intent.maxFeeWei };
}
