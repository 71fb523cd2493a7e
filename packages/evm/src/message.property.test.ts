import { toBase64url, toHex, utf8, type Keccak256 } from '@keepwatch/base';
import fc from 'fast-check';
import { hashMessage, keccak256 } from 'viem';
import { expect, it } from 'vitest';
import { decodeMessage, messageDigest } from './message.ts';

const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');

it('the digest is the one of viem for every text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      expect(`0x${toHex(messageDigest(utf8(text), keccak))}`).toBe(hashMessage(text));
    }),
  );
});

it('never throws, and says of foreign bytes only what they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const decoded = decodeMessage(bytes);
      if (decoded.ok) expect(utf8(decoded.value)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
      expect(decodeMessage(digest)).toEqual({ ok: false, error: 'message_of_32_bytes' });
      const hex = toHex(digest);
      for (const text of [hex, `0x${hex}`, BigInt(`0x${hex}1`).toString(), toBase64url(digest)]) {
        if (text.length > 40) expect(decodeMessage(utf8(text))).toEqual({ ok: false, error: 'message_is_a_digest' });
      }
    }),
  );
});
