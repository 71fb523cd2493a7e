/**
 * sdk: how programs reach a vault. Connections that pin TLS, prove both ends and remember what the vault has signed;
 * peers' keys as files; the cryptography of the wire on Node 20 and later. What it holds is a client's: it signs no
 * transaction and never sees a wallet's key.
 */
export { entryCrypto, wireCrypto } from './crypto-node.ts';
export { ERRORS, type ErrorCode } from '@keepwatch/protocol';
export {
  connect,
  type Connection,
  type ConnectionInfo,
  type ConnectOptions,
  type NotificationParams,
} from './connection.ts';
export type { Channel } from './channel.ts';
export { connectionError } from './connection-errors.ts';
export { openSession, type OpenSession, type SessionOptions } from './open-session.ts';
export { createMemory, fileMemory, type PeerMemory, type VaultMemory } from './memory.ts';
export type { IdentitySigner } from '@keepwatch/wire';
export { createIdentity, loadIdentity, signerFromSeed } from './identity.ts';
export {
  createClient,
  denialOf,
  type Client,
  type Denial,
  type SignedData,
  type SignedTransaction,
  type SignRequest,
  type SignTransactionRequest,
} from './client.ts';
export type { Observation, ObserveOptions } from './client-observe.ts';
export { lookAtVault, type LookOptions, type ObserverPlace, type VaultLook, type WalletPlace } from './vault-look.ts';
export type { RegisteredContract } from './lists.ts';
export { createEvmNode, type EvmNode } from './evm-node.ts';
export {
  createOperator,
  type CommandAnswer,
  type CommandOptions,
  type Operator,
  type OperatorQuery,
  type Progress,
} from './operator.ts';
export type { ReplayFinding, ReplayLeftOut, ReplayOptions } from './operator-replay.ts';
export { checkReceipt, type CheckedReceipt, type ReceiptAuthority } from './receipt.ts';
export { atVersion, COMMAND_LIFETIME_MS, signedCommand } from './signed-command.ts';
export { signedTransaction, type SignedTransactionFault, type RawTransaction } from './signed-transaction.ts';
export { addressBytes, checksumAddress, encodeTransfer, TRANSFER_GAS, type EtherTransfer } from './transaction.ts';
