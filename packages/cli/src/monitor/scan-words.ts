import type { WalletSummary } from '@keepwatch/monitor';

type Scan = NonNullable<WalletSummary['scan']>;

/** How far a past has been looked through. */
export function scanWords({
  height,
  done,
  total,
  problem,
}: Pick<Scan, 'height' | 'done' | 'total' | 'problem'>): string {
  if (problem !== null) return `rests: ${problem}`;
  if (height === null || total === null) return 'is to be read';
  return `${Math.floor((100 * done) / Math.max(1, total))}%, block ${height}`;
}
