import { randomBytes } from 'node:crypto';
import { assertNever, canonicalJson, CodedError, fromBase64url, toBase64url, utf8, type Json } from '@keepwatch/base';
import { wireCrypto } from '@keepwatch/sdk';
import { openCommand, uuidV7, type Command, type IdentityKey } from '@keepwatch/wire';
import { z } from 'zod';
import { may, notAllowed } from '../access/rights.ts';
import { isOrder, specOf } from '../api/contract.ts';
import type { Method, Methods } from '../api/conversation.ts';
import { refusalOf, refused } from '../api/refusal.ts';
import { commandOfOwner } from '../api/shapes.ts';
import type { Peer } from '../desk/desk.ts';
import type { Engine } from '../engine/engine.ts';
import { sha256, type MonitorStore } from '../store/store.ts';
import { conflict, type Decision } from './carry-out.ts';
import type { OrderAnswer, Ordered } from './order-log.ts';

/** Who orders: a peer that signed it, or the monitor's own user on its machine. */
export type Author =
  { readonly kind: 'peer'; readonly peer: string } | { readonly kind: 'owner'; readonly way: 'socket' | 'data' };

/**
 * What carries out one kind of order. `plan` may ask others first (a vault, a contract, an adapter); what it gives back is
 * run on the state of the moment at which the order is journaled, and may still refuse.
 */
export interface Change {
  plan(params: never, author: Author, signal: AbortSignal): Plan | Promise<Plan>;
}
export type Plan = (atMs: number) => Decision;
export type Changes = Readonly<Record<string, Change>>;

/** What is answered to an order. */
export interface Carried {
  /** The number of the entry that says who ordered it. */
  readonly entry: number;
  /** The version after it. */
  readonly version: number;
  readonly value: unknown;
}

export interface Orders {
  /** Throws `command_invalid`, `command_expired`, `command_repeated`, `version_conflict`, and what refuses the order. */
  byPeer(peer: string, jws: string, signal: AbortSignal): Promise<Carried>;
  /** `expects` undefined: the version is not compared. */
  byOwner(
    way: 'socket' | 'data',
    order: { readonly method: string; readonly params: unknown; readonly expects?: number },
    signal: AbortSignal,
  ): Promise<Carried>;
  /** Each order as a method of its own, and `command` for one with a version, as the monitor's own user calls them. */
  methodsOfOwner(way: 'socket' | 'data'): Methods;
  /** Journals what the owner has done already. */
  note(method: string): Promise<unknown>;
}

/** How far ahead an expiry may lie, ms: for so long the ids of orders are remembered. */
const MAX_LIFETIME_MS = 10 * 60_000;

export interface OrdersDeps {
  readonly engine: Engine;
  readonly store: Pick<MonitorStore, 'identity'>;
  readonly changes: Changes;
  /** Wall clock, ms. A version that has passed never comes again, so that setting it back revives no change. */
  readonly nowMs: () => number;
}

