import { scriptToAddress, type Outpoint } from '@keepwatch/bitcoin';
import { unspentCoins, walletBalance, type WatchState } from '@keepwatch/watch';
import type { MonitorState } from './engine/state.ts';
import { plainBranches } from './import/descriptors.ts';
import type { ScanStanding } from './chain/scans.ts';

/** Wallets as commands and a console show them: plain JSON data, amounts as decimal strings of satoshi. */

export type WalletRecord = NonNullable<ReturnType<WatchState['wallets']['get']>>;

export interface WalletSummary {
  readonly id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly confirmedSats: string;
  readonly scripts: number;
  readonly descriptors: number;
  readonly outpoints: number;
  /** The scan of its past: null where none is due. */
  readonly scan: Omit<ScanStanding, 'wallet'> | null;
}

const NO_SCAN_YET = { source: null, height: null, done: 0, total: null, etaSeconds: null, problem: null };

export function walletSummary(record: WalletRecord, standings: readonly ScanStanding[]): WalletSummary {
  const { wallet, derived, scan } = record;
  const standing = standings.find((each) => each.wallet === wallet.id);
  return {
    ...{ id: wallet.id, name: wallet.name, owner: wallet.owner, tags: wallet.tags },
    confirmedSats: String(record.confirmedSats),
    scripts: derived.flat().reduce((sum, count) => sum + count, 0),
    descriptors: wallet.descriptors.length,
    outpoints: wallet.outpoints.length,
    scan: scan ? withoutWallet(standing) : null,
  };
}

function withoutWallet(standing: ScanStanding | undefined): Omit<ScanStanding, 'wallet'> {
  if (!standing) return NO_SCAN_YET;
  const { wallet: _, ...rest } = standing;
  return rest;
}

export function walletDetails(
  { watch: state, desk }: Pick<MonitorState, 'watch' | 'desk'>,
  record: WalletRecord,
  standings: readonly ScanStanding[],
) {
  const { wallet, derived, used } = record;
  const { network } = state.settings;
  const balance = walletBalance(state, wallet.id)!;
  return {
    ...walletSummary(record, standings),
    incomingSats: String(balance.incoming),
    outgoingSats: String(balance.outgoing),
    labels: wallet.labels,
    birthdaySeconds: wallet.birthdaySeconds,
    /** Where its birthday was given as a height; its seconds are 0 then. */
    birthHeight: desk.birthHeights.get(wallet.id) ?? null,
    gapLimit: wallet.gapLimit,
    limits: Object.fromEntries(
      Object.entries(wallet.limits).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
    ),
    descriptors: wallet.descriptors.map(({ text, unvault }, i) => ({
      ...{ text, derived: derived[i]!, used: used[i]! },
      ...(unvault ? { unvault } : {}),
    })),
    sharedWith: sharedWith(state, wallet),
    outpoints: wallet.outpoints,
    transactions: wallet.txids.map(({ txid }) => txid),
    coins: [...unspentCoins(state, wallet.id)]
      .filter((coin) => coin.status?.kind !== 'gone' && isOwn(state, record, coin))
      .map(({ txid, vout, sats, script, status, spentBy }) => ({
        ...{ txid, vout, sats: sats === null ? null : String(sats) },
        address: (script && scriptToAddress(script, network)) ?? null,
        block: status?.kind === 'confirmed' ? status.block : null,
        spentBy: spentBy.find((each) => each.status.kind === 'unconfirmed')?.txid ?? null,
      })),
  };
}

/** Names of other wallets that have an expression of this one too, in whichever spelling of its origin and branches. */
function sharedWith({ wallets }: WatchState, { id, descriptors }: WalletRecord['wallet']): readonly string[] {
  const own = new Set(descriptors.flatMap(({ text }) => plainBranches(text)));
  return [...wallets.values()]
    .filter(({ wallet }) => wallet.id !== id)
    .filter(({ wallet }) => wallet.descriptors.some(({ text }) => plainBranches(text).some((each) => own.has(each))))
    .map(({ wallet }) => wallet.name);
}

/**
 * Received, or watched for itself. What a transaction that is watched by its id spends is watched with it, so that a rival of
 * it is seen: those are somebody's coins, and none of the wallet's.
 */
function isOwn({ txs }: WatchState, { wallet }: WalletRecord, { txid, vout }: Outpoint): boolean {
  const part = txs.get(txid)?.parts.find((each) => each.wallet === wallet.id);
  return part?.vouts.includes(vout) || wallet.outpoints.some((each) => each.txid === txid && each.vout === vout);
}

export type WalletDetails = ReturnType<typeof walletDetails>;
