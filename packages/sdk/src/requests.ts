import { fromHex } from '@keepwatch/base';
import type { SignRequest, SignTransactionRequest } from './client.ts';
import { demandMembers, invalid, kindOf, type Advice } from './known-members.ts';

/**
 * What a client refuses before it asks: a request with members that nobody reads, as other libraries have them, and text
 * where bytes are wanted. All of it throws `params_invalid`.
 */

const COMMON = ['wallet', 'chain', 'key', 'expires'];

const TRANSACTION_FIELDS = 'to value data input gas gasLimit gasPrice nonce chainId type from accessList'.split(' ');
const IN_TRANSACTION: Advice = Object.fromEntries(
  TRANSACTION_FIELDS.map((name) => [name, 'What is to be signed stands in `transaction`.']),
);

export function demandTransactionRequest(request: SignTransactionRequest): void {
  demandMembers('signTransaction', request, [...COMMON, 'transaction'], IN_TRANSACTION);
}

const TYPED_DATA_FIELDS = ['domain', 'types', 'primaryType', 'message'];
const TYPED_DATA = 'Give the JSON of eth_signTypedData_v4 as text in `typedData`, and its hash in `digest`.';
const IN_TYPED_DATA: Advice = Object.fromEntries(TYPED_DATA_FIELDS.map((name) => [name, TYPED_DATA]));

/** The 32 bytes that the caller computed of the typed data. */
export function typedDataDigest(request: SignRequest & { readonly typedData: string; readonly digest: string }) {
  demandMembers('signTypedData', request, [...COMMON, 'typedData', 'digest'], IN_TYPED_DATA);
  const { typedData, digest } = request;
  if (typeof typedData !== 'string') throw invalid('signTypedData', `typedData is ${kindOf(typedData)}`, TYPED_DATA);
  const bytes = typeof digest === 'string' ? fromHex(digest) : undefined;
  if (bytes?.length === 32) return bytes;
  const remedy = 'Compute it of the typed data with a library of your own: 0x and 64 hex digits.';
  throw invalid('signTypedData', 'digest is no hash of 32 bytes', remedy);
}

export function demandText(request: SignRequest & { readonly message: string }): void {
  demandMembers('signMessage', request, [...COMMON, 'message']);
  const { message } = request;
  if (typeof message === 'string') return;
  throw invalid('signMessage', `message is ${kindOf(message)}`, 'Give a text. Digests and other bytes are not signed.');
}

const AUTHORIZATION_FIELDS = ['address', 'contractAddress', 'chainId', 'nonce'];
const AUTHORIZATION = 'Give 0x05 ‖ rlp([chain id, delegate, nonce]) in `authorization`, as a Uint8Array.';
const IN_AUTHORIZATION: Advice = Object.fromEntries(AUTHORIZATION_FIELDS.map((name) => [name, AUTHORIZATION]));

export function demandAuthorization(request: SignRequest & { readonly authorization: Uint8Array }): void {
  demandMembers('signAuthorization', request, [...COMMON, 'authorization'], IN_AUTHORIZATION);
  const { authorization } = request;
  if (authorization instanceof Uint8Array) return;
  throw invalid('signAuthorization', `authorization is ${kindOf(authorization)}`, AUTHORIZATION);
}
