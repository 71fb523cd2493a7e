import { describe, expect, it } from 'vitest';
import { forbiddenBy } from './deny-match.ts';
import {
  BOB,
  etherRequest,
  EVE,
  outflow,
  requestOf,
  tokenRequest,
  USDT,
  USDT_ASSET,
  WALLET,
} from './engine.fixture.ts';
import type { DenyRule } from './grant.ts';
import type { Action, NamedValue } from './intent.ts';

const rule = { id: 'd', createdSeq: 9, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' } as const;
const CONTRACT = '0xc0ffee0000000000000000000000000000000000';
const SAFE = '0x5afe000000000000000000000000000000000000';

const words = (names: Partial<DenyRule>, request = etherRequest()) => forbiddenBy({ ...rule, ...names }, request);
const ofAction = (names: Partial<DenyRule>, action: Action) => words(names, requestOf({ actions: [action] }));

const args: readonly NamedValue[] = [
  { name: 'amount', type: 'uint256', value: 5n },
  { name: 'path', type: 'address[]', value: [CONTRACT, EVE] },
  {
    name: 'order',
    type: 'tuple',
    value: [
      { name: 'memo', type: 'string', value: 'x' },
      { name: 'to', type: 'address', value: BOB },
    ],
  },
];
const call = {
  ...{ kind: 'contract-call', sender: SAFE, contract: CONTRACT, function: 'swap()', args, value: 0n, callType: 'call' },
} as const satisfies Action;
const opaque = {
  ...{ kind: 'opaque-call', sender: SAFE, contract: CONTRACT, selector: null, value: 0n, callType: 'call', why: 'x' },
} as const satisfies Action;
const typed = {
  ...{ kind: 'typed-data', primaryType: 'Order', typeHash: '0xaa', fields: args, registered: true },
  domain: { name: 'App', version: null, chainId: 1n, verifyingContract: CONTRACT, salt: null },
} as const satisfies Action;
const creation = { kind: 'contract-creation', initCodeHash: '0xaa', initCodeBytes: 1, value: 0n } as const;
const delegation = { kind: 'delegation', delegate: CONTRACT, chainId: 1n, nonce: 0n } as const;
const message = { kind: 'message', text: `Give all to ${BOB.toUpperCase()}!` } as const;

describe('what a deny rule finds of a request', () => {
  it.each<[string, Action, string]>([
    ['an ether transfer', { kind: 'ether-transfer', sender: 'wallet', recipient: BOB, amount: 0n }, `ether to ${BOB}`],
    ['a token transfer', tokenRequest().intent.actions[0]!, `${USDT_ASSET} to ${BOB}`],
    ['a contract call', call, `swap() at ${CONTRACT}`],
    ['an opaque call', opaque, `a call of ${CONTRACT}`],
    ['a creation', creation, 'a new contract'],
    ['typed data', typed, `Order for ${CONTRACT}`],
    ['a message', message, 'a message'],
    ['a delegation', delegation, `delegation to ${CONTRACT}`],
  ])('by its kind: %s', (_, action, expected) => {
    expect(ofAction({ actions: [action.kind] }, action)).toBe(expected);
    expect(ofAction({}, action)).toBe(expected);
    const other = action.kind === 'message' ? 'delegation' : 'message';
    expect(ofAction({ actions: [other] }, action)).toBeUndefined();
    expect(ofAction({ functions: ['other()'] }, action)).toBeUndefined();
    expect(ofAction({ addresses: ['0xdead'] }, action)).toBeUndefined();
  });

  it('says that typed data without a contract have none', () => {
    const bare = { ...typed, domain: { ...typed.domain, verifyingContract: null } };
    expect(ofAction({}, bare)).toBe('Order for no contract');
  });

  it.each<[string, Action, readonly string[]]>([
    ['an ether transfer', { kind: 'ether-transfer', sender: SAFE, recipient: BOB, amount: 0n }, [BOB, SAFE]],
    ['a token transfer', tokenRequest({ from: EVE, sender: SAFE }).intent.actions[0]!, [BOB, EVE, SAFE, USDT]],
    ['a contract call, in its arguments to any depth', call, [CONTRACT, SAFE, EVE, BOB]],
    ['an opaque call', opaque, [CONTRACT, SAFE]],
    ['typed data, in their fields to any depth', typed, [CONTRACT, EVE, BOB]],
    ['a message that spells it', message, [BOB]],
    ['a delegation', delegation, [CONTRACT]],
    ['a creation, which names nobody', creation, []],
  ])('by who is mentioned: %s', (_, action, mentioned) => {
    for (const address of [BOB, EVE, SAFE, CONTRACT, USDT, WALLET]) {
      const expected = mentioned.includes(address);
      expect([address, ofAction({ addresses: ['0xdead', address] }, action) !== undefined]).toEqual([
        address,
        expected,
      ]);
    }
  });

  it('by asset and route: of the action itself, and of whatever leaves besides', () => {
    const bare = requestOf({ actions: etherRequest().intent.actions });
    expect(words({ assets: ['native'] }, bare)).toBe(`ether to ${BOB}`);
    expect(words({ routes: ['value'] }, bare)).toBe(`ether to ${BOB}`);
    expect(words({ assets: [USDT_ASSET] }, bare)).toBeUndefined();
    expect(words({ routes: ['transfer'] }, bare)).toBeUndefined();
    expect(ofAction({ assets: ['native'] }, call)).toBeUndefined();
    expect(ofAction({ routes: ['value'] }, call)).toBeUndefined();
    expect(ofAction({ functions: ['swap()'] }, call)).toBe(`swap() at ${CONTRACT}`);
    const leaking = requestOf({
      actions: [call],
      outflows: [outflow(USDT_ASSET, 1n, EVE, 'router', { account: WALLET })],
    });
    expect(words({ assets: [USDT_ASSET] }, leaking)).toBe(`${USDT_ASSET} to ${EVE}`);
    expect(words({ routes: ['router'], addresses: [EVE] }, leaking)).toBe(`${USDT_ASSET} to ${EVE}`);
    expect(words({ routes: ['router'], addresses: [WALLET] }, leaking)).toBe(`${USDT_ASSET} to ${EVE}`);
    expect(words({ routes: ['router'], addresses: [BOB] }, leaking)).toBeUndefined();
    expect(words({ routes: ['order'], addresses: [EVE] }, leaking)).toBeUndefined();
  });

  it('in one action or outflow, all that it names', () => {
    const two = requestOf({ actions: [...etherRequest().intent.actions, ...tokenRequest({ to: EVE }).intent.actions] });
    expect(words({ assets: [USDT_ASSET], addresses: [EVE] }, two)).toBe(`${USDT_ASSET} to ${EVE}`);
    expect(words({ assets: ['native'], addresses: [EVE] }, two)).toBeUndefined();
    expect(words({ actions: ['ether-transfer'], assets: [USDT_ASSET] }, two)).toBeUndefined();
  });

  it('and a list of nothing matches nothing', () => {
    for (const names of [{ actions: [] }, { assets: [] }, { routes: [] }, { functions: [] }, { addresses: [] }]) {
      expect(words(names)).toBeUndefined();
    }
  });
});
