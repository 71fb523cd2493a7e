/**
 * monitor: the daemon that joins chain sources, the watch, the journal and the channels. What the chain tells is stepped by
 * the watch, made durable in an encrypted journal, and only then told on. It decides nothing itself, holds no key to a
 * coin, and reaches a vault as a client like any other.
 */
/** What findings there are, and how much one matters: who asks the monitor names them. */
export { FINDING_KINDS, SEVERITIES } from '@keepwatch/watch';
/** What findings say, and what channels are told of them in a few words. */
export { findingHeadline } from '@keepwatch/notify';
export type { EvmFindingDetail, FindingDetail, Severity, VaultFindingDetail } from '@keepwatch/watch';
/** What an owner wrote to his addresses, coins and transactions. */
export { labelKey, labelOf } from '@keepwatch/watch';
export { peerIdOf } from './access/peer-id.ts';
export { connectMonitor, type RemoteMonitor } from './access/remote.ts';
export { tokenPath } from './access/token-file.ts';
export { connectApi, type ApiClient } from './api/client.ts';
export { isOrder } from './api/contract.ts';
export { createLocalApi, type MonitorApi } from './api/local.ts';
export { socketPath, startDaemon, type Daemon, type DaemonOptions } from './daemon.ts';
export type { EvmWalletView } from './evm/wallet-view.ts';
export { earliestHeight } from './import/beginning.ts';
export { descriptorsOfKey } from './import/extended-key.ts';
export { readWalletFile } from './import/import.ts';
export type { Imported, ImportedLabel, ImportedWallet, ImportError, ImportFormat } from './import/imported.ts';
export { makeMonitor } from './make.ts';
export { openMonitor, type OpenMonitor } from './open.ts';
export { signatureOf } from './orders/check.ts';
export type { Carried } from './orders/order-desk.ts';
export type { OrderRow } from './orders/order-rows.ts';
export { isMade, requireWhole } from './store/files.ts';
export { lockKind, openLock, requireUnmade, type LockKind, type NewLock, type Unlocking } from './store/lock.ts';
export type { WalletDetails, WalletSummary } from './wallet-view.ts';
