import { fromHex, toHex } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { ReadLogs } from './block.ts';
import type { EvmAccountFacts, EvmAllowance, EvmCode, Hash32 } from './facts.ts';
import { malformed } from './fault.ts';
import type { RpcAnswer, RpcCall } from './rpc.ts';
import { addressOfWord, hex, quantity, word, wordOfAddress } from './words.ts';

/** An account to look at in each block. */
export interface EvmWatched {
  readonly address: Address;
  /** Nothing is known of it yet: all that is named is read once. */
  readonly fresh: boolean;
  readonly tokens: readonly Address[];
  /** Allowances that are known: they are read again where somebody spends of them. */
  readonly allowances: readonly { readonly token: Address; readonly spender: Address }[];
  /** Others that are read in any case. */
  readonly unread: readonly { readonly token: Address; readonly spender: Address }[];
  /** What concerns it and was seen outside blocks: it is looked for in each block, and asked about while it waits. */
  readonly pending: readonly EvmAwaited[];
}

/** A transaction that was sighted. `proven`: its bytes were checked. */
export interface EvmAwaited {
  readonly hash: Hash32;
  readonly from: Address;
  readonly nonce: bigint;
  readonly proven: boolean;
}

/** Where a proxy keeps what it runs (EIP-1967): keccak256("eip1967.proxy.implementation") − 1. */
const IMPLEMENTATION = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
/** EIP-7702: code that is a delegation. */
const DELEGATION = 'ef0100';

/** State by the hash of a block (EIP-1898): never by a number, which another block may take. */
export const atBlock = (blockHash: Hash32) => ({ blockHash });

export const CALLS_OF_STATE = 4;
/** `at`: a block by its hash (`atBlock`), or by its number where it is settled. */
export function stateQuestions(address: Address, at: object | string): readonly RpcCall[] {
  return [
    ['eth_getBalance', [address, at]],
    ['eth_getTransactionCount', [address, at]],
    ['eth_getCode', [address, at]],
    ['eth_getStorageAt', [address, IMPLEMENTATION, at]],
  ];
}

/** Null where the upstream does not have it: one of the answers is an error. */
export function readState(answers: readonly RpcAnswer[]): EvmAccountFacts['state'] {
  const results = answers.map((answer) => ('error' in answer ? null : answer.result));
  const [balance, nonce, code, slot] = results;
  if (results.includes(null)) return null;
  const read = readCode(code);
  const implementation = addressOfWord(`0x${hex(slot).padStart(64, '0')}`) ?? null;
  const isSet = read.kind === 'contract' && implementation !== null && BigInt(implementation) !== 0n;
  return {
    ...{ balance: quantity(balance), nonce: quantity(nonce), code: read },
    implementation: isSet ? implementation : null,
  };
}

function readCode(value: unknown): EvmCode {
  const code = hex(value);
  if (code === '') return { kind: 'none' };
  if (code.startsWith(DELEGATION) && code.length === 46) return { kind: 'delegation', to: `0x${code.slice(6)}` };
  return { kind: 'contract', hash: `0x${toHex(keccak_256(fromHex(code) ?? malformed('code')))}` };
}

export interface Holding {
  readonly token: Address;
  /** Null: the balance; otherwise what this spender may take. */
  readonly spender: Address | null;
}

/** What of tokens is to be read in a block for one account: all at first, then what its logs touch. */
export function holdingsToRead(watched: EvmWatched, { transfers, approvals }: ReadLogs): readonly Holding[] {
  const { address, tokens, fresh, unread } = watched;
  const wanted = new Map<string, Holding>();
  const want = (token: Address, spender: Address | null) => wanted.set(`${token}/${spender}`, { token, spender });
  if (fresh) for (const token of tokens) want(token, null);
  for (const { token, spender } of unread) if (tokens.includes(token)) want(token, spender);
  for (const { token, from, to, caller } of transfers) {
    if ((from !== address && to !== address) || !tokens.includes(token)) continue;
    want(token, null);
    if (from !== address || caller === address) continue;
    for (const known of watched.allowances) if (known.token === token) want(token, known.spender);
  }
  for (const { token, owner, spender } of approvals) {
    if (owner === address && tokens.includes(token)) want(token, spender);
  }
  return [...wanted.values()];
}

/** `balanceOf(address)` and `allowance(address,address)` (EIP-20). */
export function holdingQuestion(owner: Address, { token, spender }: Holding, block: Hash32): RpcCall {
  const account = wordOfAddress(owner).slice(2);
  const data = spender === null ? `0x70a08231${account}` : `0xdd62ed3e${account}${wordOfAddress(spender).slice(2)}`;
  return ['eth_call', [{ to: token, data }, atBlock(block)]];
}

/** A contract that gives no number is no ERC-20, and has no balance here. */
export function readHolding(answer: RpcAnswer): bigint | undefined {
  return 'error' in answer ? undefined : word(answer.result);
}

/** What an approval said of tokens that are not read: nobody named them. */
export function claimedAllowances(watched: EvmWatched, { approvals }: ReadLogs): readonly EvmAllowance[] {
  return approvals
    .filter(({ owner, token }) => owner === watched.address && !watched.tokens.includes(token))
    .map(({ token, spender, amount }) => ({ token, spender, amount }));
}
