import { canonicalBytes, err, ok, parseJsonBytes, type Json, type Result } from '@keepwatch/base';
import { SEVERITIES } from '@keepwatch/watch';
import { z } from 'zod';
import type { LadderEvent } from './event.ts';
import { createLadderState, type LadderOptions, type LadderState } from './state.ts';

/** How events of the ladder stand in the journal, and its state in a snapshot: canonical JSON with a version, read strictly. */
const VERSION = 1;

const time = z.number().int();
const count = z.number().int().nonnegative();
const text = z.string();
const severity = z.enum(SEVERITIES);
const rung = z.strictObject({ who: text, channels: z.array(text), waitMs: count });
const ladder = z.strictObject({
  ...{ rungs: z.array(rung).min(1), rounds: count, pageUrl: text.nullable(), codeMs: count },
});
const code = z.strictObject({ hash: text, step: count, who: text, channel: text, untilMs: time });
const codes = z.array(code);
const escalation = text;
const way = z.enum(['link', 'code', 'reply', 'command']);

const event: z.ZodType<LadderEvent> = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('opened'), escalation, entry: count, group: text, severity, ladder, codes, atMs: time },
  }),
  z.strictObject({ kind: z.literal('joined'), escalation, finding: text, atMs: time }),
  z.strictObject({
    ...{ kind: z.literal('climbed'), escalation, step: count, codes, atMs: time },
    why: z.enum(['no-answer', 'unreachable']),
  }),
  z.strictObject({ kind: z.literal('replanned'), escalation, ladder, step: count, codes, atMs: time }),
  z.strictObject({ kind: z.literal('reached'), escalation, who: text, channel: text, step: count, atMs: time }),
  z.strictObject({ kind: z.literal('exhausted'), escalation, atMs: time }),
  z.strictObject({
    ...{ kind: z.literal('acknowledged'), escalation, by: text, way, step: count, atMs: time },
    ...{ who: text.nullable(), channel: text.nullable() },
  }),
  z.strictObject({ kind: z.literal('wrong-code'), from: text, atMs: time }),
  z.strictObject({ kind: z.literal('forgotten'), escalation }),
]);

const over = z.discriminatedUnion('how', [
  z.strictObject({
    ...{ how: z.literal('acknowledged'), by: text, way, who: text.nullable(), channel: text.nullable(), atMs: time },
  }),
  z.strictObject({ how: z.literal('exhausted'), atMs: time }),
]);
const stored = z.strictObject({
  ...{
    ...{ id: text, entry: count, findings: z.array(text), joined: count, group: text, severity, ladder },
    ...{ first: count, step: count, sinceMs: time, codes },
  },
  deliveries: z.array(z.strictObject({ who: text, channel: text, step: count, atMs: time })),
  over: over.nullable(),
});

const wrongCode = z.strictObject({ from: text, atMs: time });
const eventFile = z.strictObject({ version: z.literal(VERSION), event });
const stateFile = z.strictObject({
  version: z.literal(VERSION),
  escalations: z.array(stored),
  wrong: z.array(wrongCode),
});

export function encodeLadderEvent(given: LadderEvent): Uint8Array {
  return canonicalBytes({ version: VERSION, event: given as unknown as Json });
}

export function decodeLadderEvent(bytes: Uint8Array): Result<LadderEvent, 'ladder_malformed'> {
  const parsed = eventFile.safeParse(parseJsonBytes(bytes));
  return parsed.success ? ok(parsed.data.event) : err('ladder_malformed');
}

export function encodeLadderState({ escalations, wrong }: LadderState): Uint8Array {
  const plain = { version: VERSION, escalations: [...escalations.values()], wrong };
  return canonicalBytes(plain as unknown as Json);
}

export function decodeLadderState(bytes: Uint8Array, options: LadderOptions): Result<LadderState, 'ladder_malformed'> {
  const parsed = stateFile.safeParse(parseJsonBytes(bytes));
  if (!parsed.success) return err('ladder_malformed');
  const state = createLadderState(options);
  for (const each of parsed.data.escalations) state.escalations.set(each.id, each);
  state.wrong.push(...parsed.data.wrong);
  return ok(state);
}
