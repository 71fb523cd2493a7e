import { toHex } from '@keepwatch/base';
import { encodeAuthorization, type Address, type ContractEntry } from '@keepwatch/evm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import type { EvmSpend } from '../evm/spend.ts';
import type { VaultPermit } from './permit.ts';
import {
  account,
  approve,
  BOB,
  callOf,
  createRoom,
  details,
  HASH,
  MALLORY,
  PERMIT2,
  permit2612,
  permitOf,
  TOKEN,
  typed,
  uint,
  WALLET,
  word,
} from './room.fixture.ts';

const MARKET = `0x${'3a'.repeat(20)}` as Address;
const SAFE = `0x${'5a'.repeat(20)}` as Address;
const PURSE = `0x${'77'.repeat(20)}` as Address;
const UNLIMITED = 2n ** 256n - 1n;
const NOW = 1_800_000_000_000;
const selector = (line: string) => toHex(keccak_256(new TextEncoder().encode(line))).slice(0, 8);

const entryOf = (address: Address, standards: readonly string[]): ContractEntry => ({
  ...{ chain: 'eip155:1', address, name: standards[0]!, standards, functions: [], symbol: 'T', decimals: 0 },
});
const approval = (spender: Address): Partial<EvmSpend> => ({ spender });

describe('an approval that somebody else brought to the chain', () => {
  it('is the vault’s where it signed a permit for this spender, up to its amount', () => {
    const room = createRoom();
    room.permits(permit2612(1, BOB, 50n));
    expect(details(room.take(50n, MALLORY, approval(BOB)))).toMatchObject([
      { kind: 'signed-spend', permit: 1, by: 'right' },
    ]);
    // What is allowed is not taken yet.
    expect(details(room.take(50n))).toMatchObject([{ kind: 'signed-spend', permit: 1, by: 'right' }]);
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('is an alarm where it is for somebody else, or for more', () => {
    const room = createRoom();
    room.permits(permit2612(1, BOB, 50n));
    room.take(50n, BOB, approval(MALLORY));
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'no-allowance' }]);
    room.take(51n, BOB, approval(BOB));
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('is not explained by an approval that the account itself has to send', () => {
    const room = createRoom();
    room.permits(approve(1, BOB, 50n));
    room.take(50n, BOB, approval(BOB));
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'no-allowance' }]);
  });
});

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

  it('are the vault’s where who was approved is the contract that is called', () => {
    const room = createRoom();
    room.permits(approve(1, MARKET, UNLIMITED));
    expect(details(room.take(10n ** 30n, MALLORY, { callee: MARKET }))).toMatchObject([{ by: 'right' }]);
  });

  it('are told as unclear where neither who calls nor what is called was allowed: contracts may lie in between', () => {
    const room = createRoom();
    room.permits(approve(1, BOB, UNLIMITED));
    expect(room.take(10n ** 30n, MALLORY, { callee: MARKET })).toEqual([]);
    expect(room.look()).toMatchObject([
      {
        severity: 'warning',
        detail: { kind: 'unclear-spend', why: 'other-caller', maybe: [{ vault: 'v', permit: 1 }] },
      },
    ]);
  });

  it('may be unclear no more often than what was signed would last', () => {
    const room = createRoom();
    room.permits(approve(1, BOB, 10n));
    room.take(10n, MALLORY);
    expect(details(room.look())).toMatchObject([{ kind: 'unclear-spend' }]);
    room.take(10n, MALLORY);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('are an alarm where no approval was ever signed', () => {
    const room = createRoom();
    room.permits(callOf(1, `0x${'71'.repeat(20)}` as Address, `095ea7b3${word(BOB)}${word(100n)}`));
    room.take(1n);
    expect(room.look()).toMatchObject([
      { severity: 'critical', detail: { kind: 'unsigned-spend', why: 'no-allowance' } },
    ]);
  });

  it('are the vault’s by several approvals together, as where an allowance was raised', () => {
    const room = createRoom();
    const raise = callOf(2, TOKEN, `${selector('increaseAllowance(address,uint256)')}${word(BOB)}${word(50n)}`);
    room.permits(approve(1, BOB, 100n), raise);
    expect(details(room.take(120n))).toMatchObject([{ kind: 'signed-spend', permit: 2 }]);
    expect(details(room.take(30n))).toMatchObject([{ kind: 'signed-spend' }]);
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('are not explained by an approval of Permit2 alone', () => {
    const room = createRoom();
    room.permits(approve(1, PERMIT2, UNLIMITED));
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'no-allowance' }]);
  });

  it('on another chain are another matter', () => {
    const room = createRoom();
    room.permits(approve(1, BOB, 100n));
    room.take(1n, BOB, { chainId: 10n });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
  });

  it('are not explained by what is permitted after it was concluded', () => {
    const room = createRoom();
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
    expect(room.permits(approve(1, BOB, 5n))).toEqual([]);
  });
});

