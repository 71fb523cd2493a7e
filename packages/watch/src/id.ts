import type { Txid } from '@keepwatch/bitcoin';
import type { BlockRef } from './chain-input.ts';
import type { Finding, FindingKind } from './finding.ts';

/**
 * Ids say what happened, in readable words: `received:savings:<txid>@<block hash>`. What happens again under the same names,
 * a transaction that returns to a block it had left, has a number behind it. Neither ids of wallets nor hashes hold a colon.
 */
export function inBlockId(what: string, wallet: string, txid: string, block: BlockRef, round: number): string {
  return `${what}:${wallet}:${txid}@${block.hash}${round === 0 ? '' : `~${round}`}`;
}

/** Kinds that say something of a transaction in its present block: a reorganisation takes them back. */
const IN_BLOCK: ReadonlySet<FindingKind> = new Set([
  'received',
  'spent',
  'self-transfer',
  'watched',
  'confirmed',
  'large-amount',
  'dust',
  'address-reuse',
  'timelock-expiry',
  'unvault-started',
]);

/** What of a finding is remembered with its transaction as told: the part of the id before the first colon. */
export function toldOf({ id, detail, evidence }: Finding): string | undefined {
  if (!IN_BLOCK.has(detail.kind) || evidence.block === undefined) return undefined;
  return id.slice(0, id.indexOf(':'));
}

/** The same for both orders. */
export function conflictKey(one: Txid, other: Txid): string {
  return one < other ? `${one}:${other}` : `${other}:${one}`;
}

/** What was told of a movement, the last of which holds. */
export function movementsOf(told: readonly string[]): readonly string[] {
  return told.filter((what) => /^(received|spent|self-transfer|watched)(~\d+)?$/.test(what));
}

/** What was told and still holds: of movements the last one, which amends those before it. */
export function holdingOf(told: readonly string[]): readonly string[] {
  const amended = new Set(movementsOf(told).slice(0, -1));
  return told.filter((what) => !amended.has(what));
}
