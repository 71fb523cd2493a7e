import { canonicalBytes, err, fromLengthPrefixed, ok, parseJsonBytes, type Json, type Result } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import { z } from 'zod';
import { toJson } from '../json.ts';
import { KEY_BYTES, keySetBytes, keySetOf } from '../key-set.ts';
import { createScriptIndex, type ScriptIndex } from '../script-index.ts';
import type { Settled } from '../settled.ts';
import type { WatchState } from '../state.ts';
import type { WatchedWallet } from '../wallet.ts';
import { isOtherVersion } from './event.ts';
import {
  block,
  blockHash,
  bytes,
  count,
  fact,
  looseGrade,
  money,
  outpointKey,
  place,
  sats,
  settings,
  source,
  sum,
  text,
  txid,
  vout,
  wallet,
} from './shapes.ts';

/** The version of the snapshot's shape. Another one is refused: the state is folded from its events then. */
export const WATCH_STATE_VERSION = 4;

const counts = z.array(z.array(count));
const pair = <K extends z.ZodType, V extends z.ZodType>(key: K, value: V) => z.array(z.tuple([key, value]));

const walletRecord = z.strictObject({
  wallet,
  addedHeight: z.int().nullable(),
  sinceHeight: count.nullable(),
  confirmedSats: sum,
  derived: counts,
  used: counts,
  growthFrom: z.int().nullable(),
  scan: z
    .strictObject({ scan: count, fromHeight: count.nullable(), first: z.boolean(), transactions: count })
    .nullable(),
  crossings: count,
  above: z.boolean(),
  below: z.boolean(),
});

const status = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('unconfirmed'), grade: looseGrade }),
  z.strictObject({ kind: z.literal('confirmed'), block, medianSeconds: count }),
  z.strictObject({ kind: z.literal('gone'), by: txid.nullable(), height: z.int().min(-1) }),
]);

const txRecord = z.strictObject({
  txid,
  coinbase: z.boolean(),
  outputs: count,
  status,
  round: count,
  returns: count,
  parts: z.array(
    z.strictObject({
      wallet: text,
      vouts: z.array(vout),
      spent: z.array(outpointKey),
      silent: z.boolean(),
      told: z.array(text),
      sightings: count,
    }),
  ),
  money: money.exactOptional(),
});

const coin = z.strictObject({
  txid,
  vout,
  sats: sats.nullable(),
  script: bytes.nullable(),
  wallets: z.array(text),
  spenders: z.array(txid),
  conflicts: z.array(text),
  settled: z.strictObject({ by: txid, told: z.array(text) }).nullable(),
});

const shape = z.strictObject({
  settings,
  /** The bytes of the scripts stand behind the words, in this order. */
  scripts: z.array(place),
  /** Wallet, and how many keys of its parts and of its scripts stand behind those. */
  settled: z.array(z.tuple([text, count, count])),
  settledHeight: z.int().min(-1),
  settling: z.array(txid),
  unswept: z.array(text),
  goneAt: pair(z.int().min(-1), z.array(txid)),
  wallets: z.array(walletRecord),
  txs: z.array(txRecord),
  coins: z.array(coin),
  blocks: z.array(block),
  blockTxs: pair(blockHash, z.array(txid)),
  unconfirmed: pair(txid, count),
  uses: pair(text, count),
  timers: pair(count, z.array(outpointKey)),
  timeTimers: pair(count, z.array(outpointKey)),
  held: z.array(z.strictObject({ block, txs: z.array(fact) })),
  unsettled: z.array(text),
  scriptsDue: z.array(text),
  scansDue: z.array(text),
  conditions: pair(text, count),
  sources: pair(text, source),
  dropped: pair(text, count),
  counter: count,
  tip: block.nullable(),
  bestHeight: z.int().min(-1),
  lowestHeight: z.int().min(-1),
  tipAtMs: count,
  aliveMs: count,
  startedMs: count,
  catchingUp: z.strictObject({ fromHeight: count.nullable(), sinceMs: count }).nullable(),
});
const snapshot = z.strictObject({ v: z.literal(WATCH_STATE_VERSION), state: shape });

/**
 * A snapshot of the state: canonical JSON, in which maps are lists in the order in which they were filled; and behind it, as
 * bytes, what would be most of it: scripts, and keys of settled transactions. Each of the three has its length before it (u32
 * big-endian).
 */
export function encodeWatchState(state: WatchState): Uint8Array {
  const list = (values: Iterable<unknown>): Json => [...values].map(toJson);
  const { settings: all, counter, tip, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs, catchingUp } = state;
  const ranges = [...state.scripts.ranges()];
  const settled = [...state.settled.entries()];
  const words = canonicalBytes({
    v: WATCH_STATE_VERSION,
    state: {
      ...(toJson({ settings: all, tip, catchingUp }) as Record<string, Json>),
      ...{ counter, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs },
      scripts: ranges.map(({ bytes: _, ...each }) => toJson(each)),
      settled: settled.map(([id, { parts, scripts }]) => [id, parts.size, scripts.size]),
      settledHeight: state.settledHeight,
      ...{ settling: list(state.settling.keys()), unswept: list(state.unswept.keys()) },
      goneAt: list(state.goneAt.entries()),
      ...{ wallets: list(state.wallets.values()), txs: list(state.txs.values()), coins: list(state.coins.values()) },
      ...{ blocks: list(state.blocks.values()), blockTxs: list(state.blockTxs.entries()) },
      ...{ unconfirmed: list(state.unconfirmed.entries()), uses: list(state.uses.entries()) },
      ...{ timers: list(state.timers.entries()), timeTimers: list(state.timeTimers.entries()) },
      ...{ held: list(state.held.values()) },
      ...{ unsettled: list(state.unsettled.keys()), scriptsDue: list(state.scriptsDue.keys()) },
      ...{ scansDue: list(state.scansDue.keys()), conditions: list(state.conditions.entries()) },
      ...{ sources: list(state.sources.entries()), dropped: list(state.dropped.entries()) },
    },
  });
  const keys = settled.flatMap(([, { parts, scripts }]) => [keySetBytes(parts), keySetBytes(scripts)]);
  return joined([[words], ranges.map(({ bytes }) => bytes), keys]);
}