describe('a typed signature', () => {
  const details2 = [
    { name: 'token', type: 'address' },
    { name: 'amount', type: 'uint160' },
    { name: 'expiration', type: 'uint48' },
    { name: 'nonce', type: 'uint48' },
  ];
  const single = (seq: number, amount: bigint, untilMs: number) =>
    typed(
      seq,
      PERMIT2,
      {
        PermitSingle: [{ name: 'details', type: 'PermitDetails' }, account('spender'), uint('sigDeadline')],
        PermitDetails: details2,
      },
      {
        details: { token: TOKEN, amount: `${amount}`, expiration: `${untilMs / 1_000}`, nonce: '0' },
        ...{ spender: BOB, sigDeadline: '4000000000' },
      },
    );

  it('of Permit2 lets its spender take what it says until it ends, by the chain’s clock, and then no more', () => {
    const room = createRoom();
    room.permits(single(1, 100n, NOW + 60_000));
    expect(details(room.take(60n))).toMatchObject([{ kind: 'signed-spend', permit: 1, by: 'right' }]);
    room.take(60n);
    expect(details(room.look())).toMatchObject([{ why: 'more-than-allowed' }]);
    room.pass(61);
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'expired' }]);
  });

  it('for one transfer is used up by it, whatever it took', () => {
    const room = createRoom();
    const once = typed(
      1,
      PERMIT2,
      {
        PermitTransferFrom: [
          { name: 'permitted', type: 'TokenPermissions' },
          ...[account('spender'), uint('nonce'), uint('deadline')],
        ],
        TokenPermissions: [account('token'), uint('amount')],
      },
      { permitted: { token: TOKEN, amount: '100' }, spender: BOB, nonce: '1', deadline: '4000000000' },
    );
    room.permits(once);
    expect(details(room.take(10n))).toMatchObject([{ kind: 'signed-spend' }]);
    room.take(10n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('of EIP-3009 is for who gets it, whoever brings it', () => {
    const fields = [account('from'), account('to'), uint('value'), uint('validAfter'), uint('validBefore')];
    const TransferWithAuthorization = [...fields, { name: 'nonce', type: 'bytes32' }];
    const message = { from: WALLET, to: BOB, value: '9', validAfter: '0', validBefore: '4000000000', nonce: HASH };
    const room = createRoom();
    room.permits(typed(1, TOKEN, { TransferWithAuthorization }, message));
    room.take(9n, BOB, { recipient: MALLORY });
    expect(details(room.look())).toMatchObject([{ kind: 'unclear-spend', why: 'other-caller' }]);
    const fresh = createRoom();
    fresh.permits(typed(1, TOKEN, { TransferWithAuthorization }, message));
    expect(details(fresh.take(9n, MALLORY, { recipient: BOB }))).toMatchObject([{ kind: 'signed-spend', by: 'right' }]);
  });

  const string = (name: string) => ({ name, type: 'string' });
  const Order = [
    ...[account('sellToken'), account('buyToken'), account('receiver'), uint('sellAmount'), uint('buyAmount')],
    ...[{ name: 'validTo', type: 'uint32' }, { name: 'appData', type: 'bytes32' }, uint('feeAmount'), string('kind')],
    ...[{ name: 'partiallyFillable', type: 'bool' }, string('sellTokenBalance'), string('buyTokenBalance')],
  ];
  const order = (contracts: readonly ContractEntry[]) =>
    typed(
      1,
      MARKET,
      { Order },
      {
        ...{
          sellToken: TOKEN,
          buyToken: BOB,
          receiver: WALLET,
          sellAmount: '90',
          buyAmount: '1',
          validTo: 4_000_000_000,
        },
        ...{ appData: HASH, feeAmount: '10', kind: 'sell', partiallyFillable: true },
        ...{ sellTokenBalance: 'erc20', buyTokenBalance: 'erc20' },
      },
      contracts,
    );

  it('of an order is read as the vault read it, by the contracts that it knows, whoever fills it', () => {
    const room = createRoom();
    room.permits(order([entryOf(MARKET, ['cow-settlement'])]));
    expect(details(room.take(70n, MALLORY, { callee: MARKET }))).toMatchObject([{ kind: 'signed-spend', by: 'right' }]);
    room.take(40n, MALLORY, { callee: MARKET });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
    // Somebody by whom it does not go cannot fill it; that he went by further contracts cannot be seen.
    room.take(30n, MALLORY, { callee: BOB });
    expect(details(room.look())).toMatchObject([{ kind: 'unclear-spend', why: 'other-caller' }]);
  });

  it('that cannot be read makes it unclear, and is no proof that nothing was signed', () => {
    const room = createRoom();
    const unread = order([]);
    expect(unread).toMatchObject({ rights: [], unread: true });
    room.permits(unread);
    room.take(70n, MALLORY, { callee: MARKET });
    expect(room.look()).toMatchObject([
      { severity: 'critical', detail: { kind: 'unclear-spend', why: 'unread', maybe: [{ vault: 'v', permit: 1 }] } },
    ]);
  });

  it('of a Safe is read as what the Safe does with the account’s tokens, once', () => {
    const bytes = (name: string) => ({ name, type: 'bytes' });
    const SafeTx = [
      ...[account('to'), uint('value'), bytes('data'), { name: 'operation', type: 'uint8' }, uint('safeTxGas')],
      ...[uint('baseGas'), uint('gasPrice'), account('gasToken'), account('refundReceiver'), uint('nonce')],
    ];
    const zero = `0x${'00'.repeat(20)}`;
    const data = `0x23b872dd${word(WALLET)}${word(BOB)}${word(7n)}`;
    const message = {
      ...{ to: TOKEN, value: '0', data, operation: 0, safeTxGas: '0', baseGas: '0', gasPrice: '0' },
      ...{ gasToken: zero, refundReceiver: zero, nonce: '0' },
    };
    // The vault's operators say which contract is the Safe and which the token.
    const contracts = [entryOf(SAFE, ['safe']), entryOf(TOKEN, ['erc20'])];
    const room = createRoom();
    room.permits(typed(1, SAFE, { SafeTx }, message, contracts));
    expect(details(room.take(7n, MALLORY, { callee: SAFE, recipient: BOB }))).toMatchObject([
      { kind: 'signed-spend', by: 'right' },
    ]);
    room.take(7n, MALLORY, { callee: SAFE, recipient: BOB });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });
});

it('reads approvals within calls of the token itself', () => {
  const inner = `095ea7b3${word(BOB)}${word(100n)}`;
  const data = `${selector('multicall(bytes[])')}${word(32n)}${word(1n)}${word(32n)}${word(68n)}${inner.padEnd(192, '0')}`;
  const room = createRoom();
  room.permits(callOf(1, TOKEN, data, [entryOf(TOKEN, ['erc20', 'multicall'])]));
  expect(details(room.take(100n))).toMatchObject([{ kind: 'signed-spend', permit: 1, by: 'right' }]);
  room.take(1n);
  expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
});

describe('a delegation (EIP-7702)', () => {
  const signed = (seq: number, address: Address, nonce: number): VaultPermit => {
    const bytes = encodeAuthorization({ chainId: 1, address, nonce });
    return permitOf(seq, 'delegation', `0x${toHex(bytes)}`, { nonce });
  };
  const set = (delegate: Address, from: bigint, to = from + 1n): Partial<EvmSpend> => ({
    ...{ how: 'delegation', delegate, uses: { from, to }, token: null, caller: null, txHash: null },
  });

  it('is the vault’s for the code, the chain and the nonce that were signed, and for no later one', () => {
    const room = createRoom();
    room.permits(signed(1, PURSE, 4));
    expect(details(room.take(0n, BOB, set(PURSE, 4n)))).toMatchObject([{ by: 'delegation', permit: 1 }]);
    const foreign = [set(PURSE, 7n), set(MALLORY, 4n), { ...set(PURSE, 4n), chainId: 10n }];
    for (const each of foreign) {
      room.take(0n, BOB, each);
      expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'no-permit' }]);
    }
  });

  it('explains what its code does, and not what other code does', () => {
    const room = createRoom();
    room.permits(signed(1, PURSE, 4));
    const pays = { how: 'delegation', token: null, txHash: null, caller: null } as const;
    expect(details(room.take(5n, BOB, { ...pays, delegate: PURSE }))).toMatchObject([{ by: 'delegation' }]);
    // By code of its own an account can allow others something as well.
    expect(details(room.take(5n, BOB, { delegate: PURSE, ...approval(BOB) }))).toMatchObject([{ by: 'delegation' }]);
    room.take(5n, BOB, { ...pays, delegate: MALLORY });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'no-permit' }]);
  });

  it('explains nonces that no transaction shows, where each of them was signed', () => {
    const room = createRoom();
    const used = { ...set(PURSE, 4n, 6n), delegate: undefined } as unknown as Partial<EvmSpend>;
    delete (used as { delegate?: unknown }).delegate;
    room.permits(signed(1, PURSE, 4));
    room.take(0n, BOB, used);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
    room.permits(signed(2, PURSE, 5));
    expect(details(room.take(0n, BOB, used))).toMatchObject([{ by: 'delegation', permit: 2 }]);
  });
});
