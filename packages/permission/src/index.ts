/**
 * permission: whether a client may do what it asks for, and what that takes from its budgets. It judges intents, which are
 * plain data, by grants and usage, and starts at *deny*. It decodes no transaction, knows no chain beyond its name, keeps
 * no clock and no state of its own, and signs nothing: the keep holds the grants and the usage, and journals what it
 * charges before anything is signed.
 */
export type {
  BudgetLine,
  Decision,
  DenyReason,
  MaxFeeExceeded,
  NoGrant,
  PermissionRequest,
  RecipientNotPermitted,
  UnknownConstraint,
  Unlimited,
  WindowExceeded,
} from './decision.ts';
export { chargesOf, evaluate } from './evaluate.ts';
export { fillUsage, type Remaining } from './fill-usage.ts';
export { createGrantIndex, type GrantIndex } from './grant-index.ts';
export { parseGrant, type GrantError, type GrantErrorCode } from './grant-parse.ts';
export {
  windowKey,
  type Charge,
  type Constraint,
  type CountConstraint,
  type Grant,
  type MaxFeeConstraint,
  type VolumeConstraint,
  type WindowConstraint,
  type WindowId,
} from './grant.ts';
export type { EtherTransferIntent, Intent, IntentKind } from './intent.ts';
export { toJson, type Jsonified } from './json.ts';
export { describeDenial, describeGrant, describeIntent, type Names } from './sentences.ts';
export { usageReport, type UsageLine } from './usage-report.ts';
export {
  charge,
  cloneUsage,
  createUsage,
  forgetGrant,
  restoreUsage,
  serialiseUsage,
  spent,
  type Usage,
  type UsageJson,
  type UsageView,
} from './usage.ts';
