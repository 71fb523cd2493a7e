/**
 * devnet: what one plays and tests with on loopback. A real bitcoind, found or fetched; where there is none, a small node
 * of our own that speaks the protocol of peers; and receivers for what a monitor tells. The story of `npm start` and the
 * tests use it; no daemon and no other command does.
 */
export { findBitcoind, type Bitcoind, type FoundBitcoind } from './bitcoind/find.ts';
export { startBitcoind, type BitcoindNode, type BitcoindOptions } from './bitcoind/node.ts';
export { createRpc, RpcError, type Rpc } from './bitcoind/rpc.ts';
export { startChild, type Child } from './child.ts';
export { cachedProgram, fetchPackage, type DebianProgram } from './debian/fetch.ts';
export { freePorts } from './free-ports.ts';
export { startPeerServer, type PeerServer, type ServedChain } from './peer-server.ts';
export { TEST_CA, TEST_SERVER, UNTRUSTED_SERVER } from './receivers/certificates.ts';
export type { ChannelFault, FaultyService } from './receivers/fault.ts';
export { startHttpService, type HttpCall, type HttpService } from './receivers/http-service.ts';
export { startReceivers, type Receivers, type Taken } from './receivers/receiver-process.ts';
export { startSmtpService, type SmtpService } from './receivers/smtp-service.ts';
export { startBitcoindRegtest, startDevnetProcess, type Regtest } from './regtest.ts';
export { readV1Frames } from './v1-frames.ts';
