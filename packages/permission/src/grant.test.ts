import { expect, it } from 'vitest';
import { etherGrant, tokenGrant, volume } from './engine.fixture.ts';
import { byAge, constraintsOf, permits, type Grant } from './grant.ts';

const deny: Grant = { id: 'd', createdSeq: 1, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' };
const cap: Grant = { id: 'c', createdSeq: 1, kind: 'cap', wallet: 'w', chain: 'eip155:1', constraints: [volume(1n)] };

it('tells grants that permit from rules that only restrict', () => {
  expect([etherGrant(), tokenGrant(), deny, cap].map(permits)).toEqual([true, true, false, false]);
  expect(constraintsOf(deny)).toEqual([]);
  expect(constraintsOf(cap)).toEqual([volume(1n)]);
});

it('orders grants by when they were created, and by their id where that is the same', () => {
  const aged = (id: string, createdSeq: number) => etherGrant({ id, createdSeq });
  expect(byAge(aged('b', 1), aged('a', 2))).toBeLessThan(0);
  expect(byAge(aged('a', 2), aged('b', 1))).toBeGreaterThan(0);
  expect(byAge(aged('a', 1), aged('b', 1))).toBeLessThan(0);
  expect(byAge(aged('b', 1), aged('a', 1))).toBeGreaterThan(0);
  expect(byAge(aged('a', 1), aged('a', 1))).toBe(0);
});
