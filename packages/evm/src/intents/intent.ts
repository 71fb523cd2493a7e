import type { NamedValue } from '../abi/value.ts';
import type { Address } from '../address.ts';
import type { TransactionFee } from '../transaction.ts';

/**
 * What an account owns, on the intent's chain: `native`, `erc20:0x…`, `erc721:0x…`, `erc1155:0x…/ID` (lower case, the ID
 * decimal), `erc1155:0x…` for every ID of the contract.
 */
export type Asset = string;

/** Who acts or pays: the wallet itself, or an account that the wallet commands here (a Safe, a multicall contract). */
export type Party = 'wallet' | Address;

/**
 * What a request would do, as a decoder found it in the very bytes that are to be signed. The permission engine judges it;
 * the shape is the engine's, so that this package needs to know nothing of it.
 */
export interface Intent {
  readonly form: 'transaction' | 'typed-data' | 'message' | 'delegation';
  /** CAIP-2, for instance `eip155:1`. */
  readonly chain: string;
  /** The account nonce that it uses up. `null`: none. */
  readonly nonce: number | null;
  /** `null`: it costs nothing by itself. */
  readonly fee: TransactionFee | null;
  /** The leaves of the call tree, in order; never empty. */
  readonly actions: readonly Action[];
  /** All that may leave at most, over every route, fees excluded. */
  readonly outflows: readonly Outflow[];
  /** Why the whole is not understood, or `null`. */
  readonly opaque: string | null;
  /** What was not verified and decides nothing. */
  readonly notes: readonly string[];
}

export type Action =
  | EtherTransfer
  | TokenTransfer
  | ContractCall
  | OpaqueCall
  | ContractCreation
  | TypedDataAction
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'delegation'; readonly delegate: Address; readonly chainId: bigint; readonly nonce: bigint };

export interface EtherTransfer {
  readonly kind: 'ether-transfer';
  readonly sender: Party;
  readonly recipient: Address;
  readonly amount: bigint;
}

/** Tokens move, or somebody is given the right to move them. `standard` and `token` are those of a registered contract. */
export interface TokenTransfer {
  readonly kind: 'token-transfer';
  readonly sender: Party;
  readonly standard: 'erc20' | 'erc721' | 'erc1155';
  readonly token: Address;
  readonly asset: Asset;
  /** The item of an ERC-721 or ERC-1155 contract, where one is named. */
  readonly tokenId?: bigint;
  readonly amount: bigint | 'unlimited';
  readonly from: Party;
  readonly to: Address;
  readonly route: RouteName;
  /** `spent`: they move. `allowance`: `to` may take them from now on. */
  readonly holds: 'spent' | 'allowance';
  readonly untilMs: number | null;
}

/** A function of a registered contract. */
export interface ContractCall {
  readonly kind: 'contract-call';
  readonly sender: Party;
  readonly contract: Address;
  /** Canonical, for instance `deposit(uint256,address)`. */
  readonly function: string;
  readonly args: readonly NamedValue[];
  readonly value: bigint;
  readonly callType: CallType;
}

export interface OpaqueCall {
  readonly kind: 'opaque-call';
  readonly sender: Party;
  readonly contract: Address;
  readonly selector: string | null;
  readonly value: bigint;
  readonly callType: CallType;
  /** A stable code. */
  readonly why: string;
}

export type CallType = 'call' | 'delegatecall';

export interface ContractCreation {
  readonly kind: 'contract-creation';
  /** Keccak-256. */
  readonly initCodeHash: string;
  readonly initCodeBytes: number;
  readonly value: bigint;
}

export interface TypedDataAction {
  readonly kind: 'typed-data';
  readonly domain: {
    readonly name: string | null;
    readonly version: string | null;
    readonly chainId: bigint | null;
    readonly verifyingContract: Address | null;
    readonly salt: string | null;
  };
  readonly primaryType: string;
  readonly typeHash: string;
  readonly fields: readonly NamedValue[];
  /** Whether the verifying contract is registered under a standard that has this type. */
  readonly registered: boolean;
}

/** Something that may leave an account. */
export interface Outflow {
  /** Whose it is. */
  readonly account: Party;
  readonly asset: Asset;
  /** Base units; items for `erc721`. */
  readonly amount: bigint | 'unlimited';
  readonly to: Address;
  readonly route: RouteName;
  /** `allowance`: `to` may take it until `untilMs`, or until it is proved to be zero. */
  readonly holds: 'spent' | 'allowance';
  readonly untilMs: number | null;
}

/** The ways by which things of value leave, as docs/routes.md lists them. */
export type RouteName =
  | 'value'
  | 'transfer'
  | 'transfer-from'
  | 'approve'
  | 'increase-allowance'
  | 'permit'
  | 'dai-permit'
  | 'permit2'
  | 'permit2-transfer'
  | 'eip3009'
  | 'erc777'
  | 'transfer-and-call'
  | 'approval-for-all'
  | 'vault-4626'
  | 'weth'
  | 'shares'
  | 'aave-delegation'
  | 'aave-withdraw'
  | 'compound-allow'
  | 'lending'
  | 'router'
  | 'order'
  | 'safe';
