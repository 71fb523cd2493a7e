import { remembered } from '@keepwatch/base';
import type { NotCoveredCode, PermissionRequest } from '../decision.ts';
import type { AnyOf } from '../grant.ts';
import type { Mismatch } from './kind.ts';

/** Long lists are looked up by hash. The list is the key, so a set lives as long as its grant. */
const setOf = remembered((list: readonly string[]): ReadonlySet<string> => new Set(list));
const SHORT = 8;

export function isMember(list: AnyOf<string>, item: string): boolean {
  if (list === 'any') return true;
  return list.length <= SHORT ? list.includes(item) : setOf(list).has(item);
}

export function notAmong(list: AnyOf<string>, asked: string, code: NotCoveredCode): Mismatch | undefined {
  return isMember(list, asked) ? undefined : { code, asked, permitted: list.length };
}

/** Whether an account is the wallet, by its role in the intent or by its address. */
export function isWallet(account: string, { address }: PermissionRequest): boolean {
  return account === 'wallet' || account === address;
}
