/** A real Tor network on loopback: authorities, relays, an onion service and a client. */
export { findTor, type FoundTor } from './find.ts';
export { startTorNetwork, type TorNetwork } from './network.ts';
