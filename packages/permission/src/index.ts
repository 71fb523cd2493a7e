/**
 * permission: whether a client may do what it asks for, and what that takes from its budgets. It judges intents, which are
 * plain data, by grants and usage, and starts at *deny*. It decodes no transaction, knows no chain beyond its names, keeps
 * no clock and no state of its own, and signs nothing: the keep holds the grants and the usage, and journals what it
 * charges before anything is signed.
 */
export { fillUsage, type Remaining } from './budget/fill-usage.ts';
export type { Outcome } from './budget/outstanding-budget.ts';
export { usageReport, type UsageLine } from './budget/usage-report.ts';
export { restoreUsage, serialiseUsage, type UsageJson } from './budget/usage-json.ts';
export { charge, createUsage, forgetGrant, isOutstanding, settle, type Usage, type UsageView } from './budget/usage.ts';
export {
  budgetKey,
  isBudgetConstraint,
  type BudgetConstraint,
  type Constraint,
  type ConstraintType,
  type Window,
} from './constraint.ts';
export type {
  BudgetLine,
  Charge,
  Decision,
  DenyReason,
  NotCoveredCode,
  PermissionRequest,
  Replaced,
} from './decision.ts';
export { forbiddenBy } from './deny-match.ts';
export { evaluate } from './evaluate.ts';
export { explain, type Explained, type Explanation } from './explain.ts';
export { createGrantIndex, type GrantIndex, type GrantLookup } from './grant-index.ts';
export {
  constraintsOf,
  permits,
  type Condition,
  type DenyRule,
  type Grant,
  type GrantedAsset,
  type GrantKind,
  type Party,
  type PermittingGrant,
  type WalletCap,
} from './grant.ts';
export type {
  Action,
  ActionKind,
  Amount,
  Asset,
  Fee,
  Intent,
  IntentForm,
  NamedValue,
  Outflow,
  Route,
  TokenTransfer,
  TypedDataDomain,
  Value,
} from './intent.ts';
export { toJson, type Jsonified } from './json.ts';
export { unknownZones } from './lint/open-hours.ts';
export { lint, type LintTopic, type LintFinding } from './lint/lint.ts';
export { parseGrant, type GrantError, type GrantErrorCode } from './parse/grant-parse.ts';
export { areShown, shownCharges, type ShownLine } from './shown-charges.ts';
export { evaluateTimeless } from './timeless.ts';
export { describeDenial } from './words/denial-words.ts';
export { describeConstraint, describeGrant } from './words/grant-words.ts';
export { describeIntent } from './words/intent-words.ts';
export type { Names, TokenName } from './words/names.ts';
export type { Period, WallClock, Zones } from './zones.ts';
