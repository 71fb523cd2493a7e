import { CodedError, fromHex } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import type { TransactionAnswer } from '../source.ts';
import { rpcErrorCode, type NodeRpc } from './rpc.ts';

/** RPC_INVALID_ADDRESS_OR_KEY (src/rpc/protocol.h): `getrawtransaction` has nothing of this id. */
const NOTHING_OF_IT = -5;

/** The bytes of a transaction: of the mempool always, of blocks where the node keeps an index of ids (`-txindex`). */
export async function transactionOf(rpc: NodeRpc, txid: Txid): Promise<TransactionAnswer> {
  try {
    const hex = await rpc.call<unknown>('getrawtransaction', [txid]);
    const raw = typeof hex === 'string' ? fromHex(hex) : undefined;
    return raw ? { kind: 'found', raw } : { kind: 'lied', why: 'it sent something that is no hex' };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    if (rpcErrorCode(error) !== NOTHING_OF_IT) return { kind: 'failed', why: error.message };
    return { kind: 'unknown', why: await whereItLooked(rpc) };
  }
}

/** A node that has looked through its mempool alone has not said that there is no such transaction. */
async function whereItLooked(rpc: NodeRpc): Promise<string> {
  const indices = await rpc
    .call<{ readonly txindex?: { readonly synced: boolean } }>('getindexinfo', ['txindex'])
    .catch(() => ({ txindex: undefined }));
  if (indices.txindex === undefined) {
    return 'it is not in its mempool, and without -txindex the node finds none in blocks';
  }
  if (!indices.txindex.synced)
    return 'it is not in its mempool, and the index of blocks (-txindex) is still being made';
  return 'it is neither in its mempool nor in its blocks';
}
