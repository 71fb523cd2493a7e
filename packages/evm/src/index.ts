/**
 * evm: what the bytes of an Ethereum transaction say. It decodes unsigned EIP-1559 transactions strictly (one meaning, one
 * encoding), turns them into intents, and encodes the signed form. It is not a client: it holds no key, signs nothing,
 * speaks to no node, and judges no intent. Hashing is injected.
 */
export { parseArtefact, type ArtefactErrorCode, type ContractAbi } from './abi/artefact.ts';
export { decodeParameters, type AbiDecodeErrorCode } from './abi/decode.ts';
export { encodeCall, encodeParameters } from './abi/encode.ts';
export { formatFunction, parseFunction, type AbiFunction, type SignatureErrorCode } from './abi/function.ts';
export type { AbiParameter, AbiType, AbiTypeErrorCode } from './abi/type.ts';
export type { NamedValue, Value } from './abi/value.ts';
export { addressOfPublicKey, checksumAddress, parseAddress, type Address } from './address.ts';
export {
  decodeUnsigned,
  encodeSigned,
  encodeUnsigned,
  signingDigest,
  type AccessListEntry,
  type Eip1559Transaction,
  type TransactionErrorCode,
  type TransactionSignature,
} from './eip1559.ts';
export { coreOf, type TransactionCore } from './transaction-core.ts';
export { intentOf, type EtherTransferIntent, type IntentErrorCode } from './intent.ts';
