import { toBase64url, toHex, utf8 } from '@keepwatch/base';
import { encodeUnsigned, type Address, type Eip1559Transaction } from '@keepwatch/evm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import type { EvmSpend } from '../evm/spend.ts';
import type { Finding } from '../finding.ts';
import type { VaultInput } from './event.ts';
import { applyVaultEvent } from './fold.ts';
import { createPermitReader, type VaultPermit } from './permit.ts';
import { createVaultState } from './state.ts';
import { vaultStep } from './step.ts';

const WALLET = `0x${'a1'.repeat(20)}` as Address;
const TOKEN = `0x${'70'.repeat(20)}` as Address;
const BOB = `0x${'b0'.repeat(20)}` as Address;
const MALLORY = `0x${'66'.repeat(20)}` as Address;
const PERMIT2 = '0x000000000022d473030f116ddee9f6b43ac78ba3' as Address;
const reader = createPermitReader(keccak_256);
const HASH = `0x${'cc'.repeat(32)}` as const;

function permitOf(seq: number, form: VaultPermit['form'], payload: string, more: object = {}): VaultPermit {
  const entry = {
    ...{ type: 'request.permitted', chain: 'eip155:1', form, payload, nonce: null, grant: 'g1' },
    digest: toBase64url(keccak_256(utf8(payload))),
    ...more,
  };
  return reader.read(seq, entry, WALLET)!;
}

const word = (value: bigint | Address) => BigInt(value).toString(16).padStart(64, '0');

function callOf(seq: number, to: Address, data: string): VaultPermit {
  const transaction = {
    ...{ type: 'eip1559', chainId: 1, nonce: seq, maxPriorityFeePerGas: 1n, maxFeePerGas: 1n, gasLimit: 50_000n },
    ...{ to, value: 0n, data: Uint8Array.from(Buffer.from(data, 'hex')), accessList: [] },
  } as unknown as Eip1559Transaction;
  return permitOf(seq, 'transaction', `0x${toHex(encodeUnsigned(transaction))}`, { nonce: seq });
}
const approve = (seq: number, spender: Address, amount: bigint) =>
  callOf(seq, TOKEN, `095ea7b3${word(spender)}${word(amount)}`);

const DOMAIN = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
];
const uint = (name: string) => ({ name, type: 'uint256' });
const account = (name: string) => ({ name, type: 'address' });

/** EIP-2612. */
function permit2612(seq: number, spender: Address, value: bigint): VaultPermit {
  const Permit = [account('owner'), account('spender'), uint('value'), uint('nonce'), uint('deadline')];
  const json = {
    types: { EIP712Domain: DOMAIN, Permit },
    ...{ primaryType: 'Permit', domain: { name: 'T', version: '1', chainId: 1, verifyingContract: TOKEN } },
    message: { owner: WALLET, spender, value: `${value}`, nonce: '0', deadline: '4000000000' },
  };
  return permitOf(seq, 'typed-data', JSON.stringify(json));
}

function createRoom(nowMs = 1_800_000_000_000) {
  const state = createVaultState();
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
    pass: (seconds: number) => void (now += seconds * 1_000),
    permits: (...permits: VaultPermit[]) =>
      feed({ kind: 'vault-permits', vault: 'v', wallet: 'w', permits, place: null }),
    look: (vault = 'v', phase: 'sealed' | 'unsealed' = 'unsealed') =>
      feed({ kind: 'vault-looked', vault, asked: state.order, phase, lastSeq: 9, complete: ['w'], place: null }),
    take(amount: bigint, caller: Address = BOB, more: Partial<EvmSpend> = {}, id = 'evm-spent') {
      const block = { number: 1, hash: HASH, timeMs: now };
      const spend: EvmSpend = {
        ...{ wallet: 'hot', chainId: 1n, address: WALLET, how: 'allowance', txHash: HASH, nonce: null, caller },
        ...{ token: TOKEN, amount, seenAtMs: now, block, ...more },
      };
      return feed({ kind: 'spend', id: `${id}/${++number}:hot`, spend });
    },
  };
}

const details = (findings: readonly Finding[]) => findings.map(({ detail }) => detail);

