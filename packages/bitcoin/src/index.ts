/**
 * bitcoin: what bytes of the bitcoin protocol say. Blocks, headers, transactions, filters, descriptors and scripts, as
 * pure functions. It is not a node and not a wallet: it opens no connection, keeps no chain and holds no key.
 */
export { toDisplay, toInternal, type BlockHash, type InternalHash, type Txid } from './hash.ts';
export { NETWORKS, type Network } from './network.ts';
