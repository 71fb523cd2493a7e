import type { Constraint, Volume } from '../constraint.ts';
import { constraintsOf, permits, type Grant, type PermittingGrant, type WalletCap } from '../grant.ts';
import { fallsShort } from '../kinds/reach.ts';
import type { Zones } from '../zones.ts';
import { neverMatches, overlooked } from './deny-reach.ts';
import { neverOpen, unknownZones } from './open-hours.ts';

/** Something about grants that is valid and perhaps not meant. `about`: the other grant, where there is one. */
export interface LintFinding {
  readonly topic: LintTopic;
  readonly grant: string;
  readonly about: string | null;
  readonly words: string;
}

export type LintTopic =
  | 'never_matches'
  | 'overlooks'
  | 'never_needed'
  | 'bypassed'
  | 'shadowed'
  | 'resets'
  | 'needs_observer'
  | 'counts_argument'
  | 'fees_outside'
  | 'short_prefix'
  | 'unlimited'
  | 'hands_over';

/** L2s that take a fee for their data besides, which no field of a transaction bounds. */
const DATA_FEES: readonly string[] = [
  'eip155:10',
  'eip155:8453',
  'eip155:7777777',
  'eip155:34443',
  'eip155:59144',
  'eip155:534352',
  'eip155:81457',
  'eip155:480',
  'eip155:130',
  'eip155:57073',
];

/** What to look at again in these grants, which are all that is in force. It finds nothing that `parseGrant` refuses. */
export function lint(grants: readonly Grant[], nowMs: number, zones: Zones): LintFinding[] {
  return grants.flatMap((grant) => [...lintOne(grant, nowMs, zones), ...lintAgainst(grant, grants)]);
}

function lintOne(grant: Grant, nowMs: number, zones: Zones): LintFinding[] {
  const found: LintFinding[] = [];
  const add = (topic: LintTopic, words: string) => found.push({ topic, grant: grant.id, about: null, words });
  if (grant.kind === 'deny') {
    const never = neverMatches(grant);
    if (never !== undefined) add('never_matches', never);
    for (const each of overlooked(grant)) add('overlooks', each);
    return found;
  }
  for (const reason of unreachable(grant, nowMs, zones)) add('never_matches', reason);
  for (const constraint of grant.constraints) lintConstraint(constraint, grant, add);
  if (!permits(grant)) return found;
  const assets = new Set(grant.constraints.flatMap((each) => ('asset' in each ? [each.asset] : [])));
  if ([...assets].some((asset) => asset.startsWith('erc20:'))) {
    add(
      'counts_argument',
      'for tokens that take a fee on transfers or change balances by themselves, the argument counts, not what moves',
    );
  }
  if (DATA_FEES.includes(grant.chain)) {
    add('fees_outside', 'this chain takes a fee for data besides, which no limit of fees sees: leave room for it');
  }
  for (const asset of grant.unlimited ?? []) add('unlimited', `${asset} may leave without a limit`);
  if (grant.kind === 'delegation') add('hands_over', 'no limit of any grant holds for what the delegate does');
  if (grant.kind === 'message') {
    const short = grant.messages.some(
      (rule) => ('prefix' in rule ? rule.prefix : rule.template.split('{}')[0]!).length < 8,
    );
    if (short) add('short_prefix', 'a message with so few given characters can say nearly anything');
  }
  return found;
}

/** Why nothing can ever be permitted under it. */
function unreachable(grant: PermittingGrant | WalletCap, nowMs: number, zones: Zones): string[] {
  const reasons = permits(grant) ? fallsShort(grant) : [];
  for (const constraint of grant.constraints) {
    if (constraint.type === 'validity' && constraint.untilMs !== null && constraint.untilMs <= nowMs) {
      reasons.push('its validity has ended');
    }
  }
  for (const zone of unknownZones(grant.constraints, nowMs, zones))
    reasons.push(`the time zone ${zone} is not known here`);
  if (reasons.length === 0 && neverOpen(grant.constraints, nowMs, zones)) {
    reasons.push('its validity ends before any of its hours of the week comes');
  }
  const fee = grant.constraints.find(({ type }) => type === 'max-fee');
  if (fee?.type === 'max-fee' && fee.limit < 21_000n) reasons.push('no transaction costs so little as its max-fee');
  for (const each of grant.constraints) {
    if (each.type === 'gas-limit' && each.limit < 21_000n)
      reasons.push('no transaction has so little gas as its gas-limit');
  }
  return reasons;
}

