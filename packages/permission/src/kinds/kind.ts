import type { Grant } from '../grant.ts';
import type { Intent } from '../intent.ts';

/** What an intent costs, in the base unit of its chain's native coin (wei). The rules see nothing else of an intent. */
export interface Cost {
  /** Everything that leaves the wallet at most: the value and the maximum fee. */
  readonly leaves: bigint;
  readonly maxFee: bigint;
}

/** Why a grant of the right client, wallet, chain and kind still does not speak of an intent. */
export interface Mismatch {
  readonly rule: 'recipients';
  readonly asked: string;
  /** How many recipients the grant permits. */
  readonly permitted: number;
}

/** What the engine has to know of a kind of intent. A new kind is one more of these. */
export interface KindRules<I extends Intent> {
  /** Whether a grant of this kind can name the chain (CAIP-2). */
  readonly isChain: (chain: string) => boolean;
  /** Whether the text is a recipient in the one form in which intents name recipients. */
  readonly isRecipient: (recipient: string) => boolean;
  readonly mismatch: (grant: Grant, intent: I) => Mismatch | undefined;
  readonly costOf: (intent: I) => Cost;
}
