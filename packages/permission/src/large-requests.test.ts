import { describe, expect, it } from 'vitest';
import { forbiddenBy } from './deny-match.ts';
import { BOB, requestOf } from './engine.fixture.ts';
import type { DenyRule } from './grant.ts';
import type { Action } from './intent.ts';
import { firstUnmet } from './kinds/conditions.ts';

/**
 * The largest requests against the largest rules. Where the work grows with both of them, one request takes a third of a
 * second, and a hundred of them many times what is given here.
 */
const TIMES = 100;
const ENOUGH_MS = 20_000;

const address = (i: number) => `0x${i.toString(16).padStart(40, 'a')}`;
const addresses = (from: number, count: number) => Array.from({ length: count }, (_, i) => address(from + i));
const args = [{ name: 'list', type: 'address[]', value: addresses(5_000, 4_000) }];

describe('four thousand addresses in one request', () => {
  const rule = (named: readonly string[]): DenyRule => ({
    ...{ kind: 'deny', id: 'd1', createdSeq: 1, client: 'any', wallet: 'any', chain: 'any' },
    addresses: named,
  });
  const call: Action = {
    ...{ kind: 'contract-call', sender: 'wallet', contract: BOB, function: 'pay(address[])', args },
    ...{ value: 0n, callType: 'call' },
  };
  const signed: Action = {
    ...{ kind: 'typed-data', primaryType: 'Pay', typeHash: '0x', fields: args, registered: true },
    domain: { name: null, version: null, chainId: 1n, verifyingContract: BOB, salt: null },
  };

  it.each([
    ['called', call],
    ['signed', signed],
  ])(
    'are held against a thousand that are forbidden: %s',
    (_, action) => {
      const request = requestOf({ actions: [action], outflows: [] });
      for (let i = 0; i < TIMES; i++) expect(forbiddenBy(rule(addresses(0, 1_000)), request)).toBeUndefined();
      expect(forbiddenBy(rule([...addresses(0, 999), address(8_999)]), request)).toBeDefined();
      expect(forbiddenBy(rule([BOB]), request)).toBeDefined();
      expect(forbiddenBy(rule([address(9_000)]), request)).toBeUndefined();
    },
    ENOUGH_MS,
  );

  it(
    'are held against a thousand that are permitted',
    () => {
      const values = addresses(0, 1_000);
      const where = [{ path: '/list/*', test: 'one-of', values }] as const;
      const request = requestOf({ actions: [call] });
      const asked = (last: string) => [
        { ...args[0]!, value: [...Array.from({ length: 3_999 }, () => values[999]!), last] },
      ];
      for (let i = 0; i < TIMES; i++) expect(firstUnmet(where, asked(values[0]!), request)).toBeUndefined();
      expect(firstUnmet(where, asked(address(1_000)), request)).toBe(where[0]);
    },
    ENOUGH_MS,
  );
});
