import { err, ok, utf8, type Result } from '@keepwatch/base';
import { withAccess, withReadable, withScratch } from './access.ts';
import { BIP39_ENGLISH } from './bip39-english.ts';
import { sodium } from './native.ts';
import type { SecureMemory, Slot } from './memory.ts';

// BIP-39 wholly in locked memory. What the vault keeps is the mnemonic's text as the operator knows it: the words,
// separated by single spaces, then optionally a line feed and the passphrase, which is NFKD-normalised already (the
// client does that). The seed is made from it when it is needed.

export type MnemonicFault =
  /** Not 12, 15, 18, 21 or 24 words, or not separated by single spaces. */
  | 'mnemonic_word_count'
  /** A word that the English list does not have (lower case only). */
  | 'mnemonic_word_unknown'
  /** Each word is known, but they do not belong together: a word is wrong, or two changed places. */
  | 'mnemonic_checksum'
  /** A passphrase of more than MAX_PASSPHRASE_BYTES. */
  | 'passphrase_too_long';

export type WordCount = 12 | 15 | 18 | 21 | 24;

export const BIP39_SEED_BYTES = 64;
export const MAX_PASSPHRASE_BYTES = 1024;

const ITERATIONS = 2048;
const SALT_PREFIX = utf8('mnemonic');
const SPACE = 0x20;
const LINE_FEED = 0x0a;
const MAX_TEXT = 24 * 9;
const BITS_PER_WORD = 11;
/** 256 bits of entropy and 8 of checksum. */
const BITS_BYTES = 33;
const SHA256_BYTES = 32;

const WORDS: readonly Uint8Array[] = BIP39_ENGLISH.trim().split(/\s+/).map(utf8);

/** A new mnemonic's text. */
export function generateMnemonic(memory: SecureMemory, words: WordCount): Slot {
  const entropy = memory.allocRandom((words * 4) / 3);
  const text = mnemonicFromEntropy(memory, entropy);
  memory.free(entropy);
  return text;
}

/** The words for an entropy of 16, 20, 24, 28 or 32 bytes. */
export function mnemonicFromEntropy(memory: SecureMemory, entropy: Slot): Slot {
  if (entropy.size < 16 || entropy.size > 32 || entropy.size % 4 !== 0) throw new RangeError('no entropy of BIP-39');
  const words = (entropy.size * 3) / 4;
  return withScratch(memory, BITS_BYTES + SHA256_BYTES + MAX_TEXT, (scratch) => {
    const bits = scratch.subarray(0, BITS_BYTES);
    const digest = scratch.subarray(BITS_BYTES, BITS_BYTES + SHA256_BYTES);
    const text = scratch.subarray(BITS_BYTES + SHA256_BYTES);
    withReadable(entropy, (bytes) => bits.set(bytes));
    bits[entropy.size] = checksumOf(bits.subarray(0, entropy.size), digest);
    let length = 0;
    for (let i = 0; i < words; i++) {
      if (i > 0) text[length++] = SPACE;
      const word = WORDS[readIndex(bits, i)]!;
      text.set(word, length);
      length += word.length;
    }
    const slot = memory.alloc(length);
    withAccess([], [slot], (_, [out]) => out!.set(text.subarray(0, length)));
    return slot;
  });
}

/** Whether the text is a mnemonic, with or without a passphrase behind it; the number of words. */
export function checkMnemonic(memory: SecureMemory, text: Slot): Result<WordCount, MnemonicFault> {
  return withReadable(text, (bytes) => checkText(memory, bytes));
}

