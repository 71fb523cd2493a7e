import type { EvmSpend } from '../evm/spend.ts';
import { hasKey, NO_KEYS, withKeys, type Key } from '../key-set.ts';
import { settleUse, sweepRights, takeOf, tokenKey } from './rights.ts';
import { isOpen, type SpendRecord, type UsedRight, type VaultState } from './state.ts';

/**
 * What is left of spends on which all was said and which no reorganisation can take back: 16 bytes, so that whatever a scan of
 * the past or another watched wallet of the same account reports later is known, and takes nothing of a right twice.
 */
const accountKey = ({ chainId, address }: EvmSpend) => `${chainId}/${address}`;

const KINDS = ['evm-spent', 'evm-allowance', 'evm-internal', 'evm-nonce', 'evm-delegation'];

/**
 * What happened on the chain, whichever watched wallet reports it: 96 bits of the transaction's hash, or of the block's where
 * no transaction is known; and what it was. All ways of a transaction of the account itself are one.
 */
function keyOf(id: string, { how, txHash, block }: EvmSpend): Key {
  const hash = txHash ?? block?.hash ?? `0x${'0'.repeat(64)}`;
  const word = (at: number) => Number.parseInt(hash.slice(at, at + 8), 16);
  const [kind = '', log = '0'] = id.slice(0, id.indexOf(':')).split('/');
  const isOwn = how === 'transaction' && txHash !== null;
  const what = isOwn ? 0 : ((KINDS.indexOf(kind) + 1) << 24) | (Number(log) & 0xff_ffff);
  return [word(42), word(50), word(58), what];
}

const sightingKey = ({ spend, members }: SpendRecord) => `${accountKey(spend)}:${keyOf(members[0]!, spend).join('.')}`;

/** Whether it was judged for good already. */
export function isSettled({ settled }: VaultState, id: string, spend: EvmSpend): boolean {
  const set = settled.get(accountKey(spend)) ?? NO_KEYS;
  return set.size > 0 && hasKey(set, keyOf(id, spend));
}

export function remember({ settled }: VaultState, all: readonly { readonly id: string; readonly spend: EvmSpend }[]) {
  const keys = new Map<string, Key[]>();
  for (const { id, spend } of all) {
    const account = accountKey(spend);
    const those = keys.get(account) ?? [];
    those.push(keyOf(id, spend));
    keys.set(account, those);
  }
  for (const [account, each] of keys) settled.set(account, withKeys(settled.get(account) ?? NO_KEYS, each));
}

/** What the same spend took of rights already, as another watched wallet of the account reported it. */
export function takenBy(state: VaultState, record: SpendRecord): readonly UsedRight[] {
  return state.taken.get(sightingKey(record))?.used ?? [];
}

const tokenOf = ({ spend }: SpendRecord, used: UsedRight) => tokenKey(used.wallet, spend.chainId, spend.token!);

/** Takes what a spend used of the rights, once for all that report it. */
export function take(state: VaultState, record: SpendRecord, used: readonly UsedRight[]): void {
  if (used.length === 0 || record.spend.token === null) return;
  const key = sightingKey(record);
  const known = state.taken.get(key);
  state.taken.set(key, known ? { ...known, records: known.records + 1 } : { used, records: 1 });
  if (known) return;
  for (const each of used) takeOf(state, tokenOf(record, each), each, each.amount ?? record.spend.amount, false);
}

/** It left the chain (`back`), or it is settled. */
export function release(state: VaultState, record: SpendRecord, back: boolean): void {
  const key = record.used.length === 0 ? '' : sightingKey(record);
  const known = state.taken.get(key);
  if (!known) return;
  if (known.records > 1) return void state.taken.set(key, { ...known, records: known.records - 1 });
  state.taken.delete(key);
  for (const each of known.used) {
    if (back) takeOf(state, tokenOf(record, each), each, each.amount ?? record.spend.amount, true);
    else settleUse(state, tokenOf(record, each), each);
  }
}

export interface SettledTo {
  readonly chainId: bigint;
  readonly number: number;
  readonly timeMs: number;
}

/** What was sighted outside blocks, and is in none so long after, is not waited for: what was said of it holds. */
const SIGHTED_MS = 604_800_000;

/** Of which nothing can be said any more, where blocks up to `number` cannot be taken back. `timeMs`: of the tip. */
export function* settledBy({ spends }: VaultState, at: SettledTo): Generator<SpendRecord> {
  for (const record of spends.values()) {
    const { chainId, block } = record.spend;
    if (chainId !== at.chainId || isOpen(record)) continue;
    if (block === null ? at.timeMs - record.sinceMs > SIGHTED_MS : block.number <= at.number) yield record;
  }
}

/** So often rights are looked through for those that have ended, by the time of the chain. */
const SWEEP_MS = 3_600_000;

export function isSweepDue({ swept, ending }: VaultState, chainId: bigint, timeMs: number): boolean {
  if (timeMs - (swept.get(String(chainId)) ?? 0) < SWEEP_MS) return false;
  for (const _ of ending.keys()) return true;
  return false;
}

export function settle(state: VaultState, at: SettledTo): void {
  const { chainId, timeMs } = at;
  const over = [...settledBy(state, at)];
  for (const record of over) {
    release(state, record, false);
    for (const member of record.members) state.members.delete(member);
    state.spends.delete(record.key);
  }
  remember(
    state,
    over.map(({ members, spend }) => ({ id: members[0]!, spend })),
  );
  if (!isSweepDue(state, chainId, timeMs)) return;
  sweepRights(state, chainId, timeMs);
  state.swept.set(String(chainId), timeMs);
}
