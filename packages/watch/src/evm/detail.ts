import type { Address } from '@keepwatch/evm';
import type { EvmCode } from './facts.ts';
import type { EvmSpendWay, Hash32 } from './spend.ts';

/**
 * What an amount is of: a token by its contract, or the chain's own coin (`token` null). `known`: the owner named it. What
 * other contracts say of an account is a claim: anybody can make a token that reports whatever he likes.
 */
export interface EvmAsset {
  readonly token: Address | null;
  readonly symbol: string;
  readonly decimals: number;
  readonly known: boolean;
}

interface Of {
  readonly chainId: bigint;
}
interface Moved extends Of {
  readonly asset: EvmAsset;
  /** In the smallest unit. */
  readonly amount: bigint;
}

/** How much is known of a transaction outside blocks: `valid` where its bytes and its signature were checked. */
export type EvmGrade = 'claimed' | 'valid';

/**
 * What happens to an account of an EVM chain; each in a block, but for `evm-backfilled` and for what is seen outside blocks:
 * that is told by `evm-sighted` and `evm-counted` and is no fact, and `evm-replaced` and `evm-evicted` say what became of it.
 */
export type EvmFindingDetail =
  /**
   * A transaction outside blocks that pays the account, or is its own. `valid` proves that the key of `from` has signed it,
   * and not that any block will take it. `amends`: id of an earlier one, when less of it was known.
   */
  | ({
      readonly kind: 'evm-sighted';
      readonly direction: 'received' | 'spent';
      readonly grade: EvmGrade;
      readonly from: Address;
      readonly to: Address | null;
      readonly nonce: bigint;
      readonly amends: string | null;
    } & Moved)
  /** An upstream counts transactions of the account that are in no block, up to nonce `pending`, and shows none of them. */
  | ({ readonly kind: 'evm-counted'; readonly nonce: bigint; readonly pending: bigint; readonly over: boolean } & Of)
  /**
   * What was sighted does not come: its nonce is used by another transaction (`by`; null: it is not known by which). In a
   * block, where the evidence names one; otherwise the other one is seen outside blocks, and either may come. `sighted`: id
   * of the finding that told of it.
   */
  | ({ readonly kind: 'evm-replaced'; readonly by: Hash32 | null; readonly sighted: string } & Of)
  /** What was sighted is not to be seen any more; or it is in a block (as the evidence says) and did nothing for the account. */
  | ({ readonly kind: 'evm-evicted'; readonly sighted: string } & Of)
  /** `from` null: paid out by the beacon chain. */
  | ({ readonly kind: 'evm-received'; readonly from: Address | null } & Moved)
  /**
   * By a transaction of the account, or of somebody else (`caller`). `fee`: in wei, of a transaction of the account, with
   * what it sends of the chain's own coin. `failed`: it paid its fee and moved nothing.
   */
  | ({
      readonly kind: 'evm-spent';
      readonly to: Address | null;
      readonly how: EvmSpendWay;
      readonly caller: Address;
      readonly nonce: bigint | null;
      readonly fee: bigint | null;
      readonly failed: boolean;
    } & Moved)
  /** The balance changed by more than the transactions that name the account explain: contracts moved it. */
  | ({ readonly kind: 'evm-internal'; readonly direction: 'received' | 'spent'; readonly sinceBlock: number } & Moved)
  /** Somebody may take so much of a token now. `before` null: it was not known. */
  | ({
      readonly kind: 'evm-allowance';
      readonly spender: Address;
      readonly before: bigint | null;
      readonly how: EvmSpendWay;
      readonly caller: Address;
    } & Moved)
  /** The nonce is not where the transactions that were seen would bring it. */
  | ({ readonly kind: 'evm-nonce'; readonly expected: bigint; readonly nonce: bigint } & Of)
  | ({ readonly kind: 'evm-code'; readonly before: EvmCode; readonly after: EvmCode } & Of)
  /** A proxy runs other code: its implementation slot (EIP-1967) changed. */
  | ({ readonly kind: 'evm-upgraded'; readonly before: Address | null; readonly after: Address | null } & Of)
  /** The account runs other code as its own (EIP-7702), or no longer does. */
  | ({ readonly kind: 'evm-delegation'; readonly before: Address | null; readonly after: Address | null } & Of)
  /** What was told of a block is so many blocks deep, or final. `about`: ids of those findings. */
  | ({
      readonly kind: 'evm-confirmed';
      readonly depth: number;
      readonly buried: boolean;
      readonly finalized: boolean;
      readonly about: readonly string[];
    } & Of)
  /** A block left the chain. `retracts`: ids of the findings that no longer hold. */
  | ({ readonly kind: 'evm-disconnected'; readonly retracts: readonly string[] } & Of)
  | ({ readonly kind: 'evm-large-amount'; readonly limit: bigint } & Moved)
  | ({ readonly kind: 'evm-balance-above' | 'evm-balance-below'; readonly limit: bigint } & Moved)
  /**
   * The past of a wallet is read. Of blocks before `stateMissingBefore` the upstreams no longer have the state, so that what
   * contracts moved there is not known (null: it is known throughout).
   */
  | ({
      readonly kind: 'evm-backfilled';
      readonly fromBlock: number;
      readonly toBlock: number;
      readonly entries: number;
      readonly stateMissingBefore: number | null;
    } & Of);
