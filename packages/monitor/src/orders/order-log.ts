import { assertNever, canonicalBytes, err, ok, parseJsonBytes, type Json, type Result } from '@keepwatch/base';
import { z } from 'zod';

/**
 * Who ordered what. An order stands in the journal as two entries in one append with everything that it changes: before it
 * what was ordered, and by whom, with the signature; behind it what was answered. So there is never a change without its
 * author, and an order that is sent once more is answered as it was the first time, whatever ended the process meanwhile.
 */
export interface OrderState {
  /** How many orders have changed what the owner set: the version that an operator names as the one that he saw. */
  version: number;
  /** Signed orders that may still be sent once more, by id. */
  readonly remembered: Map<string, Remembered>;
}

export interface Remembered {
  readonly peer: string;
  /** SHA-256 of what was signed, base64url. */
  readonly digest: string;
  /** ms since 1970: after it the command is void by itself. */
  readonly expiresMs: number;
  readonly answer: OrderAnswer | null;
}

export interface OrderAnswer {
  /** The number of the entry that says who ordered it. */
  readonly entry: number;
  /** After the order. */
  readonly version: number;
  /** JSON, as text: it is given out as it was written. */
  readonly value: string;
}

const json = z.json() as unknown as z.ZodType<Json>;
const count = z.int().nonnegative();
const byPeer = z.strictObject({
  kind: z.literal('peer'),
  peer: z.string(),
  /** As it was called then. */
  name: z.string(),
  alg: z.enum(['EdDSA', 'ML-DSA-65']),
  /** base64url. */
  publicKey: z.string(),
  /** The whole JWS: method and parameters stand in it. */
  command: z.string(),
  digest: z.string(),
  expiresMs: count,
});
/** The monitor's own user on its machine: by its socket, or on data that nobody runs. The file system let him, and no key. */
const byOwner = z.strictObject({ kind: z.literal('owner'), way: z.enum(['socket', 'data']), params: json });
/** Who proved the one-time token, and so became the first operator. */
const byToken = z.strictObject({ kind: z.literal('token'), peer: z.string() });
const answer = z.strictObject({ entry: count, version: count, value: z.string() });
const eventSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ordered'),
    id: z.string(),
    /** By the wall clock. */
    atMs: count,
    method: z.string(),
    /** Whether it counts as a change of what the owner set. */
    changes: z.boolean(),
    by: z.discriminatedUnion('kind', [byPeer, byOwner, byToken]),
  }),
  z.strictObject({ kind: z.literal('carried-out'), id: z.string(), answer }),
]);
export type OrderEvent = z.infer<typeof eventSchema>;
export type Ordered = Extract<OrderEvent, { kind: 'ordered' }>;

const stateSchema = z.strictObject({
  version: z.literal(1),
  orders: count,
  remembered: z.array(
    z.tuple([
      z.string(),
      z.strictObject({ peer: z.string(), digest: z.string(), expiresMs: count, answer: answer.nullable() }),
    ]),
  ),
});

export const createOrderState = (): OrderState => ({ version: 0, remembered: new Map() });

export function applyOrderEvent(state: OrderState, event: OrderEvent): void {
  switch (event.kind) {
    case 'ordered': {
      if (event.changes) state.version += 1;
      for (const [id, { expiresMs }] of state.remembered) if (expiresMs <= event.atMs) state.remembered.delete(id);
      if (event.by.kind !== 'peer') return;
      const { peer, digest, expiresMs } = event.by;
      state.remembered.set(event.id, { peer, digest, expiresMs, answer: null });
      return;
    }
    case 'carried-out': {
      const known = state.remembered.get(event.id);
      if (known) state.remembered.set(event.id, { ...known, answer: event.answer });
      return;
    }
    default:
      assertNever(event);
  }
}

export const encodeOrderEvent = (event: OrderEvent): Uint8Array =>
  canonicalBytes({ version: 1, event: event as unknown as Json });

export function decodeOrderEvent(bytes: Uint8Array): Result<OrderEvent, 'order_malformed'> {
  const read = z.strictObject({ version: z.literal(1), event: eventSchema }).safeParse(parseJsonBytes(bytes));
  return read.success ? ok(read.data.event) : err('order_malformed');
}

export const encodeOrders = ({ version, remembered }: OrderState): Uint8Array =>
  canonicalBytes({ version: 1, orders: version, remembered: [...remembered] as unknown as Json });

export function decodeOrders(bytes: Uint8Array): Result<OrderState, 'order_malformed'> {
  const read = stateSchema.safeParse(parseJsonBytes(bytes));
  if (!read.success) return err('order_malformed');
  return ok({ version: read.data.orders, remembered: new Map(read.data.remembered) });
}
