/**
 * wire: what both ends of a connection to a vault share. The handshake as two state machines, the session and its
 * frames, the JSON-RPC envelope inside them, what operators sign, what travels sealed besides, and the proofs in
 * receipts. It opens no connection, keeps no time, makes no randomness and holds no long-term key: the two ends bring
 * those, and their cryptography, through the ports in `crypto.ts`. It does not know what the methods mean.
 */
export { openCommand, signCommand, type Command, type CommandContext } from './command.ts';
export {
  isCanonicalBase64url,
  LENGTHS,
  verifySignature,
  type AesGcm,
  type BootSigner,
  type EntryCrypto,
  type EphemeralKey,
  type IdentityKey,
  type IdentitySigner,
  type Mlkem768,
  type SignatureAlg,
  type WireCodec,
  type WireCrypto,
  type X25519,
} from './crypto.ts';
export { type HandshakeCode, type HandshakeFailure } from './handshake/failure.ts';
export {
  createKeepHandshake,
  type AcceptedPeer,
  type Admission,
  type KeepHandshake,
  type KeepHandshakeDeps,
  type KeepHandshakeOptions,
  type PeerClaim,
} from './handshake/keep.ts';
export { MESSAGE_LIMITS, WIRE_VERSION, type Wish } from './handshake/messages.ts';
export {
  createPeerHandshake,
  type AcceptedKeep,
  type PeerHandshake,
  type PeerHandshakeDeps,
  type PeerHandshakeOptions,
} from './handshake/peer.ts';
export { keepIdentity, vaultId } from './handshake/transcript.ts';
export { unverifiedPayload } from './jws.ts';
export { createOutbox, type Outbox, type OutboxDeps } from './outbox.ts';
export { headLinkFault, verifyHeadChain, type HeadLink, type HeadLinkFault } from './proof/head-chain.ts';
export {
  encodeHead,
  headHash,
  headToJson,
  isHead,
  NO_HEAD,
  parseHead,
  verifyHead,
  type Ed25519Verify,
  type Head,
  type SignedHead,
} from './proof/head.ts';
export { createMerkleTree, verifyMerklePath, type MerkleClaim, type MerkleTree } from './proof/merkle.ts';
export { parseReceipt, receiptToJson, verifyReceipt, type Receipt, type ReceiptFault } from './proof/receipt.ts';
export {
  createReceiptReader,
  receiptText,
  wholeText,
  type EntryText,
  type ReceiptParts,
  type ReceiptReader,
} from './proof/receipt-stream.ts';
export {
  decodeRpc,
  encodeRpc,
  joinRpc,
  MAX_BATCH,
  resultText,
  RPC_CODES,
  rpcText,
  type RpcError,
  type RpcId,
  type RpcMessage,
} from './rpc.ts';
export { createEntryRecipient, sealEntry, type EntryError, type EntryRecipient } from './sealed-entry.ts';
export { DEFAULT_SESSION_LIMITS, type Session, type SessionError, type SessionLimits } from './session.ts';
export { isObject, parseStrictJson, type JsonObject } from './strict-json.ts';
export {
  MAX_TLS_STATEMENT_CHARS,
  openTlsStatement,
  signTlsStatement,
  TLS_STATEMENT_PATH,
  type TlsStatement,
  type TlsStatementError,
  type TlsStatementExpectation,
} from './tls-statement.ts';
export { timeOfUuidV7, uuidV7 } from './uuid-v7.ts';
