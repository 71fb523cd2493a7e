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
  /** Who is told what must not go unanswered, as it was written; null: nothing climbs. */
  ladder: Json;
  /** When the monitor says that it lives, and tests its channels, as it was written; null: what holds without one. */
  schedule: Json;
  /** The moment of each schedule that was done last. */
  readonly done: Map<string, number>;
  /** When each rule with a limit told at once: as many of the last times as its limit counts. */
  readonly ruleTimes: Map<string, readonly number[]>;
  /** Behind what people sent back on a channel, once something of it counted. */
  readonly replyCursors: Map<string, string>;
  /** Of wallets whose owner named a height: where a scan of the past begins. */
  readonly birthHeights: Map<string, number>;
  /** By name: where the vault is, and the key by which this monitor is its client. */
  readonly vaults: Map<string, Json>;
  /** Who may reach the monitor over a network, by id. */
  readonly peers: Map<string, Peer>;
}

const peerSchema = z.strictObject({
  alg: z.enum(['EdDSA', 'ML-DSA-65']),
  /** base64url. */
  publicKey: z.string(),
  name: z.string(),
  right: z.enum(['operator', 'reader']),
  addedAtMs: z.int(),
});
export type Peer = z.infer<typeof peerSchema>;

const json = z.json() as unknown as z.ZodType<Json>;
const count = z.int().nonnegative();
const eventSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('channel-put'), name: z.string(), channel: json }),
  z.strictObject({ kind: z.literal('channel-dropped'), name: z.string() }),
  z.strictObject({ kind: z.literal('rules-set'), rules: json }),
  z.strictObject({ kind: z.literal('ladder-set'), ladder: json }),
  z.strictObject({ kind: z.literal('schedule-set'), schedule: json }),
  z.strictObject({ kind: z.literal('schedule-done'), name: z.string(), momentMs: z.int() }),
  z.strictObject({ kind: z.literal('rule-told'), rule: z.string(), keep: z.int().positive(), atMs: z.int() }),
  z.strictObject({ kind: z.literal('replies-read'), channel: z.string(), cursor: z.string().nullable() }),
  z.strictObject({ kind: z.literal('vault-put'), name: z.string(), vault: json }),
  z.strictObject({ kind: z.literal('vault-dropped'), name: z.string() }),
  z.strictObject({ kind: z.literal('birth-height'), wallet: z.string(), height: count.nullable() }),
  z.strictObject({ kind: z.literal('peer-put'), id: z.string(), peer: peerSchema }),
  z.strictObject({ kind: z.literal('peer-dropped'), id: z.string() }),
]);
const stateSchema = z.strictObject({
  version: z.literal(5),
  channels: z.array(z.tuple([z.string(), json])),
  rules: json,
  ladder: json,
  schedule: json,
  done: z.array(z.tuple([z.string(), z.int()])),
  ruleTimes: z.array(z.tuple([z.string(), z.array(z.int())])),
  replyCursors: z.array(z.tuple([z.string(), z.string()])),
  birthHeights: z.array(z.tuple([z.string(), count])),
  vaults: z.array(z.tuple([z.string(), json])),
  peers: z.array(z.tuple([z.string(), peerSchema])),
});

export type DeskEvent = z.infer<typeof eventSchema>;

export function createDesk(): DeskState {
  return {
    ...{ channels: new Map(), rules: null, ladder: null, schedule: null },
    ...{ done: new Map(), ruleTimes: new Map(), birthHeights: new Map(), vaults: new Map() },
    ...{ peers: new Map(), replyCursors: new Map() },
  };
}

export function applyDeskEvent(state: DeskState, event: DeskEvent): void {
  switch (event.kind) {
    case 'channel-put':
      state.channels.set(event.name, event.channel);
      // It may lead to another service now, or to other people.
      state.replyCursors.delete(event.name);
      return;
    case 'channel-dropped':
      state.channels.delete(event.name);
      state.replyCursors.delete(event.name);
      return;
    case 'rules-set':
      state.rules = event.rules;
      state.ruleTimes.clear();
      return;
    case 'ladder-set':
      state.ladder = event.ladder;
      return;
    case 'schedule-set':
      state.schedule = event.schedule;
      return;
    case 'schedule-done':
      state.done.set(event.name, event.momentMs);
      return;
    case 'rule-told': {
      const times = [...(state.ruleTimes.get(event.rule) ?? []), event.atMs];
      state.ruleTimes.set(event.rule, times.slice(-event.keep));
      return;
    }
    case 'replies-read':
      if (event.cursor === null) state.replyCursors.delete(event.channel);
      else state.replyCursors.set(event.channel, event.cursor);
      return;
    case 'vault-put':
      state.vaults.set(event.name, event.vault);
      return;
    case 'vault-dropped':
      state.vaults.delete(event.name);
      return;
    case 'birth-height':
      if (event.height === null) state.birthHeights.delete(event.wallet);
      else state.birthHeights.set(event.wallet, event.height);
      return;
    case 'peer-put':
      state.peers.set(event.id, event.peer);
      return;
    case 'peer-dropped':
      state.peers.delete(event.id);
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

export function encodeDesk({
  channels,
  done,
  ruleTimes,
  birthHeights,
  replyCursors,
  vaults,
  peers,
  ...documents
}: DeskState): Uint8Array {
  return canonicalBytes({
    ...{ version: 5, ...documents, channels: [...channels], done: [...done], replyCursors: [...replyCursors] },
    ...{ ruleTimes: [...ruleTimes], birthHeights: [...birthHeights], vaults: [...vaults], peers: [...peers] },
  });
}

export function decodeDesk(bytes: Uint8Array): Result<DeskState, 'desk_malformed'> {
  const read = stateSchema.safeParse(parseJsonBytes(bytes));
  if (!read.success) return err('desk_malformed');
  const { channels, done, ruleTimes, birthHeights, replyCursors, vaults, peers, version: _, ...documents } = read.data;
  return ok({
    ...{ ...documents, channels: new Map(channels), done: new Map(done), peers: new Map(peers) },
    ...{ ruleTimes: new Map(ruleTimes), birthHeights: new Map(birthHeights), vaults: new Map(vaults) },
    replyCursors: new Map(replyCursors),
  });
}
