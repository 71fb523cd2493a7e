import { err, MAX_UINT256, ok, type Result } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import { WALLET_ID } from '../wallet.ts';

/** A chain, and how it is followed. */
export interface EvmChain {
  readonly chainId: bigint;
  /** Of its own coin; it has 18 decimals wherever wallets can be used. */
  readonly symbol: string;
  /** Depths at which what happened is told again, rising; the last is called buried. */
  readonly depths: readonly number[];
  /** How many blocks can be taken back one by one; what lies deeper is settled. */
  readonly keptBlocks: number;
}

export const EVM_CHAIN_DEFAULTS = { symbol: 'ETH', depths: [12], keptBlocks: 256 } as const;

/** An account on one chain, as it is watched. The same address on another chain is another wallet. */
export interface EvmWallet {
  readonly id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly chainId: bigint;
  readonly address: Address;
  readonly tokens: readonly EvmToken[];
  readonly limits: readonly EvmLimit[];
  /** From when on its past is read; null: it is taken as new. */
  readonly birthday: EvmBirthday | null;
}

/** The first block that may hold something, or a time before it (ms since 1970). */
export type EvmBirthday = { readonly number: number } | { readonly timeMs: number };

export interface EvmToken {
  readonly token: Address;
  readonly symbol: string;
  readonly decimals: number;
}

/** In the smallest unit; null: not watched for. `token` null: the chain's own coin. */
export interface EvmLimit {
  readonly token: Address | null;
  readonly large: bigint | null;
  readonly above: bigint | null;
  readonly below: bigint | null;
}

export interface EvmWalletError {
  readonly code: 'evm_wallet_bad_id' | 'evm_wallet_bad_token' | 'evm_wallet_bad_limit' | 'evm_wallet_bad_chain';
  readonly message: string;
}

/** Bounds what one wallet costs in each block. */
const MAX_TOKENS = 64;

/** A wallet that keeps to the bounds. Addresses come in their canonical form. */
export function evmWallet(wallet: EvmWallet): Result<EvmWallet, EvmWalletError> {
  const fault = (code: EvmWalletError['code'], message: string) => err({ code, message });
  if (!WALLET_ID.test(wallet.id)) {
    return fault('evm_wallet_bad_id', 'The id of a wallet has 1 to 64 of a–z, 0–9, “.”, “_” and “-”.');
  }
  if (wallet.chainId < 1n || wallet.chainId > BigInt(Number.MAX_SAFE_INTEGER)) {
    return fault('evm_wallet_bad_chain', 'The id of a chain is a number from 1 to 9007199254740991 (EIP-155).');
  }
  const tokens = new Set(wallet.tokens.map(({ token }) => token));
  if (tokens.size !== wallet.tokens.length || tokens.size > MAX_TOKENS) {
    return fault('evm_wallet_bad_token', `Each token is named once, and at most ${MAX_TOKENS} of them.`);
  }
  for (const { symbol, decimals } of wallet.tokens) {
    if (symbol !== '' && symbol.length <= 32 && Number.isInteger(decimals) && decimals >= 0 && decimals <= 77) continue;
    return fault('evm_wallet_bad_token', 'A token has a symbol of at most 32 letters and 0 to 77 decimals.');
  }
  for (const [i, { token, large, above, below }] of wallet.limits.entries()) {
    if (wallet.limits.findIndex((each) => each.token === token) !== i) {
      return fault('evm_wallet_bad_limit', 'Limits are given once for each token.');
    }
    if (token !== null && !tokens.has(token)) {
      return fault('evm_wallet_bad_limit', 'A limit is for the chain’s own coin or for a token of the wallet.');
    }
    for (const amount of [large, above, below]) {
      if (amount === null || (amount >= 0n && amount <= MAX_UINT256)) continue;
      return fault('evm_wallet_bad_limit', 'A limit is an amount of 0 or more.');
    }
  }
  return ok(wallet);
}
