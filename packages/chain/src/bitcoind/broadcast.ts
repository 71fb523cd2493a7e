import { CodedError, toHex } from '@keepwatch/base';
import type { BroadcastResult } from '../source.ts';
import { rpcErrorCode, type NodeRpc } from './rpc.ts';

/** bitcoind's RPC_VERIFY_ALREADY_IN_UTXO_SET (in older versions RPC_VERIFY_ALREADY_IN_CHAIN). */
const ALREADY_IN_CHAIN = -27;
/** What `sendrawtransaction` and `submitpackage` say of a transaction that waits in the mempool. */
const ALREADY_IN_MEMPOOL = /txn-already-in-mempool|txn-same-nonwitness-data-in-mempool/;
const ALREADY_CONFIRMED = /txn-already-known|already in (block chain|utxo set)/i;

interface PackageAnswer {
  readonly package_msg: string;
  readonly 'tx-results': Readonly<Record<string, { readonly error?: string; readonly txid: string }>>;
}

/** Hands transactions to one's own node: one by `sendrawtransaction`, a package (parents first) by `submitpackage`. */
export async function broadcast(rpc: NodeRpc, transactions: readonly Uint8Array[]): Promise<BroadcastResult> {
  const hexes = transactions.map((raw) => toHex(raw));
  const [only] = hexes;
  if (only === undefined) return { kind: 'rejected', reason: 'nothing to send' };
  try {
    return hexes.length === 1 ? await sendOne(rpc, only) : await sendPackage(rpc, hexes);
  } catch (error) {
    return failure(error);
  }
}

async function sendOne(rpc: NodeRpc, hex: string): Promise<BroadcastResult> {
  // Sending again what waits in the mempool is no error to bitcoind; whether it did wait is asked first.
  const [verdict] = await rpc.call<readonly { allowed?: boolean; 'reject-reason'?: string }[]>('testmempoolaccept', [
    [hex],
  ]);
  const reason = verdict?.['reject-reason'] ?? '';
  if (ALREADY_IN_MEMPOOL.test(reason)) return { kind: 'already-known', confirmed: false };
  await rpc.call('sendrawtransaction', [hex]);
  return { kind: 'accepted', heardBack: false };
}

async function sendPackage(rpc: NodeRpc, hexes: readonly string[]): Promise<BroadcastResult> {
  const answer = await rpc.call<PackageAnswer>('submitpackage', [hexes]);
  if (answer.package_msg === 'success') return { kind: 'accepted', heardBack: false };
  const faults = Object.values(answer['tx-results']).flatMap(({ error }) => (error === undefined ? [] : [error]));
  return { kind: 'rejected', reason: [answer.package_msg, ...faults].join('; ') };
}

function failure(error: unknown): BroadcastResult {
  const code = rpcErrorCode(error);
  const reason = error instanceof CodedError ? String(error.details?.['message'] ?? error.message) : String(error);
  if (code === undefined) return { kind: 'unknown', why: reason };
  if (code === ALREADY_IN_CHAIN || ALREADY_CONFIRMED.test(reason)) return { kind: 'already-known', confirmed: true };
  if (ALREADY_IN_MEMPOOL.test(reason)) return { kind: 'already-known', confirmed: false };
  // Warming up, out of memory and the like say nothing of the transaction (src/rpc/protocol.h).
  return code === -26 || code === -25 || code === -22 || code === -8
    ? { kind: 'rejected', reason }
    : { kind: 'unknown', why: reason };
}
