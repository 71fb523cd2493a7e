import { describe, expect, it } from 'vitest';
import type { Constraint } from '../constraint.ts';
import { BOB, etherGrant, EVE, tokenGrant, USDT_ASSET } from '../engine.fixture.ts';
import {
  ACKNOWLEDGE_DELEGATECALL,
  ACKNOWLEDGE_DELEGATION,
  ACKNOWLEDGE_OPAQUE_CALL,
  ACKNOWLEDGE_UNREGISTERED_TYPE,
  type Condition,
  type ContractCallGrant,
  type DenyRule,
  type Grant,
  type TypedDataGrant,
} from '../grant.ts';
import { describeConstraint, describeGrant } from './grant-words.ts';

const ETHER = 10n ** 18n;
const scope = { id: 'g', createdSeq: 1, client: 'bot', wallet: 'hot', chain: 'eip155:1', constraints: [] } as const;
const call: ContractCallGrant = {
  ...{ ...scope, kind: 'contract-call', contracts: [EVE], functions: [{ function: 'f()', where: [] }] },
};
const typed: TypedDataGrant = {
  ...{ ...scope, kind: 'typed-data', contract: EVE, types: [{ primaryType: 'Order', where: [] }] },
};

describe('a grant in words', () => {
  it.each<[string, Grant, string]>([
    ['ether to anybody', etherGrant({ recipients: 'any', constraints: [] }), 'transfer ETH to any address on Ethereum'],
    [
      'also for other accounts',
      etherGrant({ constraints: [], accounts: [EVE, BOB] }),
      `transfer ETH to ${BOB} on Ethereum: also for what is in ${EVE} and ${BOB}`,
    ],
    [
      'of tokens without a limit',
      tokenGrant({ constraints: [], unlimited: [USDT_ASSET, 'native'], routes: ['transfer', 'approve'] }),
      `transfer USDT to ${BOB} (by transfer and approve) on Ethereum: no limit on USDT and ETH`,
    ],
    [
      'of several tokens',
      tokenGrant({ constraints: [], assets: [{ asset: 'erc20:0x1' }, { asset: 'erc20:0x2' }], spenders: 'any' }),
      `transfer erc20:0x1 and erc20:0x2 to ${BOB}, letting any address take them (by any route) on Ethereum`,
    ],
    ['of a call', call, `call f() of ${EVE} on Ethereum`],
    [
      'of a call that gives to others and acts as the caller',
      { ...call, recipients: [BOB], delegatecall: ACKNOWLEDGE_DELEGATECALL },
      `call f() of ${EVE}, to the benefit of ${BOB}, also with the rights of the caller on Ethereum`,
    ],
    ['of a call that gives to nobody', { ...call, recipients: [] }, `call f() of ${EVE} on Ethereum`],
    ['of a call of nothing', { ...call, contracts: [] }, 'call f() of nobody on Ethereum'],
    [
      'of calls that are not understood',
      { ...scope, kind: 'opaque-call', contracts: [EVE], selectors: 'any', acknowledge: ACKNOWLEDGE_OPAQUE_CALL },
      `make calls of ${EVE} that are not understood on Ethereum`,
    ],
    [
      'of such calls by their selectors',
      {
        ...{ ...scope, kind: 'opaque-call', contracts: [EVE], selectors: ['0x11111111', 'none'] },
        acknowledge: ACKNOWLEDGE_OPAQUE_CALL,
      },
      `make calls of ${EVE} that are not understood (0x11111111 and none) on Ethereum`,
    ],
    [
      'of any contract',
      { ...scope, kind: 'contract-creation', initCodeHashes: 'any' },
      'create any contract on Ethereum',
    ],
    [
      'of known contracts',
      { ...scope, kind: 'contract-creation', initCodeHashes: ['0xaa', '0xbb'] },
      'create contracts of init code 0xaa, 0xbb on Ethereum',
    ],
    ['of typed data', typed, `sign Order for the application (${EVE}) on Ethereum`],
    [
      'of typed data without a contract, registered or not',
      { ...typed, contract: 'none', name: 'App', acknowledge: ACKNOWLEDGE_UNREGISTERED_TYPE },
      'sign Order for App (no contract), registered or not, on Ethereum',
    ],
    [
      'of messages',
      { ...scope, kind: 'message', messages: [{ prefix: 'Log "in"' }, { template: 'I am {}' }] },
      'sign messages that begin with "Log \\"in\\"" or like "I am {}" on Ethereum',
    ],
    [
      'of the whole wallet',
      { ...scope, kind: 'delegation', delegates: [BOB, EVE], acknowledge: ACKNOWLEDGE_DELEGATION },
      `hand the whole wallet over to the code of ${BOB} or ${EVE} on Ethereum`,
    ],
  ])('%s', (_, grant, sentence) => {
    expect(describeGrant(grant)).toBe(sentence);
  });

  it('is in the names that people gave', () => {
    expect(describeGrant(etherGrant({ constraints: [] }), { coin: 'tETH', chain: 'the test chain' })).toBe(
      `transfer tETH to ${BOB} on the test chain`,
    );
    expect(describeGrant({ ...scope, kind: 'cap' }, { wallet: 'payroll' })).toBe(
      'whatever is granted, wallet payroll as a whole on Ethereum',
    );
  });
});

