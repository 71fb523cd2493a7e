import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METHODS, type MethodName } from './methods.ts';
import { QUICK_RESULTS } from './quick-results.ts';

const HASH = `${'A'.repeat(41)}_-`;
const HEAD = {
  ...{ version: 1, vault: HASH, epoch: 1, firstSeq: 7, lastSeq: 9, root: HASH, prev: HASH, timeMs: 1_790_000_000_000 },
  signature: 'b'.repeat(86),
};
const VALID = {
  signature: `0x${'0f'.repeat(65)}`,
  receipt: { entry: '{}', seq: 8, index: 1, path: [HASH, HASH], head: HEAD },
};

const odd = fc.oneof(
  fc.constantFrom(null, undefined, true, 0, -1, 1.5, 2 ** 53, 2, '', 'A'.repeat(42), `${'A'.repeat(43)}\n`, [], {}),
  fc.constantFrom(`0x${'0F'.repeat(65)}`, `0x${'0a'.repeat(65)}`, `0x${'0a'.repeat(65)}\n`, `0x${'0a'.repeat(64)}`),
  fc.constantFrom([HASH], [HASH.slice(1)], [3], { ...HEAD, more: 1 }, { ...HEAD, signature: HASH }),
  fc.string(),
);
const places = [
  ...Object.keys(VALID).map((name) => [name]),
  ...Object.keys(VALID.receipt).map((name) => ['receipt', name]),
  ...Object.keys(HEAD).map((name) => ['receipt', 'head', name]),
  ...[['extra'], ['receipt', 'extra'], ['receipt', 'head', 'extra']],
];

/** One member changed, added or taken away. */
function damaged(place: readonly string[], value: unknown): unknown {
  const copy = structuredClone(VALID) as Record<string, unknown>;
  const holder = place.slice(0, -1).reduce((at, name) => at[name] as Record<string, unknown>, copy);
  if (value === undefined) delete holder[place.at(-1)!];
  else holder[place.at(-1)!] = value;
  return copy;
}

describe.each(Object.entries(QUICK_RESULTS))('the quick check of %s', (name, quick) => {
  const schema = METHODS[name as MethodName].result;

  it('takes what the schema takes, and nothing else', () => {
    expect(quick(VALID)).toBe(true);
    expect(schema.safeParse(VALID).success).toBe(true);
    fc.assert(
      fc.property(fc.constantFrom(...places), odd, (place, value) => {
        const result = damaged(place, value);
        expect(quick(result)).toBe(schema.safeParse(result).success);
      }),
      { numRuns: 3_000 },
    );
  });

  it('looks at each head again that is another one, and at each node that stands elsewhere', () => {
    const shared = { ...VALID, receipt: { ...VALID.receipt, path: [HASH.replace('A', 'B'), HASH] } };
    expect([quick(VALID), quick(shared), quick(structuredClone(VALID))]).toEqual([true, true, true]);
    expect(quick(damaged(['receipt', 'head', 'root'], 'x'))).toBe(false);
    for (const path of [
      [HASH, `${HASH}=`],
      ['', HASH],
      [undefined, HASH, HASH],
      [HASH, HASH, HASH, 1],
    ]) {
      expect(quick(damaged(['receipt', 'path'], path))).toBe(false);
    }
    expect(quick(damaged(['receipt', 'head'], undefined))).toBe(false);
  });

  it.each([null, 'text', 3, [], {}, undefined])('does not take %j', (value) => {
    expect(quick(value)).toBe(false);
  });
});
