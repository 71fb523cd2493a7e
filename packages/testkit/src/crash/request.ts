import { randomBytes } from 'node:crypto';
import { toHex } from '@keepwatch/base';
import type { MethodParams, MethodResult } from '@keepwatch/protocol';
import { encodeTransfer } from '@keepwatch/sdk';
import { uuidV7 } from '@keepwatch/wire';
import type { Wallet } from '../world/index.ts';

/** One request to sign, as its client remembers it for as long as the test runs. */
export interface SignRequest {
  /** Peer id of the client. */
  readonly client: string;
  readonly wallet: Wallet;
  readonly nonce: number;
  /** What it takes from a volume limit if it is permitted: value and maximum fee, wei. */
  readonly charge: bigint;
  readonly unsigned: Uint8Array;
  readonly params: MethodParams<'transaction.sign'>;
}

/** What the vault answered to it. */
export type SignAnswer = MethodResult<'transaction.sign'>;

export const CHAIN = 'eip155:1';
const GAS = 21_000n;
/** Longer than any test run: the same request is repeated with the same parameters much later. */
const LIFETIME_MS = 3_600_000;

/** A transfer back to the wallet itself. The same nonce with another value is another transaction. */
export function createRequest(client: string, wallet: Wallet, nonce: number, value: bigint): SignRequest {
  const fees = { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, gasLimit: GAS };
  const unsigned = encodeTransfer({ chainId: 1, nonce, to: wallet.address, value, ...fees });
  const now = Date.now();
  const params = {
    wallet: wallet.wallet,
    chain: CHAIN,
    transaction: `0x${toHex(unsigned)}`,
    key: uuidV7(now, randomBytes),
    expires: now + LIFETIME_MS,
  };
  return { client, wallet, nonce, charge: value + GAS, unsigned, params };
}
