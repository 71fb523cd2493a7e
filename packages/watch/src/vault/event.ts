import type { Json } from '@keepwatch/base';
import type { EvmSpend } from '../evm/spend.ts';
import type { Finding } from '../finding.ts';
import type { VaultPermit } from './permit.ts';
import type { LostHistory, UsedRight, VaultRecord, VaultWallet, Verdict, WaitingNonce } from './state.ts';
import type { AccountStanding } from './waiting.ts';

/** What the room is told: by who follows the vaults, by the watch of EVM chains, and by time. */
export type VaultInput =
  | { readonly kind: 'vault-put'; readonly vault: string }
  | { readonly kind: 'vault-removed'; readonly vault: string }
  /** What was signed and is in no block so long after is told, ms; null: never. */
  | { readonly kind: 'vault-set'; readonly vault: string; readonly unseenMs: number | null }
  /** The wallets that may be observed: all of them. */
  | {
      readonly kind: 'vault-wallets';
      readonly vault: string;
      readonly wallets: readonly Omit<VaultWallet, 'vault' | 'isPastRead'>[];
    }
  /** Permits of one wallet, each once and in order, and the place behind them. */
  | {
      readonly kind: 'vault-permits';
      readonly vault: string;
      readonly wallet: string;
      readonly permits: readonly VaultPermit[];
      readonly place: Json;
    }
  /**
   * The vault answered. `asked`: the room's `order` when the question was sent. `complete`: wallets of which every permit up
   * to `lastSeq`, the end of the journal in that answer, has been handed in.
   */
  | {
      readonly kind: 'vault-looked';
      readonly vault: string;
      readonly asked: number;
      readonly phase: 'uninitialised' | 'sealed' | 'unsealed';
      readonly lastSeq: number;
      readonly complete: readonly string[];
      /** Histories that were given up for a backup. */
      readonly lost: readonly LostHistory[];
      readonly place: Json;
    }
  /** It does not answer, or what it answers does not fit what it said before. */
  | {
      readonly kind: 'vault-trouble';
      readonly vault: string;
      readonly trouble: 'down' | 'rolled-back' | 'forked' | 'withholds';
      readonly words: string;
    }
  /** `id`: of the finding that told of it. `past`: it is no news, and was read of the past. */
  | { readonly kind: 'spend'; readonly id: string; readonly spend: EvmSpend; readonly past: boolean }
  /** Of an account all spends of the past that were found were handed in. `watched`: the watched wallet. */
  | { readonly kind: 'past-over'; readonly watched: string }
  /** What the journal of the monitor has of an account was handed in. */
  | { readonly kind: 'vault-past-read'; readonly vault: string; readonly wallet: string }
  /** Blocks up to `number` are never taken back. `timeMs`: of the tip. */
  | { readonly kind: 'chain-settled'; readonly chainId: bigint; readonly number: number; readonly timeMs: number }
  | { readonly kind: 'spends-withdrawn'; readonly ids: readonly string[] }
  /** Where the watched accounts of vaults stand on their chains. */
  | { readonly kind: 'accounts'; readonly accounts: readonly AccountStanding[] }
  | { readonly kind: 'tick' };

/** What a step decided: journaled, and folded. */
export type VaultEvent =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'vault'; readonly record: VaultRecord }
  | { readonly kind: 'vault-dropped'; readonly vault: string }
  | { readonly kind: 'wallet'; readonly wallet: VaultWallet }
  | { readonly kind: 'wallet-dropped'; readonly vault: string; readonly wallet: string }
  | {
      readonly kind: 'permits';
      readonly vault: string;
      readonly wallet: string;
      readonly permits: readonly VaultPermit[];
    }
  | { readonly kind: 'condition'; readonly vault: string; readonly condition: string; readonly open: boolean }
  | {
      readonly kind: 'spend';
      readonly id: string;
      readonly key: string;
      readonly spend: EvmSpend;
      readonly atMs: number;
      readonly past: boolean;
    }
  | { readonly kind: 'spend-gone'; readonly key: string }
  /** Its block was taken back, and it stands outside blocks as it did before. `members`: what is left of it. */
  | { readonly kind: 'spend-back'; readonly key: string; readonly members: readonly string[] }
  | { readonly kind: 'waiting'; readonly key: string; readonly record: WaitingNonce }
  | { readonly kind: 'waited'; readonly key: string }
  | {
      readonly kind: 'cleared';
      readonly key: string;
      readonly vault: string;
      readonly seq: number;
      readonly sealed: boolean;
    }
  | {
      readonly kind: 'verdict';
      readonly key: string;
      readonly verdict: Exclude<Verdict, 'open'>;
      /** Null: what the past was is nothing to tell. */
      readonly told: string | null;
      readonly used: readonly UsedRight[];
    }
  | { readonly kind: 'past-read'; readonly vault: string; readonly wallet: string }
  /** On all spends up to this block that were concluded all is said. */
  | { readonly kind: 'settled'; readonly chainId: bigint; readonly number: number; readonly timeMs: number }
  /** A spend from before the vault had the key. `wallet`: its `walletKey`. */
  | { readonly kind: 'earlier'; readonly id: string; readonly wallet: string; readonly spend: EvmSpend }
  /** So many of them were told. */
  | { readonly kind: 'earlier-told'; readonly key: string; readonly count: number };
