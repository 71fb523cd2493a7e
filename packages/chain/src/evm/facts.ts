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
 * What a source reads of one block of an EVM chain, as far as it touches accounts that are watched. Everything was read at
 * this block, by its hash. Amounts are in the smallest unit (wei; of a token its own).
 */
export interface EvmBlockFacts {
  readonly chainId: bigint;
  readonly block: EvmBlockRef;
  readonly parentHash: Hash32;
  /** Each account that was looked for. */
  readonly accounts: readonly EvmAccountFacts[];
  /** Sent by a watched account or to one, in the order of the block. */
  readonly transactions: readonly EvmTransactionFacts[];
  /** From the beacon chain (EIP-4895). */
  readonly withdrawals: readonly { readonly address: Address; readonly amount: bigint }[];
  /** `Transfer` and `Approval` of ERC-20 that name a watched account, in the order of the block. */
  readonly transfers: readonly EvmTransferFacts[];
  readonly approvals: readonly EvmApprovalFacts[];
}

/** What an account runs: nothing, a delegation to other code (EIP-7702), or code of its own by its Keccak-256. */
export type EvmCode =
  | { readonly kind: 'none' }
  | { readonly kind: 'delegation'; readonly to: Address }
  | { readonly kind: 'contract'; readonly hash: Hash32 };

export interface EvmAccountFacts {
  readonly address: Address;
  /** Null where the upstreams no longer have the state of so old a block. */
  readonly state: {
    readonly balance: bigint;
    readonly nonce: bigint;
    readonly code: EvmCode;
    /** What the implementation slot of a proxy holds (EIP-1967); null: nothing. */
    readonly implementation: Address | null;
  } | null;
  /** As far as they were read: at the first block that is looked at, and where a log touches them. */
  readonly tokens: readonly { readonly token: Address; readonly balance: bigint }[];
  readonly allowances: readonly EvmAllowance[];
}

export interface EvmAllowance {
  readonly token: Address;
  readonly spender: Address;
  readonly amount: bigint;
}

export interface EvmTransactionFacts {
  readonly hash: Hash32;
  readonly from: Address;
  /** Null: it makes a contract. */
  readonly to: Address | null;
  readonly nonce: bigint;
  readonly value: bigint;
  /** Whether it did what it was to do; one that failed pays its fee and moves nothing. */
  readonly succeeded: boolean;
  /** Keccak-256 of what was signed; null where it is not known, or the account is not the sender. */
  readonly digest: Hash32 | null;
  /** All that the sender paid for it: gas, blobs, and on a rollup the data. */
  readonly fee: bigint;
}

interface LogFacts {
  readonly token: Address;
  readonly amount: bigint;
  readonly txHash: Hash32;
  readonly logIndex: number;
  /** Who sent the transaction. */
  readonly caller: Address;
  /** What that transaction calls. Left out where it makes a contract. */
  readonly callee?: Address;
}

export interface EvmTransferFacts extends LogFacts {
  readonly from: Address;
  readonly to: Address;
}

export interface EvmApprovalFacts extends LogFacts {
  readonly owner: Address;
  readonly spender: Address;
}

/** A transaction that an upstream shows and that is in no block, as far as it concerns an account that is watched. */
export interface EvmPendingFacts {
  readonly hash: Hash32;
  readonly from: Address;
  readonly to: Address | null;
  readonly nonce: bigint;
  readonly value: bigint;
  /** Keccak-256 of what was signed, where the hash is that of the fields and the signature the sender's; null: it is claimed. */
  readonly digest: Hash32 | null;
  /** What it tells the contract `to` to move of the sender's tokens (`transfer` of EIP-20); null: something else, or nothing. */
  readonly transfer: { readonly to: Address; readonly amount: bigint } | null;
}

/** How many transactions an upstream counts for an account, in blocks and besides. */
export interface EvmPendingCount {
  readonly address: Address;
  /** Of those in blocks: the nonce of the next one. */
  readonly nonce: bigint;
  readonly pending: bigint;
}
