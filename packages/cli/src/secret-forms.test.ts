import { utf8 } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mnemonicSecret, privateKeyFromHex, privateKeyToHex, splitLines } from './secret-forms.ts';

const text = (bytes: Uint8Array | undefined) => (bytes ? Buffer.from(bytes).toString('utf8') : undefined);

describe('private keys', () => {
  it('come back from their hex, in either case, with or without 0x', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const hex = privateKeyToHex(key);
        expect(text(hex)).toBe(`0x${Buffer.from(key).toString('hex')}`);
        expect(privateKeyFromHex(hex)).toEqual(key);
        expect(privateKeyFromHex(hex.subarray(2))).toEqual(key);
        expect(privateKeyFromHex(utf8(text(hex)!.toUpperCase()))).toEqual(key);
      }),
    );
  });

  it('are refused where a digit is missing, too many or none', () => {
    const hex = 'ab'.repeat(32);
    for (const wrong of ['', '0x', hex.slice(1), `${hex}0`, `g${hex.slice(1)}`, `${hex.slice(0, 63)}/`, ` ${hex}`]) {
      expect(privateKeyFromHex(utf8(wrong)), wrong).toBeUndefined();
    }
  });
});

describe('mnemonics', () => {
  it('have one space between their words, however they were typed', () => {
    expect(text(mnemonicSecret(utf8('  abandon\tabout \r\n zoo  '), undefined))).toBe('abandon about zoo');
  });

  it('carry a passphrase after a line feed, in NFKD', () => {
    // U+00E9, the composed é, becomes e and U+0301 (UAX #15).
    expect(text(mnemonicSecret(utf8('zoo zoo'), utf8('caf\u00e9')))).toBe('zoo zoo\ncafe\u0301');
    expect(text(mnemonicSecret(utf8('zoo'), utf8('two  spaces')))).toBe('zoo\ntwo  spaces');
  });

  it('are split from their passphrase at the first line feed', () => {
    expect(splitLines(utf8('a b\nc\nd')).map(text)).toEqual(['a b', 'c\nd']);
    expect(splitLines(utf8('a b')).map(text)).toEqual(['a b', undefined]);
  });
});
