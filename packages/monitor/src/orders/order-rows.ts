import { assertNever, type Json } from '@keepwatch/base';
import type { Journal, JournalEntry } from '@keepwatch/journal';
import { isObject, parseStrictJson, unverifiedPayload, type JsonObject } from '@keepwatch/wire';
import { wireCrypto } from '@keepwatch/sdk';
import type { z } from 'zod';
import { specOf } from '../api/contract.ts';
import type { Methods } from '../api/conversation.ts';
import { ordersList } from '../api/shapes.ts';
import { readEntry, type MonitorEvent } from '../engine/state.ts';
import { pagesBackwards } from '../store/backwards.ts';
import type { MonitorStore } from '../store/store.ts';
import type { Ordered } from './order-log.ts';

/** One line of who did what, as operators read it. */
export interface OrderRow {
  readonly seq: number;
  readonly atMs: number;
  readonly id: string | null;
  /** As the methods of the API are called. */
  readonly method: string;
  /** What it was about: a name, where there is one. */
  readonly about: string | null;
  readonly by:
    | {
        readonly kind: 'peer';
        readonly peer: string;
        readonly name: string;
        readonly alg: 'EdDSA' | 'ML-DSA-65';
        readonly publicKey: string;
        readonly expiresMs: number;
      }
    /** The monitor's own user on its machine: nothing is signed. */
    | { readonly kind: 'owner'; readonly way: string }
    /** Who proved the one-time token, and became the first operator. */
    | { readonly kind: 'token'; readonly peer: string }
    /** By a version that did not journal who it was. */
    | { readonly kind: 'unrecorded' };
  /** The signed order; null: there is none, or it holds a secret, and then `withheld` is true. */
  readonly command: string | null;
  readonly params: Json;
  readonly withheld: boolean;
}

const DEFAULT_LIMIT = 50;

export function orderMethods({ journal, identity }: Pick<MonitorStore, 'journal' | 'identity'>): Methods {
  return {
    'journal.orders': {
      params: ordersList,
      async call({ limit = DEFAULT_LIMIT, before }: z.infer<typeof ordersList>) {
        return { identity, orders: await newestOrders(journal, limit, before) };
      },
    },
  };
}

/** The last `limit`, in order; of those before `before` where it is given. Reads no further back than it must. */
async function newestOrders(journal: Journal, limit: number, before?: number): Promise<readonly OrderRow[]> {
  const found: OrderRow[] = [];
  // Read backwards, what an order changed stands between its answer and itself.
  let within = false;
  for await (const page of pagesBackwards(journal, before)) {
    for (const entry of page.toReversed()) {
      const event = readEntry(entry.seq, entry.bytes);
      if (event.room === 'order') {
        within = event.event.kind === 'carried-out';
        if (event.event.kind === 'ordered') found.push(rowOf(entry.seq, event.event));
      } else if (!within) {
        const change = changeWithoutOrder(event);
        if (change) found.push(strayRow(entry, change));
      }
    }
    if (found.length >= limit) break;
  }
  return found.slice(0, limit).reverse();
}

function rowOf(seq: number, { id, atMs, method, by }: Ordered): OrderRow {
  const row = { ...{ seq, atMs, id, method, command: null, withheld: false, about: null, params: null } };
  switch (by.kind) {
    case 'token':
      return { ...row, by, about: by.peer };
    case 'owner':
      return { ...row, ...shownOf(method, by.params), by: { kind: 'owner', way: by.way } };
    case 'peer': {
      const { command, digest: _, ...author } = by;
      const shown = shownOf(method, paramsOf(command));
      return { ...row, ...shown, command: shown.withheld ? null : command, by: author };
    }
    default:
      return assertNever(by);
  }
}

function shownOf(method: string, params: Json) {
  const withheld = specOf(method)?.secret?.(params) ?? false;
  return { params: withheld ? null : params, withheld, about: aboutOf(method, params) };
}

function strayRow({ seq, timeMs: atMs }: JournalEntry, { method, about }: StrayChange): OrderRow {
  const by = { kind: 'unrecorded' } as const;
  return { ...{ seq, atMs, id: null, method, about, by, command: null, params: null, withheld: false } };
}

export function paramsOf(command: string): Json {
  const payload = unverifiedPayload(wireCrypto.codec, command);
  const read = payload && parseStrictJson(payload);
  return isObject(read) ? (read['params'] ?? null) : null;
}

/** The name that somebody looks for in a list. Never anything of what may be secret. */
export function aboutOf(method: string, params: Json): string | null {
  if (!isObject(params)) return null;
  const channel = params['channel'];
  const of: JsonObject = method === 'channel.put' && isObject(channel) ? channel : params;
  const words = ['wallet', 'name', 'peer', 'what'].flatMap((member) => {
    const value = of[member];
    return typeof value === 'string' || typeof value === 'number' ? [String(value).slice(0, 100)] : [];
  });
  const right = method === 'peer.approve' && typeof params['right'] === 'string' ? [params['right']] : [];
  return [...words, ...right].join(' ') || null;
}

interface StrayChange {
  readonly method: string;
  readonly about: string | null;
}

/** What an owner set, where no order says who: older versions did not journal that. */
function changeWithoutOrder(recorded: MonitorEvent): StrayChange | undefined {
  const { room, event } = recorded;
  if (room === 'watch' || room === 'evm') {
    switch (event.kind) {
      case 'wallet-put':
        return { method: 'wallet.put', about: event.wallet.id };
      case 'wallet-dropped':
        return { method: 'wallet.remove', about: event.wallet };
      case 'evm-wallet-put':
        return { method: 'evm.put', about: event.wallet.id };
      case 'evm-wallet-dropped':
        return { method: 'evm.remove', about: event.wallet };
      default:
        return undefined;
    }
  }
  if (room !== 'desk') return undefined;
  switch (event.kind) {
    case 'channel-put':
      return { method: 'channel.put', about: event.name };
    case 'channel-dropped':
      return { method: 'channel.remove', about: event.name };
    case 'rules-set':
      return { method: event.rules === null ? 'rules.clear' : 'rules.apply', about: null };
    case 'ladder-set':
      return { method: event.ladder === null ? 'ladder.clear' : 'ladder.apply', about: null };
    case 'schedule-set':
      return { method: event.schedule === null ? 'schedule.clear' : 'schedule.apply', about: null };
    case 'vault-dropped':
      return { method: 'vault.remove', about: event.name };
    case 'peer-put':
      return { method: 'peer.approve', about: `${event.peer.name} ${event.peer.right}` };
    case 'peer-dropped':
      return { method: 'peer.revoke', about: event.id };
    default:
      return undefined;
  }
}
