import { err, fromHex, ok, type Result } from '@keepwatch/base';
import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import * as z from 'zod';
import type { BlockRef, WatchedOutpoint } from '../source.ts';
import type { ScriptPlace } from './scripts.ts';

/** What a scan of a wallet has found so far, as plain data: enough to go on from after whatever ended it. */
export interface WalletScanState {
  /** The first block that was looked at, and the next one that is to be. */
  readonly from: number;
  readonly next: number;
  /** Indices that are derived, of each branch of each descriptor. */
  readonly derived: readonly (readonly number[])[];
  /** In the order of the chain. */
  readonly found: readonly FoundTx[];
}

/** A transaction in a block that pays to the wallet or spends of it. */
export interface FoundTx {
  readonly block: BlockRef;
  readonly txid: Txid;
  readonly received: readonly (ScriptPlace & {
    readonly vout: number;
    readonly script: string;
    readonly sats: bigint;
  })[];
  readonly spent: readonly { readonly txid: Txid; readonly vout: number }[];
}

/** A coin of the wallet, and what spent it. */
export interface WalletCoin extends ScriptPlace {
  readonly txid: Txid;
  readonly vout: number;
  readonly script: string;
  readonly sats: bigint;
  readonly block: BlockRef;
  readonly spentBy: { readonly txid: Txid; readonly block: BlockRef } | null;
}

const keyOf = ({ txid, vout }: { readonly txid: string; readonly vout: number }) => `${txid}:${vout}`;

export function coinsOf({ found }: Pick<WalletScanState, 'found'>): readonly WalletCoin[] {
  const spenders = new Map(
    found.flatMap(({ txid, block, spent }) => spent.map((coin) => [keyOf(coin), { txid, block }])),
  );
  return found.flatMap(({ txid, block, received }) =>
    received.map((coin) => ({ ...coin, txid, block, spentBy: spenders.get(keyOf({ txid, vout: coin.vout })) ?? null })),
  );
}

/** The coins that are there to be spent at the height where the scan goes on. */
export function unspentOf(state: WalletScanState): readonly WatchedOutpoint[] {
  return coinsOf(state).flatMap(({ txid, vout, script, sats, spentBy }) =>
    spentBy === null ? [{ txid, vout, output: { script: fromHex(script)!, sats } }] : [],
  );
}

/** Goes back to where the scan had reached this height: what was found from there on is looked for again. */
export function rewound(state: WalletScanState, height: number): WalletScanState {
  const next = Math.max(state.from, Math.min(state.next, height));
  return { ...state, next, found: state.found.filter(({ block }) => block.height < next) };
}

const txid = z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<Txid>;
const count = z.int().nonnegative();
const schema = z.strictObject({
  version: z.literal(1),
  from: count,
  next: count,
  derived: z.array(z.array(count)),
  found: z.array(
    z.strictObject({
      block: z.strictObject({ height: count, hash: txid as unknown as z.ZodType<BlockHash>, timeSeconds: count }),
      txid,
      received: z.array(
        z.strictObject({
          ...{ descriptor: count, branch: count, index: count, vout: count },
          script: z.string().regex(/^([0-9a-f]{2})*$/),
          sats: z
            .string()
            .regex(/^\d{1,16}$/)
            .transform(BigInt),
        }),
      ),
      spent: z.array(z.strictObject({ txid, vout: count })),
    }),
  ),
});

/** As JSON; amounts are decimal strings. */
export function encodeWalletScan(state: WalletScanState): string {
  return JSON.stringify({ version: 1, ...state }, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

/** `branches`: of each descriptor. A state of other descriptors is malformed. */
export function decodeWalletScan(
  text: string,
  branches: readonly number[],
): Result<WalletScanState, 'wallet_scan_malformed'> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err('wallet_scan_malformed');
  }
  const read = schema.safeParse(value);
  if (!read.success) return err('wallet_scan_malformed');
  const { version: _, ...state } = read.data;
  const fits =
    state.derived.length === branches.length && state.derived.every((each, i) => each.length === branches[i]);
  return fits && state.next >= state.from ? ok(state) : err('wallet_scan_malformed');
}
