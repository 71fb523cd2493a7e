import { toHex } from '@keepwatch/base';
import { sha256d, type Transaction } from '@keepwatch/bitcoin';
import { hasReceived, outpointOf, type Money, type TxRecord, type WatchState } from './state.ts';

/**
 * Whether a transaction that takes the place of another one of the wallet's only raises its fee, or takes its payments back:
 * docs/adr/0039-a-raised-fee-is-no-double-spend.md. Whatever is not known is no raised fee.
 */

/** Of a transaction with more outputs it is not kept whom it pays: 64 take some 5 KB. */
const MOST_OUTPUTS = 64;
/** 128 bits of a script's hash stand for it. */
const DIGEST_BYTES = 16;
/** A fee may be so large, or such a part of what the wallet puts in: more is no fee, whoever gets it. */
const FEE_SATS = 100_000n;
const FEE_PART = 100n;

/** Undefined: it pays more scripts than are kept. */
export function moneyOf({ inputs, outputs }: Transaction): Money | undefined {
  if (outputs.length > MOST_OUTPUTS) return undefined;
  return { inputs: inputs.length, pays: outputs.map(({ script, sats }) => ({ to: digestOf(script), sats })) };
}

function digestOf(script: Uint8Array): string {
  return toHex(sha256d(script).subarray(0, DIGEST_BYTES));
}

/**
 * Whether `later` takes the place of `earlier` without more of the wallet's money going to anybody but miners. `money`: what
 * is known of where that of `later` goes. An earlier one that was never more than claimed has none, and excuses nothing.
 */
export function isBump(
  state: WatchState,
  wallet: string,
  later: TxRecord,
  money: Money | undefined,
  earlier: TxRecord,
): boolean {
  const [now, before] = [shareOf(state, wallet, later, money), shareOf(state, wallet, earlier, earlier.money)];
  if (!now || !before) return false;
  // All of it: of two that take a part each, either could pay the same outsider once more.
  if (!before.spent.isSubsetOf(now.spent)) return false;
  for (const [to, sats] of now.outsiders) if (sats > (before.outsiders.get(to) ?? 0n)) return false;
  const most = now.putSats / FEE_PART > FEE_SATS ? now.putSats / FEE_PART : FEE_SATS;
  return now.feeSats >= 0n && now.feeSats <= most;
}

interface Share {
  readonly spent: ReadonlySet<string>;
  readonly putSats: bigint;
  readonly feeSats: bigint;
  /** What scripts that are not the wallet's get, by digest. */
  readonly outsiders: ReadonlyMap<string, bigint>;
}

/** Of a transaction to which the wallet alone puts in: with the coins of others in it nobody can tell whose money went where. */
function shareOf(state: WatchState, wallet: string, { txid, parts }: TxRecord, money?: Money): Share | undefined {
  const part = parts.find((each) => each.wallet === wallet);
  if (!part || money?.inputs !== part.spent.length) return undefined;
  let putSats = 0n;
  for (const key of part.spent) {
    const sats = state.coins.get(key)?.sats ?? null;
    // Received, and not only watched: the inputs of a transaction that it watches may be anybody's.
    if (sats === null || !hasReceived(state, wallet, outpointOf(key))) return undefined;
    putSats += sats;
  }
  const outsiders = new Map<string, bigint>();
  let paidSats = 0n;
  for (const [vout, { to, sats }] of money.pays.entries()) {
    paidSats += sats;
    if (sats > 0n && !hasReceived(state, wallet, { txid, vout })) outsiders.set(to, (outsiders.get(to) ?? 0n) + sats);
  }
  return { spent: new Set(part.spent), putSats, feeSats: putSats - paidSats, outsiders };
}
