import type { MatchedTx, Scanner } from '@keepwatch/bitcoin';
import type { BlockRef } from '../source.ts';
import { ServerFault, type ServerSession } from './backend.ts';
import type { Histories } from './histories.ts';
import { fetchMerkleRoot, fetchTransaction, proveConfirmed } from './confirm.ts';

/** The transactions of a block that touch what is watched, each proved to be in it, in the order of the block. */
export async function confirmedAt(
  session: ServerSession,
  histories: Pick<Histories, 'at' | 'follow'>,
  scanner: Scanner,
  block: BlockRef,
): Promise<readonly MatchedTx[]> {
  const txids = histories.at(block.height);
  if (txids.length === 0) return [];
  const root = await fetchMerkleRoot(session, block.height, block.hash);
  const proved = [];
  for (const txid of txids) {
    const layout = await fetchTransaction(session, txid);
    if (!layout) {
      throw new ServerFault('transient', 'server_moved_on', `The server does not have ${txid}, which it told of.`);
    }
    proved.push({ layout, position: await proveConfirmed(session, layout, txid, { ...block, root }) });
  }
  const matches: MatchedTx[] = [];
  for (const { layout } of proved.sort((a, b) => a.position - b.position)) {
    const match = scanner.scanTransaction(layout);
    if (!match) continue;
    histories.follow(match);
    matches.push(match);
  }
  return matches;
}
