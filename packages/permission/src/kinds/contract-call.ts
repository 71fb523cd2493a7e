import type { ContractCallGrant, OpaqueCallGrant } from '../grant.ts';
import type { ContractCall, OpaqueCall } from '../intent.ts';
import { firstUnmet } from './conditions.ts';
import type { KindRules } from './kind.ts';
import { isMember, isWallet, notAmong } from './members.ts';

/** Functions of contracts whose ABI is known, with what their arguments may be. */
export const contractCall: KindRules<ContractCallGrant, ContractCall> = {
  namesOfGrant: ({ contracts }) => contracts,
  namesOfAction: ({ contract }) => [contract],
  coverAction(grant, { contract, function: called, args, callType }, request) {
    const elsewhere = notAmong(grant.contracts, contract, 'contract_not_granted');
    if (elsewhere) return elsewhere;
    if (callType === 'delegatecall' && grant.delegatecall === undefined) {
      return { code: 'delegatecall_not_granted', asked: contract };
    }
    const rules = grant.functions.filter((rule) => rule.function === called);
    if (rules.length === 0) {
      return { code: 'function_not_granted', asked: called, permitted: grant.functions.length };
    }
    const unmet = rules.map(({ where }) => firstUnmet(where, args, request));
    return unmet.includes(undefined) ? undefined : { code: 'condition_not_met', asked: `${called} ${unmet[0]!.path}` };
  },
  coverOutflow(grant, { to }, request) {
    if (isWallet(to, request) || isMember(grant.contracts, to)) return undefined;
    return notAmong(grant.recipients ?? [], to, 'recipient_not_permitted');
  },
  coversOpaque: () => false,
};

/** Calls that are not understood, by contract. */
export const opaqueCall: KindRules<OpaqueCallGrant, OpaqueCall> = {
  namesOfGrant: ({ contracts }) => contracts,
  namesOfAction: ({ contract }) => [contract],
  coverAction(grant, { contract, selector, callType }) {
    const elsewhere = notAmong(grant.contracts, contract, 'contract_not_granted');
    if (elsewhere) return elsewhere;
    if (callType === 'delegatecall' && grant.delegatecall === undefined) {
      return { code: 'delegatecall_not_granted', asked: contract };
    }
    return notAmong(grant.selectors, selector ?? 'none', 'selector_not_granted');
  },
  coverOutflow: ({ contracts }, { to }) => notAmong(contracts, to, 'recipient_not_permitted'),
  coversOpaque: () => true,
};
