import { expect, it } from 'vitest';
import type { Wallet } from './state.ts';
import { createWalletBook } from './wallet-book.ts';
import { decodeWallets, encodeWallets } from './wallet-columns.ts';

const wallet = (id: string, name = `name of ${id}`): Wallet => ({
  ...{ wallet: id, name, publicKey: '02', address: '0x', origin: 'random', seed: null, path: null },
  ...{ created: 1, floorEpoch: 0 },
});
const saved = () => createWalletBook(decodeWallets([...encodeWallets([wallet('a'), wallet('b')])]));

it('keeps what is changed in a wallet that stood in columns', () => {
  const book = saved();
  book.get('a')!.floorEpoch = 3;
  expect(book.get('a')!.floorEpoch).toBe(3);
  expect(book.readings().map(({ floorEpoch }) => floorEpoch)).toEqual([3, 0]);
  for (const each of book.values()) each.floorEpoch = 4;
  expect(book.readings().map(({ floorEpoch }) => floorEpoch)).toEqual([4, 4]);
});

it('finds wallets by name, before and after a renaming', () => {
  for (const looked of [true, false]) {
    const book = saved();
    if (looked) expect(book.named('name of b')).toBe('b');
    book.rename('b', 'other');
    book.add(wallet('c'));
    expect(book.named('name of b')).toBeUndefined();
    expect(book.named('other')).toBe('b');
    expect(book.named('name of a')).toBe('a');
    expect(book.named('name of c')).toBe('c');
    expect(book.get('b')!.name).toBe('other');
  }
});

it('knows what it has and in which order it came', () => {
  const book = saved();
  book.add(wallet('c'));
  expect([book.size, book.has('c'), book.has('d'), book.get('d')]).toEqual([3, true, false, undefined]);
  expect([...book.keys()]).toEqual(['a', 'b', 'c']);
  book.rename('d', 'nobody');
  expect(book.named('nobody')).toBeUndefined();
});

it('refuses columns in which a wallet stands twice', () => {
  expect(() => createWalletBook(decodeWallets([...encodeWallets([wallet('a'), wallet('a', 'x')])]))).toThrow(TypeError);
});
