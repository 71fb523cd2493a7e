import { CodedError } from '@keepwatch/base';
import type { OpenMonitor } from '../open.ts';
import { toLine } from './messages.ts';
import { refusalOf } from './refusal.ts';

/** The same questions to a monitor that does not run: its data, opened in this process. */
export interface MonitorApi {
  call(method: string, params?: object): Promise<unknown>;
  subscribe(method: string, params: object, signal: AbortSignal): AsyncIterable<unknown>;
}

/** Answers are what they would be behind the socket: plain JSON. */
export function createLocalApi(monitor: OpenMonitor): MonitorApi {
  const methods = { ...monitor.methods, ...monitor.orders.methodsOfOwner('data') };
  const find = (name: string, params: object) => {
    const method = Object.hasOwn(methods, name) ? methods[name]! : undefined;
    const read = method?.params.safeParse(params);
    if (method && read?.success) return { method, given: read.data as never };
    if (read?.error) throw refusalOf(read.error);
    throw new CodedError('monitor_refused', `There is no method ${name} here.`, {
      remedy: 'It may need a running monitor: start one with `keepwatch monitor run`.',
    });
  };
  const plain = (value: unknown): unknown => JSON.parse(toLine(value ?? null));
  return {
    async call(name, params = {}) {
      const { method, given } = find(name, params);
      return plain(await method.call(given, new AbortController().signal));
    },
    async *subscribe(name, params, signal) {
      const { method, given } = find(name, params);
      for await (const item of method.stream!(given, signal)) yield plain(item);
    },
  };
}
