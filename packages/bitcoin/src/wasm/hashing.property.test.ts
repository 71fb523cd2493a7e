import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { concat, toHex } from '@keepwatch/base';
import type { InternalHash } from '../hash.ts';
import { sha256dChain, sha256dEach, sha256dMany } from './hashing.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const oracle = (bytes: Uint8Array) => toHex(sha256(sha256(bytes)));

it('hashes messages of any length in three pieces as OpenSSL does', () => {
  const message = fc.record({
    // Lengths around the edges of a block of 64 bytes are where padding goes wrong.
    body: fc.oneof(fc.uint8Array({ maxLength: 140 }), fc.uint8Array({ minLength: 1_000, maxLength: 1_100 })),
    skipped: fc.uint8Array({ maxLength: 9 }),
    behind: fc.uint8Array({ maxLength: 9 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 13 }), (messages) => {
      const parts: Uint8Array[] = [];
      const table = new Uint32Array(messages.length * 4);
      let at = 0;
      for (const [i, { body, skipped, behind }] of messages.entries()) {
        const edge = Uint8Array.of(i, 1, 2, 3);
        parts.push(edge, skipped, body, behind, edge);
        const bodyStart = at + 4 + skipped.length;
        const end = bodyStart + body.length + behind.length + 4;
        table.set([at, bodyStart, bodyStart + body.length, end], i * 4);
        at = end;
      }
      const hashes = sha256dMany(concat(...parts), table, messages.length);
      const expected = messages.map(({ body }, i) =>
        oracle(concat(Uint8Array.of(i, 1, 2, 3), body, Uint8Array.of(i, 1, 2, 3))),
      );
      expect(messages.map((_, i) => toHex(hashes.subarray(i * 32, i * 32 + 32)))).toEqual(expected);
    }),
  );
});

it.each(Array.from({ length: 122 }, (_, i) => i + 8))('hashes %i bytes', (width) => {
  const bytes = Uint8Array.from({ length: width * 5 + 3 }, (_, i) => i * 7);
  const hashes = sha256dEach(bytes, width);
  expect(hashes.length).toBe(160);
  for (let i = 0; i < 5; i++) {
    expect(toHex(hashes.subarray(i * 32, i * 32 + 32))).toBe(oracle(bytes.subarray(i * width, (i + 1) * width)));
  }
});

it('chains hashes as OpenSSL does', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((each) => each as InternalHash);
  fc.assert(
    fc.property(bytes, fc.array(bytes, { maxLength: 9 }), (previous, hashes) => {
      let link: Uint8Array = previous;
      const expected = hashes.map((hash) => (link = sha256(sha256(concat(hash, link)))));
      expect(sha256dChain(previous, hashes).map(toHex)).toEqual(expected.map(toHex));
    }),
  );
});
