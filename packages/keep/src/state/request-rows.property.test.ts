import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rememberAnswer } from './answers.ts';
import { emptyState } from './fold.ts';
import type { SignedNonce } from './nonces.ts';
import { answerRows, nonceRows, restoreAnswers, restoreNonces, type Rows } from './request-rows.ts';
import type { Answered } from './state.ts';

const asRead = (pages: Iterable<Rows>) => JSON.parse(JSON.stringify([...pages])) as Rows[];
const rowsOfPage = fc.integer({ min: 1, max: 8 });
const name = fc.constantFrom('', '0', 'client a', 'client b', '__proto__');
const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const amount = fc.constantFrom('0', '1', '30000000000');

const answers = fc.array(
  fc.record({
    client: name,
    key: fc.string({ maxLength: 2 }),
    answer: fc.record<Answered>({
      request: fc.string(),
      seq: fc.maxSafeInteger(),
      at: fc.maxSafeInteger(),
      verdict: fc.constantFrom('permit', 'deny', 'void'),
      wallet: name,
      chain: name,
      nonce: optional(fc.maxSafeInteger()),
      grant: optional(name),
    }),
  }),
);

it('gives back every answer as it was, in its order', () => {
  fc.assert(
    fc.property(answers, rowsOfPage, (all, perPage) => {
      const state = emptyState();
      for (const { client, key, answer } of all) rememberAnswer(state, client, key, answer);
      const restored = emptyState();
      for (const page of asRead(answerRows(state, perPage))) restoreAnswers(page, restored);
      const list = ({ answered }: typeof state) => [...answered].map(([client, each]) => [client, [...each]]);
      expect(list(restored)).toEqual(list(state));
      expect(restored.answerCount).toBe(state.answerCount);
    }),
  );
});

const fees = fc.record({
  charged: amount,
  maxFeePerBlobGas: optional(amount),
  maxFeePerGas: amount,
  maxPriorityFeePerGas: amount,
});
const signed = fc.record<SignedNonce>({
  digest: fc.string(),
  answer: optional(fc.string()),
  client: name,
  grant: name,
  core: fc.constantFrom('', 'one', 'other'),
  fees,
});
/** Some with the very terms of the one before, some with equal ones, some of which the use alone is remembered. */
const book = fc.array(fc.tuple(fc.nat(20), optional(signed), fc.boolean())).map((entries) => {
  const made = new Map<number, SignedNonce | null>();
  let last: SignedNonce | null = null;
  for (const [nonce, own, repeats] of entries) {
    const known: SignedNonce | null = own && last && repeats ? { ...own, core: last.core, fees: last.fees } : own;
    made.set(nonce, known);
    last = known ?? last;
  }
  return { signed: made };
});

it('gives back every signed nonce as it was, in its book and order', () => {
  fc.assert(
    fc.property(fc.array(book, { maxLength: 4 }), rowsOfPage, (books, perPage) => {
      const restored = books.map(() => ({ signed: new Map<number, SignedNonce | null>() }));
      const wallets = books.map((_, i) => `wallet ${i % 2}`);
      for (const page of asRead(nonceRows(books, perPage))) restoreNonces(page, restored, wallets);
      expect(restored.map((each) => [...each.signed])).toEqual(books.map((each) => [...each.signed]));
    }),
    { numRuns: 300 },
  );
});
