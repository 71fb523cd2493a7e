import { assertNever, err, ok, utf8, type Json, type Result } from '@keepwatch/base';
import { isObject, parseStrictJson, type JsonObject } from './strict-json.ts';

/**
 * JSON-RPC 2.0 as Keepwatch speaks it, in both directions: a frame holds one message or a batch of them (§6), parameters
 * are given by name. What is not exactly one of the four kinds of message is refused, and a batch with one such member
 * as a whole. The messages of a batch mean what they would mean one after another; their answers may come apart, in any
 * order. Method names and parameters are `protocol`'s business.
 */

export type RpcId = number | string;

/** `code` is JSON-RPC's number; `data.code` is the stable name that programs look at. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly code: string; readonly remedy?: string; readonly details?: JsonObject };
}

export type RpcMessage =
  | { readonly kind: 'request'; readonly id: RpcId; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'result'; readonly id: RpcId; readonly result: Json }
  /** `id` is null where the request was so broken that it had none. */
  | { readonly kind: 'error'; readonly id: RpcId | null; readonly error: RpcError };

/** JSON-RPC's own numbers (§5.1); everything that Keepwatch itself refuses has `application`. */
export const RPC_CODES = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  application: -32000,
} as const;

/** Messages in one frame. */
export const MAX_BATCH = 64;

const MAX_ID_CHARS = 64;
const METHOD = /^[a-z][a-zA-Z0-9._-]{0,63}$/;
const STABLE_CODE = /^[a-z][a-z0-9_]{0,63}$/;

/** The payload of a frame with this message alone. */
export function encodeRpc(message: RpcMessage): Uint8Array {
  return utf8(rpcText(message));
}

/** One message as JSON. */
export function rpcText(message: RpcMessage): string {
  const jsonrpc = '2.0';
  switch (message.kind) {
    case 'request':
      return `{"jsonrpc":"2.0","id":${idText(message.id)},"method":${JSON.stringify(message.method)},"params":${JSON.stringify(message.params)}}`;
    case 'notification':
      return JSON.stringify({ jsonrpc, method: message.method, params: message.params });
    case 'result':
      return resultText(message.id, JSON.stringify(message.result));
    case 'error':
      return JSON.stringify({ jsonrpc, id: message.id, error: message.error });
    default:
      return assertNever(message);
  }
}

/** A result that is JSON already. */
export function resultText(id: RpcId, result: string): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"result":${result}}`;
}

const idText = (id: RpcId) => (typeof id === 'number' ? String(id) : JSON.stringify(id));

/** The payload of a frame with these messages, at most {@link MAX_BATCH}: one stands alone, several are a batch. */
export function joinRpc(texts: readonly string[]): Uint8Array {
  if (texts.length < 1 || texts.length > MAX_BATCH) throw new RangeError(`a frame holds 1 to ${MAX_BATCH} messages`);
  return utf8(texts.length === 1 ? texts[0]! : `[${texts.join(',')}]`);
}

function isId(value: Json | undefined): value is RpcId {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_CHARS;
}

function decodeError(value: Json | undefined): RpcError | undefined {
  if (!isObject(value) || Object.keys(value).length !== 3) return undefined;
  const { code, message, data } = value;
  if (typeof code !== 'number' || typeof message !== 'string' || !isObject(data)) return undefined;
  const { code: name, remedy, details, ...rest } = data;
  if (typeof name !== 'string' || !STABLE_CODE.test(name) || Object.keys(rest).length > 0) return undefined;
  if (remedy !== undefined && typeof remedy !== 'string') return undefined;
  if (details !== undefined && !isObject(details)) return undefined;
  return {
    code,
    message,
    data: { code: name, ...(remedy === undefined ? {} : { remedy }), ...(details === undefined ? {} : { details }) },
  };
}

/** The messages in a frame's payload, at least one. The session has bounded the payload's size. */
export function decodeRpc(payload: Uint8Array): Result<readonly RpcMessage[], 'message_malformed'> {
  const value = parseStrictJson(payload);
  const values = Array.isArray(value) ? (value as readonly Json[]) : [value];
  if (values.length < 1 || values.length > MAX_BATCH) return err('message_malformed');
  const messages: RpcMessage[] = [];
  for (const each of values) {
    const message = decodeMessage(each);
    if (!message) return err('message_malformed');
    messages.push(message);
  }
  return ok(messages);
}

function decodeMessage(value: Json | undefined): RpcMessage | undefined {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return undefined;
  const members = Object.keys(value).length;
  const { id, method, params, result, error } = value;

  if (method !== undefined) {
    if (typeof method !== 'string' || !METHOD.test(method) || !isObject(params)) return undefined;
    if (members === 3) return { kind: 'notification', method, params };
    return members === 4 && isId(id) ? { kind: 'request', id, method, params } : undefined;
  }
  if (members !== 3) return undefined;
  if (result !== undefined) return isId(id) ? { kind: 'result', id, result } : undefined;
  const decoded = decodeError(error);
  return decoded && (id === null || isId(id)) ? { kind: 'error', id, error: decoded } : undefined;
}
