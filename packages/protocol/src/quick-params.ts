import type { MethodName, MethodParams } from './methods.ts';

/**
 * Parameters that are looked at thousands of times a second, checked by hand: a schema costs several times as much. A
 * quick check takes nothing that the schema of `METHODS` would not take, and gives what the schema would give. What it
 * does not take is for the schema to judge, which also says what is wrong.
 */
export const QUICK_PARAMS: {
  readonly [N in MethodName]?: (params: Readonly<Record<string, unknown>>) => MethodParams<N> | undefined;
} = { 'transaction.sign': quickSignParams };

const MAX_TRANSACTION_CHARS = 2 + 2 * 131_072;
const SHORT_ID = /^[A-Za-z0-9_-]{22}$/;
const CHAIN = /^eip155:[1-9][0-9]{0,15}$/;
const OTHER_THAN_HEX = /[^0-9a-f]/;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Members in the order of canonical JSON, in which the request is hashed. */
function quickSignParams(params: Readonly<Record<string, unknown>>): MethodParams<'transaction.sign'> | undefined {
  const { chain, expires, key, transaction, wallet } = params;
  if (Object.keys(params).length !== 5) return undefined;
  if (typeof chain !== 'string' || !CHAIN.test(chain)) return undefined;
  if (typeof expires !== 'number' || !Number.isSafeInteger(expires) || expires < 0) return undefined;
  if (typeof key !== 'string' || !UUID_V7.test(key)) return undefined;
  if (typeof transaction !== 'string' || !isLowerHex(transaction)) return undefined;
  if (typeof wallet !== 'string' || !SHORT_ID.test(wallet)) return undefined;
  return { chain, expires, key, transaction, wallet };
}

/** `0x` and whole bytes, at least one. By an expression: with frozen intrinsics letter by letter takes ten times as long. */
function isLowerHex(text: string): boolean {
  const { length } = text;
  if (length < 4 || length > MAX_TRANSACTION_CHARS || length % 2 !== 0 || !text.startsWith('0x')) return false;
  return !OTHER_THAN_HEX.test(text.slice(2));
}
