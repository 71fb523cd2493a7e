import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkNonce,
  createNonceBook,
  forgetAnswer,
  judgeReplacement,
  nextNonce,
  raisedFloorIsLower,
  raiseFloor,
  REPLACEABLE,
  signNonce,
  type SignedNonce,
} from './nonces.ts';

const digest = (n: number) => `digest ${n}`;
const fees = { maxFeePerGas: '20', maxPriorityFeePerGas: '2', maxFeePerBlobGas: null, charged: '420000' };
const signed = (n: number): SignedNonce => ({
  ...{ digest: digest(n), answer: `${n}`, client: 'bot', grant: 'g1', core: `core ${n}`, fees },
});

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
  it('never calls a nonce free that was signed, whatever is forgotten and raised', () => {
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
          else if (!forgotten.has(nonce) && before === digest(bytes)) expect(verdict.kind).toBe('same');
          else if (nonce < floor) expect(verdict.kind).toBe('below-floor');
          else expect(verdict.kind).toBe(before === digest(bytes) ? 'used' : 'signed');

          if (act === 'sign' && verdict.kind === 'free') {
            signNonce(book, nonce, signed(bytes));
            everSigned.set(nonce, digest(bytes));
          } else if (act === 'forget') {
            const at = book.signed.get(nonce);
            if (at?.answer) forgetAnswer(book, nonce, at.client, at.answer);
            if (everSigned.has(nonce)) forgotten.add(nonce);
          } else if (act === 'raise') {
            raiseFloor(book, nonce);
            floor = Math.max(floor, nonce);
          }
          expect(book.floor).toBe(floor);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps no more of a run of forgotten nonces than what may be replaced, in whatever order', () => {
    const count = REPLACEABLE + 8;
    const all = Array.from({ length: count }, (_, i) => i);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: count }), (nonces) => {
        const book = createNonceBook();
        for (const nonce of nonces) signNonce(book, nonce, signed(1));
        for (const nonce of nonces) forgetAnswer(book, nonce, 'bot', '1');
        const gone = new Set(nonces.slice(0, 8));
        let floor = 0;
        while (gone.has(floor)) floor++;
        expect(book.floor).toBe(floor);
        expect([...book.signed.values()].filter((each) => each !== null)).toHaveLength(REPLACEABLE);
        for (const nonce of nonces) {
          const expected = nonce < floor ? 'below-floor' : gone.has(nonce) ? 'used' : 'signed';
          expect(checkNonce(book, nonce, digest(2)).kind).toBe(expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('still repeats a recent answer below a floor that an operator raised over it, and replaces nothing there', () => {
    const book = createNonceBook();
    signNonce(book, 3, signed(1));
    raiseFloor(book, 10);
    expect(checkNonce(book, 3, digest(1))).toEqual({ kind: 'same', client: 'bot', answer: '1' });
    expect(checkNonce(book, 3, digest(2))).toEqual({ kind: 'below-floor', floor: 10 });
    forgetAnswer(book, 3, 'bot', '1');
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

  it('forgets the answer of a replaced transaction without forgetting its replacement', () => {
    const book = createNonceBook();
    signNonce(book, 0, signed(1));
    signNonce(book, 0, signed(2));
    forgetAnswer(book, 0, 'bot', '1');
    expect(checkNonce(book, 0, digest(2))).toEqual({ kind: 'same', client: 'bot', answer: '2' });
    // The same key of another client is another request.
    forgetAnswer(book, 0, 'other', '2');
    expect(checkNonce(book, 0, digest(2))).toEqual({ kind: 'same', client: 'bot', answer: '2' });
    forgetAnswer(book, 0, 'bot', '2');
    expect(checkNonce(book, 0, digest(2))).toEqual({ kind: 'used' });
    // A stale nonce that is replaced is fresh again, and is forgotten once.
    signNonce(book, 0, signed(3));
    expect(book.stale).toEqual([]);
  });

  it('gives the lowest nonce that nobody has', () => {
    const book = createNonceBook(2);
    signNonce(book, 2, signed(1));
    signNonce(book, 4, signed(1));
    expect(nextNonce(book, 0)).toBe(3);
    expect(nextNonce(book, 0, new Set([3, 5]))).toBe(6);
    expect(nextNonce(book, 9)).toBe(9);
    expect(nextNonce(undefined, 0)).toBe(0);
  });
});

describe('a replacement', () => {
  const asked = {
    ...{ isOwner: true, core: 'core 1', cancels: false },
    ...{ maxFeePerGas: 21n, maxPriorityFeePerGas: 3n, maxFeePerBlobGas: null },
  };

  it('does the same at higher fees', () => {
    expect(judgeReplacement(signed(1), asked)).toEqual({ kind: 'replacement', of: signed(1) });
  });

  it('or does nothing at all at higher fees', () => {
    const nothing = { ...asked, core: 'core 9', cancels: true };
    expect(judgeReplacement(signed(1), nothing)).toEqual({ kind: 'cancellation', of: signed(1) });
    const again = { ...nothing, maxFeePerGas: 40n, maxPriorityFeePerGas: 8n };
    expect(judgeReplacement({ ...signed(1), core: 'core 9' }, again).kind).toBe('cancellation');
  });

  it('is neither of another client, nor something else, nor for the same fee', () => {
    const refused = (change: Partial<typeof asked>) => judgeReplacement(signed(1), { ...asked, ...change });
    expect(refused({ isOwner: false })).toEqual({ kind: 'refused', why: 'another_client' });
    expect(refused({ core: 'core 2' })).toEqual({ kind: 'refused', why: 'another_intent' });
    expect(refused({ maxFeePerGas: 20n })).toEqual({ kind: 'refused', why: 'fee_not_higher' });
    expect(refused({ maxPriorityFeePerGas: 2n })).toEqual({ kind: 'refused', why: 'fee_not_higher' });
  });

  it('raises the blob fee as well where there is one', () => {
    const blobs = { ...signed(1), fees: { ...fees, maxFeePerBlobGas: '7' } };
    expect(judgeReplacement(blobs, { ...asked, maxFeePerBlobGas: 7n } as never).kind).toBe('refused');
    expect(judgeReplacement(blobs, { ...asked, maxFeePerBlobGas: 8n } as never).kind).toBe('replacement');
  });
});
