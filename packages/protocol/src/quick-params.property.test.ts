import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METHODS, type MethodName } from './methods.ts';
import { QUICK_PARAMS } from './quick-params.ts';

const VALID = {
  wallet: 'AAAAAAAAAAAAAAAAAAAA_-',
  chain: 'eip155:1',
  transaction: '0x02c0',
  key: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  expires: 1_790_000_000_000,
};

/** A character changed, doubled or lost somewhere, or another value altogether. */
const damaged = (value: unknown) =>
  fc.oneof(
    fc.tuple(fc.nat(), fc.constantFrom('', '0', 'a', 'f', 'g', 'A', '-', '\n', '=', 'é')).map(([at, letter]) => {
      const text = String(value);
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + letter + text.slice(cut + (at % 2));
    }),
    fc.constantFrom(null, undefined, true, 0, -1, 1.5, 2 ** 53, 2 ** 53 - 1, '', '0x', [], {}, '0x02c', '0X02'),
    fc.string(),
    fc.double(),
  );

const params = fc
  .record({
    ...Object.fromEntries(
      Object.entries(VALID).map(([name, value]) => [
        name,
        fc.oneof({ arbitrary: fc.constant<unknown>(value), weight: 6 }, damaged(value)),
      ]),
    ),
    extra: fc.oneof({ arbitrary: fc.constant(undefined), weight: 8 }, fc.string()),
  })
  .map(({ extra, ...rest }) => (extra === undefined ? rest : { ...rest, extra }));

describe.each(Object.entries(QUICK_PARAMS))('quick parameters of %s', (name, quick) => {
  const schema = METHODS[name as MethodName].params;

  it('are what the schema takes, and come out as from the schema', () => {
    let taken = 0;
    fc.assert(
      fc.property(params, (value) => {
        const parsed = schema.safeParse(value);
        const result = quick(value);
        expect(result !== undefined).toBe(parsed.success);
        if (!parsed.success) return;
        taken++;
        expect(result).toEqual(parsed.data);
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('are bounded like the schema’s', () => {
    for (const bytes of [0, 1, 131_072, 131_073]) {
      const value = { ...VALID, transaction: `0x${'ab'.repeat(bytes)}` };
      expect(quick(value) !== undefined).toBe(schema.safeParse(value).success);
    }
  });
});
