/**
 * A real bitcoind for tests: found on PATH or fetched from Debian, started on loopback. Where there is none, `missing`
 * says why, and tests are skipped under that reason. There is no imitation of a node here.
 */
export { findBitcoind, type Bitcoind, type FoundBitcoind } from './find.ts';
export { startBitcoind, type BitcoindNode, type BitcoindOptions } from './node.ts';
export { createRpc, RpcError, type Rpc } from './rpc.ts';
