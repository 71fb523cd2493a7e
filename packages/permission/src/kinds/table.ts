import { assertNever } from '@keepwatch/base';
import type { Intent, IntentKind } from '../intent.ts';
import { etherTransfer } from './ether-transfer.ts';
import type { Cost, KindRules } from './kind.ts';

export function isIntentKind(kind: unknown): kind is IntentKind {
  return kind === 'ether-transfer';
}

export function rulesOfKind(kind: IntentKind): KindRules<Intent> {
  switch (kind) {
    case 'ether-transfer':
      return etherTransfer;
    default:
      return assertNever(kind);
  }
}

/** Throws a RangeError for a negative amount: charging it would give budget back. */
export function costOf(intent: Intent): Cost {
  const cost = rulesOfKind(intent.kind).costOf(intent);
  if (cost.maxFee < 0n || cost.leaves < cost.maxFee) throw new RangeError('an intent costs no negative amount');
  return cost;
}
