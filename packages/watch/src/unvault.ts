import type { Evidence } from './finding.ts';
import { inBlockId } from './id.ts';
import { outpointKey, type TxRecord, type WatchState } from './state.ts';
import { lockLeft } from './timelock.ts';
import { tell, type Turn } from './turn.ts';
import type { TimeLock } from './wallet.ts';

/**
 * Coins that leave a vault wait behind a time lock, in which their owner can still take them back: as soon as one is seen it
 * is told, and once more in its block, where the lock begins. Once the lock is over, `timelock-expiry` says so.
 *
 * `known`: the transaction as it was known before, where it is in no block; what was told of it then is not told again.
 */
export function tellUnvaults(
  turn: Turn,
  record: TxRecord,
  wallet: string,
  evidence: Evidence,
  late: boolean,
  known?: TxRecord,
): void {
  const { state } = turn;
  const { txid, round, status } = record;
  const told = record.parts.find((part) => part.wallet === wallet)?.told ?? [];
  const before = known ? unvaultsOf(state, known, wallet).map(({ vout }) => vout) : [];
  for (const { vout, locks } of unvaultsOf(state, record, wallet)) {
    const what = `unvault-started/${vout}`;
    if (evidence.block ? told.includes(what) : before.includes(vout)) continue;
    const lock = lockLeft(state, locks, status);
    // Of the past: whoever still has the coin is told that it can be spent.
    if (late && lock?.isOver) continue;
    const id = evidence.block ? inBlockId(what, wallet, txid, evidence.block, round) : `${what}:${wallet}:${txid}`;
    const { sats } = state.coins.get(outpointKey({ txid, vout }))!;
    const outpoint = { txid, vout };
    tell(turn, id, wallet, evidence, { kind: 'unvault-started', outpoint, sats: sats!, ...lock?.left }, late);
  }
}

/**
 * Outputs that pay to a descriptor which the wallet names as its way out, of a transaction that spends coins which are watched.
 * Where nothing but that way out is watched, nobody can say whose coins were spent, and each of them counts.
 */
function unvaultsOf(
  state: WatchState,
  { txid, parts }: TxRecord,
  wallet: string,
): readonly { readonly vout: number; readonly locks: readonly TimeLock[] }[] {
  const watched = state.wallets.get(wallet)?.wallet;
  const part = parts.find((each) => each.wallet === wallet);
  if (!watched || !part || !watched.descriptors.some(({ unvault }) => unvault)) return [];
  const isAlone = watched.descriptors.every(({ unvault }) => unvault);
  if (!isAlone && parts.every(({ spent }) => spent.length === 0)) return [];
  return part.vouts.flatMap((vout) => {
    const coin = state.coins.get(outpointKey({ txid, vout }))!;
    const places = coin.script === null ? [] : state.scripts.find(coin.script);
    const place = places.find((each) => each.wallet === wallet && watched.descriptors[each.descriptor]!.unvault);
    return place ? [{ vout, locks: watched.descriptors[place.descriptor]!.locks }] : [];
  });
}