function lintConstraint(
  constraint: Constraint,
  grant: PermittingGrant | WalletCap,
  add: (topic: LintTopic, words: string) => void,
): void {
  switch (constraint.type) {
    case 'volume': {
      for (const other of grant.constraints) {
        if (other !== constraint && other.type === 'volume' && neverNeeded(constraint, other)) {
          add(
            'never_needed',
            `its limit of ${constraint.limit} ${constraint.asset} is never reached: a longer window allows no more`,
          );
        }
        if (other.type === 'max-value' && other.asset === constraint.asset && other.limit >= constraint.limit) {
          add('never_needed', `its max-value of ${other.asset} is not below a volume of the same`);
        }
      }
      if (!('ever' in constraint.window)) {
        const hasOutstanding = grant.constraints.some(
          (each) => each.type === 'outstanding' && each.asset === constraint.asset,
        );
        if (!hasOutstanding && permits(grant) && givesAllowances(grant)) {
          add(
            'resets',
            `allowances of ${constraint.asset} outlive the window: after each one as much can be allowed again. Limit what is outstanding, or use a window for ever`,
          );
        }
      }
      return;
    }
    case 'outstanding':
      add(
        'needs_observer',
        `what is outstanding of ${constraint.asset} never ages out: without an observer or operator who tells how things ended, it fills up for good`,
      );
      return;
    default:
  }
}

/** Whether `longer` lets no more leave in its window than `shorter` does in its own. */
function neverNeeded(shorter: Volume, longer: Volume): boolean {
  if (shorter.asset !== longer.asset || longer.limit > shorter.limit) return false;
  if ('ever' in longer.window) return !('ever' in shorter.window);
  return 'seconds' in longer.window && 'seconds' in shorter.window && longer.window.seconds > shorter.window.seconds;
}

function givesAllowances(grant: PermittingGrant): boolean {
  if (grant.kind === 'token-transfer') return grant.spenders === 'any' || grant.spenders.length > 0;
  return grant.kind === 'typed-data' || grant.kind === 'contract-call';
}

/** What another grant of the same client, wallet and chain makes of this one. */
function lintAgainst(grant: Grant, all: readonly Grant[]): LintFinding[] {
  if (!permits(grant)) return [];
  const found: LintFinding[] = [];
  for (const other of all) {
    if (other === grant || !permits(other) || !sameScope(grant, other)) continue;
    for (const asset of volumesOf(grant)) {
      if (canMove(other, asset) && !volumesOf(other).includes(asset)) {
        found.push({
          topic: 'bypassed',
          grant: grant.id,
          about: other.id,
          words: `its limit of ${asset} does not hold for ${other.id}, which lets ${asset} leave without one`,
        });
      }
    }
    const way = waysAround(other);
    // An opaque call carries value that is counted; tokens that it moves are not seen.
    if (way !== null && volumesOf(grant).some((asset) => asset !== 'native' || other.kind === 'delegation')) {
      found.push({
        topic: 'bypassed',
        grant: grant.id,
        about: other.id,
        words: `${other.id} permits ${way}: they may move what this grant limits`,
      });
    }
    if (isWider(other, grant)) {
      found.push({
        topic: 'shadowed',
        grant: grant.id,
        about: other.id,
        words: `${other.id} permits everything that this grant permits, and has limits of its own: together they allow the sum`,
      });
    }
  }
  return found;
}

/** What a grant permits that nobody can see the limits of; null: nothing. */
function waysAround(grant: PermittingGrant): string | null {
  switch (grant.kind) {
    case 'opaque-call':
      return 'calls that are not understood';
    case 'contract-call':
      return grant.delegatecall === undefined ? null : 'calls whose code acts as the caller';
    case 'typed-data':
      return grant.acknowledge === undefined ? null : 'signed data that are not understood';
    case 'delegation':
      return 'delegates who command the whole wallet';
    default:
      return null;
  }
}

function sameScope(a: PermittingGrant, b: PermittingGrant): boolean {
  const party = ({ client }: PermittingGrant) => (typeof client === 'string' ? client : `group ${client.group}`);
  return party(a) === party(b) && a.wallet === b.wallet && a.chain === b.chain;
}

function volumesOf(grant: Grant): readonly string[] {
  return constraintsOf(grant).flatMap((each) => (each.type === 'volume' ? [each.asset] : []));
}

function canMove(grant: PermittingGrant, asset: string): boolean {
  return grant.unlimited?.includes(asset) === true;
}

/** Whether `wider` covers whatever `grant` covers, by the names that both list. */
function isWider(wider: PermittingGrant, grant: PermittingGrant): boolean {
  const within = (list: readonly string[] | 'any' | undefined, of: readonly string[] | 'any' | undefined) =>
    of === 'any' || (list !== 'any' && (list ?? []).every((each) => of?.includes(each) === true));
  if (wider.kind === 'ether-transfer' && grant.kind === 'ether-transfer')
    return within(grant.recipients, wider.recipients);
  if (wider.kind !== 'token-transfer' || grant.kind !== 'token-transfer') return false;
  const names = ({ assets }: typeof grant) => assets.map(({ asset }) => asset);
  return (
    within(names(grant), names(wider)) &&
    within(grant.routes, wider.routes) &&
    within(grant.recipients, wider.recipients) &&
    within(grant.spenders, wider.spenders)
  );
}
