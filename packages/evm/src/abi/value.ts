/**
 * A decoded value. Integers are bigints; addresses and byte strings are `0x` and lower-case hex; a `string` is its text; an
 * array is a list of values, a tuple a list of named ones.
 */
export type Value = bigint | boolean | string | readonly Value[] | readonly NamedValue[];

/** One argument of a call, member of a tuple or field of typed data. What has no name has its position: `0`, `1`, … */
export interface NamedValue {
  readonly name: string;
  /** The canonical ABI type, for instance `(address,uint256)[]`. */
  readonly type: string;
  readonly value: Value;
}
