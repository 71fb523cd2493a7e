import {
  canonicalBytes,
  err,
  fromBase64url,
  ok,
  parseJsonBytes,
  toBase64url,
  type Json,
  type Result,
} from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import { z } from 'zod';
import { wantedOf } from '../growth.ts';
import { toJson } from '../json.ts';
import { createScriptIndex } from '../script-index.ts';
import type { WatchState } from '../state.ts';
import type { WatchedWallet } from '../wallet.ts';
import { isOtherVersion } from './event.ts';
import { migrated } from './migration.ts';
import {
  block,
  blockHash,
  bytes,
  count,
  fact,
  looseGrade,
  outpointKey,
  range,
  sats,
  settings,
  source,
  sum,
  text,
  txid,
  vout,
  wallet,
} from './shapes.ts';

/** The version of the snapshot's shape. Those of earlier versions are brought up to it; of later ones nothing is known. */
export const WATCH_STATE_VERSION = 2;

const counts = z.array(z.array(count));
const pair = <K extends z.ZodType, V extends z.ZodType>(key: K, value: V) => z.array(z.tuple([key, value]));

const walletRecord = z.strictObject({
  wallet,
  addedHeight: z.int().nullable(),
  sinceHeight: count.nullable().optional(),
  confirmedSats: sum,
  derived: counts,
  used: counts,
  growthFrom: z.int().nullable(),
  scan: z
    .strictObject({ scan: count, fromHeight: count.nullable(), first: z.boolean(), transactions: count })
    .nullable(),
  crossings: count.default(0),
  above: z.boolean(),
  below: z.boolean(),
});

const status = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('unconfirmed'), grade: looseGrade }),
  z.strictObject({ kind: z.literal('confirmed'), block, medianSeconds: count }),
  z.strictObject({ kind: z.literal('gone'), by: txid.nullable() }),
]);

const txRecord = z.strictObject({
  txid,
  coinbase: z.boolean(),
  outputs: count,
  status,
  round: count,
  returns: count.default(0),
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
});

const coin = z.strictObject({
  txid,
  vout,
  sats: sats.nullable(),
  script: bytes.nullable(),
  wallets: z.array(text),
  spenders: z.array(txid),
  conflicts: z.array(text),
});

/** Scripts are most of it: they stand in base64url. */
const packed = z
  .string()
  .transform((encoded) => fromBase64url(encoded))
  .refine((decoded) => decoded !== undefined);
const scripts = z.array(z.strictObject({ ...range.shape, bytes: packed }));

const shape = z.strictObject({
  settings,
  scripts,
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

/** A snapshot of the state: canonical JSON. Maps are lists in the order in which they were filled. */
export function encodeWatchState(state: WatchState): Uint8Array {
  const list = (values: Iterable<unknown>): Json => [...values].map(toJson);
  const { settings: all, counter, tip, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs, catchingUp } = state;
  return canonicalBytes({
    v: WATCH_STATE_VERSION,
    state: {
      ...(toJson({ settings: all, tip, catchingUp }) as Record<string, Json>),
      ...{ counter, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs },
      scripts: [...state.scripts.ranges()].map((each) => ({
        ...(toJson({ ...each, bytes: null }) as Record<string, Json>),
        bytes: toBase64url(each.bytes),
      })),
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
}

export function decodeWatchState(
  encoded: Uint8Array,
): Result<WatchState, 'watch_state_malformed' | 'watch_state_unknown_version'> {
  const value = migrated(parseJsonBytes(encoded));
  const read = snapshot.safeParse(value);
  if (!read.success) {
    return err(isOtherVersion(value, WATCH_STATE_VERSION) ? 'watch_state_unknown_version' : 'watch_state_malformed');
  }
  const { state } = read.data;
  const index = createScriptIndex();
  for (const each of state.scripts) {
    const stride = each.lengths.reduce((total, length) => total + length, 0);
    if (each.from >= each.to || each.bytes!.length !== stride * (each.to - each.from))
      return err('watch_state_malformed');
    index.add({ ...each, bytes: each.bytes! });
  }
  const wanting = new Set(state.wallets.filter((each) => wantedOf(each).length > 0).map(idOf));
  const keys = <K>(list: readonly K[]) => new Map(list.map((key): [K, true] => [key, true]));
  const { settings: all, counter, tip, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs, catchingUp } = state;
  return ok({
    ...{ settings: all, counter, tip, bestHeight, lowestHeight, tipAtMs, aliveMs, startedMs, catchingUp },
    scripts: index,
    wallets: new Map(
      state.wallets.map((each) => [each.wallet.id, { ...each, sinceHeight: sinceOf(each, lowestHeight) }]),
    ),
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
    // Earlier versions put wallets in here that wait for nothing.
    scriptsDue: keys(state.scriptsDue.filter((id) => wanting.has(id))),
    scansDue: keys(state.scansDue),
    conditions: new Map(state.conditions),
    sources: new Map(state.sources),
    dropped: new Map(state.dropped),
  });
}

/** Where snapshots of before do not say it. */
function sinceOf(
  { wallet: { birthdaySeconds }, addedHeight, sinceHeight }: z.infer<typeof walletRecord>,
  lowestHeight: number,
): number | null {
  if (sinceHeight !== undefined) return sinceHeight;
  return birthdaySeconds !== null || addedHeight === null ? null : Math.min(addedHeight + 1, lowestHeight);
}

const idOf = ({ wallet: { id } }: { readonly wallet: WatchedWallet }) => id;

function byTxidOf(wallets: readonly WatchedWallet[]): Map<Txid, readonly string[]> {
  const watchers = new Map<Txid, readonly string[]>();
  for (const { id, txids } of wallets) {
    for (const { txid: each } of txids) watchers.set(each, [...(watchers.get(each) ?? []), id]);
  }
  return watchers;
}
