import { canonicalBytes, type Json } from '@keepwatch/base';
import { wholeText } from '@keepwatch/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEntryWriter } from './entry-text.ts';
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

const canonical = (entry: object) => Buffer.from(canonicalBytes(entry as unknown as Json));

describe('an entry', () => {
  it('is the canonical text of the event with its time and salt', () => {
    const write = createEntryWriter();
    fc.assert(
      fc.property(fc.oneof(permit, other), fc.nat(), id, (event, at, salt) => {
        const entry = stampEntry(event, at, salt);
        expect(entry).toEqual({ ...event, at, salt });
        const bytes = Buffer.from(wholeText(write(entry)));
        expect(bytes).toEqual(canonical({ ...event, at, salt }));
        expect(decodeEntry(bytes)).toEqual(JSON.parse(JSON.stringify(entry)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is so as well where it differs from the one of this client before in any of its members', () => {
    const write = createEntryWriter();
    const alike = fc.tuple(permit, permit).chain(([one, other]) => {
      const names = Object.keys(one) as (keyof RequestPermitted)[];
      return fc.subarray(names, { maxLength: 2 }).map((changed) => {
        const next = { ...one, ...Object.fromEntries(changed.map((name) => [name, other[name]])), client: one.client };
        return { one, next, changed };
      });
    });
    fc.assert(
      fc.property(alike, fc.nat(), id, ({ one, next }, at, salt) => {
        write(stampEntry({ ...one }, 0, 'salt'));
        expect(Buffer.from(wholeText(write(stampEntry({ ...next }, at, salt))))).toEqual(
          canonical({ ...next, at, salt }),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('has the same form as the one before where only what each request has of its own differs', () => {
    const fresh = fc.record({
      digest: id,
      key: id,
      nonce: maybe(fc.nat()),
      payload: maybe(text),
      prior: fc.nat(),
      request: id,
    });
    fc.assert(
      fc.property(permit, fresh, amount, (first, own, spent) => {
        const write = createEntryWriter();
        const budgets = first.budgets.map((line) => ({ ...line, spentBefore: line.spentAfter, spentAfter: spent }));
        const before = write(stampEntry({ ...first, charges: null }, 1, 'a'));
        // Another client's in between changes nothing.
        write(stampEntry({ ...first, client: `${first.client}-`, grant: 'other' }, 1, 'b'));
        const after = write(stampEntry({ ...first, ...own, budgets, charges: null }, 2, 'c'));
        expect(after.form).toBe(before.form);
        expect(wholeText(after)).not.toBe(wholeText(before));
      }),
    );
  });
});
