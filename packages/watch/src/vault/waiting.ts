import type { Address } from '@keepwatch/evm';
import { ownersOf } from './match.ts';
import type { VaultPermit } from './permit.ts';
import { signedFor } from './signed.ts';
import { waitingKey, walletKey, type SpendRecord, type VaultRecord, type WaitingNonce } from './state.ts';
import { emit, tellOf, type Turn } from './turn.ts';

/** Transactions that the vault signed and that no block has: each nonce of an account once, whatever was signed for it. */

/** Where an account stands on its chain, as the monitor saw it last. */
export interface AccountStanding {
  readonly chainId: bigint;
  readonly address: Address;
  /** The nonce of its next transaction. */
  readonly nonce: bigint;
}

/**
 * Where it is in a block already, the nonce of the account says so at the next turn. What was permitted so long ago that it
 * would be told at once is the past, from before it was followed.
 */
export function waitFor(turn: Turn, vault: VaultRecord, wallet: string, permit: VaultPermit): void {
  const { state, nowMs } = turn;
  const { form, nonce, chainId, seq, grant, atMs } = permit;
  if (form !== 'transaction' || nonce === null || vault.unseenMs === null || atMs + vault.unseenMs <= nowMs) return;
  const owner = walletKey(vault.vault, wallet);
  const told = state.waiting.get(waitingKey(owner, chainId, nonce))?.told ?? null;
  wait(turn, vault, { wallet, chainId, nonce, permit: seq, grant, told });
}

type Awaited = Omit<WaitingNonce, 'vault' | 'dueMs'>;

function wait(turn: Turn, { vault, unseenMs }: VaultRecord, of: Awaited): void {
  if (unseenMs === null) return;
  const key = waitingKey(walletKey(vault, of.wallet), of.chainId, of.nonce);
  emit(turn, { kind: 'waiting', key, record: { vault, ...of, dueMs: turn.nowMs + unseenMs } });
}

/** A transaction of the account is in a block: what was signed for its nonce comes no more, or has come. */
export function seen(turn: Turn, { spend }: SpendRecord): void {
  if (spend.how !== 'transaction' || spend.nonce === null) return;
  for (const { key } of ownersOf(turn.state, spend)) settle(turn, waitingKey(key, spend.chainId, spend.nonce));
}

/** A transaction of the account left the chain: what was signed for its nonce is waited for again. */
export function unseen(turn: Turn, { spend }: SpendRecord): void {
  const { state } = turn;
  if (spend.how !== 'transaction' || spend.nonce === null) return;
  for (const { key, vault, wallet } of ownersOf(state, spend)) {
    const { chainId, nonce } = spend;
    const permit = signedFor(state, key, chainId, nonce).at(-1);
    if (!permit) continue;
    const { seq, grant } = permit;
    wait(turn, state.vaults.get(vault)!, { wallet, chainId, nonce, permit: seq, grant, told: null });
  }
}

/** Tells what is due, of accounts that are seen, and waits no longer for nonces that are used up. */
export function decideWaiting(turn: Turn, accounts: readonly AccountStanding[]): void {
  const { state, nowMs } = turn;
  const nonces = new Map(accounts.map(({ chainId, address, nonce }) => [`${chainId}/${address}`, nonce]));
  for (const [key, record] of [...state.waiting.entries()]) {
    const { address } = state.wallets.get(walletKey(record.vault, record.wallet))!;
    const next = nonces.get(`${record.chainId}/${address}`);
    if (next !== undefined && next > record.nonce) {
      settle(turn, key);
      continue;
    }
    if (nowMs < record.dueMs || record.told !== null) continue;
    // Nobody looks at this account on this chain.
    if (next === undefined) {
      settle(turn, key);
      continue;
    }
    emit(turn, { kind: 'waiting', key, record: { ...record, told: state.counter + 1 } });
    tellUnseen(turn, key, address, false);
  }
}

function settle(turn: Turn, key: string): void {
  const record = turn.state.waiting.get(key);
  if (!record) return;
  if (record.told !== null) {
    tellUnseen(turn, key, turn.state.wallets.get(walletKey(record.vault, record.wallet))!.address, true);
  }
  emit(turn, { kind: 'waited', key });
}

function tellUnseen(turn: Turn, key: string, address: Address, over: boolean): void {
  const { vault, permit, grant, chainId, nonce, told }: WaitingNonce = turn.state.waiting.get(key)!;
  const id = `signed-unseen:${key}#${told}${over ? ':over' : ''}`;
  tellOf(turn, id, { kind: 'signed-unseen', vault, permit, grant, chainId, address, nonce, over });
}
