import type { UsageView } from './budget/usage.ts';
import type { BudgetLine, Charge, DenyReason, PermissionRequest, Replaced } from './decision.ts';
import { NATIVE, type Demand } from './demand.ts';
import type { Constraint } from './constraint.ts';
import type { PermittingGrant, WalletCap } from './grant.ts';
import type { Action, Outflow } from './intent.ts';
import type { Mismatch } from './kinds/kind.ts';
import { isWallet, notAmong } from './kinds/members.ts';
import { rulesOfKind } from './kinds/table.ts';
import type { RuleVerdict } from './rules/rule.ts';
import { checkConstraint } from './rules/table.ts';
import type { Zones } from './zones.ts';

/** Everything that a request is judged by besides grants. */
export interface JudgeContext {
  readonly request: PermissionRequest;
  readonly demand: Demand;
  readonly usage: UsageView;
  /** Not before the latest charge. */
  readonly nowMs: number;
  readonly zones: Zones;
}

/** What one rule of a grant says. `rule` is the constraint's type, or what the engine itself demands of each grant. */
export interface Finding {
  readonly rule: Constraint['type'] | 'coverage' | 'limits' | 'replacement';
  readonly verdict: RuleVerdict;
}

/** What a grant or cap says of a request, rule by rule: nothing is left out because something before it failed. */
export interface Judgement {
  readonly grant: string;
  readonly verdict: 'pass' | 'needs-approval' | 'fail';
  readonly findings: readonly Finding[];
}

/** Whether a grant of the right client, wallet and chain permits the request. */
export function judgeGrant(grant: PermittingGrant, context: JudgeContext): Judgement {
  const { request, demand } = context;
  const findings: Finding[] = [];
  const add = (rule: Finding['rule'], reason: DenyReason | undefined) =>
    findings.push({ rule, verdict: reason === undefined ? { verdict: 'pass' } : { verdict: 'fail', reason } });
  if (request.replaces !== null) add('replacement', ofOtherGrant(grant, request.replaces));
  if (request.replaces?.by !== 'cancellation') add('coverage', firstMismatch(grant, request));
  add('limits', firstUnlimited(grant, demand));
  return judgement(grant, findings, context);
}

/** What a wallet's cap says. A cap covers everything: it only limits. */
export function judgeCap(cap: WalletCap, context: JudgeContext): Judgement {
  return judgement(cap, [], context);
}

function judgement(grant: PermittingGrant | WalletCap, findings: Finding[], context: JudgeContext): Judgement {
  const { request, demand, usage, nowMs, zones } = context;
  const ruleContext = { grant: grant.id, demand, usage, nowMs, zones, approvals: request.approvals };
  for (const constraint of grant.constraints) {
    findings.push({ rule: constraint.type, verdict: checkConstraint(constraint, ruleContext) });
  }
  let verdict: Judgement['verdict'] = 'pass';
  for (const { verdict: found } of findings) {
    if (found.verdict === 'fail') verdict = 'fail';
    else if (found.verdict === 'needs-approval' && verdict === 'pass') verdict = 'needs-approval';
  }
  return { grant: grant.id, verdict, findings };
}

/** A nonce belongs to the grant that was charged for it, as long as that is in force. */
function ofOtherGrant({ id: grant }: PermittingGrant, replaces: Replaced): DenyReason | undefined {
  return replaces.grant === null || replaces.grant === grant
    ? undefined
    : { code: 'replacement_of_other_grant', grant };
}

function firstMismatch(grant: PermittingGrant, request: PermissionRequest): DenyReason | undefined {
  const { intent } = request;
  const rules = rulesOfKind(grant.kind);
  const of = (mismatch: Mismatch): DenyReason => {
    const { code, asked, permitted } = mismatch;
    return { code, grant: grant.id, asked, ...(permitted === undefined ? {} : { permitted }) };
  };
  if (intent.opaque !== null && !rules.coversOpaque(grant))
    return of({ code: 'opaque_not_granted', asked: intent.opaque });
  // An intent without any action says nothing that a grant could speak of.
  if (intent.actions.length === 0) return of({ code: 'kind_not_granted', asked: 'nothing' });
  for (const action of intent.actions) {
    const mismatch =
      action.kind === grant.kind
        ? (foreignSender(grant, action, request) ?? rules.coverAction(grant, action, request))
        : ({ code: 'kind_not_granted', asked: action.kind } as const);
    if (mismatch) return of(mismatch);
  }
  for (const outflow of intent.outflows) {
    const mismatch = foreignAccount(grant, outflow.account, request) ?? rules.coverOutflow(grant, outflow, request);
    if (mismatch) return of(mismatch);
  }
  return undefined;
}

function foreignSender(grant: PermittingGrant, action: Action, request: PermissionRequest): Mismatch | undefined {
  return 'sender' in action ? foreignAccount(grant, action.sender, request) : undefined;
}

function foreignAccount(
  { accounts = [] }: PermittingGrant,
  account: Outflow['account'],
  request: PermissionRequest,
): Mismatch | undefined {
  return isWallet(account, request) ? undefined : notAmong(accounts, account, 'account_not_granted');
}

/** Whatever may leave has a limit in this very grant, or is named as unlimited there. */
function firstUnlimited(grant: PermittingGrant, demand: Demand): DenyReason | undefined {
  const { unlimited = [], constraints } = grant;
  const hasVolume = (asset: string) => constraints.some((each) => each.type === 'volume' && each.asset === asset);
  for (const [asset, amount] of demand.totals) {
    if (amount === 0n || unlimited.includes(asset)) continue;
    if (amount === 'unlimited') return { code: 'unlimited_not_granted', grant: grant.id, asked: asset };
    if (!hasVolume(asset)) return { code: 'no_volume_limit', grant: grant.id, asset };
  }
  if (demand.fee === null || unlimited.includes(NATIVE) || hasVolume(NATIVE)) return undefined;
  if (constraints.some(({ type }) => type === 'max-fee')) return undefined;
  return { code: 'no_fee_limit', grant: grant.id, asset: NATIVE };
}

/** Of a grant that speaks of something else, that alone: how its budgets stand then says nothing. */
export function reasonsOf(judgements: readonly Judgement[]): DenyReason[] {
  return judgements.flatMap(({ findings }) => {
    const failed = findings.filter(({ verdict }) => verdict.verdict === 'fail');
    const other = failed.filter(({ rule }) => rule === 'coverage' || rule === 'replacement');
    return (other.length > 0 ? other : failed).map(({ verdict }) => (verdict as Failed).reason);
  });
}

type Failed = Extract<RuleVerdict, { verdict: 'fail' }>;

export function linesOf(judgements: readonly Judgement[]): BudgetLine[] {
  const lines: BudgetLine[] = [];
  for (const { findings } of judgements) {
    for (const { verdict } of findings) if (verdict.verdict === 'pass' && verdict.line) lines.push(verdict.line);
  }
  return lines;
}

export function chargesOf(judgements: readonly Judgement[]): Charge[] {
  const charges: Charge[] = [];
  for (const { findings } of judgements) {
    for (const { verdict } of findings)
      if (verdict.verdict === 'pass') for (const charge of verdict.charges ?? []) charges.push(charge);
  }
  return charges;
}

/** How many operators have to agree. */
export function approvalsNeeded(judgements: readonly Judgement[]): number {
  let needed = 0;
  for (const { findings } of judgements) {
    for (const { verdict } of findings) {
      if (verdict.verdict === 'needs-approval' && verdict.needed > needed) needed = verdict.needed;
    }
  }
  return needed;
}
