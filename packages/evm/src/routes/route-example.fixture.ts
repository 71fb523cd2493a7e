import { type Hex } from 'viem';
import type { Address } from '../address.ts';
import { type Flow } from './world.fixture.ts';

/** One call of a function, and all that may leave by it, written down by hand from the contracts' documentation. */
export interface RouteExample {
  readonly standard: string;
  readonly line: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
  readonly flows?: readonly Flow[];
  readonly opaque?: string;
}

export const ZERO: Address = `0x${'0'.repeat(40)}`;
export const B32: Hex = `0x${'11'.repeat(32)}`;
export const SIG = [27, B32, B32] as const;
export const coin = (address: Address) => `erc20:${address}`;
export const LATER = 2_000_000_000n;
export const LATER_MS = 2_000_000_000_000;

export const of =
  (standard: string) =>
  (line: string, args: readonly unknown[], ...flows: readonly Flow[]): RouteExample => ({
    standard,
    line,
    args,
    flows,
  });
export const paying = (value: bigint, example: RouteExample): RouteExample => ({ ...example, value });
export const opaque = (standard: string, why: string, line: string, args: readonly unknown[]): RouteExample => ({
  standard,
  line,
  args,
  opaque: why,
});

export const DETAILS = 'address token, uint160 amount, uint48 expiration, uint48 nonce';
export const SINGLE = `((${DETAILS}) details, address spender, uint256 sigDeadline)`;
export const BATCH = `((${DETAILS})[] details, address spender, uint256 sigDeadline)`;
export const PERMITTED = '(address token, uint256 amount)';
export const REQUESTED = '(address to, uint256 requestedAmount)';
export const ONE = `(${PERMITTED} permitted, uint256 nonce, uint256 deadline) permit, ${REQUESTED} transferDetails, address owner`;
export const MANY = `(${PERMITTED}[] permitted, uint256 nonce, uint256 deadline) permit, ${REQUESTED}[] transferDetails, address owner`;
export const details = (token: Address, amount: bigint, expiration = Number(LATER)) => ({
  token,
  amount,
  expiration,
  nonce: 0,
});
