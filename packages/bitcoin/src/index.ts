/**
 * bitcoin: what bytes of the bitcoin protocol say. Blocks, headers, transactions, filters, descriptors and scripts, as
 * pure functions. It is not a node and not a wallet: it opens no connection, keeps no chain and holds no key.
 */
export { addressToScript, scriptToAddress, type AddressErrorCode } from './address.ts';
export { readBlock, witnessFault, type Block, type BlockErrorCode } from './block.ts';
export { vouchedFor, type Vouched } from './checkpoints.ts';
export { compactSize, compactSizeLength, readCompactSize } from './compact-size.ts';
export { consensusOf, RETARGET_INTERVAL, TARGET_SPACING_SECONDS, type ConsensusParams } from './consensus.ts';
export { descriptorChecksum } from './descriptor/checksum.ts';
export { deriveScripts, type DerivedScript } from './descriptor/derive.ts';
export type { Descriptor, ScriptExpression, TapTree } from './descriptor/descriptor.ts';
export type { DescriptorError, DescriptorErrorCode } from './descriptor/error.ts';
export { type KeyExpression, type KeyOrigin } from './descriptor/key.ts';
export { parseDescriptor } from './descriptor/parse.ts';
export {
  decodeScripts,
  encodeScripts,
  storedScripts,
  type StoredScripts,
  type StoredScriptsErrorCode,
} from './descriptor/stored.ts';
export { dustLimit } from './dust.ts';
export {
  compareFeerates,
  DUST_FEERATE,
  feeAt,
  feerateOf,
  formatFeerate,
  MIN_RELAY_FEERATE,
  packageFeerate,
  parseFeerate,
  vsizeOf,
  weightOf,
  type FeeAndSize,
  type Feerate,
} from './feerate.ts';
export {
  buildBasicFilter,
  createFilterMatcher,
  filterHash,
  filterHeader,
  filterHeadersFrom,
  type FilterErrorCode,
  type FilterMatcher,
} from './filter.ts';
export { toDisplay, toInternal, type BlockHash, type InternalHash, type Txid } from './hash.ts';
export { type HeaderArchive } from './header-archive.ts';
export { decodeHeader, encodeHeader, headerHash, type Header } from './header.ts';
export {
  createHeaderChain,
  type AcceptedHeaders,
  type HeaderChain,
  type HeaderChainOptions,
  type HeaderErrorCode,
  type HeaderPoint,
} from './header-chain.ts';
export {
  amountAt,
  HEADER_BYTES,
  isCoinbase,
  layoutBlock,
  layoutTransaction,
  MAX_BLOCK_WEIGHT,
  MAX_MONEY,
  scriptOf,
  size,
  strippedSize,
  transactionBytes,
  virtualSize,
  weight,
  type Layout,
  type LayoutErrorCode,
} from './layout.ts';
export {
  merkleBranch,
  merkleRoot,
  provesInclusion,
  rootOfBranch,
  txids,
  wtxids,
  type InclusionProof,
  type MerkleRoot,
} from './merkle.ts';
export { NETWORKS, type Network } from './network.ts';
export { bitsFromTarget, meetsTarget, targetFromBits, workOfTarget } from './proof-of-work.ts';
export { createProbe, type Probe, type SharedWatch } from './scan/probe.ts';
export {
  createScanner,
  encodeOutpoint,
  type MatchedTx,
  type Outpoint,
  type Received,
  type Scanner,
  type WatchMark,
  type Spent,
} from './scan/scanner.ts';
export { sha256d } from './sha256d.ts';
export {
  decodeTransaction,
  encodeTransaction,
  strippedBytes,
  transactionAt,
  txidAt,
  wtxidAt,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from './transaction.ts';
export {
  P2A_SCRIPT,
  p2pkhScript,
  p2pkScript,
  p2shScript,
  scriptKind,
  witnessProgram,
  witnessScript,
  type ScriptKind,
} from './script/kinds.ts';
export {
  anchorsOf,
  dustFault,
  TRUC_CHILD_MAX_VSIZE,
  TRUC_MAX_VSIZE,
  TRUC_VERSION,
  trucFault,
  type DustFault,
  type TrucFault,
  type TrucMember,
  type TrucParent,
} from './truc.ts';
export { createSignatureHashes, type SignatureHashes, type TaprootExtension } from './verify/sighash.ts';
export type { ScriptFailureName } from './verify/failure.ts';
export { verifyInput, type InputVerdict } from './verify/verify-input.ts';
