import type { Outpoint, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, Grade } from './chain-input.ts';
import type { Finding } from './finding.ts';
import type { ScriptRange } from './script-index.ts';
import type { WatchSettings } from './settings.ts';
import type { SourceRecord, TxFact } from './state.ts';
import type { WatchedWallet } from './wallet.ts';

/**
 * What a step decided. The driver journals it, and folds it into the state; state is nothing but the fold of these, so a
 * restart never decides anything again. `atMs`: ms since 1970.
 */
export type WatchEvent =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'settings'; readonly settings: WatchSettings }
  /** Added, or changed in nothing that is watched. */
  | { readonly kind: 'wallet-put'; readonly wallet: WatchedWallet }
  | { readonly kind: 'wallet-dropped'; readonly wallet: string }
  /** `scanFrom`: blocks from this height on were looked through without these scripts; null: none. */
  | { readonly kind: 'scripts-added'; readonly range: ScriptRange; readonly scanFrom: number | null }
  /** Its past is to be looked through, from this height on. Null: from its birthday on. */
  | { readonly kind: 'scan-asked'; readonly wallet: string; readonly fromHeight: number | null }
  | {
      readonly kind: 'scan-progress';
      readonly wallet: string;
      /** How far the wallet is looked through now; null: no further, for scripts are missing. */
      readonly toHeight: number | null;
      readonly done: boolean;
      /** How many transactions of the wallet this step brought. */
      readonly transactions: number;
    }
  | { readonly kind: 'block'; readonly block: BlockRef; readonly atMs: number }
  /** The tip was taken back; `to` is the tip then, where it is known. */
  | { readonly kind: 'block-back'; readonly block: BlockRef; readonly to: BlockRef | null; readonly atMs: number }
  /** A transaction is known, or more of it, or more about it. */
  | { readonly kind: 'tx'; readonly tx: TxFact; readonly at: TxAt }
  /** It was in doubt whether anybody still has it, and a source does. */
  | { readonly kind: 'tx-seen'; readonly txid: Txid }
  | { readonly kind: 'tx-gone'; readonly txid: Txid; readonly by: Txid | null }
  | { readonly kind: 'held'; readonly block: BlockRef; readonly txs: readonly TxFact[] }
  /** Two spenders of a coin, in the order in which their conflict was seen. */
  | { readonly kind: 'conflict'; readonly outpoint: Outpoint; readonly txid: Txid; readonly other: Txid }
  /** Balances were compared with their limits; which of these wallets is above or below now. */
  | {
      readonly kind: 'settled';
      readonly wallets: readonly { readonly id: string; readonly above: boolean; readonly below: boolean }[];
    }
  | { readonly kind: 'source'; readonly source: string; readonly record: SourceRecord }
  | { readonly kind: 'condition'; readonly key: string; readonly open: boolean }
  | { readonly kind: 'started'; readonly atMs: number }
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'alive'; readonly atMs: number };

export type TxAt = { readonly grade: Exclude<Grade, 'confirmed'> } | { readonly block: BlockRef };