/** In one piece of memory from the start: a million scripts are some 30 MB. */
function joined(sections: readonly (readonly Uint8Array[])[]): Uint8Array {
  const lengths = sections.map((parts) => parts.reduce((sum, { length }) => sum + length, 0));
  const out = new Uint8Array(lengths.reduce((sum, length) => sum + 4 + length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [i, parts] of sections.entries()) {
    view.setUint32(at, lengths[i]!);
    at += 4;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}

export function decodeWatchState(
  encoded: Uint8Array,
): Result<WatchState, 'watch_state_malformed' | 'watch_state_unknown_version'> {
  const [words, scriptBytes, keyBytes] = fromLengthPrefixed(encoded, 3) ?? [];
  if (!words || !scriptBytes || !keyBytes) return err('watch_state_malformed');
  const value = parseJsonBytes(words);
  const read = snapshot.safeParse(value);
  if (!read.success) {
    return err(isOtherVersion(value, WATCH_STATE_VERSION) ? 'watch_state_unknown_version' : 'watch_state_malformed');
  }
  const { state } = read.data;
  const index = scriptIndexOf(state.scripts, scriptBytes);
  const settled = settledOf(state.settled, keyBytes);
  if (!index || !settled) return err('watch_state_malformed');
  const keys = <K>(list: readonly K[]) => new Map(list.map((key): [K, true] => [key, true]));
  const { settings: all, counter, tip, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs, catchingUp } = state;
  return ok({
    ...{ settings: all, counter, tip, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs, catchingUp },
    scripts: index,
    settled,
    settledHeight: state.settledHeight,
    settling: keys(state.settling),
    unswept: keys(state.unswept),
    goneAt: new Map(state.goneAt),
    wallets: new Map(state.wallets.map((each) => [each.wallet.id, each])),
    txs: new Map(state.txs.map((each) => [each.txid, each])),
    coins: new Map(state.coins.map((each) => [`${each.txid}:${each.vout}`, each])),
    blocks: new Map(state.blocks.map((each) => [each.height, each])),
    blockTxs: new Map(state.blockTxs),
    unconfirmed: new Map(state.unconfirmed),
    uses: new Map(state.uses),
    timers: new Map(state.timers),
    timeTimers: new Map(state.timeTimers),
    byTxid: byTxidOf(state.wallets.map(({ wallet: each }) => each)),
    held: new Map(state.held.map((each) => [each.block.hash, each])),
    unsettled: keys(state.unsettled),
    scriptsDue: keys(state.scriptsDue),
    scansDue: keys(state.scansDue),
    conditions: new Map(state.conditions),
    sources: new Map(state.sources),
    dropped: new Map(state.dropped),
  });
}

function scriptIndexOf(places: readonly z.infer<typeof place>[], bytes: Uint8Array): ScriptIndex | undefined {
  const counts = places.map(({ from, to, lengths }) => Math.max(0, to - from) * lengths.length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  // Each has a byte at least: what says more is not believed, and no room is made for it.
  if (total > bytes.length) return undefined;
  // They stay where they are: most of the snapshot is scripts, and a copy would be as large.
  const index = createScriptIndex(total);
  let at = 0;
  for (const each of places) {
    const length = (each.to - each.from) * each.lengths.reduce((total, one) => total + one, 0);
    if (each.from >= each.to || at + length > bytes.length) return undefined;
    index.add({ ...each, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return at === bytes.length ? index : undefined;
}

function settledOf(
  counts: readonly (readonly [string, number, number])[],
  bytes: Uint8Array,
): Map<string, Settled> | undefined {
  const settled = new Map<string, Settled>();
  let at = 0;
  const take = (keys: number) => keySetOf(bytes.subarray(at, (at += keys * KEY_BYTES)));
  for (const [id, ofParts, ofScripts] of counts) {
    const [parts, scripts] = [take(ofParts), take(ofScripts)];
    if (!parts || !scripts) return undefined;
    settled.set(id, { parts, scripts });
  }
  return at === bytes.length ? settled : undefined;
}

function byTxidOf(wallets: readonly WatchedWallet[]): Map<Txid, readonly string[]> {
  const watchers = new Map<Txid, readonly string[]>();
  for (const { id, txids } of wallets) {
    for (const { txid: each } of txids) watchers.set(each, [...(watchers.get(each) ?? []), id]);
  }
  return watchers;
}
