/**
 * evm: what the bytes of an Ethereum transaction say. It decodes unsigned EIP-1559 transactions strictly (one meaning, one
 * encoding), turns them into intents, and encodes the signed form. It is not a client: it holds no key, signs nothing,
 * speaks to no node, and judges no intent. Hashing is injected.
 */
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
export { intentOf, type EtherTransferIntent, type IntentErrorCode } from './intent.ts';
