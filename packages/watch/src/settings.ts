import type { Network } from '@keepwatch/bitcoin';

/** What holds for all wallets. */
export interface WatchSettings {
  readonly network: Network;
  /** Depths at which a transaction is told again, each above 1, rising; the last one is called buried. */
  readonly depths: readonly number[];
  /** How many blocks can be taken back one by one; what lies deeper is settled. */
  readonly keptBlocks: number;
  /** No block for so long is told. A gap of two hours comes once in some three years (e^-12 for each block). */
  readonly stalledAfterSeconds: number;
  /**
   * Seconds from block to block by the network's schedule, against which slow blocks are told; null: it has none. Left out:
   * the network's own (ten minutes; none on test4 and regtest).
   */
  readonly blockSpacingSeconds?: number | null;
  /** A source may be down or behind for so long before it is told. */
  readonly sourceGraceSeconds: number;
  /** A block older than this is late news in any case: so wrong may a miner's clock be (two hours). */
  readonly lateAfterSeconds: number;
  /** sat/vB from which on it is told; null: never. */
  readonly feerateLimit: number | null;
  readonly diskLowBytes: number;
  readonly clockSkewSeconds: number;
}

export const DEFAULT_SETTINGS: WatchSettings = {
  network: 'main',
  depths: [3, 6],
  keptBlocks: 2_016,
  stalledAfterSeconds: 7_200,
  sourceGraceSeconds: 120,
  lateAfterSeconds: 7_200,
  feerateLimit: null,
  diskLowBytes: 1_000_000_000,
  clockSkewSeconds: 60,
};
