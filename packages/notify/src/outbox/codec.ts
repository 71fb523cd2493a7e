import { canonicalBytes, err, ok, parseJsonBytes, type Json, type Result } from '@keepwatch/base';
import { SEVERITIES } from '@keepwatch/watch';
import { z } from 'zod';
import type { OutboxEvent } from './event.ts';
import { createOutboxState, type OutboxOptions, type OutboxState } from './state.ts';

/**
 * How events of the outbox stand in the journal, and its state in a snapshot: canonical JSON with a version. Decoding is
 * strict. Posts hold words, codes and links, so whoever stores these bytes encrypts them, as the journal does.
 */
const VERSION = 1;

const time = z.number().int();
const count = z.number().int().nonnegative();
const text = z.string();
const json = z.json() as unknown as z.ZodType<Json>;
const severity = z.enum(SEVERITIES);

const post = z.strictObject({
  ...{ key: text, group: text.nullable(), severity, subject: text, body: text, data: json, atMs: time },
  acknowledgement: z
    .strictObject({ code: text, url: text.nullable(), sendBack: z.boolean().exactOptional() })
    .nullable(),
});

const delivery = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('delivered'), reference: text.nullable() }),
  z.strictObject({ kind: z.literal('later'), code: text, words: text, retryAfterMs: time.nullable() }),
  z.strictObject({ kind: z.literal('refused'), code: text, words: text }),
  z.strictObject({ kind: z.literal('broken'), code: text, words: text }),
]);

const channel = text;
const event: z.ZodType<OutboxEvent> = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('queued'), channel, post, atMs: time, notBeforeMs: time },
    place: z.enum(['alone', 'gathering', 'gathered']),
  }),
  z.strictObject({
    ...{ kind: z.literal('began'), channel, key: text, attempt: count, id: text, number: count, atMs: time },
  }),
  z.strictObject({
    ...{ kind: z.literal('tried'), channel, key: text, attempt: count, delivery, atMs: time, bare: z.boolean() },
    ...{ restUntilMs: time, ownRestUntilMs: time, heldUntilMs: time },
  }),
  z.strictObject({ kind: z.literal('channel-died'), channel, code: text, words: text, atMs: time }),
  z.strictObject({ kind: z.literal('channel-revived'), channel, atMs: time }),
  z.strictObject({ kind: z.literal('channel-removed'), channel, undelivered: z.array(text), atMs: time }),
]);

const entry = z.strictObject({
  ...{ post, gathers: z.boolean(), queuedAtMs: time, notBeforeMs: time, attempts: count, restUntilMs: time },
  more: z.strictObject({ count, subjects: z.array(text), keys: z.array(text) }),
  sent: z.strictObject({ id: text, number: count, missing: z.array(count) }).nullable(),
  bare: z.boolean(),
});

const lane = z.strictObject({
  ...{ nextNumber: count, delivered: count, missing: z.array(count), waiting: z.array(entry), failures: count },
  trying: z.strictObject({ key: text, attempt: count }).nullable(),
  ...{ failingSinceMs: time.nullable(), restUntilMs: time, heldUntilMs: time },
  dead: z.strictObject({ sinceMs: time, code: text, words: text }).nullable(),
  begun: z.array(z.tuple([text, z.array(time)])),
  done: z.array(text),
});

const eventFile = z.strictObject({ version: z.literal(VERSION), event });
const stateFile = z.strictObject({ version: z.literal(VERSION), lanes: z.array(z.tuple([channel, lane])) });

export function encodeOutboxEvent(given: OutboxEvent): Uint8Array {
  return canonicalBytes({ version: VERSION, event: given as unknown as Json });
}

export function decodeOutboxEvent(bytes: Uint8Array): Result<OutboxEvent, 'outbox_malformed'> {
  const parsed = eventFile.safeParse(parseJsonBytes(bytes));
  return parsed.success ? ok(parsed.data.event) : err('outbox_malformed');
}

/** The whole state for a snapshot, without its options. */
export function encodeOutboxState({ lanes }: OutboxState): Uint8Array {
  const plain = [...lanes].map(([name, each]) => [name, { ...each, begun: [...each.begun] }]);
  return canonicalBytes({ version: VERSION, lanes: plain as unknown as Json });
}

export function decodeOutboxState(bytes: Uint8Array, options: OutboxOptions): Result<OutboxState, 'outbox_malformed'> {
  const parsed = stateFile.safeParse(parseJsonBytes(bytes));
  if (!parsed.success) return err('outbox_malformed');
  const state = createOutboxState(options);
  for (const [name, each] of parsed.data.lanes) state.lanes.set(name, { ...each, begun: new Map(each.begun) });
  return ok(state);
}
