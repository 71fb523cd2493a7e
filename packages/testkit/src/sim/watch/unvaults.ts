import type { Finding } from '@keepwatch/watch';
import { keyOf } from './world.ts';

/** So many blocks behind its own one a coin of the simulation's vault may be spent. */
const OLDER = 2;

/**
 * Whoever watches a vault's way out is told of each coin that goes there: once when it is seen outside blocks, and once in its
 * block, where that is news. `holds`: whether a finding was neither taken back nor amended.
 */
export function judgeUnvaults(
  findings: readonly Finding[],
  wallet: string,
  holds: (finding: Finding) => boolean,
): string | null {
  const sighted = new Set<string>();
  const inBlock = new Map<string, number>();
  for (const finding of findings) {
    const { detail, evidence, id } = finding;
    if (detail.kind !== 'unvault-started') continue;
    if (finding.wallet !== wallet) return `${id} is told of a wallet that has no vault`;
    const coin = keyOf(detail.outpoint.txid, detail.outpoint.vout);
    const { block } = evidence;
    const isRight =
      detail.opensAtHeight === undefined
        ? detail.opensAtSeconds !== undefined || (!block && detail.blocksLeft === OLDER)
        : block !== undefined && detail.opensAtHeight === block.height + OLDER && detail.blocksLeft! < OLDER;
    if (!isRight) return `${id} says another time than its lock has`;
    if (!block) sighted.add(coin);
    else if (holds(finding)) inBlock.set(`${coin}@${block.hash}`, (inBlock.get(`${coin}@${block.hash}`) ?? 0) + 1);
  }
  for (const [key, times] of inBlock) if (times > 1) return `that ${key} left the vault was told ${times} times`;
  const seen = new Set<string>();
  for (const finding of findings) {
    const { detail, evidence, id, late } = finding;
    if (finding.wallet !== wallet || !('received' in detail)) continue;
    for (const { txid, vout } of detail.received) {
      const coin = keyOf(txid, vout);
      const isNews = evidence.block ? !late && holds(finding) : !seen.has(coin);
      const isTold = evidence.block ? inBlock.has(`${coin}@${evidence.block.hash}`) : sighted.has(coin);
      if (isNews && !isTold) return `nobody was told that ${coin} left the vault, of which ${id} speaks`;
      seen.add(coin);
    }
  }
  return null;
}
