import { fromUtf8, utf8 } from '@keepwatch/base';

/**
 * The forms in which people keep secrets, as bytes all the way: a JavaScript string could not be wiped. What these
 * functions return is new memory, and the caller wipes it and what it passed in.
 */

const SPACE = 0x20;
const LINE_FEED = 0x0a;

/** A private key as people write it: 64 hex digits, with or without `0x`. */
export function privateKeyFromHex(text: Uint8Array): Uint8Array | undefined {
  const digits = text[0] === 0x30 && (text[1]! | 0x20) === 0x78 ? text.subarray(2) : text;
  if (digits.length !== 64) return undefined;
  const key = new Uint8Array(32);
  for (let i = 0; i < 32; i++) {
    const high = hexValue(digits[2 * i]!);
    const low = hexValue(digits[2 * i + 1]!);
    if (high < 0 || low < 0) {
      key.fill(0);
      return undefined;
    }
    key[i] = (high << 4) | low;
  }
  return key;
}

/** The same the other way: `0x` and 64 lower-case digits. */
export function privateKeyToHex(key: Uint8Array): Uint8Array {
  const text = new Uint8Array(2 + 2 * key.length);
  text.set([0x30, 0x78]);
  key.forEach((byte, i) => text.set([hexDigit(byte >> 4), hexDigit(byte & 15)], 2 + 2 * i));
  return text;
}

const hexDigit = (value: number) => value + (value < 10 ? 0x30 : 0x57);

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * A mnemonic as the vault takes it: words with one space between them, then, if there is one, a line feed and the
 * passphrase in NFKD (BIP-39).
 */
export function mnemonicSecret(words: Uint8Array, passphrase: Uint8Array | undefined): Uint8Array {
  const tidy = oneSpaceBetween(words);
  const normal = passphrase && toNfkd(passphrase);
  const secret = new Uint8Array(tidy.length + (normal ? 1 + normal.length : 0));
  secret.set(tidy);
  if (normal) {
    secret[tidy.length] = LINE_FEED;
    secret.set(normal, tidy.length + 1);
    normal.fill(0);
  }
  tidy.fill(0);
  return secret;
}

/** The first line and, if there is one, the second. They are views into `text`. */
export function splitLines(text: Uint8Array): [Uint8Array, Uint8Array | undefined] {
  const end = text.indexOf(LINE_FEED);
  return end < 0 ? [text, undefined] : [text.subarray(0, end), text.subarray(end + 1)];
}

function oneSpaceBetween(words: Uint8Array): Uint8Array {
  const held = new Uint8Array(words.length);
  let length = 0;
  for (const byte of words) {
    if (byte > SPACE) held[length++] = byte;
    else if (length > 0 && held[length - 1] !== SPACE) held[length++] = SPACE;
  }
  if (length > 0 && held[length - 1] === SPACE) length--;
  const tidy = held.slice(0, length);
  held.fill(0);
  return tidy;
}

function toNfkd(text: Uint8Array): Uint8Array {
  if (text.every((byte) => byte < 0x80)) return text.slice();
  // Normalisation exists for strings only: this one stays on the heap until it is collected.
  const decoded = fromUtf8(text);
  return decoded === undefined ? text.slice() : utf8(decoded.normalize('NFKD'));
}
