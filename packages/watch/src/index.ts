/**
 * watch: what a chain's story means for the wallets that are watched. `watchStep` takes one input and decides; what it gives
 * is journaled and folded by `applyWatchEvent`, and the findings in it are what there is to tell. Pure: no source, no clock,
 * no channel. Whom a finding concerns, and how it reaches them, is the business of rules and of notify.
 *
 * A driver's order: `watchStep` → make the events durable → `applyWatchEvent` each → act (tell, watch new scripts and coins).
 * After each step it looks at `dueScripts` and `dueScans`. After a restart: `decodeWatchState` of the last snapshot, fold the
 * events behind it, hand in `started`, and resume the sources from `cursorBlocks`.
 */
export type { BlockRef, ChainInput, Grade } from './chain-input.ts';
export { decodeWatchEvent, encodeWatchEvent, WATCH_EVENT_VERSION, type WatchCodecErrorCode } from './codec/event.ts';
export { decodeWatchState, encodeWatchState, WATCH_STATE_VERSION } from './codec/state.ts';
export { FINDING_KINDS } from './codec/finding.ts';
export { LABEL_TYPES, labelKey, labelOf, type LabelType } from './labels.ts';
export type { TxAt, WatchEvent } from './event.ts';
export {
  decodeEvmEvent,
  decodeEvmState,
  encodeEvmEvent,
  encodeEvmState,
  EVM_EVENT_VERSION,
  EVM_STATE_VERSION,
  type EvmCodecErrorCode,
} from './evm/codec.ts';
export { evmCursor } from './evm/decide-block.ts';
export { evmPastsDue, evmUnreadAllowances } from './evm/decide-past.ts';
export type { EvmPastDue } from './evm/decide-past.ts';
export { evmAwaited } from './evm/decide-pending.ts';
export type { EvmAsset, EvmFindingDetail, EvmGrade } from './evm/detail.ts';
export type { EvmEvent, EvmInput, EvmPastEntry, EvmPastSpend } from './evm/event.ts';
export type {
  EvmAccountFacts,
  EvmAllowance,
  EvmApprovalFacts,
  EvmBlockFacts,
  EvmCode,
  EvmTransactionFacts,
  EvmTransferFacts,
} from './evm/facts.ts';
export { applyEvmEvent } from './evm/fold.ts';
export {
  createEvmState,
  type EvmAccountRecord,
  type EvmChainRecord,
  type EvmPendingRecord,
  type EvmState,
  type EvmWalletRecord,
} from './evm/state.ts';
export { evmStep } from './evm/step.ts';
export {
  EVM_CHAIN_DEFAULTS,
  evmWallet,
  type EvmChain,
  type EvmLimit,
  type EvmToken,
  type EvmWallet,
  type EvmWalletError,
} from './evm/wallet.ts';
export type { EvmBlockRef, EvmSpend, EvmSpendWay, Hash32 } from './evm/spend.ts';
export {
  decodeVaultEvent,
  decodeVaultState,
  encodeVaultEvent,
  encodeVaultState,
  VAULT_EVENT_VERSION,
  VAULT_STATE_VERSION,
} from './vault/codec.ts';
export type { SignedBy, SpendFacts, UnclearReason, UnsignedReason, VaultFindingDetail } from './vault/detail.ts';
export type { VaultEvent, VaultInput } from './vault/event.ts';
export { applyVaultEvent } from './vault/fold.ts';
export { createPermitReader, type PermitReader, type VaultPermit, type VaultRight } from './vault/permit.ts';
export { createVaultState, type VaultRecord, type VaultState, type VaultWallet } from './vault/state.ts';
export { vaultStep } from './vault/step.ts';
export type { AccountStanding } from './vault/waiting.ts';
export {
  compareSeverity,
  FINDING_VERSION,
  type Direction,
  type Evidence,
  type EvmEvidence,
  type Finding,
  type FindingDetail,
  type FindingKind,
  type Movement,
  SEVERITIES,
  type Severity,
} from './finding.ts';
export { applyWatchEvent } from './fold.ts';
export type { MachineInput, OwnerInput, WatchInput } from './input.ts';
export {
  dryRunRules,
  judgeFinding,
  tellingsOf,
  type Judged,
  type RuleTimes,
  type Telling,
  type Verdict,
} from './rules/judge.ts';
export { mistakeIn } from './rules/mistake.ts';
export { readRules, type Rule, type Rules, type RulesError } from './rules/rules.ts';
export type { ScriptRange } from './script-index.ts';
export { DEFAULT_SETTINGS, type WatchSettings } from './settings.ts';
export { severityOf } from './severity.ts';
export { createWatchState, type TxFact, type TxStatus, type WatchState } from './state.ts';
export { watchStep } from './step.ts';
export {
  cursorBlocks,
  dueScans,
  dueScripts,
  unspentCoins,
  walletBalance,
  watchedCoins,
  watchedScripts,
  type DueScan,
  type DueScripts,
  type WalletBalance,
  type WatchedCoin,
} from './views.ts';
export {
  DEFAULT_GAP_LIMIT,
  DEFAULT_LIMITS,
  watchedWallet,
  type TimeLock,
  type WalletError,
  type WalletErrorCode,
  type WalletLimits,
  type WalletSpec,
  type WatchedDescriptor,
  type WatchedTxid,
  type WatchedWallet,
} from './wallet.ts';
