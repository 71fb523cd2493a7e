import { assertNever } from '@keepwatch/base';
import type { BudgetExceeded, DenyReason, LimitExceeded, NotCovered } from '../decision.ts';
import { chainName } from './chain-names.ts';
import { amountWords, assetWords, count, timeWords, windowTextWords, type Names } from './names.ts';

/** Which rule of which grant refused, the limit, what was asked, what is left, and when enough is free again. */
export function describeDenial(reason: DenyReason, chain: string, names: Names = {}): string {
  switch (reason.code) {
    case 'no_grant':
      return `no grant lets ${names.client ?? reason.client} do ${reason.kind} with wallet ${names.wallet ?? reason.wallet} on ${names.chain ?? chainName(reason.chain)}`;
    case 'forbidden':
      return `rule ${reason.grant} forbids ${reason.asked}`;
    case 'volume_exceeded':
    case 'outstanding_exceeded':
    case 'count_exceeded':
      return budgetWords(reason, chain, names);
    case 'max_value_exceeded':
    case 'gas_limit_exceeded':
    case 'max_fee_per_gas_exceeded':
    case 'max_priority_fee_exceeded':
    case 'max_fee_exceeded':
    case 'too_many_outstanding':
      return limitWords(reason, chain, names);
    case 'outside_validity':
      return `grant ${reason.grant} does not hold at ${timeWords(reason.atMs)}${reason.freeAtMs === null ? '' : `, but from ${timeWords(reason.freeAtMs)} on`}`;
    case 'outside_hours':
      return `grant ${reason.grant} does not hold at this hour (${timeWords(reason.atMs)})`;
    case 'too_soon':
      return `grant ${reason.grant} asks for a pause after each request, until ${timeWords(reason.freeAtMs)}`;
    case 'unknown_constraint':
      return `grant ${reason.grant} has a constraint that this version does not know: ${reason.rule}`;
    case 'unknown_zone':
      return `grant ${reason.grant} names a time zone that is not known here: ${reason.asked}`;
    case 'no_volume_limit':
      return `grant ${reason.grant} does not limit how much ${assetWords(reason.asset, chain, names)} may leave the wallet, so it permits none`;
    case 'no_fee_limit':
      return `grant ${reason.grant} does not limit what fees may cost, so it permits no transaction`;
    case 'replacement_of_other_grant':
      return `the nonce was paid for by another grant than ${reason.grant}, and that one alone can pay for its replacement`;
    default:
      return coverageWords(reason, names);
  }
}

function budgetWords(reason: BudgetExceeded, chain: string, names: Names): string {
  const { grant, rule, asset, limit, asked, remaining } = reason;
  const window = reason.window === undefined ? '' : ` ${windowTextWords(reason.window)}`;
  const free = freeAgain(reason);
  if (rule === 'count' || asset === undefined) {
    return `grant ${grant} permits ${count(limit, 'signature')}${window}: ${remaining} left${free}`;
  }
  const amount = (value: bigint | 'unlimited') => amountWords(value, asset, chain, names);
  const all = asset === 'native' ? ' (value and maximum fees)' : '';
  const verb = rule === 'volume' ? `leave${all}` : `be signed and not settled${all}`;
  return `grant ${grant} lets at most ${amount(limit)}${window} ${verb}: ${amount(asked)} asked, ${amount(remaining)} left${free}`;
}

function freeAgain({ freeAtMs, asked, limit, rule }: BudgetExceeded): string {
  if (freeAtMs !== null) return `, enough again at ${timeWords(freeAtMs)}`;
  if (asked === 'unlimited' || asked > limit) return ', more than the whole limit asked';
  return rule === 'outstanding' ? ', more when something is settled' : '';
}

function limitWords(
  { code, grant, asset = 'native', limit, asked }: LimitExceeded,
  chain: string,
  names: Names,
): string {
  const amount = (value: bigint | 'unlimited') => amountWords(value, asset, chain, names);
  switch (code) {
    case 'max_value_exceeded':
      return `grant ${grant} permits at most ${amount(limit)} at once: ${amount(asked)} asked`;
    case 'gas_limit_exceeded':
      return `grant ${grant} permits a gas limit of at most ${limit}: ${asked} asked`;
    case 'max_fee_per_gas_exceeded':
      return `grant ${grant} permits at most ${limit} wei per gas: ${asked} asked`;
    case 'max_priority_fee_exceeded':
      return `grant ${grant} permits a priority fee of at most ${limit} wei per gas: ${asked} asked`;
    case 'max_fee_exceeded':
      return `grant ${grant} permits a fee of at most ${amount(limit)}: ${amount(asked)} asked`;
    case 'too_many_outstanding':
      return `grant ${grant} keeps ${limit} signatures apart that are not settled, and there are as many`;
    default:
      return assertNever(code);
  }
}

function coverageWords({ code, grant, asked, permitted }: NotCovered, names: Names): string {
  const among = (noun: string) =>
    permitted === 0 || permitted === undefined
      ? `grant ${grant} permits no ${noun}, and ${asked} was asked for`
      : `grant ${grant} permits ${count(permitted, noun)}, and ${asked} is not among them`;
  switch (code) {
    case 'recipient_not_permitted':
      return among('recipient');
    case 'spender_not_permitted':
      return among('spender');
    case 'account_not_granted':
      return `grant ${grant} does not speak of the account ${asked}`;
    case 'asset_not_granted':
      return `grant ${grant} does not speak of ${names.tokens?.[asked]?.symbol ?? asked}`;
    case 'route_not_granted':
      return among('route');
    case 'unlimited_not_granted':
      return `grant ${grant} permits no unlimited allowance of ${names.tokens?.[asked]?.symbol ?? asked}`;
    case 'contract_not_granted':
      return among('contract');
    case 'function_not_granted':
      return among('function');
    case 'condition_not_met':
      return `grant ${grant} has a condition that ${asked} does not meet`;
    case 'delegatecall_not_granted':
      return `grant ${grant} does not let code of ${asked} act with the rights of the caller`;
    case 'selector_not_granted':
      return among('selector');
    case 'init_code_not_granted':
      return among('init code');
    case 'domain_not_granted':
      return `grant ${grant} is for another domain than ${asked}`;
    case 'type_not_granted':
      return among('type');
    case 'type_not_registered':
      return `grant ${grant} permits registered types alone, and ${asked} is none`;
    case 'message_not_granted':
      return `grant ${grant} permits other messages than ${JSON.stringify(asked)}`;
    case 'delegate_not_granted':
      return among('delegate');
    case 'opaque_not_granted':
      return `grant ${grant} permits nothing that is not understood (${asked})`;
    case 'kind_not_granted':
      return `grant ${grant} does not speak of ${asked}`;
    default:
      return assertNever(code);
  }
}
