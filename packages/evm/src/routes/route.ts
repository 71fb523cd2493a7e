import type { AbiDecodeErrorCode } from '../abi/decode.ts';
import type { NamedValue } from '../abi/value.ts';
import type { Address } from '../address.ts';
import type { CallType, Outflow, RouteName } from '../intents/intent.ts';
import type { ContractEntry, Registry } from '../registry/registry.ts';
import type { TypedRoute } from './typed-route.ts';

/** A call of a function that a registered contract has, decoded. */
export interface Call {
  readonly chain: string;
  /** The account whose key signs. */
  readonly wallet: Address;
  /** Who acts: msg.sender as the called code sees it. Under a delegatecall, the account that lends its identity. */
  readonly sender: Address;
  readonly contract: Address;
  readonly entry: ContractEntry;
  readonly args: readonly NamedValue[];
  readonly value: bigint;
  readonly callType: CallType;
  readonly registry: Registry;
}

/** Tokens that move, or that somebody may move from now on. The action and its outflow both come from it. */
export interface TokenMove {
  readonly standard: 'erc20' | 'erc721' | 'erc1155';
  readonly token: Address;
  /** Of `erc721` and `erc1155`; `null`: all. */
  readonly id: bigint | null;
  readonly amount: bigint | 'unlimited';
  readonly from: Address;
  readonly to: Address;
  readonly route: RouteName;
  readonly holds: Outflow['holds'];
  readonly untilMs: number | null;
}

/** Something of value that leaves by a call which is not itself a transfer of tokens. */
export interface Leak {
  readonly account: Address;
  readonly asset: string;
  readonly amount: bigint | 'unlimited';
  readonly to: Address;
  readonly holds?: Outflow['holds'];
  readonly untilMs?: number | null;
  /** Where it is not the row's own. */
  readonly route?: RouteName;
}

/** A call that the called contract makes in turn. */
export interface InnerCall {
  readonly sender: Address;
  readonly to: Address;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly callType: CallType;
}

/** What a call does. */
export type Effect =
  /** It moves tokens, and that is all. */
  | { readonly does: 'move'; readonly moves: readonly TokenMove[] }
  /** It is a call of its own, by which this may leave besides the value. `valueTo`: who profits by the value. */
  | {
      readonly does: 'call';
      readonly leaks: readonly Leak[];
      readonly valueTo?: Address;
      readonly valueRoute?: RouteName;
    }
  /**
   * It passes calls on. `value`: what the ether does that came with it. `kept`: it stays with the called contract, and what
   * the inner calls send is that contract's own. `passed`: it is what the inner calls send. `shared`: each inner call
   * sees the same ether (a delegatecall keeps msg.value), which leaves once, to the called contract.
   */
  | {
      readonly does: 'nest';
      readonly calls: readonly InnerCall[];
      readonly value: 'kept' | 'passed' | 'shared';
      readonly leaks?: readonly Leak[];
    }
  /** Nobody can tell from the bytes. */
  | { readonly does: 'opaque'; readonly why: OpaqueCode };

/** Why a call or a signature is not understood. */
export type OpaqueCode =
  | AbiDecodeErrorCode
  | 'unregistered_contract'
  | 'unknown_function'
  | 'no_selector'
  | 'delegated_wallet'
  | 'delegatecall'
  | 'not_a_delegatecall'
  | 'too_many_calls'
  | 'empty_batch'
  | 'malformed_batch'
  | 'malformed_path'
  | 'malformed_command'
  | 'unknown_command'
  | 'unknown_operation'
  | 'callback_data'
  | 'not_a_fungible_token'
  | 'approves_a_digest'
  | 'hands_over_the_safe'
  | 'domain_without_chain'
  | 'domain_without_contract'
  | 'unregistered_type'
  | 'malformed_order'
  | 'order_with_extension';

/** One function of a standard, and what may leave by it: a row of docs/routes.md. */
export interface CallRoute {
  /** With names, for instance `transfer(address to, uint256 amount)`. */
  readonly line: string;
  /** `null`: nothing leaves but the value that comes with it. */
  readonly route: RouteName | null;
  /** For people: what counts, and who can take it. */
  readonly says: string;
  readonly effect: (call: Call) => Effect;
  /** Made to run by delegatecall, in the name of the account that calls it. */
  readonly byDelegatecall?: true;
}

/** What several contracts have in common, by its name. */
export interface Standard {
  readonly name: string;
  readonly title: string;
  /** What an entry has to say for it besides. */
  readonly needs?: readonly ('underlying' | 'decimals')[];
  readonly calls: readonly CallRoute[];
  /** Typed data (EIP-712) for such a contract. */
  readonly types?: readonly TypedRoute[];
}

/** A function by which nothing leaves but its value. */
export function harmless(line: string, says = 'nothing'): CallRoute {
  return { line, route: null, says, effect: () => ({ does: 'call', leaks: [] }) };
}

/** A function whose consequences are not in its arguments. */
export function unreadable(line: string, why: OpaqueCode, says: string): CallRoute {
  return { line, route: null, says: `opaque: ${says}`, effect: () => ({ does: 'opaque', why }) };
}
