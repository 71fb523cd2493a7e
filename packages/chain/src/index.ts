/**
 * chain: sources of what happens on a chain: of bitcoin all behind one port, of EVM chains behind another. It says what was
 * seen, by whom, and with which grade of certainty. What that means for an owner is not for this package to say.
 */
export { createBitcoindSource, type BitcoindDeps, type BitcoindOptions } from './bitcoind/source.ts';
export type { RpcAccess } from './bitcoind/rpc.ts';
export { createElectrumSource, type ElectrumOptions } from './electrum/electrum.ts';
export type { LineEndpoint } from './electrum/lines.ts';
export { createEsploraSource, type EsploraOptions } from './esplora/esplora.ts';
export type { EsploraEndpoint } from './esplora/http.ts';
export type { EvmWatched } from './evm/account.ts';
export type { EvmPastPiece } from './evm/past.ts';
export type { EvmPendingMeans } from './evm/pending/look.ts';
export {
  createEvmSource,
  type EvmEvent,
  type EvmHealth,
  type EvmSource,
  type EvmSourceOptions,
  type EvmUpstreamHealth,
} from './evm/source.ts';
export {
  readChainConfiguration,
  type ChainConfiguration,
  type ConfigurationFault,
  type SourceConfiguration,
} from './configuration/configuration.ts';
export type { EvmChainConfiguration } from './configuration/evm.ts';
export { openSource, type OpenDeps } from './configuration/open.ts';
export type { CertificateTrust } from './net/connection.ts';
export { runQuorum, type QuorumDeps } from './quorum/quorum.ts';
export { createQuorum, type Quorum } from './quorum/quorum-source.ts';
export type { QuorumConfig, QuorumEvent, Suffices } from './quorum/step.ts';
export type { FetchedTransaction } from './quorum/transaction.ts';
export type { ServerSourceDeps, ServerSourceOptions } from './server/source.ts';
export { backfill, type BackfillEvent, type BackfillRequest, type PastBlock } from './backfill/backfill.ts';
export type {
  BlockRef,
  BroadcastResult,
  ChainEvent,
  ChainSource,
  Cursor,
  FeerateEstimate,
  Grade,
  Health,
  MatchedTx,
  Outpoint,
  Received,
  ScanEvent,
  ScanRequest,
  SourceWatch,
  Spent,
  WatchedOutpoint,
  WatchMark,
  WatchSet,
} from './source.ts';
export { compareScans, type ComparedScans, type ComparedTx } from './wallet-scan/compare.ts';
export {
  coinsOf,
  decodeWalletScan,
  encodeWalletScan,
  type FoundTx,
  type WalletCoin,
  type WalletScanState,
} from './wallet-scan/state.ts';
export {
  beginWalletScan,
  resumedWalletScan,
  scanWallet,
  type WalletScanOptions,
  type WalletScanProgress,
} from './wallet-scan/wallet-scan.ts';
export { keepYoungHeapSmall } from './young-heap.ts';
export { createP2pSource, type P2pSource, type PeerInfo, type SyncProgress } from './p2p/source.ts';
export type { Ban } from './p2p/peers/address-book.ts';
export { type P2pDeps, type P2pOptions, type P2pTuning } from './p2p/options.ts';