describe('tokens that somebody else takes', () => {
  it('are the vault’s where it signed the approval, for who was approved and within the amount', () => {
    const room = createRoom();
    room.permits(approve(1, BOB, 100n));
    expect(details(room.take(60n))).toMatchObject([{ kind: 'signed-spend', permit: 1, by: 'right' }]);
    expect(details(room.take(40n))).toMatchObject([{ kind: 'signed-spend', permit: 1 }]);
    // What is left of it is nothing.
    expect(room.take(1n)).toEqual([]);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('say so where the caller is not who was allowed, for a contract may lie in between', () => {
    const room = createRoom();
    room.permits(approve(1, BOB, 2n ** 256n - 1n));
    expect(details(room.take(10n ** 30n, MALLORY))).toMatchObject([{ by: 'right-of-other' }]);
  });

  it('are an alarm where no approval was ever signed', () => {
    const room = createRoom();
    room.permits(callOf(1, `0x${'71'.repeat(20)}` as Address, `095ea7b3${word(BOB)}${word(100n)}`));
    room.take(1n);
    expect(room.look()).toMatchObject([
      { severity: 'critical', detail: { kind: 'unsigned-spend', why: 'no-allowance' } },
    ]);
  });

  it('are the vault’s by a permit that it signed and another brought to the chain', () => {
    const room = createRoom();
    room.permits(permit2612(1, BOB, 50n));
    expect(details(room.take(50n, BOB, {}, 'evm-allowance'))).toMatchObject([{ kind: 'signed-spend', by: 'right' }]);
    expect(details(room.take(50n))).toMatchObject([{ kind: 'signed-spend', permit: 1, by: 'right' }]);
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('are not explained by an approval of Permit2 alone', () => {
    const room = createRoom();
    room.permits(approve(1, PERMIT2, 2n ** 256n - 1n));
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'no-allowance' }]);
  });

  it('on another chain are another matter', () => {
    const room = createRoom();
    room.permits(approve(1, BOB, 100n));
    room.take(1n, BOB, { chainId: 10n });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
  });
});

describe('what the vault says', () => {
  it('of the bytes decides, and not the nonce', () => {
    const room = createRoom();
    const signed = callOf(5, TOKEN, '');
    room.permits(signed);
    const own = { how: 'transaction', nonce: 5n, token: null, caller: WALLET } as const;
    expect(details(room.take(1n, WALLET, { ...own, digest: signed.digest }))).toMatchObject([{ by: 'bytes' }]);
    room.take(1n, WALLET, { ...own, digest: HASH, txHash: `0x${'dd'.repeat(32)}` });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'other-bytes' }]);
  });

  it('is waited for, and its silence is told; what it says later takes that back', () => {
    const room = createRoom();
    room.take(1n);
    room.feed({ kind: 'vault-trouble', vault: 'v', trouble: 'down', words: 'It cannot be reached.' });
    room.pass(10);
    expect(room.feed({ kind: 'tick' })).toEqual([]);
    room.pass(15);
    const [silent] = room.feed({ kind: 'tick' });
    expect(silent).toMatchObject({ severity: 'critical', detail: { kind: 'vault-silent', vaults: ['v'] } });
    expect(room.feed({ kind: 'tick' })).toEqual([]);
    expect(details(room.permits(approve(1, BOB, 5n)))).toMatchObject([{ kind: 'signed-spend', amends: silent!.id }]);
    expect(room.look()).toEqual([]);
  });

  it('while sealed is enough', () => {
    const room = createRoom();
    room.take(1n);
    expect(details(room.look('v', 'sealed'))).toMatchObject([
      { kind: 'vault-sealed', over: false },
      { kind: 'unsigned-spend', upTo: [{ vault: 'v', seq: 9, sealed: true }] },
    ]);
    expect(details(room.look())).toMatchObject([{ kind: 'vault-sealed', over: true }]);
  });

  it('is asked of every vault that has the key', () => {
    const room = createRoom();
    room.feed({ kind: 'vault-put', vault: 'second' });
    room.wallets('second');
    room.take(1n);
    expect(room.look()).toEqual([]);
    expect(details(room.look('second'))).toMatchObject([{ upTo: [{ vault: 'v' }, { vault: 'second' }] }]);
  });

  it('is not asked of what was spent before the vault had the key', () => {
    const room = createRoom();
    room.feed({ kind: 'vault-removed', vault: 'v' });
    room.feed({ kind: 'vault-put', vault: 'v' });
    room.wallets('v', 1_800_000_000_000);
    room.take(1n, BOB, { block: { number: 1, hash: HASH, timeMs: 1_700_000_000_000 } });
    expect(room.look()).toEqual([]);
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
  });
});

it('takes back what it said of a spend that a reorganisation takes back, and gives back what it took of a right', () => {
  const room = createRoom();
  room.permits(approve(1, BOB, 100n));
  const [first] = room.take(100n);
  const [gone] = room.feed({ kind: 'spends-withdrawn', ids: ['evm-spent/1:hot'] });
  expect(gone).toMatchObject({ detail: { kind: 'spend-withdrawn', retracts: [first!.id] } });
  expect(details(room.take(100n))).toMatchObject([{ kind: 'signed-spend' }]);
  expect(new Set(room.findings.map(({ id }) => id)).size).toBe(room.findings.length);
});

it('tells of one transaction once, in however many ways it spends', () => {
  const room = createRoom();
  const own = { how: 'transaction', nonce: 5n, caller: WALLET } as const;
  for (const token of [null, TOKEN]) room.take(1n, WALLET, { ...own, token });
  expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
});

it('tells once what is wrong with a vault, and that it is over', () => {
  const room = createRoom();
  const down = { kind: 'vault-trouble', vault: 'v', trouble: 'down', words: 'Away.' } as const;
  room.feed(down);
  room.pass(61);
  expect(details(room.feed({ kind: 'tick' }))).toMatchObject([{ kind: 'vault-down', over: false }]);
  expect(room.feed(down)).toEqual([]);
  expect(room.feed({ kind: 'tick' })).toEqual([]);
  expect(details(room.feed({ ...down, trouble: 'rolled-back' }))).toMatchObject([{ kind: 'vault-rolled-back' }]);
  expect(details(room.look())).toMatchObject([
    { kind: 'vault-down', over: true },
    { kind: 'vault-rolled-back', over: true },
  ]);
});

it('asks nobody about a spend whose vault is followed no longer', () => {
  const room = createRoom();
  room.take(1n);
  room.feed({ kind: 'vault-removed', vault: 'v' });
  room.pass(30);
  expect(room.feed({ kind: 'tick' })).toEqual([]);
  expect(room.feed({ kind: 'spends-withdrawn', ids: ['evm-spent/1:hot'] })).toEqual([]);
});

it('reads no permit out of what is none', () => {
  for (const entry of [{}, { type: 'request.denied' }, { type: 'request.permitted', chain: 'eip155:1', digest: 'x' }]) {
    expect(reader.read(1, entry, WALLET)).toBe(undefined);
  }
  expect(permitOf(1, 'typed-data', '{"types":').rights).toEqual([]);
  expect(permitOf(1, 'transaction', '0x02').rights).toEqual([]);
});
