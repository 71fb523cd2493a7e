import { canonicalBytes, type Json } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryText } from './entry-text.ts';
import { decodeEntry, stampEntry, type RequestPermitted, type VaultEvent } from './events.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,22}$/);
const amount = fc.bigInt({ min: 0n, max: 2n ** 256n }).map(String);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value);

const permit: fc.Arbitrary<RequestPermitted> = fc.record({
  type: fc.constant('request.permitted' as const),
  client: id,
  wallet: id,
  chain: fc.integer({ min: 1 }).map((number) => `eip155:${number}`),
  key: fc.uuid({ version: 7 }),
  request: id,
  digest: id,
  form: fc.constantFrom('transaction', 'typed-data', 'message', 'delegation'),
  payload: maybe(text),
  asks: text,
  nonce: maybe(fc.nat()),
  grant: id,
  core: maybe(text),
  fees: maybe(
    fc.record({
      ...{ maxFeePerGas: amount, maxPriorityFeePerGas: amount, maxFeePerBlobGas: maybe(amount), charged: amount },
    }),
  ),
  prior: fc.nat(),
  replaces: maybe(fc.constantFrom('same-intent', 'cancellation')),
  approval: maybe(id),
  version: fc.nat(),
  charges: maybe(
    fc.array(
      fc.record(
        {
          ...{ grant: id, budget: text, amount, fromMs: fc.nat(), untilMs: fc.nat() },
          holds: fc.constantFrom('spent', 'allowance'),
        },
        { requiredKeys: ['grant', 'budget', 'amount'] },
      ),
      { maxLength: 3 },
    ),
  ),
  budgets: fc.array(
    fc.record(
      {
        ...{ grant: id, rule: id, asset: text, window: text },
        ...{ limit: amount, spentBefore: amount, spentAfter: amount },
      },
      { requiredKeys: ['rule', 'limit', 'spentBefore', 'spentAfter'] },
    ),
    { maxLength: 3 },
  ),
} as unknown as { [K in keyof RequestPermitted]: fc.Arbitrary<RequestPermitted[K]> });

const other: fc.Arbitrary<VaultEvent> = fc
  .dictionary(
    text.filter((key) => key !== '__proto__'),
    fc.oneof(text, fc.maxSafeInteger(), fc.constant(null)),
  )
  .map((members) => ({ ...members, type: 'clock.frozen' }) as unknown as VaultEvent);

describe('an entry', () => {
  it('is the canonical text of the event with its time and salt', () => {
    fc.assert(
      fc.property(fc.oneof(permit, other), fc.nat(), id, (event, at, salt) => {
        const entry = stampEntry(event, at, salt);
        expect(entry).toEqual({ ...event, at, salt });
        const bytes = Buffer.from(entryText(entry));
        expect(bytes).toEqual(Buffer.from(canonicalBytes({ ...event, at, salt } as unknown as Json)));
        expect(decodeEntry(bytes)).toEqual(JSON.parse(JSON.stringify(entry)));
      }),
      { numRuns: 1_000 },
    );
  });
});
