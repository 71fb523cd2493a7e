/**
 * An intent: what a request would do, as plain data. A decoder of a chain makes it from the very bytes that would be
 * signed; the engine judges it and decodes nothing. Amounts are base units (wei, a token's own unit), addresses are in
 * the one form of their chain (0x and 40 lower-case digits).
 */
export interface Intent {
  readonly form: IntentForm;
  /** CAIP-2: `eip155:` and the chain id. */
  readonly chain: string;
  /** The account nonce that it uses up; null for typed data and messages. */
  readonly nonce: number | null;
  /** Null where it costs nothing by itself. */
  readonly fee: Fee | null;
  /** The leaves of the call tree, in order, never empty. Each of them must be covered by the grant that is charged. */
  readonly actions: readonly Action[];
  /** Everything that may leave at most, over every route, fees excluded. */
  readonly outflows: readonly Outflow[];
  /** Why the whole is not understood; null where it is. */
  readonly opaque: string | null;
  /** Unverified hints (the name of a selector): shown, never deciding. */
  readonly notes: readonly string[];
}

export type IntentForm = 'transaction' | 'typed-data' | 'message' | 'delegation';

/** What a transaction can cost at most. */
export interface Fee {
  /** Gas limit × cap, and blobs × blob gas × cap. */
  readonly maxFeeWei: bigint;
  readonly gasLimit: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly maxFeePerBlobGas?: bigint;
  readonly blobs?: number;
}

/** On the intent's chain: `native`, `erc20:0x…`, `erc721:0x…`, `erc1155:0x…/ID` (lower case, ID decimal), `erc1155:0x…` for every ID. */
export type Asset = string;

/** `'unlimited'`: an allowance without an end. It fits into no budget. */
export type Amount = bigint | 'unlimited';

/** `wallet`: the wallet itself; else an account that the wallet commands here (a Safe, a multicall contract). */
export type Account = string;

/** One thing that a request does. */
export type Action =
  EtherTransfer | TokenTransfer | ContractCall | OpaqueCall | ContractCreation | TypedData | Message | Delegation;

export type ActionKind = Action['kind'];

/** Value and no calldata. */
export interface EtherTransfer {
  readonly kind: 'ether-transfer';
  readonly sender: Account;
  readonly recipient: string;
  readonly amount: bigint;
}

/** Tokens move, or somebody may move them from now on, by whichever route. */
export interface TokenTransfer {
  readonly kind: 'token-transfer';
  readonly sender: Account;
  readonly asset: Asset;
  readonly standard: 'erc20' | 'erc721' | 'erc1155';
  readonly token: string;
  /** The token of an ERC-721 or ERC-1155 contract, where one is named. */
  readonly tokenId?: bigint;
  /** Base units; for an ERC-721 the number of tokens. */
  readonly amount: Amount;
  /** Who gets them, or may take them. */
  readonly to: string;
  /** Whose they are. */
  readonly from: Account;
  readonly route: Route;
  /** Whether they move, or `to` may take them from now on. One route can do either: ERC-777 sends and authorises. */
  readonly holds: 'spent' | 'allowance';
  /**
   * When what it allows ends by itself, in milliseconds since 1970; null: never. The deadline of an EIP-2612 permit is
   * none: it ends the time in which the permit can be used, not the allowance that it makes.
   */
  readonly untilMs: number | null;
}

/** A call whose function is known. */
export interface ContractCall {
  readonly kind: 'contract-call';
  readonly sender: Account;
  readonly contract: string;
  /** Canonical signature: `deposit(uint256,address)`. */
  readonly function: string;
  readonly args: readonly NamedValue[];
  readonly value: bigint;
  readonly callType: CallType;
}

export type CallType = 'call' | 'delegatecall';

/** A call that is not understood. */
export interface OpaqueCall {
  readonly kind: 'opaque-call';
  readonly sender: Account;
  readonly contract: string;
  /** The first four bytes (`0x` and 8 digits); null where there are fewer. */
  readonly selector: string | null;
  readonly value: bigint;
  readonly callType: CallType;
  readonly why: string;
}

export interface ContractCreation {
  readonly kind: 'contract-creation';
  /** Keccak-256, `0x` and 64 digits. */
  readonly initCodeHash: string;
  readonly initCodeBytes: number;
  readonly value: bigint;
}

/** EIP-712. */
export interface TypedData {
  readonly kind: 'typed-data';
  readonly domain: TypedDataDomain;
  readonly primaryType: string;
  /** Keccak-256 of `encodeType`, `0x` and 64 digits. */
  readonly typeHash: string;
  readonly fields: readonly NamedValue[];
  /** Whether the registry knows this type at this contract. */
  readonly registered: boolean;
}

export interface TypedDataDomain {
  readonly name: string | null;
  readonly version: string | null;
  readonly chainId: bigint | null;
  readonly verifyingContract: string | null;
  readonly salt: string | null;
}

/** EIP-191. */
export interface Message {
  readonly kind: 'message';
  readonly text: string;
}

/** EIP-7702: from then on the delegate's code acts as the wallet. */
export interface Delegation {
  readonly kind: 'delegation';
  readonly delegate: string;
  /** 0 would hold on every chain. */
  readonly chainId: bigint;
  readonly nonce: bigint;
}

/** What may leave an account at most by one route. */
export interface Outflow {
  readonly account: Account;
  readonly asset: Asset;
  readonly amount: Amount;
  readonly to: string;
  readonly route: Route;
  /** `allowance`: it may be used until `untilMs`, or until it is proven to be zero. */
  readonly holds: 'spent' | 'allowance';
  readonly untilMs: number | null;
}

/** The way by which something leaves: all of them draw on one budget. */
export type Route =
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

/** An ABI value: integers as bigints, addresses and bytes as lower-case hex, lists, and tuples as named values. */
export type Value = bigint | boolean | string | readonly Value[] | readonly NamedValue[];

export interface NamedValue {
  /** May be empty. */
  readonly name: string;
  /** ABI type. */
  readonly type: string;
  readonly value: Value;
}
