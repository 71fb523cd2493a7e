import { expect, it } from 'vitest';
import { requestOf, WALLET } from '../engine.fixture.ts';
import { isMember, isWallet, notAmong } from './members.ts';

it('finds a member in lists of every length, and nobody else', () => {
  for (const length of [0, 1, 8, 9, 500]) {
    const list = Array.from({ length }, (_, i) => `0x${i}`);
    // Twice: a long list is looked up in a set that was made the first time.
    for (let i = 0; i < 2; i++) {
      for (const item of list) expect(isMember(list, item)).toBe(true);
      expect(isMember(list, `0x${length}`)).toBe(false);
      expect(isMember(list, 'any')).toBe(false);
    }
  }
  expect(isMember('any', '0x0')).toBe(true);
});

it('says who is missing and how many there are', () => {
  expect(notAmong(['a', 'b'], 'c', 'recipient_not_permitted')).toEqual({
    ...{ code: 'recipient_not_permitted', asked: 'c', permitted: 2 },
  });
  expect(notAmong(['a', 'b'], 'b', 'recipient_not_permitted')).toBeUndefined();
});

it('knows the wallet by its role and by its address', () => {
  const request = requestOf({});
  expect(['wallet', WALLET, '0x00'].map((each) => isWallet(each, request))).toEqual([true, true, false]);
});
