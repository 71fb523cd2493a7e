import { assertNever, err, fromHex, ok, utf8, type Json, type Keccak256, type Result } from '@keepwatch/base';
import {
  coreOf,
  decodeAuthorization,
  decodeMessage,
  decodeUnsigned,
  feeOf,
  intentOfAuthorization,
  intentOfMessage,
  intentOfTransaction,
  intentOfTypedData,
  messagePreimage,
  readTypedData,
  type Address,
  type Registry,
  type Transaction,
} from '@keepwatch/evm';
import type { Intent } from '@keepwatch/permission';
import { parseStrictJson } from '@keepwatch/wire';
import type { ReplacementAsked } from '../state/nonces.ts';
import { refuse } from './step.ts';

/** What a client hands in to be signed, as its method names it. */
export type Payload =
  | { readonly form: 'transaction'; readonly hex: string }
  | { readonly form: 'typed-data'; readonly json: string }
  | { readonly form: 'message'; readonly text: string }
  | { readonly form: 'delegation'; readonly hex: string };

/** A payload that was understood: the bytes whose Keccak-256 is signed, and what they would do. */
export interface Asked {
  readonly form: Payload['form'];
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
  readonly intent: Intent;
  /** What takes up a nonce, and what it is measured by when something else is to take its place. Null: no nonce. */
  readonly slot: Slot | null;
}

export interface Slot extends Omit<ReplacementAsked, 'isOwner'> {
  readonly nonce: number;
  readonly maxFeeWei: bigint;
}

export interface AskedContext {
  readonly chain: string;
  readonly wallet: Address;
  readonly registry: Registry;
  /** Whether code may stand at the wallet's address on this chain (EIP-7702). */
  readonly delegated: boolean;
  readonly keccak: Keccak256;
}

type Refused = ReturnType<typeof refuse>;

/** Reads a payload strictly: what has two meanings has none. */
export function readPayload(payload: Payload, context: AskedContext): Result<Asked, Refused> {
  switch (payload.form) {
    case 'transaction':
      return readTransaction(fromHex(payload.hex) ?? new Uint8Array(), context);
    case 'typed-data':
      return readTyped(payload.json, context);
    case 'message':
      return readMessage(payload.text, context);
    case 'delegation':
      return readDelegation(fromHex(payload.hex) ?? new Uint8Array(), context);
    default:
      return assertNever(payload);
  }
}

function readTransaction(bytes: Uint8Array, context: AskedContext): Result<Asked, Refused> {
  const { chain, keccak, wallet, delegated } = context;
  const decoded = decodeUnsigned(bytes);
  if (!decoded.ok) {
    return refused('transaction_malformed', 'The bytes are not an unsigned Ethereum transaction.', decoded.error);
  }
  const transaction = decoded.value;
  if (`eip155:${transaction.chainId}` !== chain) return wrongChain(chain, `eip155:${transaction.chainId}`);
  const fee = feeOf(transaction);
  return ok({
    form: 'transaction',
    bytes,
    digest: keccak(bytes),
    intent: intentOfTransaction(transaction, context),
    slot: {
      nonce: transaction.nonce,
      core: coreOf(withAuthorizations(transaction, keccak), keccak),
      cancels: cancels(transaction, wallet) && !delegated,
      maxFeePerGas: fee.maxFeePerGas,
      maxPriorityFeePerGas: fee.maxPriorityFeePerGas,
      maxFeePerBlobGas: fee.maxFeePerBlobGas ?? null,
      maxFeeWei: fee.maxFeeWei,
    },
  });
}

/** A transfer of nothing to the wallet itself, without data: all it does is to use up its nonce. */
function cancels(transaction: Transaction, wallet: Address): boolean {
  const { type, to, value, data } = transaction;
  return type !== 'eip7702' && to === wallet && value === 0n && data.length === 0;
}

/** An authorisation list is part of what a transaction does: it stands in the core as one text. */
function withAuthorizations(transaction: Transaction, keccak: Keccak256) {
  if (transaction.type !== 'eip7702') return transaction;
  const list = transaction.authorizationList.map((each) => [each.chainId, each.address, each.nonce, each.r, each.s]);
  return { ...transaction, authorizations: keccak(utf8(JSON.stringify(list))) };
}

function readTyped(json: string, context: AskedContext): Result<Asked, Refused> {
  const value: Json | undefined = parseStrictJson(utf8(json));
  if (value === undefined) {
    return refused('typed_data_refused', 'The typed data is no JSON that can be read in one way.', 'not_json');
  }
  const chainId = Number(context.chain.slice('eip155:'.length));
  const read = readTypedData(value, chainId, context.keccak);
  if (!read.ok) {
    const { code, path } = read.error;
    return refused('typed_data_refused', `The typed data cannot be signed: ${code} at “${path}”.`, code);
  }
  const { digest, preimage } = read.value;
  return ok({
    form: 'typed-data',
    bytes: preimage,
    digest,
    intent: intentOfTypedData(read.value, context.chain, context),
    slot: null,
  });
}

function readMessage(text: string, { chain, keccak }: AskedContext): Result<Asked, Refused> {
  const bytes = utf8(text);
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) return refused('message_refused', `This message is not signed: ${decoded.error}.`, decoded.error);
  const preimage = messagePreimage(bytes);
  return ok({
    form: 'message',
    bytes: preimage,
    digest: keccak(preimage),
    intent: intentOfMessage(decoded.value, chain),
    slot: null,
  });
}

function readDelegation(bytes: Uint8Array, { chain, keccak }: AskedContext): Result<Asked, Refused> {
  const decoded = decodeAuthorization(bytes);
  if (!decoded.ok) {
    return refused('authorization_malformed', 'The bytes are no authorisation (EIP-7702).', decoded.error);
  }
  const authorization = decoded.value;
  // Chain 0 means every chain: no grant, which is for one, speaks of it.
  if (`eip155:${authorization.chainId}` !== chain) return wrongChain(chain, `eip155:${authorization.chainId}`);
  return ok({
    form: 'delegation',
    bytes,
    digest: keccak(bytes),
    intent: intentOfAuthorization(authorization),
    slot: {
      nonce: authorization.nonce,
      core: `authorization:${authorization.address}`,
      ...{ cancels: false, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, maxFeePerBlobGas: null, maxFeeWei: 0n },
    },
  });
}

function refused(code: string, message: string, reason: string): { readonly ok: false; readonly error: Refused } {
  return err(refuse(code, message, undefined, { reason }));
}

function wrongChain(asked: string, found: string) {
  return err(refuse('wrong_chain', `The request names ${asked}, what is to be signed ${found}.`));
}
