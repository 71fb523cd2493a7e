import { assertNever, err, ok, utf8, type Json, type Result } from '@keepwatch/base';
import { isObject, parseStrictJson, type JsonObject } from './strict-json.ts';

/**
 * JSON-RPC 2.0 as Keepwatch speaks it: one message a frame, in both directions, parameters by name, no batches. What
 * is not exactly one of the four kinds of message is refused. Method names and parameters are `protocol`'s business.
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

const MAX_ID_CHARS = 64;
const METHOD = /^[a-z][a-zA-Z0-9._-]{0,63}$/;
const STABLE_CODE = /^[a-z][a-z0-9_]{0,63}$/;

export function encodeRpc(message: RpcMessage): Uint8Array {
  return utf8(JSON.stringify(toJson(message)));
}

function toJson(message: RpcMessage): object {
  const jsonrpc = '2.0';
  switch (message.kind) {
    case 'request':
      return { jsonrpc, id: message.id, method: message.method, params: message.params };
    case 'notification':
      return { jsonrpc, method: message.method, params: message.params };
    case 'result':
      return { jsonrpc, id: message.id, result: message.result };
    case 'error':
      return { jsonrpc, id: message.id, error: message.error };
    default:
      return assertNever(message);
  }
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

/** The message in a frame's payload, whose size the session has bounded. */
export function decodeRpc(payload: Uint8Array): Result<RpcMessage, 'message_malformed'> {
  const malformed = err('message_malformed' as const);
  const value = parseStrictJson(payload);
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return malformed;
  const members = Object.keys(value).length;
  const { id, method, params, result, error } = value;

  if (method !== undefined) {
    if (typeof method !== 'string' || !METHOD.test(method) || !isObject(params)) return malformed;
    if (members === 3) return ok({ kind: 'notification', method, params });
    return members === 4 && isId(id) ? ok({ kind: 'request', id, method, params }) : malformed;
  }
  if (members !== 3) return malformed;
  if (result !== undefined) return isId(id) ? ok({ kind: 'result', id, result }) : malformed;
  const decoded = decodeError(error);
  return decoded && (id === null || isId(id)) ? ok({ kind: 'error', id, error: decoded }) : malformed;
}