/** The seed of BIP-32 in a new slot of 64 bytes: PBKDF2-HMAC-SHA512(words, "mnemonic" ‖ passphrase, 2048). */
export function seedFromMnemonic(memory: SecureMemory, text: Slot): Result<Slot, MnemonicFault> {
  const checked = checkMnemonic(memory, text);
  if (!checked.ok) return checked;
  const seed = memory.alloc(BIP39_SEED_BYTES);
  withScratch(memory, SALT_PREFIX.length + MAX_PASSPHRASE_BYTES, (scratch) =>
    withAccess([text], [seed], ([bytes], [out]) => {
      const { words, passphrase } = split(bytes!);
      scratch.set(SALT_PREFIX);
      scratch.set(passphrase, SALT_PREFIX.length);
      const salt = scratch.subarray(0, SALT_PREFIX.length + passphrase.length);
      pbkdf2(out!, words, salt, ITERATIONS);
      // The library leaves the last block, which is the seed, on the stack: the same call with public input covers it.
      pbkdf2(new Uint8Array(BIP39_SEED_BYTES), SALT_PREFIX, SALT_PREFIX, 1);
    }),
  );
  return ok(seed);
}

function pbkdf2(out: Uint8Array, password: Uint8Array, salt: Uint8Array, iterations: number): void {
  sodium.extension_pbkdf2_sha512(out, password, salt, iterations, BIP39_SEED_BYTES);
}

function split(text: Uint8Array): { words: Uint8Array; passphrase: Uint8Array } {
  const end = text.indexOf(LINE_FEED);
  return end < 0
    ? { words: text, passphrase: text.subarray(text.length) }
    : { words: text.subarray(0, end), passphrase: text.subarray(end + 1) };
}

function checkText(memory: SecureMemory, text: Uint8Array): Result<WordCount, MnemonicFault> {
  const { words, passphrase } = split(text);
  if (passphrase.length > MAX_PASSPHRASE_BYTES) return err('passphrase_too_long');
  const count = words.reduce((spaces, byte) => spaces + (byte === SPACE ? 1 : 0), 1);
  if (!isWordCount(count)) return err('mnemonic_word_count');
  return withScratch(memory, BITS_BYTES + SHA256_BYTES, (scratch) => {
    const bits = scratch.subarray(0, BITS_BYTES);
    let start = 0;
    for (let i = 0; i < count; i++) {
      const space = words.indexOf(SPACE, start);
      const end = space < 0 ? words.length : space;
      if (end === start) return err('mnemonic_word_count');
      const index = indexOfWord(words, start, end);
      if (index < 0) return err('mnemonic_word_unknown');
      writeIndex(bits, i, index);
      start = end + 1;
    }
    const entropyBytes = (count * 4) / 3;
    const expected = checksumOf(bits.subarray(0, entropyBytes), scratch.subarray(BITS_BYTES));
    return bits[entropyBytes] === expected ? ok(count) : err('mnemonic_checksum');
  });
}

function isWordCount(count: number): count is WordCount {
  return count >= 12 && count <= 24 && count % 3 === 0;
}

/** The first (length / 4) bits of SHA-256, at the high end of a byte. BIP-39 "Generating the mnemonic". */
function checksumOf(entropy: Uint8Array, digest: Uint8Array): number {
  sodium.crypto_hash_sha256(digest, entropy);
  return digest[0]! & (0xff00 >> (entropy.length / 4));
}

function readIndex(bits: Uint8Array, word: number): number {
  let index = 0;
  for (let i = word * BITS_PER_WORD; i < (word + 1) * BITS_PER_WORD; i++) {
    index = (index << 1) | ((bits[i >> 3]! >> (7 - (i & 7))) & 1);
  }
  return index;
}

function writeIndex(bits: Uint8Array, word: number, index: number): void {
  for (let i = 0; i < BITS_PER_WORD; i++) {
    const at = word * BITS_PER_WORD + i;
    bits[at >> 3]! |= ((index >> (BITS_PER_WORD - 1 - i)) & 1) << (7 - (at & 7));
  }
}

/** Binary search: the list is in alphabetical order. */
function indexOfWord(text: Uint8Array, start: number, end: number): number {
  let low = 0;
  let high = WORDS.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compare(text, start, end, WORDS[middle]!);
    if (order === 0) return middle;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return -1;
}

function compare(text: Uint8Array, start: number, end: number, word: Uint8Array): number {
  const common = Math.min(end - start, word.length);
  for (let i = 0; i < common; i++) {
    const difference = text[start + i]! - word[i]!;
    if (difference !== 0) return difference;
  }
  return end - start - word.length;
}
