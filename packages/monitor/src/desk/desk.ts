import { assertNever, canonicalBytes, err, ok, parseJsonBytes, type Json, type Result } from '@keepwatch/base';
import { z } from 'zod';

/**
 * What the owner has set, beside the wallets: channels, rules, and the heights at which wallets begin. It is journaled like
 * everything else, so that it can be told what held at any time; and encrypted, for channels hold secrets.
 */
export interface DeskState {
  /** By name, as they were written down: secrets included. */
  readonly channels: Map<string, Json>;
  /** The document as it was given; null: what holds without one. */
  rules: Json;
  /** Of wallets whose owner named a height: where a scan of the past begins. */
  readonly birthHeights: Map<string, number>;
}

const json = z.json() as unknown as z.ZodType<Json>;
const count = z.int().nonnegative();
const eventSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('channel-put'), name: z.string(), channel: json }),
  z.strictObject({ kind: z.literal('channel-dropped'), name: z.string() }),
  z.strictObject({ kind: z.literal('rules-set'), rules: json }),
  z.strictObject({ kind: z.literal('birth-height'), wallet: z.string(), height: count.nullable() }),
]);
const stateSchema = z.strictObject({
  version: z.literal(1),
  channels: z.array(z.tuple([z.string(), json])),
  rules: json,
  birthHeights: z.array(z.tuple([z.string(), count])),
});

export type DeskEvent = z.infer<typeof eventSchema>;

export function createDesk(): DeskState {
  return { channels: new Map(), rules: null, birthHeights: new Map() };
}

export function applyDeskEvent(state: DeskState, event: DeskEvent): void {
  switch (event.kind) {
    case 'channel-put':
      state.channels.set(event.name, event.channel);
      return;
    case 'channel-dropped':
      state.channels.delete(event.name);
      return;
    case 'rules-set':
      state.rules = event.rules;
      return;
    case 'birth-height':
      if (event.height === null) state.birthHeights.delete(event.wallet);
      else state.birthHeights.set(event.wallet, event.height);
      return;
    default:
      assertNever(event);
  }
}

export function encodeDeskEvent(event: DeskEvent): Uint8Array {
  return canonicalBytes({ version: 1, event: event as unknown as Json });
}

export function decodeDeskEvent(bytes: Uint8Array): Result<DeskEvent, 'desk_malformed'> {
  const read = z.strictObject({ version: z.literal(1), event: eventSchema }).safeParse(parseJsonBytes(bytes));
  return read.success ? ok(read.data.event) : err('desk_malformed');
}

export function encodeDesk({ channels, rules, birthHeights }: DeskState): Uint8Array {
  return canonicalBytes({ version: 1, channels: [...channels], rules, birthHeights: [...birthHeights] });
}

export function decodeDesk(bytes: Uint8Array): Result<DeskState, 'desk_malformed'> {
  const read = stateSchema.safeParse(parseJsonBytes(bytes));
  if (!read.success) return err('desk_malformed');
  const { channels, rules, birthHeights } = read.data;
  return ok({ channels: new Map(channels), rules, birthHeights: new Map(birthHeights) });
}
