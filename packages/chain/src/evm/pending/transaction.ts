import type { Address } from '@keepwatch/evm';
import type { EvmWatched } from '../account.ts';
import { proofOf } from '../digest.ts';
import type { EvmPendingFacts } from '../facts.ts';
import { address, addressOfWord, hash, hex, object, quantity } from '../words.ts';

/** What an upstream shows outside blocks: of no concern here, made up, or a transaction. */
export type ReadPending =
  { readonly is: 'strange' | 'forged' } | { readonly is: 'read'; readonly facts: EvmPendingFacts };

/** `transfer(address,uint256)` of EIP-20. */
const TRANSFER = 'a9059cbb';

/**
 * A transaction as an upstream shows it: read where it is sent by a watched account, pays one, or transfers a token to one
 * that watches this token; and its bytes are checked. Throws `upstream_malformed` where it is none.
 */
export function readPending(value: unknown, watched: ReadonlyMap<Address, EvmWatched>, chainId: bigint): ReadPending {
  const given = object(value);
  const from = address(given['from']);
  const to = given['to'] === null || given['to'] === undefined ? null : address(given['to']);
  const input = given['input'];
  const transfer = typeof input === 'string' ? transferOf(input) : null;
  const amount = quantity(given['value']);
  const pays = to !== null && amount > 0n && watched.has(to);
  const moves = to !== null && transfer !== null && watched.get(transfer.to)?.tokens.includes(to) === true;
  if (!watched.has(from) && !pays && !moves) return { is: 'strange' };
  const proof = proofOf(given, chainId);
  if (proof.says === 'forged') return { is: 'forged' };
  const digest = proof.says === 'signed' ? proof.digest : null;
  const nonce = quantity(given['nonce']);
  return { is: 'read', facts: { hash: hash(given['hash']), from, to, nonce, value: amount, digest, transfer } };
}

function transferOf(input: string): EvmPendingFacts['transfer'] {
  // Most are something else: they are told by their first letters.
  if (input.slice(2, 10).toLowerCase() !== TRANSFER || input.length < 138) return null;
  const words = hex(input.slice(0, 138)).slice(8);
  const to = addressOfWord(`0x${words.slice(0, 64)}`);
  return to === undefined ? null : { to, amount: BigInt(`0x${words.slice(64)}`) };
}
