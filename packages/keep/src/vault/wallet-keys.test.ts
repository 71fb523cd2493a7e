import { expect, it } from 'vitest';
import type { Slot } from '../secure/index.ts';
import { createWalletKeys } from './wallet-keys.ts';

const slot = (name: string) => ({ name }) as unknown as Slot;

it('finds what a start brought and what came later', () => {
  const keys = createWalletKeys();
  // The order of the store: that of the ids' bytes.
  const ids = ['-a', '0', 'A', 'Z', '_', 'a', 'aa', 'z'];
  for (const id of ids) keys.push(id, slot(id));
  for (const id of [...ids, ...ids]) expect(keys.get(id)).toEqual(slot(id));
  for (const id of ['', '-', '1', 'B', 'ab', 'zz']) expect(keys.get(id)).toBeUndefined();
  keys.set('B', slot('new'));
  keys.set('B', slot('newer'));
  keys.set('z', slot('other'));
  expect([keys.get('B'), keys.get('z'), keys.size]).toEqual([slot('newer'), slot('other'), ids.length + 1]);
  keys.clear();
  expect([keys.get('a'), keys.get('B'), keys.size]).toEqual([undefined, undefined, 0]);
});

it('takes the keys of a start in order alone', () => {
  const keys = createWalletKeys();
  keys.push('b', slot('b'));
  expect(() => keys.push('a', slot('a'))).toThrow(RangeError);
  expect(() => keys.push('b', slot('b'))).toThrow(RangeError);
});
