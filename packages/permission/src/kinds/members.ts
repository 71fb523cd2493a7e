import type { NotCoveredCode, PermissionRequest } from '../decision.ts';
import type { AnyOf } from '../grant.ts';
import type { Mismatch } from './kind.ts';

/** Long lists are looked up by hash. The list is the key, so a set lives as long as its grant. */
const sets = new WeakMap<readonly string[], ReadonlySet<string>>();
const SHORT = 8;

export function isMember(list: AnyOf<string>, item: string): boolean {
  if (list === 'any') return true;
  if (list.length <= SHORT) return list.includes(item);
  let set = sets.get(list);
  if (set === undefined) sets.set(list, (set = new Set(list)));
  return set.has(item);
}

export function notAmong(list: AnyOf<string>, asked: string, code: NotCoveredCode): Mismatch | undefined {
  return isMember(list, asked) ? undefined : { code, asked, permitted: list.length };
}

/** Whether an account is the wallet, by its role in the intent or by its address. */
export function isWallet(account: string, { address }: PermissionRequest): boolean {
  return account === 'wallet' || account === address;
}
