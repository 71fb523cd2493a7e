import type { Constraint } from './constraint.ts';
import type { ActionKind, Asset, Route } from './intent.ts';

/**
 * A grant: an operator's word about what a client may do with one wallet on one chain, within constraints. Two kinds
 * permit nothing and only restrict: `deny` and `cap`. Grants are never edited: an operator revokes one and creates
 * another. Values come from `parseGrant` alone, which refuses whatever is not valid.
 */
export type Grant = PermittingGrant | DenyRule | WalletCap;

export type PermittingGrant =
  | EtherTransferGrant
  | TokenTransferGrant
  | ContractCallGrant
  | OpaqueCallGrant
  | ContractCreationGrant
  | TypedDataGrant
  | MessageGrant
  | DelegationGrant;

export type GrantKind = Grant['kind'];

/** Who may ask: one client, by its id, or every member of a group. A group shares the grant's budgets. */
export type Party = string | { readonly group: string };

/** `[]` is nobody; that anybody is meant has to be said: `'any'`. */
export type AnyOf<T> = readonly T[] | 'any';

interface Numbered {
  readonly id: string;
  /** Position in the order in which grants were created: the older grant is charged first. */
  readonly createdSeq: number;
  /** A name for people. It decides nothing. */
  readonly label?: string;
}

/** What all grants that permit something have in common. */
interface Permits extends Numbered {
  readonly client: Party;
  readonly wallet: string;
  /** CAIP-2, for instance `eip155:1`. */
  readonly chain: string;
  /** All of them hold at once. Whatever may leave is limited by one of them, or named in `unlimited`. */
  readonly constraints: readonly Constraint[];
  /** Assets that may leave without a limit, and of which allowances may be without a limit. */
  readonly unlimited?: readonly Asset[];
  /** Accounts besides the wallet that may act or lose something: a Safe, the owner of an allowance. */
  readonly accounts?: readonly string[];
}

export interface EtherTransferGrant extends Permits {
  readonly kind: 'ether-transfer';
  readonly recipients: AnyOf<string>;
}

/** An asset and how people write it: frozen here, so that what a registry says later changes no grant's words. */
export interface GrantedAsset {
  readonly asset: Asset;
  readonly symbol?: string;
  readonly decimals?: number;
}

export interface TokenTransferGrant extends Permits {
  readonly kind: 'token-transfer';
  readonly assets: readonly GrantedAsset[];
  readonly routes: AnyOf<Route>;
  /** Who may get tokens. */
  readonly recipients: AnyOf<string>;
  /** Who may get an allowance. */
  readonly spenders: AnyOf<string>;
}

export interface ContractCallGrant extends Permits {
  readonly kind: 'contract-call';
  readonly contracts: readonly string[];
  readonly functions: readonly FunctionRule[];
  /** Who may get something by the call, besides the contracts and the wallet itself. Absent: nobody. */
  readonly recipients?: AnyOf<string>;
  /** Delegatecall lets the contract's code act as the caller. */
  readonly delegatecall?: typeof ACKNOWLEDGE_DELEGATECALL;
}

export interface FunctionRule {
  /** Canonical signature: `deposit(uint256,address)`. */
  readonly function: string;
  /** All of them hold. */
  readonly where: readonly Condition[];
}

/**
 * What one argument or field must be. `path`: names or positions from the outside in, `/order/recipient`, `/path/0`;
 * `-1` is the last of a list, `*` each of it (and there is at least one). Integers are decimal strings, addresses and
 * bytes lower-case hex.
 */
export type Condition =
  | { readonly path: string; readonly test: 'equals'; readonly value: string | boolean }
  | { readonly path: string; readonly test: 'one-of'; readonly values: readonly (string | boolean)[] }
  | { readonly path: string; readonly test: 'range'; readonly min: bigint | null; readonly max: bigint | null }
  | { readonly path: string; readonly test: 'prefix'; readonly value: string }
  | { readonly path: string; readonly test: 'is-wallet' };

