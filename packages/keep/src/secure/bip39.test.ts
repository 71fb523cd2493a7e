import { createHash } from 'node:crypto';
import { fromUtf8, toHex, utf8 } from '@keepwatch/base';
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BIP39_ENGLISH } from './bip39-english.ts';
import { checkMnemonic, generateMnemonic, mnemonicFromEntropy, seedFromMnemonic } from './bip39.ts';
import { createSecureMemory } from './memory.ts';
import { reveal, revealHex, secretOf } from './secrets.fixture.ts';
import type { WordCount } from './bip39.ts';

const memory = createSecureMemory({ allowUnlockedMemory: true });
const textOf = (text: string) => secretOf(memory, utf8(text));
const check = (text: string) => checkMnemonic(memory, textOf(text));
const ABANDON = `${'abandon '.repeat(11)}about`;

// trezor/python-mnemonic, vectors.json (named by BIP-39 as its vectors): entropy, mnemonic, seed with passphrase TREZOR.
const VECTORS = [
  [
    '00000000000000000000000000000000',
    ABANDON,
    'c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04',
  ],
  [
    '7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f',
    'legal winner thank year wave sausage worth useful legal winner thank yellow',
    '2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607',
  ],
  [
    'ffffffffffffffffffffffffffffffff',
    'zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong',
    'ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b11c61dee327651a14c34e18231052e48c069',
  ],
  [
    '808080808080808080808080808080808080808080808080',
    'letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter always',
    '107d7c02a5aa6f38c58083ff74f04c607c2d2c0ecc55501dadd72d025b751bc27fe913ffb796f841c49b1d33b610cf0e91d3aa239027f5e99fe4ce9e5088cd65',
  ],
  [
    '6610b25967cdcca9d59875f5cb50b0ea75433311869e930b',
    'gravity machine north sort system female filter attitude volume fold club stay feature office ecology stable narrow fog',
    '628c3827a8823298ee685db84f55caa34b5cc195a778e52d45f59bcf75aba68e4d7590e101dc414bc1bbd5737666fbbef35d1f1903953b66624f910feef245ac',
  ],
  [
    '68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c',
    'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
    '64c87cde7e12ecf6704ab95bb1408bef047c22db4cc7491c4271d170a1b213d20b385bc1588d9c7b38f1b39d415665b8a9030c9ec653d75e65f847d8fc1fc440',
  ],
  [
    'f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f',
    'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold',
    '01f5bced59dec48e362f2c45b5de68b9fd6c92c6634f44d6d40aab69056506f0e35524a518034ddc1192e1dacd32c1ed3eaa3c3b131c88ed8e7e54c49a5d0998',
  ],
] as const;

describe('the word list', () => {
  it('is the English one of BIP-39, byte for byte', () => {
    const file = `${BIP39_ENGLISH.trim().split(/\s+/).join('\n')}\n`;
    expect(createHash('sha256').update(file).digest('hex')).toBe(
      '2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda',
    );
  });
});

describe('vectors of BIP-39', () => {
  it.each(VECTORS)('entropy %s', (entropy, mnemonic, seed) => {
    expect(fromUtf8(reveal(mnemonicFromEntropy(memory, secretOf(memory, entropy))))).toBe(mnemonic);
    expect(check(mnemonic)).toEqual({ ok: true, value: mnemonic.split(' ').length });
    const made = seedFromMnemonic(memory, textOf(`${mnemonic}\nTREZOR`));
    expect(made.ok && revealHex(made.value)).toBe(seed);
  });
});

describe('against an independent implementation', () => {
  const entropies = fc
    .constantFrom(16, 20, 24, 28, 32)
    .chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));

  it('makes the same words and the same seed, with any passphrase', () => {
    fc.assert(
      fc.property(entropies, fc.string({ unit: 'binary', maxLength: 40 }), (entropy, passphrase) => {
        const mnemonic = entropyToMnemonic(entropy, wordlist);
        expect(fromUtf8(reveal(mnemonicFromEntropy(memory, secretOf(memory, entropy))))).toBe(mnemonic);
        const made = seedFromMnemonic(memory, textOf(`${mnemonic}\n${passphrase.normalize('NFKD')}`));
        expect(made.ok && revealHex(made.value)).toBe(toHex(mnemonicToSeedSync(mnemonic, passphrase)));
      }),
      { numRuns: 25 },
    );
  });

  it('finds the same mnemonics valid when one word is changed', () => {
    fc.assert(
      fc.property(entropies, fc.nat(23), fc.constantFrom(...wordlist), (entropy, at, word) => {
        const words = entropyToMnemonic(entropy, wordlist).split(' ');
        words[at % words.length] = word;
        expect(check(words.join(' ')).ok).toBe(validateMnemonic(words.join(' '), wordlist));
      }),
      { numRuns: 150 },
    );
  });
});

describe('checkMnemonic', () => {
  it.each([
    ['nothing but a space', ' ', 'mnemonic_word_count'],
    ['eleven words', 'abandon '.repeat(11).trim(), 'mnemonic_word_count'],
    ['thirteen words', `${ABANDON} about`, 'mnemonic_word_count'],
    ['27 words', `${'abandon '.repeat(26)}about`, 'mnemonic_word_count'],
    ['a space too many', ABANDON.replace(' ', '  '), 'mnemonic_word_count'],
    ['a space at the end', `${ABANDON.slice(0, -6)} `, 'mnemonic_word_count'],
    ['an upper-case word', ABANDON.replace('about', 'About'), 'mnemonic_word_unknown'],
    ['part of a word', ABANDON.replace('about', 'abou'), 'mnemonic_word_unknown'],
    ['more than a word', ABANDON.replace('about', 'abouts'), 'mnemonic_word_unknown'],
    ['a word after the last of the list', ABANDON.replace('about', 'zzz'), 'mnemonic_word_unknown'],
    ['another checksum', ABANDON.replace('about', 'abandon'), 'mnemonic_checksum'],
    [
      'words changed in their places',
      'winner legal thank year wave sausage worth useful legal winner thank yellow',
      'mnemonic_checksum',
    ],
    ['an endless passphrase', `${ABANDON}\n${'x'.repeat(1025)}`, 'passphrase_too_long'],
  ])('refuses %s', (_, text, error) => {
    expect(check(text)).toEqual({ ok: false, error });
    expect(seedFromMnemonic(memory, textOf(text))).toEqual({ ok: false, error });
  });

  it('takes a passphrase of the greatest length, an empty one, and line feeds within one', () => {
    for (const passphrase of ['x'.repeat(1024), '', 'a\nb']) {
      const made = seedFromMnemonic(memory, textOf(`${ABANDON}\n${passphrase}`));
      expect(made.ok && revealHex(made.value)).toBe(toHex(mnemonicToSeedSync(ABANDON, passphrase)));
    }
  });
});

describe('generateMnemonic', () => {
  it.each([12, 15, 18, 21, 24] as WordCount[])('makes valid mnemonics of %s words, each another', (words) => {
    const texts = Array.from({ length: 5 }, () => fromUtf8(reveal(generateMnemonic(memory, words)))!);
    for (const text of texts) {
      expect(text.split(' ')).toHaveLength(words);
      expect(validateMnemonic(text, wordlist)).toBe(true);
    }
    expect(new Set(texts).size).toBe(5);
  });
});
