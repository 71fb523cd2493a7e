/**
 * bitcoin: what bytes of the bitcoin protocol say. Blocks, headers, transactions, filters, descriptors and scripts, as
 * pure functions. It is not a node and not a wallet: it opens no connection, keeps no chain and holds no key.
 */
export { addressToScript, scriptToAddress, type AddressErrorCode } from './address.ts';
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
export { toDisplay, toInternal, type BlockHash, type InternalHash, type Txid } from './hash.ts';
export { NETWORKS, type Network } from './network.ts';
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