describe('the conditions of a call in words', () => {
  it.each<[Condition, string]>([
    [{ path: '/amount', test: 'equals', value: '5' }, 'amount is 5'],
    [{ path: '/order/to', test: 'one-of', values: ['a', true] }, 'order.to is a or true'],
    [{ path: '/n', test: 'range', min: null, max: 4n }, 'n is at most 4'],
    [{ path: '/n', test: 'range', min: 3n, max: null }, 'n is at least 3'],
    [{ path: '/n', test: 'range', min: 3n, max: 4n }, 'n is from 3 to 4'],
    [{ path: '/memo', test: 'prefix', value: 'a"' }, 'memo begins with "a\\""'],
    [{ path: '/order/path/-1', test: 'is-wallet' }, 'order.path.-1 is the wallet itself'],
  ])('%#', (condition, words) => {
    const where = [condition];
    expect(describeGrant({ ...call, functions: [{ function: 'f()', where }] })).toBe(
      `call f() where ${words} of ${EVE} on Ethereum`,
    );
    expect(describeGrant({ ...typed, types: [{ primaryType: 'Order', where }] })).toBe(
      `sign Order where ${words} for the application (${EVE}) on Ethereum`,
    );
  });

  it('stand beside each other', () => {
    const is = (name: string): Condition => ({ path: `/${name}`, test: 'is-wallet' });
    const functions = [
      { function: 'f()', where: [is('a'), is('b')] },
      { function: 'g()', where: [] },
    ];
    expect(describeGrant({ ...call, functions })).toBe(
      `call f() where a is the wallet itself and b is the wallet itself and g() of ${EVE} on Ethereum`,
    );
  });
});

describe('a deny rule in words', () => {
  const rule: DenyRule = { id: 'd', createdSeq: 1, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' };

  it.each<[Partial<DenyRule>, string]>([
    [{}, 'never anything with any wallet, whoever asks on any chain'],
    [{ wallet: 'w1', chain: 'eip155:10' }, 'never anything with wallet w1, whoever asks on OP Mainnet'],
    [{ client: 'c1' }, 'never anything with any wallet, whoever of c1 asks on any chain'],
    [{ client: { group: 'ops' } }, 'never anything with any wallet, whoever of the group ops asks on any chain'],
    [
      {
        ...{ actions: ['message', 'delegation'], assets: [USDT_ASSET, 'native'], routes: ['permit', 'approve'] },
        ...{ functions: ['f()', 'g()'], addresses: [BOB, EVE] },
      },
      `never message or delegation, what moves ${USDT_ASSET} or ETH, by permit or approve, f() or g(), what involves ${BOB} or ${EVE} with any wallet, whoever asks on any chain`,
    ],
  ])('%j', (patch, sentence) => {
    expect(describeGrant({ ...rule, ...patch })).toBe(sentence);
  });

  it('names client and wallet as people do', () => {
    expect(describeGrant({ ...rule, client: 'c1', wallet: 'w1' }, { client: 'bot', wallet: 'hot' })).toBe(
      'never anything with wallet hot, whoever of bot asks on any chain',
    );
  });
});

describe('a constraint in words', () => {
  const tokens = { [USDT_ASSET]: { symbol: 'USDT', decimals: 6 } };

  it.each<[Constraint, string]>([
    [
      { type: 'volume', asset: 'native', limit: ETHER, window: { seconds: 60 } },
      'at most 1 ETH a minute (value and maximum fees)',
    ],
    [
      { type: 'volume', asset: USDT_ASSET, limit: 7n, window: { seconds: 61 } },
      'at most 0.000007 USDT in any 61 seconds',
    ],
    [{ type: 'count', limit: 2, window: { ever: true } }, 'at most 2 signatures ever'],
    [{ type: 'max-value', asset: USDT_ASSET, limit: 9_000_000n }, 'at most 9 USDT at once'],
    [{ type: 'gas-limit', limit: 21_000n }, 'a gas limit of at most 21000'],
    [{ type: 'max-fee-per-gas', limit: 30n }, 'at most 30 wei per gas'],
    [{ type: 'max-priority-fee', limit: 2n }, 'a priority fee of at most 2 wei per gas'],
    [{ type: 'max-fee', limit: ETHER / 2n }, 'a fee of at most 0.5 ETH each'],
    [{ type: 'validity', fromMs: 0, untilMs: 1_000 }, 'from 1970-01-01T00:00:00.000Z until 1970-01-01T00:00:01.000Z'],
    [{ type: 'validity', fromMs: null, untilMs: 1_000 }, 'until 1970-01-01T00:00:01.000Z'],
    [
      {
        ...{ type: 'weekly', zone: 'UTC' },
        spans: [
          { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '20:00' },
          { days: ['sat', 'sun'], from: '10:00', to: '24:00' },
        ],
      },
      'only 08:00–20:00 on Monday, Tuesday, Wednesday, Thursday and Friday and 10:00–24:00 on Saturday and Sunday (UTC)',
    ],
    [{ type: 'min-interval', seconds: 3_600 }, 'an hour apart'],
    [{ type: 'outstanding', asset: USDT_ASSET, limit: 1n }, 'at most 0.000001 USDT signed and not settled'],
    [
      { type: 'quorum', above: { asset: USDT_ASSET, amount: 0n }, approvals: 1 },
      'above 0 USDT with the approval of 1 operator',
    ],
  ])('%#', (constraint, words) => {
    expect(describeConstraint(constraint, 'eip155:1', { tokens })).toBe(words);
  });
});
