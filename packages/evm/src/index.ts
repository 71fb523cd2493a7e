/**
 * evm: what an Ethereum account is asked to sign. It decodes unsigned transactions of every type, authorisations, typed
 * data and text strictly (one meaning, one encoding), turns them into intents, and encodes the signed form. It is not a client: it holds no key,
 * signs nothing, speaks to no node, and judges no intent. Hashing is injected.
 */
export { parseArtefact, type ArtefactErrorCode, type ContractAbi } from './abi/artefact.ts';
export { decodeParameters, type AbiDecodeErrorCode } from './abi/decode.ts';
export { encodeCall, encodeParameters } from './abi/encode.ts';
export { formatFunction, parseFunction, type AbiFunction, type SignatureErrorCode } from './abi/function.ts';
export type { AbiParameter, AbiType, AbiTypeErrorCode } from './abi/type.ts';
export type { NamedValue, Value } from './abi/value.ts';
export { addressOfPublicKey, checksumAddress, parseAddress, type Address } from './address.ts';
export {
  authorizationDigest,
  decodeAuthorization,
  encodeAuthorization,
  type Authorization,
  type SignedAuthorization,
} from './authorization.ts';
export type { Eip1559Transaction } from './eip1559.ts';
export type { Eip2930Transaction } from './eip2930.ts';
export type { Eip4844Transaction } from './eip4844.ts';
export type { Eip7702Transaction } from './eip7702.ts';
export { intentOf, type EtherTransferIntent, type IntentErrorCode } from './intent.ts';
export type {
  Action,
  Asset,
  CallType,
  ContractCall,
  ContractCreation,
  EtherTransfer,
  Intent,
  OpaqueCall,
  Outflow,
  Party,
  RouteName,
  TokenTransfer,
  TypedDataAction,
} from './intents/intent.ts';
export { intentOfTypedData } from './intents/typed-data-intent.ts';
export {
  intentOfAuthorization,
  intentOfMessage,
  intentOfTransaction,
  type IntentContext,
} from './intents/transaction-intent.ts';
export type { LegacyTransaction } from './legacy.ts';
export { decodeMessage, messageDigest, messagePreimage, type MessageErrorCode } from './message.ts';
export { bundledEntries } from './registry/bundled.ts';
export { parseEntry } from './registry/entry-parse.ts';
export {
  addEntry,
  createStandardBook,
  emptyRegistry,
  entriesOf,
  lookup,
  removeEntry,
  restoreRegistry,
  type ContractEntry,
  type KnownFunction,
  type RegisteredContract,
  type Registry,
  type RegistryError,
  type RegistryErrorCode,
  type StandardBook,
} from './registry/registry.ts';
export { encodeRlp, type RlpItem } from './rlp.ts';
export type { CallRoute, OpaqueCode, Standard } from './routes/route.ts';
export { createStandards } from './routes/standards.ts';
export type { TypedRoute } from './routes/typed-route.ts';
export type { TransactionSignature } from './signature.ts';
export {
  decodeUnsigned,
  encodeSigned,
  encodeUnsigned,
  feeOf,
  signingDigest,
  type Transaction,
  type TransactionFee,
} from './transaction.ts';
export { coreOf, type TransactionCore } from './transaction-core.ts';
export type { AccessListEntry, TransactionErrorCode } from './transaction-fields.ts';
export type { TypedDataError, TypedDataErrorCode } from './typed-data/judgement.ts';
export { readTypedData, type TypedData, type TypedDataDomain } from './typed-data/typed-data.ts';