export interface OpaqueCallGrant extends Permits {
  readonly kind: 'opaque-call';
  readonly contracts: readonly string[];
  readonly selectors: AnyOf<string>;
  readonly acknowledge: typeof ACKNOWLEDGE_OPAQUE_CALL;
  readonly delegatecall?: typeof ACKNOWLEDGE_DELEGATECALL;
}

export interface ContractCreationGrant extends Permits {
  readonly kind: 'contract-creation';
  /** Keccak-256 of the init code, `0x` and 64 digits. */
  readonly initCodeHashes: AnyOf<string>;
}

export interface TypedDataGrant extends Permits {
  readonly kind: 'typed-data';
  /** The domain's verifying contract; `none`: the domain names no contract. */
  readonly contract: string;
  /** The domain's name where it must be this one. */
  readonly name?: string;
  readonly types: readonly TypeRule[];
  /** Who may get something by the signature, besides the contract and the wallet itself. Absent: nobody. */
  readonly recipients?: AnyOf<string>;
  /** Without it, only types that the registry knows at this contract. */
  readonly acknowledge?: typeof ACKNOWLEDGE_UNREGISTERED_TYPE;
}

export interface TypeRule {
  readonly primaryType: string;
  /** Keccak-256 of `encodeType` where it must be this one. */
  readonly typeHash?: string;
  readonly where: readonly Condition[];
}

export interface MessageGrant extends Permits {
  readonly kind: 'message';
  readonly messages: readonly MessageRule[];
}

/**
 * `prefix`: how it begins. `template`: the whole text, where each `{}` stands for 1 to 256 characters without line
 * breaks.
 */
export type MessageRule = { readonly prefix: string } | { readonly template: string };

export interface DelegationGrant extends Permits {
  readonly kind: 'delegation';
  readonly delegates: readonly string[];
  readonly acknowledge: typeof ACKNOWLEDGE_DELEGATION;
}

/** What an operator has to say word for word to grant what cannot be limited by what is understood. */
export const ACKNOWLEDGE_OPAQUE_CALL = 'calls are not understood and may move anything that the contract may move';
export const ACKNOWLEDGE_DELEGATECALL = 'the called code acts as the caller and may take everything';
export const ACKNOWLEDGE_UNREGISTERED_TYPE = 'what the signed data allows is not understood';
export const ACKNOWLEDGE_DELEGATION = 'the delegate controls the whole wallet on this chain';

/**
 * What nobody may do, whatever else is granted. It matches a request of which any action or outflow fits everything
 * that is named here; a rule that names nothing refuses everything.
 */
export interface DenyRule extends Numbered {
  readonly kind: 'deny';
  readonly client: Party | 'any';
  readonly wallet: string;
  readonly chain: string;
  readonly actions?: readonly ActionKind[];
  readonly assets?: readonly Asset[];
  /** Recipients, spenders, contracts, delegates: whoever is on the other side. */
  readonly addresses?: readonly string[];
  readonly functions?: readonly string[];
  readonly routes?: readonly Route[];
}

/** Limits of one wallet on one chain over all clients together. They are charged besides the grant. */
export interface WalletCap extends Numbered {
  readonly kind: 'cap';
  readonly wallet: string;
  readonly chain: string;
  readonly constraints: readonly Constraint[];
}

export function permits(grant: Grant): grant is PermittingGrant {
  return grant.kind !== 'deny' && grant.kind !== 'cap';
}

/** The constraints of a grant or cap; a deny rule has none. */
export function constraintsOf(grant: Grant): readonly Constraint[] {
  return grant.kind === 'deny' ? [] : grant.constraints;
}

/** The order in which grants are charged: the oldest first. */
export function byAge(a: Grant, b: Grant): number {
  if (a.createdSeq !== b.createdSeq) return a.createdSeq - b.createdSeq;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
