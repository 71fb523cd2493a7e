import { expect, it } from 'vitest';
import { createGrantIndex } from './grant-index.ts';
import type { Grant } from './grant.ts';

function grant(id: string, createdSeq: number, client = 'bot', wallet = 'hot', chain = 'eip155:1'): Grant {
  const scope = { id, createdSeq, client, wallet, chain };
  const constraints = [{ type: 'volume', limit: 1n, windowSeconds: 1 }] as const;
  return { ...scope, kind: 'ether-transfer', recipients: 'any', constraints };
}

it('finds the grants of one client, wallet and chain, oldest first', () => {
  const index = createGrantIndex();
  const young = grant('a', 3);
  const old = grant('b', 1);
  for (const each of [young, grant('c', 2, 'other'), grant('d', 2, 'bot', 'cold'), old]) index.add(each);
  index.add(grant('e', 2, 'bot', 'hot', 'eip155:10'));
  expect(index.candidates('bot', 'hot', 'eip155:1')).toEqual([old, young]);
  expect(index.candidates('bot', 'cold', 'eip155:10')).toEqual([]);
  expect(index.get('b')).toBe(old);
  expect(() => index.add(grant('b', 9))).toThrow(RangeError);

  expect(index.remove('b')).toBe(true);
  expect(index.remove('b')).toBe(false);
  expect(index.get('b')).toBe(undefined);
  expect(index.candidates('bot', 'hot', 'eip155:1')).toEqual([young]);
  index.remove('a');
  expect(index.candidates('bot', 'hot', 'eip155:1')).toEqual([]);
});

it('does not confuse scopes whose names run into each other', () => {
  const index = createGrantIndex();
  index.add(grant('a', 1, 'bot","hot', 'x'));
  expect(index.candidates('bot', 'hot","x', 'eip155:1')).toEqual([]);
});
