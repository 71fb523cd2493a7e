import { fromHex, toBase64url, toHex, utf8 } from '@keepwatch/base';
import { encodeUnsigned, type Address, type ContractEntry, type Eip1559Transaction } from '@keepwatch/evm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { EvmSpend } from '../evm/spend.ts';
import type { Finding } from '../finding.ts';
import { decodeVaultState, encodeVaultState } from './codec.ts';
import type { VaultInput } from './event.ts';
import { applyVaultEvent } from './fold.ts';
import { createPermitReader, type VaultPermit } from './permit.ts';
import { createVaultState, type LostHistory, type VaultState } from './state.ts';
import { vaultStep } from './step.ts';

export const WALLET = `0x${'a1'.repeat(20)}` as Address;
export const TOKEN = `0x${'70'.repeat(20)}` as Address;
export const BOB = `0x${'b0'.repeat(20)}` as Address;
export const MALLORY = `0x${'66'.repeat(20)}` as Address;
export const PERMIT2 = '0x000000000022d473030f116ddee9f6b43ac78ba3' as Address;
export const reader = createPermitReader(keccak_256);
export const HASH = `0x${'cc'.repeat(32)}` as const;

/** What the reader makes of a receipt. `more`: further facts of its entry. */
export function permitOf(
  seq: number,
  form: VaultPermit['form'],
  payload: string,
  more: object = {},
  contracts: readonly ContractEntry[] = [],
): VaultPermit {
  const entry = {
    ...{ type: 'request.permitted', chain: 'eip155:1', form, payload, nonce: null, grant: 'g1' },
    digest: toBase64url(keccak_256(utf8(payload))),
    ...more,
  };
  return reader.read(seq, entry, WALLET, contracts)!;
}

export const word = (value: bigint | Address) => BigInt(value).toString(16).padStart(64, '0');

export function callOf(seq: number, to: Address, data: string, contracts: readonly ContractEntry[] = []): VaultPermit {
  const transaction = {
    ...{ type: 'eip1559', chainId: 1, nonce: seq, maxPriorityFeePerGas: 1n, maxFeePerGas: 1n, gasLimit: 50_000n },
    ...{ to, value: 0n, data: fromHex(data)!, accessList: [] },
  } as unknown as Eip1559Transaction;
  return permitOf(seq, 'transaction', `0x${toHex(encodeUnsigned(transaction))}`, { nonce: seq }, contracts);
}
export const approve = (seq: number, spender: Address, amount: bigint) =>
  callOf(seq, TOKEN, `095ea7b3${word(spender)}${word(amount)}`);

export const DOMAIN = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
];
export const uint = (name: string) => ({ name, type: 'uint256' });
export const account = (name: string) => ({ name, type: 'address' });

type Fields = readonly { readonly name: string; readonly type: string }[];

/** Typed data of one type, or of that and those that it refers to. */
export function typed(
  seq: number,
  verifyingContract: Address,
  types: Readonly<Record<string, Fields>>,
  message: object,
  contracts: readonly ContractEntry[] = [],
): VaultPermit {
  const json = {
    types: { EIP712Domain: DOMAIN, ...types },
    ...{ primaryType: Object.keys(types)[0]!, domain: { name: 'T', version: '1', chainId: 1, verifyingContract } },
    message,
  };
  return permitOf(seq, 'typed-data', JSON.stringify(json), {}, contracts);
}

/** EIP-2612. */
export function permit2612(seq: number, spender: Address, value: bigint): VaultPermit {
  const Permit = [account('owner'), account('spender'), uint('value'), uint('nonce'), uint('deadline')];
  const message = { owner: WALLET, spender, value: `${value}`, nonce: '0', deadline: '4000000000' };
  return typed(seq, TOKEN, { Permit }, message);
}

export function createRoom(nowMs = 1_800_000_000_000, begun: VaultState = createVaultState()) {
  let state = begun;
  const findings: Finding[] = [];
  let now = nowMs;
  let number = 0;
  const feed = (input: VaultInput): readonly Finding[] => {
    const events = vaultStep(state, input, now);
    for (const event of events) applyVaultEvent(state, event);
    const told = events.flatMap((event) => (event.kind === 'finding' ? [event.finding] : []));
    findings.push(...told);
    return told;
  };
  const wallets = (vault: string, createdMs = 0) =>
    feed({ kind: 'vault-wallets', vault, wallets: [{ wallet: 'w', address: WALLET, createdMs }] });
  feed({ kind: 'vault-put', vault: 'v' });
  wallets('v');
  return {
    feed,
    findings,
    wallets,
    /** As a snapshot writes it. */
    bytes: () => encodeVaultState(state),
    /** What it holds, by kind. */
    counts: () => ({ spends: [...state.spends.keys()].length, pieces: [...state.rights.keys()].length }),
    restart() {
      const read = decodeVaultState(encodeVaultState(state));
      if (!read.ok) throw new Error(read.error);
      state = read.value;
    },
    settled: (number: number) => feed({ kind: 'chain-settled', chainId: 1n, number, timeMs: now }),
    now: () => now,
    pass: (seconds: number) => void (now += seconds * 1_000),
    permits: (...permits: VaultPermit[]) =>
      feed({ kind: 'vault-permits', vault: 'v', wallet: 'w', permits, place: null }),
    look: (vault = 'v', phase: 'sealed' | 'unsealed' = 'unsealed', lost: readonly LostHistory[] = []) =>
      feed({
        ...{
          kind: 'vault-looked',
          vault,
          asked: state.order,
          phase,
          lastSeq: 9,
          complete: ['w'],
          lost,
          place: null,
        },
      }),
    take(amount: bigint, caller: Address = BOB, more: Partial<EvmSpend> = {}, id = 'evm-spent', past = false) {
      const block = { number: 1, hash: HASH, timeMs: now };
      const spend: EvmSpend = {
        ...{ wallet: 'hot', chainId: 1n, address: WALLET, how: 'allowance', txHash: HASH, nonce: null, caller },
        ...{ token: TOKEN, amount, seenAtMs: now, block, ...more },
      };
      return feed({ kind: 'spend', id: `${id}/${++number}:hot`, spend, past });
    },
  };
}

export const details = (findings: readonly Finding[]) => findings.map(({ detail }) => detail);
