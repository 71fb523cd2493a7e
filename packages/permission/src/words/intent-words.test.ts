import { describe, expect, it } from 'vitest';
import { BOB, etherRequest, EVE, outflow, tokenRequest, USDT_ASSET } from '../engine.fixture.ts';
import type { Action, Intent, Outflow, TokenTransfer } from '../intent.ts';
import { describeIntent, describeTerms } from './intent-words.ts';

const ETHER = 10n ** 18n;
const tokens = { [USDT_ASSET]: { symbol: 'USDT', decimals: 6 } };
const words = (actions: readonly Action[], more: Partial<Intent> = {}) => {
  const intent = { ...etherRequest().intent, actions, outflows: [], ...more };
  return describeIntent({ client: 'bot', intent }, { tokens }).replace('Client bot wants to ', '');
};
const token = tokenRequest().intent.actions[0] as TokenTransfer;
const call = { sender: 'wallet', contract: EVE, value: 0n, callType: 'call' } as const;
const opaque: Action = { kind: 'opaque-call', selector: '0x12345678', why: 'x', ...call };
const known = (args: Extract<Action, { kind: 'contract-call' }>['args'] = []): Action => ({
  ...{ kind: 'contract-call', function: 'f(uint256)', args, ...call },
});

describe('an action in words', () => {
  it.each<[string, Action, string]>([
    [
      'ether of another',
      { kind: 'ether-transfer', sender: EVE, recipient: BOB, amount: ETHER },
      `transfer 1 ETH to ${BOB} by way of ${EVE}`,
    ],
    ['an item', { ...token, tokenId: 7n, amount: 1_000_000n }, `transfer 1 USDT (token 7) to ${BOB}`],
    ['tokens of another', { ...token, from: EVE }, `transfer 0.0001 USDT of ${EVE} to ${BOB}`],
    ['tokens by way of another', { ...token, sender: EVE }, `transfer 0.0001 USDT to ${BOB} by way of ${EVE}`],
    [
      'an order',
      { ...token, route: 'order', holds: 'allowance', untilMs: 0, from: EVE },
      `offer 0.0001 USDT of ${EVE} through ${BOB} until 1970-01-01T00:00:00.000Z`,
    ],
    [
      'an allowance',
      { ...token, route: 'approve', holds: 'allowance', from: EVE },
      `let ${BOB} take 0.0001 USDT of ${EVE}`,
    ],
    ['an opaque call', opaque, `make a call of ${EVE} that is not understood (0x12345678)`],
    [
      'one without a selector',
      { ...opaque, selector: null },
      `make a call of ${EVE} that is not understood (no selector)`,
    ],
    [
      'one with value and the rights of the caller',
      { ...opaque, value: ETHER, callType: 'delegatecall', sender: BOB },
      `make a call of ${EVE} that is not understood (0x12345678) with 1 ETH with the rights of the caller by way of ${BOB}`,
    ],
    [
      'a call with value and the rights of the caller',
      { ...known(), value: ETHER, callType: 'delegatecall', sender: BOB } as Action,
      `call f() of ${EVE} with 1 ETH with the rights of the caller by way of ${BOB}`,
    ],
    [
      'a contract',
      { kind: 'contract-creation', initCodeHash: '0xab', initCodeBytes: 5, value: 0n },
      'create a contract of 5 bytes (0xab)',
    ],
    [
      'a contract with value',
      { kind: 'contract-creation', initCodeHash: '0xab', initCodeBytes: 5, value: ETHER },
      'create a contract of 5 bytes (0xab) with 1 ETH',
    ],
    ['a text', { kind: 'message', text: 'Log in' }, 'sign the message "Log in"'],
    [
      'a delegation',
      { kind: 'delegation', delegate: BOB, chainId: 1n, nonce: 0n },
      `hand the wallet over to the code of ${BOB}`,
    ],
    [
      'data of no contract that nobody registered',
      {
        ...{ kind: 'typed-data', primaryType: 'Note', typeHash: '0x', fields: [], registered: false },
        domain: { name: 'App', version: null, chainId: null, verifyingContract: null, salt: null },
      },
      'sign Note for "App" (no contract), a type that is not registered,',
    ],
  ])('%s', (_, action, sentence) => {
    expect(words([action])).toBe(`${sentence} on Ethereum`);
  });

  it('is cut where a list or a text is long', () => {
    const list = (length: number) => [
      { name: 'to', type: 'uint256[]', value: Array.from({ length }, (_, i) => BigInt(i)) },
    ];
    expect(words([known(list(4))])).toContain('f(to: [0, 1, 2, 3]) of');
    expect(words([known(list(5))])).toContain('f(to: [0, 1, 2, 3, …]) of');
    const tuple = [{ name: 'order', type: 'tuple', value: [{ name: 'a', type: 'uint256', value: 5n }] }];
    expect(words([known(tuple)])).toContain('f(order: [5]) of');
    const text = (length: number) => words([{ kind: 'message', text: 'x'.repeat(length) }]);
    expect(text(60)).toBe(`sign the message "${'x'.repeat(60)}" on Ethereum`);
    expect(text(61)).toBe(`sign the message "${'x'.repeat(59)}…" on Ethereum`);
    expect(words([{ kind: 'message', text: 'a\u202eb' }])).toBe('sign the message "a�b" on Ethereum');
  });
});

