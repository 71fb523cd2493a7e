import { describeDenial, type DenyReason, type Names } from '@keepwatch/permission';
import type { KeepReason } from '../state/events.ts';
import type { NonceVerdict, ReplacementFault } from '../state/nonces.ts';

/** Why a request is denied before any grant is asked, and all reasons in words. */

export function nonceReason(asked: number, verdict: NonceVerdict | { kind: 'unconfirmed' }): KeepReason {
  switch (verdict.kind) {
    case 'unconfirmed':
      return { code: 'nonce_floor_unconfirmed', grant: null, asked };
    case 'below-floor':
      return { code: 'nonce_below_floor', grant: null, asked, floor: verdict.floor };
    default:
      return { code: 'nonce_used', grant: null, asked };
  }
}

export function replacementReason(asked: number, why: ReplacementFault): KeepReason {
  return { code: 'replacement_refused', grant: null, asked, why };
}

const REPLACEMENT_WORDS: Readonly<Record<ReplacementFault, string>> = {
  another_client: 'by another client that is still one',
  another_intent: 'for something else, and this is no cancellation either',
  fee_not_higher: 'and both fees per gas of this are not higher',
};

export function sentence(reason: DenyReason | KeepReason, chain: string, names: Names): string {
  switch (reason.code) {
    case 'nonce_used':
      return `nonce ${reason.asked} was signed before, for another transaction`;
    case 'nonce_below_floor':
      return `nonce ${reason.asked} lies below the wallet's floor of ${reason.floor}`;
    case 'nonce_floor_unconfirmed':
      return 'since the restore no operator has confirmed from which nonce on this wallet signs (`keepwatch wallet floor`)';
    case 'replacement_refused':
      return `nonce ${reason.asked} was signed before, ${REPLACEMENT_WORDS[reason.why]}`;
    default:
      return describeDenial(reason, chain, names);
  }
}
