import { canonicalBytes, err, ok, parseJsonBytes, type Result } from '@keepwatch/base';
import { z } from 'zod';
import type { WatchEvent } from '../event.ts';
import { toJson } from '../json.ts';
import { finding } from './finding.ts';
import { block, count, fact, looseGrade, outpoint, range, settings, source, text, txid, wallet } from './shapes.ts';

/** The version of the shapes below. Another one is refused, never guessed. */
export const WATCH_EVENT_VERSION = 1;

const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });
const at = z.union([z.strictObject({ grade: looseGrade }), z.strictObject({ block })]);
const event: z.ZodType<WatchEvent> = z.discriminatedUnion('kind', [
  z.strictObject({ ...kind('finding'), finding }),
  z.strictObject({ ...kind('settings'), settings }),
  z.strictObject({ ...kind('wallet-put'), wallet }),
  z.strictObject({ ...kind('wallet-dropped'), wallet: text }),
  z.strictObject({ ...kind('scripts-added'), range, scanFrom: count.nullable() }),
  z.strictObject({ ...kind('scan-asked'), wallet: text, fromHeight: count.nullable() }),
  z.strictObject({
    ...kind('scan-progress'),
    wallet: text,
    toHeight: count.nullable(),
    done: z.boolean(),
    transactions: count,
  }),
  z.strictObject({ ...kind('block'), block, atMs: count }),
  z.strictObject({ ...kind('block-back'), block, to: block.nullable(), atMs: count }),
  z.strictObject({ ...kind('tx'), tx: fact, at }),
  z.strictObject({ ...kind('tx-seen'), txid }),
  z.strictObject({ ...kind('tx-gone'), txid, by: txid.nullable() }),
  z.strictObject({ ...kind('held'), block, txs: z.array(fact) }),
  z.strictObject({ ...kind('conflict'), outpoint, txid, other: txid }),
  z.strictObject({
    ...kind('settled'),
    wallets: z.array(z.strictObject({ id: text, above: z.boolean(), below: z.boolean() })),
  }),
  z.strictObject({ ...kind('source'), source: text, record: source }),
  z.strictObject({ ...kind('condition'), key: text, open: z.boolean() }),
  z.strictObject({ ...kind('started'), atMs: count }),
  z.strictObject({ ...kind('caught-up') }),
  z.strictObject({ ...kind('alive'), atMs: count }),
]);
const entry = z.strictObject({ v: z.literal(WATCH_EVENT_VERSION), event });

export type WatchCodecErrorCode =
  /** Not JSON, or of another version. */
  'watch_event_malformed' | 'watch_event_unknown_version' | 'watch_state_malformed' | 'watch_state_unknown_version';

/** One text for each event: canonical JSON, amounts as decimal strings, bytes as hex. */
export function encodeWatchEvent(value: WatchEvent): Uint8Array {
  return canonicalBytes({ v: WATCH_EVENT_VERSION, event: toJson(value) });
}

export function decodeWatchEvent(
  bytes: Uint8Array,
): Result<WatchEvent, 'watch_event_malformed' | 'watch_event_unknown_version'> {
  const value = parseJsonBytes(bytes);
  const read = entry.safeParse(value);
  if (read.success) return ok(read.data.event);
  return err(isOtherVersion(value, WATCH_EVENT_VERSION) ? 'watch_event_unknown_version' : 'watch_event_malformed');
}

export function isOtherVersion(value: unknown, version: number): boolean {
  const found = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  return Number.isSafeInteger(found) && found !== version;
}
