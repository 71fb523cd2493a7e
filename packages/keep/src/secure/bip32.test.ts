import { fromHex, toHex } from '@keepwatch/base';
import { HDKey } from '@scure/bip32';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derivePrivateKey, HARDENED, parseDerivationPath } from './bip32.ts';
import { createSecureMemory } from './memory.ts';
import { revealHex, secretOf } from './secrets.fixture.ts';

const memory = createSecureMemory({ allowUnlockedMemory: true });

function derive(seedHex: string, path: string): string {
  const parsed = parseDerivationPath(path);
  if (!parsed.ok) throw new Error(parsed.error);
  return revealHex(derivePrivateKey(memory, secretOf(memory, seedHex), parsed.value));
}

// BIP-32, "Test Vectors" 1 to 3: seed, then path and extended private key. The key lies in the last 32 bytes.
const SEED_1 = '000102030405060708090a0b0c0d0e0f';
const SEED_2 =
  'fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542';
const SEED_3 =
  '4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be';
const VECTORS = [
  [
    SEED_1,
    'm',
    'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi',
  ],
  [
    SEED_1,
    "m/0'",
    'xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7',
  ],
  [
    SEED_1,
    "m/0'/1",
    'xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs',
  ],
  [
    SEED_1,
    "m/0'/1/2'",
    'xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiM',
  ],
  [
    SEED_1,
    "m/0'/1/2'/2",
    'xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7RtyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334',
  ],
  [
    SEED_1,
    "m/0'/1/2'/2/1000000000",
    'xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFSruoUihUZREPSL39UNdE3BBDu76',
  ],
  [
    SEED_2,
    'm',
    'xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U',
  ],
  [
    SEED_2,
    'm/0',
    'xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt',
  ],
  [
    SEED_2,
    "m/0/2147483647'",
    'xprv9wSp6B7kry3Vj9m1zSnLvN3xH8RdsPP1Mh7fAaR7aRLcQMKTR2vidYEeEg2mUCTAwCd6vnxVrcjfy2kRgVsFawNzmjuHc2YmYRmagcEPdU9',
  ],
  [
    SEED_2,
    "m/0/2147483647'/1",
    'xprv9zFnWC6h2cLgpmSA46vutJzBcfJ8yaJGg8cX1e5StJh45BBciYTRXSd25UEPVuesF9yog62tGAQtHjXajPPdbRCHuWS6T8XA2ECKADdw4Ef',
  ],
  [
    SEED_2,
    "m/0/2147483647'/1/2147483646'",
    'xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc',
  ],
  [
    SEED_2,
    "m/0/2147483647'/1/2147483646'/2",
    'xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA9QWTyefMLEcBYJUuekgW4BYPJcr9E7j',
  ],
  [
    SEED_3,
    'm',
    'xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9Xvz9dGuVrtHHs7pXeTzjuxBrCmmhgC6',
  ],
  [
    SEED_3,
    "m/0'",
    'xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L',
  ],
] as const;

describe('derivePrivateKey', () => {
  it.each(VECTORS)('BIP-32 vector: seed %.8s…, %s', (seed, path, extended) => {
    expect(derive(seed, path)).toBe(toHex(HDKey.fromExtendedKey(extended).privateKey!));
  });

  it('equals an independent implementation on every path', () => {
    const seeds = fc.uint8Array({ minLength: 16, maxLength: 64 });
    const paths = fc.array(fc.tuple(fc.nat(HARDENED - 1), fc.boolean()), { maxLength: 6 });
    fc.assert(
      fc.property(seeds, paths, (seed, steps) => {
        const path = ['m', ...steps.map(([number, hardened]) => `${number}${hardened ? "'" : ''}`)].join('/');
        expect(derive(toHex(seed), path)).toBe(toHex(HDKey.fromMasterSeed(seed).derive(path).privateKey!));
      }),
      { numRuns: 40 },
    );
  });

  it('leaves no slot behind but the key', () => {
    const own = createSecureMemory({ allowUnlockedMemory: true });
    derivePrivateKey(own, secretOf(own, fromHex(SEED_1)!), [HARDENED, 1]);
    expect(own.stats()).toMatchObject({ liveSlots: 2, openSlabs: 0 });
  });

  it('refuses seeds of other lengths', () => {
    for (const size of [15, 65]) expect(() => derivePrivateKey(memory, memory.alloc(size), [])).toThrow(RangeError);
  });
});

describe('parseDerivationPath', () => {
  it('reads numbers and hardened numbers', () => {
    expect(parseDerivationPath("m/44'/60'/0'/0/2147483647")).toEqual({
      ok: true,
      value: [HARDENED + 44, HARDENED + 60, HARDENED, 0, HARDENED - 1],
    });
    expect(parseDerivationPath('m')).toEqual({ ok: true, value: [] });
  });

  it.each([
    '',
    'M',
    'n/0',
    '/0',
    'm/',
    'm//0',
    'm/00',
    'm/01',
    'm/-1',
    'm/1h',
    "m/'",
    "m/1''",
    'm/2147483648',
    'm/1e3',
    ' m/1',
    'm/1 ',
    'm/0x1',
    `m${'/0'.repeat(256)}`,
  ])('refuses %j', (path) => {
    expect(parseDerivationPath(path)).toEqual({ ok: false, error: 'path_malformed' });
  });
});
