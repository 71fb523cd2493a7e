export {
  createTestVault,
  createWireEnds,
  joinWireEnds,
  TEST_TLS_PIN,
  type TestVault,
  type WireEnds,
  type WireEndsOptions,
} from './wire-ends.ts';
export {
  createRpc,
  findBitcoind,
  RpcError,
  startBitcoind,
  type Bitcoind,
  type BitcoindNode,
  type BitcoindOptions,
  type FoundBitcoind,
  type Rpc,
} from '@keepwatch/devnet';
export { generatedBlock, generateHeaders } from './sync/generated-chain.ts';
export { startHeaderPeer, type HeaderPeer } from './sync/header-peer.ts';
export { startEvilPeer, type Act, type EvilPeer, type Mischief } from './evil/peer.ts';
export { chainSourceContract, type SourceTraits, type SourceWorld } from './contracts/chain-source.ts';
export type { SourceUnderContract } from './contracts/follow.ts';
export { loneSourceContract } from './contracts/lone-source.ts';
export {
  startHttpService,
  startSmtpService,
  type ChannelFault,
  type FaultyService,
  type HttpCall,
  type HttpService,
  type SmtpService,
} from '@keepwatch/devnet';
export {
  findAge,
  startMatrixHomeserver,
  startNostrRelay,
  startNtfyServer,
  startSignalRest,
  startTelegramBots,
  type Age,
  type FoundAge,
  type MatrixHomeserver,
  type NostrRelay,
  type NtfyServer,
  type SignalRest,
  type TelegramBots,
} from './channels/index.ts';
export { channelContract, type ChannelWorld } from './contracts/channel.ts';
export { replyContract, type ReplyWorld } from './contracts/replies.ts';
export { journalStoreContract } from './contracts/journal-store.ts';
export { createJournalKeys, ed25519Verify, sha256, type JournalKeys } from './journal-keys.ts';
export {
  startElectrumEndpoint,
  startEsploraEndpoint,
  type ElectrumEndpoint,
  type EsploraEndpoint,
} from './servers/index.ts';
export { findTor, startTorNetwork, type FoundTor, type TorNetwork } from './tor/index.ts';
