import { fromHex } from '@keepwatch/base';
import { layoutTransaction, toDisplay, txidAt, type Txid } from '@keepwatch/bitcoin';
import type { BroadcastResult } from '../source.ts';
import type { ServerSession } from './backend.ts';

/** What nodes say of a transaction that they have (Bitcoin Core, validation.cpp and node/transaction.cpp). */
const KNOWN =
  /txn-already-in-mempool|txn-already-known|already in (the )?(mempool|block ?chain|utxo set)|outputs already/i;
const CONFIRMED = /txn-already-known|already in (the )?(block ?chain|utxo set)|outputs already/i;

/**
 * Hands transactions to the server. That it takes them says what its node thinks of them, and no more: whether anybody
 * else heard of them, this server cannot prove.
 */
export async function broadcastBy(session: ServerSession, transactions: readonly string[]): Promise<BroadcastResult> {
  const last = layoutTransaction(fromHex(transactions.at(-1) ?? '') ?? new Uint8Array());
  const isThere = async () =>
    last.ok && (await session.transaction(toDisplay<Txid>(txidAt(last.value, 0)))) !== undefined;
  // To send again what waits is no error to a node, so whether it does is asked first.
  const before = await isThere();
  const answer = await session.broadcast(transactions);
  if (answer.kind === 'taken') {
    return before ? { kind: 'already-known', confirmed: false } : { kind: 'accepted', heardBack: false };
  }
  if (KNOWN.test(answer.reason)) return { kind: 'already-known', confirmed: CONFIRMED.test(answer.reason) };
  // Some servers give a reason of their own for what they have already: look before calling it rejected.
  if (before || (await isThere())) return { kind: 'already-known', confirmed: false };
  return { kind: 'rejected', reason: answer.reason };
}