describe('what is asked as a whole', () => {
  it('says that and why it is not understood', () => {
    expect(words([opaque], { opaque: 'unknown_function' })).toContain(
      ' on Ethereum (not understood: unknown_function)',
    );
  });

  it('names eight actions, and how many more there are', () => {
    const transfer: Action = { kind: 'ether-transfer', sender: 'wallet', recipient: BOB, amount: 1n };
    const of = (length: number) => words(Array.from({ length }, () => transfer));
    expect(of(8)).not.toContain('more');
    expect(of(8).match(/transfer/g)).toHaveLength(8);
    expect(of(9).match(/transfer/g)).toHaveLength(8);
    expect(of(9)).toContain(' and 1 more on Ethereum');
    expect(of(10)).toContain(' and 2 more on Ethereum');
  });

  it('adds what may leave by a call, but for what it says already and for nothing', () => {
    const leaving = (outflows: readonly Outflow[], ...actions: Action[]) => words([known(), ...actions], { outflows });
    expect(leaving([outflow(USDT_ASSET, 0n, EVE, 'router')])).not.toContain('may leave');
    expect(leaving([outflow(USDT_ASSET, 100n, BOB)], token)).not.toContain('may leave');
    const other = outflow(USDT_ASSET, 200n, EVE, 'router');
    expect(leaving([outflow(USDT_ASSET, 100n, BOB), other], token)).toContain(
      `; by it may leave 0.0002 USDT to ${EVE}`,
    );
    const paid = { ...opaque, value: 5n } as Action;
    expect(leaving([outflow('native', 5n, EVE, 'value')], paid)).not.toContain('may leave');
    // Of transfers alone everything is said.
    expect(words([token], { outflows: [other] })).not.toContain('may leave');
  });

  it('sums what is not named one by one, without an end where one part has none', () => {
    const many = (amount: (i: number) => bigint | 'unlimited', asset = (_: number) => USDT_ASSET) =>
      words([known()], { outflows: Array.from({ length: 9 }, (_, i) => outflow(asset(i), amount(i), EVE, 'router')) });
    expect(many(() => 1_000_000n)).toMatch(/, and 1 more; in all 9 USDT$/);
    expect(many((i) => (i === 0 ? 'unlimited' : 1n))).toMatch(/; in all unlimited USDT$/);
    expect(many((i) => (i === 8 ? 'unlimited' : 1n))).toMatch(/; in all unlimited USDT$/);
    expect(
      many(
        () => 1n,
        (i) => `erc20:0x${i}`,
      ),
    ).toMatch(/units? of erc20:0x7 and 1 other assets$/);
  });

  it('has a nonce and a fee, or one of them, or none', () => {
    const terms = (patch: Partial<Intent>) => describeTerms({ ...etherRequest({ fee: ETHER }).intent, ...patch });
    expect(terms({})).toBe('nonce 0, fee at most 1 ETH');
    expect(terms({ nonce: null })).toBe('fee at most 1 ETH');
    expect(terms({ fee: null })).toBe('nonce 0');
    expect(terms({ fee: null, nonce: null })).toBe('');
  });
});
