import type { Address } from '@keepwatch/evm';
import type { Hash32 } from '../evm/spend.ts';
import type { VaultPermit } from './permit.ts';
import { chainKey, type VaultState } from './state.ts';

/**
 * What a vault signed for the nonces of an account. It is never forgotten: a spend may be read of the past years later. So it
 * is kept short, a line of text for each transaction, some hundred bytes; the lines of 64 nonces are one text, and whoever
 * asks for a nonce reads no other text.
 */
export interface SignedTransaction {
  readonly seq: number;
  readonly digest: Hash32;
  readonly grant: string;
}

/** An authorisation (EIP-7702). */
export interface SignedDelegation {
  readonly seq: number;
  readonly nonce: bigint | null;
  readonly delegate: Address | null;
  readonly grant: string;
}

const NONCES = 64n;
const textKey = (wallet: string, chainId: bigint, nonce: bigint) => `${chainKey(wallet, chainId)}/${nonce / NONCES}`;

/** Transactions that were signed for a nonce, in the order of the journal. `wallet`: its `walletKey`. */
export function signedFor(
  { signed }: VaultState,
  wallet: string,
  chainId: bigint,
  nonce: bigint,
): readonly SignedTransaction[] {
  const lines = signed.get(textKey(wallet, chainId, nonce))?.split('\n') ?? [];
  return lines.filter((line) => line.startsWith(`${nonce} `)).map(readLine);
}

export function delegationsOf({ delegations }: VaultState, wallet: string, chainId: bigint) {
  return delegations.get(chainKey(wallet, chainId)) ?? [];
}

/** Whether something was signed that could use up the nonce. */
export function isSignedFor(state: VaultState, wallet: string, chainId: bigint, nonce: bigint): boolean {
  return (
    signedFor(state, wallet, chainId, nonce).length > 0 ||
    delegationsOf(state, wallet, chainId).some((each) => each.nonce === nonce)
  );
}

export function addSigned(state: VaultState, wallet: string, permit: VaultPermit): void {
  const { form, chainId, nonce, seq, digest, grant, delegate } = permit;
  if (form === 'delegation') {
    const known = delegationsOf(state, wallet, chainId);
    state.delegations.set(chainKey(wallet, chainId), [...known, { seq, nonce, delegate, grant }]);
  }
  if (form !== 'transaction' || nonce === null) return;
  const key = textKey(wallet, chainId, nonce);
  const line = `${nonce} ${seq} ${digest} ${JSON.stringify(grant)}`;
  const before = state.signed.get(key);
  state.signed.set(key, before === undefined ? line : `${before}\n${line}`);
}

/** JSON writes the line breaks of a grant's name in another way, so that a line is a line. */
function readLine(line: string): SignedTransaction {
  const [, seq = '', digest = ''] = line.split(' ', 3);
  const at = line.indexOf('"');
  return { seq: Number(seq), digest: digest as Hash32, grant: JSON.parse(line.slice(at)) as string };
}
