import type { PermissionRequest } from './decision.ts';
import type { DenyRule } from './grant.ts';
import type { Action, ActionKind, NamedValue, Value } from './intent.ts';

/** What of a request a deny rule matches, in words; `undefined` where it does not. */
export function forbiddenBy(rule: DenyRule, { intent }: PermissionRequest): string | undefined {
  for (const facts of [...intent.actions.map(factsOf), ...intent.outflows.map(outflowFacts)]) {
    if (fits(rule, facts)) return facts.words;
  }
  return undefined;
}

/** What a rule can name of one action or outflow. */
interface Facts {
  readonly words: string;
  readonly action?: ActionKind;
  readonly asset?: string;
  readonly route?: string;
  readonly function?: string;
  readonly mentions: (address: string) => boolean;
}

function fits(rule: DenyRule, facts: Facts): boolean {
  return (
    names(rule.actions, facts.action) &&
    names(rule.assets, facts.asset) &&
    names(rule.routes, facts.route) &&
    names(rule.functions, facts.function) &&
    (rule.addresses === undefined || rule.addresses.some(facts.mentions))
  );
}

function names(list: readonly string[] | undefined, item: string | undefined): boolean {
  return list === undefined || (item !== undefined && list.includes(item));
}

function outflowFacts({ account, asset, to, route }: PermissionRequest['intent']['outflows'][number]): Facts {
  return { words: `${asset} to ${to}`, asset, route, mentions: (address) => address === to || address === account };
}

function factsOf(action: Action): Facts {
  switch (action.kind) {
    case 'ether-transfer':
      return {
        words: `ether to ${action.recipient}`,
        action: action.kind,
        asset: 'native',
        route: 'value',
        mentions: among(action.recipient, action.sender),
      };
    case 'token-transfer':
      return {
        words: `${action.asset} to ${action.to}`,
        action: action.kind,
        asset: action.asset,
        route: action.route,
        mentions: among(action.to, action.from, action.token, action.sender),
      };
    case 'contract-call': {
      const { contract, sender, args } = action;
      const mentions = amongThese(() => textsIn(args, [contract, sender]));
      return { words: `${action.function} at ${contract}`, action: action.kind, function: action.function, mentions };
    }
    case 'opaque-call':
      return {
        words: `a call of ${action.contract}`,
        action: action.kind,
        mentions: among(action.contract, action.sender),
      };
    case 'contract-creation':
      return { words: 'a new contract', action: action.kind, mentions: () => false };
    case 'typed-data': {
      const { domain, fields } = action;
      const mentions = amongThese(() => textsIn(fields, [domain.verifyingContract ?? '']));
      return {
        words: `${action.primaryType} for ${domain.verifyingContract ?? 'no contract'}`,
        action: action.kind,
        mentions,
      };
    }
    case 'message': {
      let text: string | undefined;
      const mentions = (address: string) => (text ??= action.text.toLowerCase()).includes(address);
      return { words: 'a message', action: action.kind, mentions };
    }
    case 'delegation':
      return { words: `delegation to ${action.delegate}`, action: action.kind, mentions: among(action.delegate) };
  }
}

const among =
  (...addresses: readonly string[]) =>
  (address: string) =>
    addresses.includes(address);

/**
 * The same for as many as arguments may hold. They are gathered once and when they are first asked for: a rule may name
 * a thousand addresses, and a request of 128 KiB bring four thousand.
 */
function amongThese(gather: () => readonly string[]): (address: string) => boolean {
  let gathered: ReadonlySet<string> | undefined;
  return (address) => (gathered ??= new Set(gather())).has(address);
}

function textsIn(values: readonly (Value | NamedValue)[], into: string[] = []): string[] {
  for (const item of values) {
    const value = typeof item === 'object' && !Array.isArray(item) ? (item as NamedValue).value : (item as Value);
    if (typeof value === 'object') textsIn(value, into);
    else if (typeof value === 'string') into.push(value);
  }
  return into;
}
