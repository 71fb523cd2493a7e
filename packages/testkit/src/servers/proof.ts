import { fromHex, toHex } from '@keepwatch/base';
import { merkleBranch } from '@keepwatch/bitcoin';
import type { Lies } from './lies.ts';

/** The branch of a transaction of a block, hashes in display order. */
export function branchOf(txids: readonly string[], position: number, lies: Lies): string[] {
  const leaves = Buffer.concat(txids.map((txid) => fromHex(txid)!.reverse()));
  const branch = merkleBranch(new Uint8Array(leaves), position).map((hash) => toHex(hash.slice().reverse()));
  return lies.falseProof ? [...branch.slice(1), 'ab'.repeat(32)] : branch;
}
