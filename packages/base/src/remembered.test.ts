import { expect, it } from 'vitest';
import { remembered } from './remembered.ts';

it('makes one value for each object, and not for each that looks alike', () => {
  const asked: object[] = [];
  const copyOf = remembered((key: { readonly name: string }) => {
    asked.push(key);
    return { ...key };
  });
  const [one, alike] = [{ name: 'a' }, { name: 'a' }];
  expect(copyOf(one)).toBe(copyOf(one));
  expect(copyOf(alike)).toEqual(copyOf(one));
  expect(copyOf(alike)).not.toBe(copyOf(one));
  expect(asked).toEqual([one, alike]);
});
