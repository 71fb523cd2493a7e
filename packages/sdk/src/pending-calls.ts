import type { CodedError, Json } from '@keepwatch/base';
import type { RpcId } from '@keepwatch/wire';
import { connectionError } from './connection-errors.ts';

/** Requests that wait for their answer, by id. */
export interface PendingCalls {
  /** `read` makes of a result what the caller gets, as it comes in; what it throws is what the caller gets then. */
  open<T>(read: (result: Json) => T): { readonly id: number; readonly answer: Promise<T> };
  resolve(id: RpcId, result: Json): void;
  /** `id` is null where the other end could not read the request: then it says nothing about any of them. */
  reject(id: RpcId | null, error: CodedError): void;
  rejectAll(error: CodedError): void;
}

interface Call {
  readonly id: number;
  readonly deadline: number;
  readonly read: (result: Json) => unknown;
  resolve(value: unknown): void;
  reject(error: CodedError): void;
}

/** `timeoutMs` is the same for every call, so the oldest is always the first to be overdue: one timer serves all. */
export function createPendingCalls(timeoutMs: number): PendingCalls {
  const calls = new Map<RpcId, Call>();
  let lastId = 0;
  let timer: NodeJS.Timeout | undefined;

  function expire(): void {
    timer = undefined;
    const now = performance.now();
    for (const call of calls.values()) {
      if (call.deadline > now) return arm(call.deadline - now);
      calls.delete(call.id);
      call.reject(connectionError('request_timeout'));
    }
  }

  function arm(delayMs: number): void {
    timer = setTimeout(expire, delayMs);
  }

  function take(id: RpcId | null): Call | undefined {
    const call = id === null ? undefined : calls.get(id);
    if (call) calls.delete(call.id);
    // Nothing waits: the timer must not keep the process alive. It stays for the next call, for a timer of its own for
    // each of a row of calls costs more than the call's entry here.
    if (calls.size === 0) timer?.unref();
    return call;
  }

  return {
    open<T>(read: (result: Json) => T) {
      const id = ++lastId;
      const answer = new Promise<T>((resolve, reject) => {
        const deadline = performance.now() + timeoutMs;
        calls.set(id, { id, deadline, read, resolve: resolve as (value: unknown) => void, reject });
      });
      if (timer) timer.ref();
      else arm(timeoutMs);
      return { id, answer };
    },
    // An answer that comes after its call timed out finds nobody.
    resolve(id, result) {
      const call = take(id);
      if (!call) return;
      try {
        call.resolve(call.read(result));
      } catch (error) {
        call.reject(error as CodedError);
      }
    },
    reject: (id, error) => take(id)?.reject(error),
    rejectAll(error) {
      for (const call of [...calls.values()]) take(call.id)?.reject(error);
    },
  };
}
