import type { NamedValue } from '../abi/value.ts';
import type { Address } from '../address.ts';
import type { RouteName } from '../intents/intent.ts';
import type { ContractEntry, Registry } from '../registry/registry.ts';
import type { InnerCall, Leak, OpaqueCode } from './route.ts';

/** Typed data for a registered contract, of a type that its standard has. */
export interface Signed {
  readonly chain: string;
  /** The account whose key signs. */
  readonly wallet: Address;
  /** The domain's verifying contract. */
  readonly contract: Address;
  readonly entry: ContractEntry;
  readonly fields: readonly NamedValue[];
  readonly registry: Registry;
}

/** What whoever holds the signature can do with it. */
export type SignedEffect =
  | { readonly does: 'allow'; readonly leaks: readonly Leak[] }
  /** It is a transaction of another account, and its calls are judged. */
  | { readonly does: 'nest'; readonly call: InnerCall; readonly leaks: readonly Leak[] }
  | { readonly does: 'opaque'; readonly why: OpaqueCode };

/** One type of a standard, and what may leave by a signature of it: a row of docs/routes.md. */
export interface TypedRoute {
  /**
   * The type as EIP-712 spells it, with all that it refers to; a text that ends in `,` is the beginning of types of which the
   * rest is free.
   */
  readonly type: string;
  readonly route: RouteName | null;
  readonly says: string;
  readonly effect: (signed: Signed) => SignedEffect;
}

export function allows(...leaks: readonly Leak[]): SignedEffect {
  return { does: 'allow', leaks };
}
