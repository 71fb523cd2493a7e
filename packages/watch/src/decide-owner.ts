import { canonicalJson } from '@keepwatch/base';
import type { OwnerInput } from './input.ts';
import { toJson } from './json.ts';
import type { WatchSettings } from './settings.ts';
import { emit, type Turn } from './turn.ts';
import type { WatchedWallet } from './wallet.ts';

/**
 * Addresses are handed out in order and paid in any: one further on may be paid some blocks before the one whose use shows
 * that it has to be watched. So many blocks before that use are looked through too (a day).
 */
const DISORDER_BLOCKS = 144;

export function decideSettings(turn: Turn, settings: WatchSettings): void {
  if (!same(turn.state.settings, settings)) emit(turn, { kind: 'settings', settings });
}

export function decideWallet(turn: Turn, wallet: WatchedWallet): void {
  const record = turn.state.wallets.get(wallet.id);
  const known = record?.wallet;
  if (known && same(known, wallet)) return;
  const isOther =
    known !== undefined &&
    !(
      same(known.descriptors, wallet.descriptors) &&
      same(known.outpoints, wallet.outpoints) &&
      same(known.txids, wallet.txids) &&
      known.birthdaySeconds === wallet.birthdaySeconds
    );
  if (isOther) emit(turn, { kind: 'wallet-dropped', wallet: wallet.id });
  emit(turn, { kind: 'wallet-put', wallet });
  if (!record) return;
  // Addresses were handed out further on than was looked; or what began anew has been here for longer than that.
  const isWider =
    !isOther && wallet.gapLimit > record.wallet.gapLimit && wallet.descriptors.some(({ ranged }) => ranged);
  if (isWider || (isOther && wallet.birthdaySeconds === null)) askScan(turn, wallet, record.sinceHeight);
}

export function decideRescan(turn: Turn, wallet: string): void {
  const record = turn.state.wallets.get(wallet);
  if (record) askScan(turn, record.wallet, record.sinceHeight);
}

/** Has a wallet's past looked through again, as far as it has one. */
function askScan(turn: Turn, { id, birthdaySeconds }: WatchedWallet, sinceHeight: number | null): void {
  const fromHeight = birthdaySeconds === null ? sinceHeight : null;
  if (birthdaySeconds === null && sinceHeight === null) return;
  emit(turn, { kind: 'scan-asked', wallet: id, fromHeight });
}

export function decideWalletRemoved(turn: Turn, wallet: string): void {
  if (turn.state.wallets.has(wallet)) emit(turn, { kind: 'wallet-dropped', wallet });
}

/** Scripts that nobody asked for, or that were given already, are passed over. */
export function decideScripts(turn: Turn, input: Extract<OwnerInput, { readonly kind: 'scripts' }>): void {
  const { state } = turn;
  const { wallet, descriptor, branch, from, to, lengths, bytes } = input;
  const record = state.wallets.get(wallet);
  const next = record?.derived[descriptor]?.[branch];
  const stride = lengths.reduce((sum, length) => sum + length, 0);
  if (!record || next !== from || to <= from || lengths.length === 0 || bytes.length !== stride * (to - from)) return;
  // Blocks that were looked through without these scripts: all since the wallet was added, or since they were due.
  const grown = Math.max(record.sinceHeight ?? 0, (record.growthFrom ?? Infinity) - DISORDER_BLOCKS);
  const since = Math.min(grown, from === 0 ? (record.addedHeight ?? Infinity) + 1 : Infinity);
  // With the next block too, for sources may have looked through it already, and it waits to be told.
  const scanFrom = state.bestHeight >= 0 && since <= (state.tip?.height ?? state.bestHeight) + 1 ? since : null;
  const range = { wallet, descriptor, branch, from, to, lengths, bytes };
  emit(turn, { kind: 'scripts-added', range, scanFrom });
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(toJson(a)) === canonicalJson(toJson(b));
}
