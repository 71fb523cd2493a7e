import { concat } from '@keepwatch/base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Wallet } from './state.ts';
import { createWalletBook } from './wallet-book.ts';
import { decodeWallets, encodeWallets } from './wallet-columns.ts';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const base64url = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('base64url'));
/** What looks like an encoding and is not quite one: other lengths, upper case, bits to spare, none at all. */
const odd = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('', '0x', '0X00', '0xAB', 'AB', 'abc', 'AAAAAAAAAAAAAAAAAAAAAB', 'AA==', 'A', '-_', '0'),
);
const wallets = fc.uniqueArray(
  fc.record<Wallet>({
    wallet: fc.oneof({ weight: 4, arbitrary: base64url(16) }, { weight: 1, arbitrary: odd }),
    name: fc.oneof(fc.string(), odd),
    publicKey: fc.oneof({ weight: 4, arbitrary: hex(33) }, { weight: 1, arbitrary: odd }),
    address: fc.oneof({ weight: 4, arbitrary: hex(20).map((text) => `0x${text}`) }, { weight: 1, arbitrary: odd }),
    origin: fc.constantFrom('random', 'derived'),
    seed: fc.option(base64url(16)),
    path: fc.option(fc.constantFrom("m/44'/60'/0'/0/0", "m/44'/60'/0'/0/1")),
    created: fc.nat(3),
    floorEpoch: fc.nat(1),
  }),
  { selector: ({ wallet }) => wallet, maxLength: 12 },
);

it('gives back every wallet as it was, in its order, whatever its fields look like', () => {
  fc.assert(
    fc.property(wallets, (saved) => {
      const columns = encodeWallets(saved.map((wallet) => ({ ...wallet })));
      const book = createWalletBook(decodeWallets([...columns]));
      expect(book.readings()).toEqual(saved);
      expect([...book.keys()]).toEqual(saved.map(({ wallet }) => wallet));
      expect([...book.values()]).toEqual(saved);
      for (const wallet of saved) expect(book.get(wallet.wallet)).toEqual(wallet);
    }),
    { numRuns: 500 },
  );
});

it('takes less than half of the room that JSON takes', () => {
  const saved = fc
    .sample(wallets, { numRuns: 200, seed: 1 })
    .flat()
    .filter(({ wallet }) => wallet.length === 22);
  const plain = saved.map((wallet) => ({ ...wallet, publicKey: '02'.padEnd(66, 'a'), address: '0x'.padEnd(42, 'b') }));
  const unlike = plain.map((wallet, i) => ({
    ...wallet,
    publicKey: wallet.publicKey.slice(8) + String(i).padStart(8, '0'),
  }));
  expect(concat(...encodeWallets(unlike)).length).toBeLessThan(JSON.stringify(unlike).length / 2);
});

it('holds what the wallets were when it was called', () => {
  const [one] = fc.sample(
    wallets.filter(({ length }) => length > 2),
    { numRuns: 1, seed: 2 },
  );
  const saved = one!.map((wallet) => ({ ...wallet }));
  const columns = encodeWallets(saved);
  for (const wallet of saved) wallet.name += ' renamed';
  expect(createWalletBook(decodeWallets([...columns])).readings()).toEqual(one);
});

it('refuses columns that do not fit together', () => {
  const [first, second] = fc
    .sample(
      fc.tuple(wallets, wallets).filter(([a, b]) => a.length !== b.length),
      { numRuns: 1, seed: 2 },
    )[0]!
    .map((some) => [...encodeWallets(some)]) as [Uint8Array[], Uint8Array[]];
  expect(() => decodeWallets([])).toThrow(TypeError);
  expect(() => decodeWallets(first.slice(1))).toThrow(TypeError);
  expect(() => decodeWallets([...first, first[0]!])).toThrow(TypeError);
  expect(() => decodeWallets([...first.slice(1), second[0]!])).toThrow(TypeError);
});
