import type { Address } from '@keepwatch/evm';

/** 32 bytes as `0x` and 64 lower-case hex digits. */
export type Hash32 = `0x${string}`;

/** A block of an EVM chain. `timeMs`: what its header says, in ms since 1970. */
export interface EvmBlockRef {
  readonly number: number;
  readonly hash: Hash32;
  readonly timeMs: number;
}

/**
 * How value or rights left an account:
 *
 * - `transaction`: a transaction of the account itself; the native amount is what it sent, without the fee
 * - `allowance`: a token was moved, or allowed to somebody, by a transaction of somebody else (`caller`): an allowance given
 *   before, or a signed permit
 * - `delegation`: the account's code became, or is, a delegation (EIP-7702), and nothing else explains it
 * - `unexplained`: the balance fell, or the nonce rose, and no transaction that was seen says why
 */
export type EvmSpendWay = 'transaction' | 'allowance' | 'delegation' | 'unexplained';

/**
 * One way in which value or rights left a watched account. Whoever knows what the account's owner has signed compares them:
 * what nobody signed is an alarm.
 */
export interface EvmSpend {
  /** Id of the watched wallet. */
  readonly wallet: string;
  readonly chainId: bigint;
  readonly address: Address;
  readonly how: EvmSpendWay;
  readonly txHash: Hash32 | null;
  /** Of the account's own transaction. */
  readonly nonce: bigint | null;
  /** Who sent the transaction. */
  readonly caller: Address | null;
  /** The contract of the token; null: the chain's own coin. */
  readonly token: Address | null;
  /** In the smallest unit. Of an approval: what is allowed then. */
  readonly amount: bigint;
  /** When the monitor learnt of it, in ms since 1970. */
  readonly seenAtMs: number;
  /**
   * Keccak-256 of what was signed, of the account's own transaction: without it one that took the place of another cannot
   * be told from it. Left out where the source does not give whole transactions.
   */
  readonly digest?: Hash32;
  /** What the transaction of somebody else calls. */
  readonly callee?: Address;
  /** Of an approval: who may take it. */
  readonly spender?: Address;
  /** Of a token that moved: to whom. */
  readonly recipient?: Address;
  /** Whose code the account runs (EIP-7702); of a delegation: whose it runs from now on. */
  readonly delegate?: Address;
  /** The nonces of the account that were used up, from `from` on and before `to`, where no transaction shows by what. */
  readonly uses?: { readonly from: bigint; readonly to: bigint };
  /** Null while it is in no block. */
  readonly block: EvmBlockRef | null;
}
