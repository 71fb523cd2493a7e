import type { ContractCreationGrant, DelegationGrant, MessageGrant, TypedDataGrant } from '../grant.ts';
import type { ContractCreation, Delegation, Message, TypedData } from '../intent.ts';
import { firstUnmet } from './conditions.ts';
import type { KindRules, Mismatch } from './kind.ts';
import { isWallet, notAmong } from './members.ts';
import { fitsTemplate } from './message-template.ts';

/** EIP-712 data, by the domain's contract, the primary type and what the fields may be. */
export const typedData: KindRules<TypedDataGrant, TypedData> = {
  namesOfGrant: ({ contract }) => [contract],
  namesOfAction: ({ domain }) => [domain.verifyingContract ?? 'none'],
  coverAction(grant, { domain, primaryType, typeHash, fields, registered }, request) {
    const contract = domain.verifyingContract ?? 'none';
    if (contract !== grant.contract) return { code: 'domain_not_granted', asked: contract };
    if (grant.name !== undefined && domain.name !== grant.name) {
      return { code: 'domain_not_granted', asked: domain.name ?? 'none' };
    }
    const understood = registered && domain.chainId !== null && domain.verifyingContract !== null;
    if (!understood && grant.acknowledge === undefined) return { code: 'type_not_registered', asked: primaryType };
    const rules = grant.types.filter(
      (rule) => rule.primaryType === primaryType && (rule.typeHash === undefined || rule.typeHash === typeHash),
    );
    if (rules.length === 0) return { code: 'type_not_granted', asked: primaryType, permitted: grant.types.length };
    const unmet = rules.map(({ where }) => firstUnmet(where, fields, request));
    if (unmet.includes(undefined)) return undefined;
    return { code: 'condition_not_met', asked: `${primaryType} ${unmet[0]!.path}` };
  },
  coverOutflow(grant, { to }, request) {
    if (isWallet(to, request) || to === grant.contract) return undefined;
    return notAmong(grant.recipients ?? [], to, 'recipient_not_permitted');
  },
  coversOpaque: ({ acknowledge }) => acknowledge !== undefined,
};

/** EIP-191 text. */
export const message: KindRules<MessageGrant, Message> = {
  namesOfGrant: () => ['*'],
  namesOfAction: () => ['*'],
  coverAction({ messages }, { text }) {
    const fits = messages.some((rule) =>
      'prefix' in rule ? text.startsWith(rule.prefix) : fitsTemplate(rule.template, text),
    );
    return fits
      ? undefined
      : { code: 'message_not_granted', asked: text.slice(0, 80).toWellFormed(), permitted: messages.length };
  },
  coverOutflow: nothingLeaves,
  coversOpaque: () => false,
};

/** New contracts, by the hash of their init code. */
export const contractCreation: KindRules<ContractCreationGrant, ContractCreation> = {
  namesOfGrant: ({ initCodeHashes }) => (initCodeHashes === 'any' ? ['*'] : initCodeHashes),
  namesOfAction: ({ initCodeHash }) => [initCodeHash, '*'],
  coverAction: ({ initCodeHashes }, { initCodeHash }) =>
    notAmong(initCodeHashes, initCodeHash, 'init_code_not_granted'),
  // What leaves goes to the contract that is made.
  coverOutflow: (_grant, { asset, to }) =>
    asset === 'native' ? undefined : { code: 'recipient_not_permitted', asked: to },
  coversOpaque: () => false,
};

/** EIP-7702: never for every chain at once (chain id 0). */
export const delegation: KindRules<DelegationGrant, Delegation> = {
  namesOfGrant: ({ delegates }) => delegates,
  namesOfAction: ({ delegate }) => [delegate],
  coverAction({ chain, delegates }, { delegate, chainId }) {
    if (chain !== `eip155:${chainId}`)
      return { code: 'delegate_not_granted', asked: `${delegate} on chain ${chainId}` };
    return notAmong(delegates, delegate, 'delegate_not_granted');
  },
  coverOutflow: nothingLeaves,
  coversOpaque: () => false,
};

function nothingLeaves(_grant: unknown, { to }: { readonly to: string }): Mismatch {
  return { code: 'recipient_not_permitted', asked: to, permitted: 0 };
}
