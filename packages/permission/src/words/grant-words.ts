import { assertNever } from '@keepwatch/base';
import type { Constraint, Weekly } from '../constraint.ts';
import { constraintsOf, type AnyOf, type Condition, type DenyRule, type Grant, type Party } from '../grant.ts';
import {
  amountWords,
  assetWords,
  count,
  listed,
  namesOfAssets,
  onChain,
  spanWords,
  timeWords,
  windowWords,
  type Names,
} from './names.ts';

/**
 * "transfer ETH to 0x…, 0x… on Ethereum: at most 2 ETH a day (value and maximum fees), at most 5 signatures an hour": what
 * a grant permits, or a rule forbids, in plain words.
 */
export function describeGrant(grant: Grant, names: Names = {}): string {
  const known = grant.kind === 'token-transfer' ? namesOfAssets(grant.assets, names) : names;
  const { chain } = grant;
  const limits = constraintsOf(grant).map((constraint) => describeConstraint(constraint, chain, known));
  if ('unlimited' in grant && grant.unlimited !== undefined) {
    limits.push(`no limit on ${listed(grant.unlimited.map((asset) => assetWords(asset, chain, known)))}`);
  }
  if ('accounts' in grant && grant.accounts !== undefined) {
    limits.push(`also for what is in ${listed(grant.accounts)}`);
  }
  const what = `${subject(grant, known)} ${onChain(chain, known)}`;
  return limits.length === 0 ? what : `${what}: ${limits.join(', ')}`;
}

function subject(grant: Grant, names: Names): string {
  switch (grant.kind) {
    case 'ether-transfer':
      return `transfer ${assetWords('native', grant.chain, names)} to ${who(grant.recipients)}`;
    case 'token-transfer': {
      const assets = listed(grant.assets.map(({ asset }) => assetWords(asset, grant.chain, names)));
      const routes = grant.routes === 'any' ? 'any route' : listed(grant.routes);
      const spenders = none(grant.spenders) ? '' : `, letting ${who(grant.spenders)} take them`;
      return `transfer ${assets} to ${who(grant.recipients)}${spenders} (by ${routes})`;
    }
    case 'contract-call': {
      const functions = listed(grant.functions.map((each) => `${each.function}${conditions(each.where)}`));
      const others = none(grant.recipients) ? '' : `, to the benefit of ${who(grant.recipients!)}`;
      return `call ${functions} of ${who(grant.contracts)}${others}${grant.delegatecall === undefined ? '' : ', also with the rights of the caller'}`;
    }
    case 'opaque-call':
      return `make calls of ${who(grant.contracts)} that are not understood${grant.selectors === 'any' ? '' : ` (${listed(grant.selectors)})`}`;
    case 'contract-creation':
      return grant.initCodeHashes === 'any'
        ? 'create any contract'
        : `create contracts of init code ${who(grant.initCodeHashes)}`;
    case 'typed-data': {
      const types = listed(grant.types.map((each) => `${each.primaryType}${conditions(each.where)}`));
      return `sign ${types} for ${grant.name ?? 'the application'} (${grant.contract === 'none' ? 'no contract' : grant.contract})${grant.acknowledge === undefined ? '' : ', registered or not,'}`;
    }
    case 'message':
      return `sign messages ${listed(
        grant.messages.map((rule) =>
          'prefix' in rule ? `that begin with ${JSON.stringify(rule.prefix)}` : `like ${JSON.stringify(rule.template)}`,
        ),
        'or',
      )}`;
    case 'delegation':
      return `hand the whole wallet over to the code of ${listed(grant.delegates, 'or')}`;
    case 'deny':
      return `never ${forbidden(grant, names)} with ${grant.wallet === 'any' ? 'any wallet' : `wallet ${names.wallet ?? grant.wallet}`}, whoever${grant.client === 'any' ? '' : ` of ${partyName(grant.client, names)}`} asks`;
    case 'cap':
      return `whatever is granted, wallet ${names.wallet ?? grant.wallet} as a whole`;
    default:
      return assertNever(grant);
  }
}

