import type { PermittingGrant } from '../grant.ts';
import type { Action, ActionKind } from '../intent.ts';
import { contractCall, opaqueCall } from './contract-call.ts';
import { etherTransfer } from './ether-transfer.ts';
import type { KindRules } from './kind.ts';
import { contractCreation, delegation, message, typedData } from './signed-data.ts';
import { tokenTransfer } from './token-transfer.ts';

type RulesByKind = {
  readonly [K in ActionKind]: KindRules<Extract<PermittingGrant, { kind: K }>, Extract<Action, { kind: K }>>;
};

/** One line for each kind: a grant of a kind covers actions of the same kind. */
const KINDS: RulesByKind = {
  'ether-transfer': etherTransfer,
  'token-transfer': tokenTransfer,
  'contract-call': contractCall,
  'opaque-call': opaqueCall,
  'contract-creation': contractCreation,
  'typed-data': typedData,
  message,
  delegation,
};

export function rulesOfKind(kind: ActionKind): KindRules<PermittingGrant, Action> {
  // Whoever calls has just seen that grant and action are of this kind.
  return KINDS[kind] as unknown as KindRules<PermittingGrant, Action>;
}
