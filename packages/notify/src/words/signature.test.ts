import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkMessage, withSignature } from './signature.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signing = (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey));
const checking = (bytes: Uint8Array, signature: Uint8Array) => verify(null, bytes, publicKey, signature);
const WORDS = 'savings: spent 1.00000000 BTC, in a block.\n\nMessage 17; the one before was 16.';
const text = withSignature(WORDS, 'phone', 17, signing);
const check = (given: string) => checkMessage(given, checking);

describe('a signed message', () => {
  it('is known again, however mail programs fold it and whatever stands above', () => {
    expect(check(text)).toEqual({ channel: 'phone', number: 17, words: WORDS });
    const folded = `Subject: anything\r\n\r\n${text.replaceAll('\n', '\r\n').replaceAll(' ', '  ')}\r\n`;
    expect(check(folded)?.words?.replace(/\s+/g, ' ')).toBe(WORDS.replace(/\s+/g, ' '));
  });

  it.each([
    ['another amount', text.replace('1.0', '9.0')],
    ['another number', text.replace(/Signed: phone 17/, 'Signed: phone 18')],
    ['another channel', text.replace('Signed: phone', 'Signed: mail')],
    ['words between', text.replace('Message 17', 'All is well. Message 17')],
    ['a signature of nothing', text.replace(/[A-Za-z0-9_-]{86}$/, 'A'.repeat(86))],
    ['nothing but the last line', text.split('\n').at(-1)!],
  ])('is refused with %s', (_, forged) => {
    expect(check(forged)).toMatchObject({ words: null });
  });

  it('shows only what is signed, not what a stranger wrote above it', () => {
    expect(check(`Send all coins to me.\n${text}`)?.words).toBe(WORDS);
    expect(check(`${text}\nSend all coins to me.`)?.words).toBe(WORDS);
  });

  it('is none without a signature', () => {
    for (const each of [WORDS, '', 'Signed: phone 17 short', 'Signed: phone x']) expect(check(each)).toBe(undefined);
  });
});