const none = (list: AnyOf<string> | undefined) => list === undefined || list.length === 0;

function who(list: AnyOf<string>): string {
  if (list === 'any') return 'any address';
  return list.length === 0 ? 'nobody' : list.join(', ');
}

const partyName = (party: Party, names: Names) =>
  typeof party === 'string' ? (names.client ?? party) : `the group ${party.group}`;

function forbidden({ actions, assets, addresses, functions, routes }: DenyRule, names: Names): string {
  const parts = [
    actions && listed(actions, 'or'),
    assets &&
      `what moves ${listed(
        assets.map((asset) => assetWords(asset, '', names)),
        'or',
      )}`,
    routes && `by ${listed(routes, 'or')}`,
    functions && `${listed(functions, 'or')}`,
    addresses && `what involves ${listed(addresses, 'or')}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'anything' : parts.join(', ');
}

function conditions(where: readonly Condition[]): string {
  return where.length === 0 ? '' : ` where ${listed(where.map(conditionWords))}`;
}

function conditionWords(condition: Condition): string {
  const path = condition.path.slice(1).replaceAll('/', '.');
  switch (condition.test) {
    case 'equals':
      return `${path} is ${condition.value}`;
    case 'one-of':
      return `${path} is ${listed(condition.values.map(String), 'or')}`;
    case 'range': {
      const { min, max } = condition;
      if (min === null) return `${path} is at most ${max}`;
      return max === null ? `${path} is at least ${min}` : `${path} is from ${min} to ${max}`;
    }
    case 'prefix':
      return `${path} begins with ${JSON.stringify(condition.value)}`;
    case 'is-wallet':
      return `${path} is the wallet itself`;
    default:
      return assertNever(condition);
  }
}

/** "at most 2 ETH a day (value and maximum fees)". */
export function describeConstraint(constraint: Constraint, chain: string, names: Names = {}): string {
  const amount = (value: bigint, asset = 'native') => amountWords(value, asset, chain, names);
  switch (constraint.type) {
    case 'volume': {
      const { asset, limit, window } = constraint;
      return `at most ${amount(limit, asset)} ${windowWords(window)}${asset === 'native' ? ' (value and maximum fees)' : ''}`;
    }
    case 'count':
      return `at most ${count(constraint.limit, 'signature')} ${windowWords(constraint.window)}`;
    case 'max-value':
      return `at most ${amount(constraint.limit, constraint.asset)} at once`;
    case 'gas-limit':
      return `a gas limit of at most ${constraint.limit}`;
    case 'max-fee-per-gas':
      return `at most ${constraint.limit} wei per gas`;
    case 'max-priority-fee':
      return `a priority fee of at most ${constraint.limit} wei per gas`;
    case 'max-fee':
      return `a fee of at most ${amount(constraint.limit)} each`;
    case 'validity': {
      const from = constraint.fromMs === null ? [] : [`from ${timeWords(constraint.fromMs)}`];
      const until = constraint.untilMs === null ? [] : [`until ${timeWords(constraint.untilMs)}`];
      return [...from, ...until].join(' ');
    }
    case 'weekly':
      return `only ${weeklyWords(constraint)}`;
    case 'min-interval':
      return `${spanWords(constraint.seconds)} apart`;
    case 'outstanding':
      return `at most ${amount(constraint.limit, constraint.asset)} signed and not settled`;
    case 'quorum': {
      const { above, approvals } = constraint;
      return `above ${amount(above.amount, above.asset)} with the approval of ${count(approvals, 'operator')}`;
    }
    default:
      return assertNever(constraint);
  }
}

const DAYS = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};

function weeklyWords({ spans, zone }: Weekly): string {
  const words = spans.map(({ days, from, to }) => `${from}–${to} on ${listed(days.map((day) => DAYS[day]))}`);
  return `${listed(words)} (${zone})`;
}