export function createOrders({ engine, store, changes, nowMs }: OrdersDeps): Orders {
  const { desk, orders } = engine.state;

  function open(peer: string, jws: string): { readonly command: Command; readonly known: Peer } {
    const known = desk.peers.get(peer);
    if (!known) throw notAllowed('command', undefined);
    const context = { vault: store.identity, nowMs: nowMs(), maxLifetimeMs: MAX_LIFETIME_MS };
    const opened = openCommand(wireCrypto, keyOf(known)!, jws, context);
    if (opened.ok) return { command: opened.value, known };
    switch (opened.error) {
      case 'command_invalid':
        throw new CodedError('command_invalid', 'The command was not signed by this peer for this monitor.', {
          remedy: 'Update the client, or check its key and which monitor it is joined to.',
        });
      case 'command_expired':
        throw new CodedError('command_expired', 'The command expired.', {
          remedy: 'Check both clocks and send it again. On the monitor’s machine no clock is asked.',
        });
      default:
        return assertNever(opened.error);
    }
  }

  async function carry(
    ordered: Ordered,
    given: unknown,
    author: Author,
    expects: number | null,
    check: () => void,
    signal: AbortSignal,
  ): Promise<Carried> {
    const plan = await planOf(ordered.method, given, author, signal);
    const outcome = await engine.order({ ordered, expects, check, decide: plan });
    if (!outcome.ok) throw outcome.error;
    return carried(outcome.answer);
  }

  async function planOf(method: string, given: unknown, author: Author, signal: AbortSignal): Promise<Plan> {
    const spec = specOf(method);
    const change = Object.hasOwn(changes, method) ? changes[method] : undefined;
    if (!spec || !change) throw refused(`There is no order ${method}.`);
    const read = spec.params.safeParse(given);
    if (!read.success) throw refusalOf(read.error);
    return change.plan(read.data as never, author, signal);
  }

  const byPeer: Orders['byPeer'] = async (peer, jws, signal) => {
    const { command, known } = open(peer, jws);
    const { method, params, expects, id, expires } = command;
    const spec = specOf(method);
    const check = () => {
      const now = desk.peers.get(peer);
      const isSame = now?.publicKey === known.publicKey;
      if (!now || !isSame || !may(now.right, method)) throw notAllowed(method, now?.right);
    };
    check();
    const digest = digestOf(jws);
    const before = orders.remembered.get(id);
    if (before?.answer && before.peer === peer && before.digest === digest) return carried(before.answer);
    if (!spec || !isOrder(method)) throw refused(`There is no order ${method}.`);
    const compared = spec.effect === 'changes' ? expects : null;
    // Once more where it counts; here, so that nobody outside is asked in vain.
    if (compared !== null && compared !== orders.version) throw conflict(orders.version, compared);
    const { name, alg, publicKey } = known;
    const by = { kind: 'peer', peer, name, alg, publicKey, command: jws, digest, expiresMs: expires } as const;
    const ordered = { ...orderedBy(method, nowMs()), id, by };
    return carry(ordered, params, { kind: 'peer', peer }, compared, check, signal);
  };

  const byOwner: Orders['byOwner'] = (way, { method, params, expects }, signal) => {
    const by = { kind: 'owner', way, params: plain(params) } as const;
    const ordered = { ...orderedBy(method, nowMs()), id: uuidV7(nowMs(), randomBytes), by };
    return carry(ordered, params, { kind: 'owner', way }, expects ?? null, () => undefined, signal);
  };

  return {
    byPeer,
    byOwner,
    methodsOfOwner(way) {
      // Read by the order itself, which journals what was given and not what was made of it.
      const own = Object.keys(changes).map((method): [string, Method] => {
        const call = async (params: unknown, signal: AbortSignal) =>
          (await byOwner(way, { method, params }, signal)).value;
        return [method, { params: z.unknown(), call }];
      });
      const command: Method = {
        params: commandOfOwner,
        call: (given: Parameters<Orders['byOwner']>[1], signal) => byOwner(way, given, signal),
      };
      return { ...Object.fromEntries(own), command };
    },
    note(method) {
      const by = { kind: 'owner', way: 'socket', params: null } as const;
      const ordered = { ...orderedBy(method, nowMs()), id: uuidV7(nowMs(), randomBytes), by };
      const decide = () => ({ inputs: [], answer: () => null });
      return engine.order({ ordered, expects: null, check: () => undefined, decide });
    },
  };
}

/** What the table says of an order. */
function orderedBy(method: string, atMs: number) {
  const effect = specOf(method)?.effect;
  return { kind: 'ordered', atMs, method, changes: effect === 'changes' || effect === 'tightens' } as const;
}

const carried = ({ entry, version, value }: OrderAnswer): Carried => ({
  ...{ entry, version },
  value: JSON.parse(value) as unknown,
});

export function keyOf({ alg, publicKey }: Pick<Peer, 'alg' | 'publicKey'>): IdentityKey | undefined {
  const bytes = fromBase64url(publicKey);
  return bytes && { alg, publicKey: bytes };
}

/** Of what was signed, and not of the signature: signing the same once more may give another one. */
export const digestOf = (jws: string): string => toBase64url(sha256(utf8(jws.slice(0, jws.lastIndexOf('.')))));

/** What an entry can hold: JSON without broken numbers. */
function plain(params: unknown): Json {
  try {
    canonicalJson(params as Json);
    return params as Json;
  } catch {
    throw new CodedError('monitor_refused', 'This cannot be journaled: it has a broken number, or nests too deep.', {
      remedy: 'Write numbers with a fraction as text, and nest less deep.',
    });
  }
}
