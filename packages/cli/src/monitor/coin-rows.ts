import { formatBitcoin } from '@keepwatch/base';
import { labelOf, type WalletDetails } from '@keepwatch/monitor';

type Shown = Pick<WalletDetails, 'coins' | 'labels'>;

/**
 * A wallet's coins as rows: height, amount, address, coin, what becomes of it, and what its owner wrote to the coin, else to its
 * address, else to its transaction (BIP329). The last column is there where one of them has a label.
 */
export function coinRows({ coins, labels }: Shown, beingSpent: string): readonly (readonly string[])[] {
  if (coins.length === 0) return [];
  const written = coins.map(({ txid, vout, address }) =>
    oneLine(
      labelOf(labels, 'output', `${txid}:${vout}`) ??
        (address === null ? null : labelOf(labels, 'addr', address)) ??
        labelOf(labels, 'tx', txid) ??
        '',
    ),
  );
  const isLabelled = written.some((label) => label !== '');
  const rows = coins.map(({ txid, vout, sats, address, block, spentBy }, i) => [
    // A coin that is watched by itself, whose transaction nobody has shown.
    ...(sats === null ? ['not seen', '?'] : [block ? String(block.height) : 'mempool', formatBitcoin(BigInt(sats))]),
    ...[address ?? '–', `${txid}:${vout}`, spentBy === null ? '' : beingSpent],
    ...(isLabelled ? [written[i]!] : []),
  ]);
  return [['HEIGHT', 'BTC', 'ADDRESS', 'COIN', '', ...(isLabelled ? ['LABEL'] : [])], ...rows];
}

const MAX_LABEL = 60;

/** A label as a cell of a table. */
export function oneLine(label: string): string {
  const letters = [...label.replaceAll(/\s+/g, ' ').trim()];
  return letters.length > MAX_LABEL ? `${letters.slice(0, MAX_LABEL - 1).join('')}…` : letters.join('');
}
