import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkNonce, createNonceBook, forgetDigest, raisedFloorIsLower, raiseFloor, signNonce } from './nonces.ts';

const digest = (n: number) => `digest ${n}`;
const signed = (n: number) => ({ digest: digest(n), answer: `bot/${n}` });

type Act = { act: 'sign' | 'forget' | 'raise'; nonce: number; bytes: number };
const acts = fc.array(
  fc.record({
    act: fc.constantFrom<Act['act']>('sign', 'forget', 'raise'),
    nonce: fc.nat(12),
    bytes: fc.nat(2),
  }),
  { maxLength: 60 },
);

describe('nonce book', () => {
  it('never lets a nonce be signed for other bytes, whatever is forgotten and raised', () => {
    fc.assert(
      fc.property(acts, (sequence) => {
        const book = createNonceBook();
        // The oracle remembers everything for ever.
        const everSigned = new Map<number, string>();
        const forgotten = new Set<number>();
        let floor = 0;
        for (const { act, nonce, bytes } of sequence) {
          const verdict = checkNonce(book, nonce, digest(bytes));
          const before = everSigned.get(nonce);
          if (before === undefined) expect(verdict.kind).toBe(nonce < floor ? 'below-floor' : 'free');
          else if (forgotten.has(nonce)) expect(['used', 'below-floor']).toContain(verdict.kind);
          else expect(verdict.kind).toBe(before === digest(bytes) ? 'same' : 'used');

          if (act === 'sign' && verdict.kind === 'free') {
            signNonce(book, nonce, signed(bytes));
            everSigned.set(nonce, digest(bytes));
          } else if (act === 'forget') {
            forgetDigest(book, nonce);
            if (everSigned.has(nonce)) forgotten.add(nonce);
          } else if (act === 'raise') {
            raiseFloor(book, nonce);
            floor = Math.max(floor, nonce);
          }
          expect(book.floor).toBeGreaterThanOrEqual(floor);
          // What raises the floor by itself are signed nonces alone: no free one is ever lost to a client.
          for (let n = floor; n < book.floor; n++) expect(forgotten.has(n)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps nothing of a run of nonces whose digests are forgotten, in whatever order', () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
    fc.assert(
      fc.property(order, (nonces) => {
        const book = createNonceBook();
        for (const nonce of nonces) signNonce(book, nonce, signed(1));
        for (const nonce of nonces) forgetDigest(book, nonce);
        expect(book).toEqual({ floor: 8, epoch: 0, signed: new Map() });
      }),
    );
  });

  it('still repeats a recent answer below a floor that an operator raised over it', () => {
    const book = createNonceBook();
    signNonce(book, 3, signed(1));
    raiseFloor(book, 10);
    expect(checkNonce(book, 3, digest(1))).toEqual({ kind: 'same', answer: 'bot/1' });
    expect(checkNonce(book, 3, digest(2))).toEqual({ kind: 'used' });
    forgetDigest(book, 3);
    expect(checkNonce(book, 3, digest(1))).toEqual({ kind: 'below-floor', floor: 10 });
    expect(book.signed.size).toBe(0);
  });

  it('never lowers a floor', () => {
    const book = createNonceBook(5);
    expect(raisedFloorIsLower(book, 4)).toBe(true);
    expect(raisedFloorIsLower(book, 5)).toBe(false);
    expect(raisedFloorIsLower(undefined, 0)).toBe(false);
    raiseFloor(book, 4);
    expect(book.floor).toBe(5);
  });
});
