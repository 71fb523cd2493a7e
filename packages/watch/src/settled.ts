import { fromHex } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import { hasKey, leastLast, NO_KEYS, type Key, type KeySet } from './key-set.ts';
import type { ScriptPlace } from './script-index.ts';
import type { WatchState } from './state.ts';

/**
 * What is left of transactions that nothing can happen to any more (`fold-settle.ts` says when). Whatever a later scan or a
 * source that was away says of them is known, and told nobody a second time; nor can it change a balance.
 */
export interface Settled {
  /** Of each such transaction: the outputs that the wallet received, or that it had none; see `partKey`. */
  readonly parts: KeySet;
  /** Scripts that a block paid to: descriptor, branch, index, and which of the scripts of that index. */
  readonly scripts: KeySet;
}

export const NOTHING_SETTLED: Settled = { parts: NO_KEYS, scripts: NO_KEYS };

/** In place of an output: the transaction has none of the wallet's; it was in no block when it was dropped. */
export const NO_OUTPUT = 0xffff_fffe;
export const WENT = 0xffff_ffff;

/**
 * 96 bits of the id stand for the transaction: whoever wants to hide one behind another has to find a second preimage of as
 * many bits.
 */
export function partKey(txid: Txid, vout: number): Key {
  return [...wordsOf(txid), vout];
}

function wordsOf(txid: Txid): [number, number, number] {
  const word = (at: number) => Number.parseInt(txid.slice(at, at + 8), 16);
  return [word(40), word(48), word(56)];
}

/** Whether a wallet had part in a transaction that is remembered in this short form only. */
export function hadPart(state: WatchState, wallet: string, txid: Txid): boolean {
  return leastPart(state, wallet, txid) !== undefined;
}

/** Whether it was in a block. */
function hadInBlock(state: WatchState, wallet: string, txid: Txid): boolean {
  // `WENT` is the greatest there is.
  return (leastPart(state, wallet, txid) ?? WENT) !== WENT;
}

function leastPart(state: WatchState, wallet: string, txid: Txid): number | undefined {
  const { parts = NO_KEYS } = state.settled.get(wallet) ?? {};
  return parts.size === 0 ? undefined : leastLast(parts, wordsOf(txid));
}

/** To whom an output is news: the places of its script whose wallet has not settled it. */
export function receiversOf(state: WatchState, txid: Txid, vout: number, script: Uint8Array): readonly ScriptPlace[] {
  const places = state.scripts.find(script);
  if (places.length === 0) return places;
  const key = partKey(txid, vout);
  return places.filter(({ wallet }) => {
    const { parts = NO_KEYS } = state.settled.get(wallet) ?? {};
    return parts.size === 0 || !hasKey(parts, key);
  });
}

/** From whom a transaction takes a coin, as far as that is not settled. A coin that is spent for good nothing else spends. */
export function losersOf({ coins }: WatchState, key: string, txid: Txid): readonly string[] {
  const { settled = null, wallets = [] } = coins.get(key) ?? {};
  if (settled === null) return wallets;
  return settled.by === txid ? wallets.filter((wallet) => !settled.told.includes(wallet)) : [];
}

/** Who watches a transaction by its id and has not settled it. */
export function watchersOf(state: WatchState, txid: Txid): readonly string[] {
  return (state.byTxid.get(txid) ?? []).filter((wallet) => !hadInBlock(state, wallet, txid));
}

/** Whether more outputs in blocks pay to this script (hex) than so many. */
export function isUsed(state: WatchState, hex: string, own: number): boolean {
  if ((state.uses.get(hex) ?? 0) > own) return true;
  return state.scripts.find(fromHex(hex)!).some((place) => {
    const { scripts = NO_KEYS } = state.settled.get(place.wallet) ?? {};
    return scripts.size > 0 && hasKey(scripts, scriptKey(place));
  });
}

export function scriptKey({ descriptor, branch, index, nth }: ScriptPlace): Key {
  return [descriptor, branch, index, nth];
}
