import { fromHex, toBase64url, toHex, utf8 } from '@keepwatch/base';
import { keccak_256 as keccak } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { decodeMessage, messageDigest } from './message.ts';

const refusal = (text: string) => {
  const decoded = decodeMessage(utf8(text));
  return decoded.ok ? null : decoded.error;
};

describe('messageDigest', () => {
  // wevm/viem, src/utils/signature/hashMessage.test.ts
  it.each([
    ['hello world', 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68'],
    ['🤗', '716ce69c5d2d629c168bc02e24a961456bdc5a362d366119305aea73978a0332'],
    ['0xdeadbeef', 'efedd0a9a0294228c3977d7fbb68c7d40279f8b408cf3e24ef1823b179709e58'],
  ])('%s', (text, digest) => {
    expect(toHex(messageDigest(utf8(text), keccak))).toBe(digest);
    expect(decodeMessage(utf8(text))).toEqual({ ok: true, value: text });
  });
});

// ERC-4361, the example message.
const SIGN_IN = `example.com wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json`;

const DIGEST = 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68';
const RAW = fromHex(DIGEST)!;

describe('decodeMessage', () => {
  it.each([
    ['a sign-in', SIGN_IN],
    ['one letter', 'a'],
    ['tabs and lines', 'a\tb\nc'],
    ['other scripts', 'Подпишите · 署名してください · ελληνικά · שלום'],
    ['an emoji', 'Welcome 🤗'],
    ['an address', '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2'],
    ['a UUID', '123e4567-e89b-12d3-a456-426614174000'],
    ['a word of 36 letters', 'a'.repeat(36)],
    ['a long word before others', `${'a'.repeat(40)} and others`],
    ['a long word after others', `others and ${'a'.repeat(40)}`],
    ['a link', 'https://example.com/login?nonce=32891756'],
    ['31 bytes', 'Sign this to log in to us, now!'],
    ['33 bytes', 'Please sign this to log in, now!!'],
    ['a digest in a sentence, which a grant’s prefix judges', `I vote for ${DIGEST}`],
  ])('takes %s', (_, text) => {
    expect(decodeMessage(utf8(text))).toEqual({ ok: true, value: text });
  });

  it.each([
    ['nothing', '', 'message_empty'],
    ['more than a person reads', 'z '.repeat(8193), 'message_too_long'],
    ['32 bytes of text', 'Please sign this to log in, now!', 'message_of_32_bytes'],
    ['32 bytes of other letters', 'é'.repeat(16), 'message_of_32_bytes'],
  ])('refuses %s', (_, text, error) => {
    expect(refusal(text)).toBe(error);
  });

  it('takes exactly 16 KiB', () => {
    expect(refusal('z '.repeat(8192))).toBe(null);
  });

  it.each([
    ['dots', '.'],
    ['spaces', ' '],
  ])(
    'reads sixteen KiB of %s as fast as any other text',
    (_, letter) => {
      const text = `z${letter.repeat(16_000)}z`;
      // Work that grows with the square of the length would take a hundred times as long as the time given.
      for (let i = 0; i < 200; i++) expect(refusal(text)).toBe(null);
    },
    20_000,
  );

  it('refuses letters under more marks than anybody reads', () => {
    expect(refusal(`e${'\u0301'.repeat(30)} is still a letter`)).toBe(null);
    expect(refusal(`e${'\u0315\u0316'.repeat(16)} is none`)).toBe('message_not_printable');
  });

  it('refuses digests as bytes: one, two, and the preimage of typed data', () => {
    expect(decodeMessage(RAW)).toEqual({ ok: false, error: 'message_of_32_bytes' });
    expect(decodeMessage(Uint8Array.from([...RAW, ...RAW]))).toEqual({ ok: false, error: 'message_not_utf8' });
    expect(decodeMessage(Uint8Array.from([0x19, 1, ...RAW, ...RAW]))).toEqual({ ok: false, error: 'message_not_utf8' });
    expect(decodeMessage(Uint8Array.from([0x19, 1, ...new Uint8Array(64).fill(0x41)]))).toEqual({
      ok: false,
      error: 'message_not_printable',
    });
  });

  it.each([
    ['an overlong form', 'c080'],
    ['a surrogate', 'eda080'],
    ['beyond Unicode', 'f4908080'],
    ['a lone continuation', '4180'],
    ['a cut letter', '41c3'],
  ])('refuses what is not UTF-8: %s', (_, hex) => {
    expect(decodeMessage(fromHex(hex)!)).toEqual({ ok: false, error: 'message_not_utf8' });
  });

  it.each([
    ['NUL', '\0'],
    ['escape', '\x1b[2J'],
    ['EIP-191’s own first byte', '\x19'],
    ['carriage return', '\r'],
    ['vertical tab', '\v'],
    ['delete', '\x7f'],
    ['a C1 control', '\x85'],
    ['a right-to-left override', '\u202e'],
    ['an isolate', '\u2066'],
    ['a left-to-right mark', '\u200e'],
    ['a zero-width space', '\u200b'],
    ['a zero-width joiner', '\u200d'],
    ['a soft hyphen', '\u00ad'],
    ['a byte order mark', '\ufeff'],
    ['a word joiner', '\u2060'],
    ['a tag', '\u{e0041}'],
    ['a variation selector', '\ufe0f'],
    ['a supplementary variation selector', '\u{e0100}'],
    ['a Hangul filler', '\u3164'],
    ['a grapheme joiner', '\u034f'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['private use', '\ue000'],
    ['a non-character', '\ufffe'],
    ['another non-character', '\u{1ffff}'],
  ])('refuses what nobody sees: %s', (_, letter) => {
    for (const text of [`a${letter}b`, letter, `${letter}a`, `a${letter}`]) {
      expect(refusal(text)).toBe('message_not_printable');
    }
  });

  const base64 = toBase64url(RAW).replaceAll('-', '+').replaceAll('_', '/');
  it.each([
    ['hex', `0x${DIGEST}`],
    ['hex without prefix', DIGEST],
    ['hex in upper case', `0X${DIGEST.toUpperCase()}`],
    ['hex without its leading zeros', DIGEST.slice(23)],
    ['hex within spaces and lines', `\n  0x${DIGEST}\n`],
    ['hex within quotes', `"0x${DIGEST}"`],
    ['hex in words', DIGEST.match(/.{8}/g)!.join(' ')],
    ['hex with colons', DIGEST.match(/../g)!.join(':')],
    ['hex on lines', DIGEST.match(/.{16}/g)!.join('\n')],
    [
      'a list of bytes in hex',
      `[${DIGEST.match(/../g)!
        .map((byte) => `0x${byte}`)
        .join(', ')}]`,
    ],
    ['a list of bytes', `[${[...RAW].join(',')}]`],
    [
      'escapes',
      DIGEST.match(/../g)!
        .map((byte) => `\\x${byte}`)
        .join(''),
    ],
    [
      'percent signs',
      DIGEST.match(/../g)!
        .map((byte) => `%${byte}`)
        .join(''),
    ],
    ['a decimal number', BigInt(`0x${DIGEST}`).toString()],
    ['a decimal number with commas', BigInt(`0x${DIGEST}`).toLocaleString('en')],
    ['a binary number', `0b${BigInt(`0x${DIGEST}`).toString(2)}`],
    ['full-width digits', [...DIGEST].map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join('')],
    ['two digests', `0x${DIGEST}0x${DIGEST}`],
    ['the preimage of typed data in hex', `0x1901${DIGEST}${DIGEST}`],
    ['base64', `${base64}=`],
    ['base64 without padding', base64],
    ['base64 within spaces', ` ${base64}=\n`],
    ['base64 within more of them', `(“ ${base64} ”).`],
    ['base64 within quotes', `“${base64}”`],
    ['base64url', toBase64url(RAW)],
    ['base32', 'A'.repeat(52)],
    ['base58', '4'.repeat(44)],
    ['a content identifier', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG'],
  ])('refuses a digest as %s', (_, text) => {
    expect(refusal(text)).toBe('message_is_a_digest');
  });
});
