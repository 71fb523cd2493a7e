import { createGrantIndex, describeGrant, parseGrant, toJson } from '@keepwatch/permission';
import { grantDraft } from '@keepwatch/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DRAFTS } from './drafts.fixture.ts';

type Json = unknown;

const byProtocol = (draft: Json) => grantDraft.safeParse(draft).success;
const byEngine = (draft: Json) => parseGrant({ id: 'g1', createdSeq: 1, ...(draft as object) }).ok;

describe('a grant of each kind', () => {
  it.each(DRAFTS.map((draft) => [draft['kind'], draft]))('%s is read by both, and written as it was', (_, draft) => {
    expect(grantDraft.parse(draft)).toEqual(draft);
    const parsed = parseGrant({ id: 'g1', createdSeq: 1, ...draft });
    expect(parsed).toMatchObject({ ok: true });
    if (!parsed.ok) return;
    expect(toJson(parsed.value)).toEqual({ id: 'g1', createdSeq: 1, ...draft });
    expect(describeGrant(parsed.value)).not.toMatch(/undefined|object/);
    expect(createGrantIndex([parsed.value]).get('g1')).toBe(parsed.value);
  });
});

/** Everywhere in a JSON value: where its members and items are. */
function placesOf(value: Json, place: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [place];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  return [place, ...keys.flatMap((key) => placesOf((value as Record<string, Json>)[key], [...place, key]))];
}

const ODD: readonly Json[] = [
  ...[
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    2 ** 53,
    '',
    '0',
    '-1',
    '1',
    '1e18',
    ' x',
    'x\u202e',
    'any',
    'none',
    'native',
    {},
    [],
  ],
  ...[
    [1],
    ['any'],
    { ever: true },
    { ever: false },
    { seconds: 0 },
    { seconds: 31_622_401 },
    { group: 'a' },
    { group: '' },
  ],
  ...[{ calendar: 'year', zone: 'UTC' }, '24:00', '08:00', '0xABCDEF', `0x${'00'.repeat(20)}`, `0x${'00'.repeat(32)}`],
  ...[
    (1n << 256n).toString(),
    ((1n << 256n) - 1n).toString(),
    `-${1n << 255n}`,
    `-${(1n << 255n) + 1n}`,
    (1n << 64n).toString(),
  ],
  ...[
    'a'.repeat(65),
    'a'.repeat(129),
    '/a',
    '/a/',
    '/-1',
    '{}',
    '{}{}',
    '{',
    'eip155:0',
    'eip155:10',
    'f()',
    'f( )',
    'cap',
    'deny',
  ],
];

type Change =
  | { readonly do: 'replace'; readonly at: number; readonly by: Json }
  | { readonly do: 'drop' | 'repeat'; readonly at: number }
  | { readonly do: 'add'; readonly at: number; readonly name: string; readonly by: Json };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ do: fc.constant('replace' as const), at: fc.nat(), by: fc.constantFrom(...ODD) }),
  fc.record({ do: fc.constantFrom('drop' as const, 'repeat' as const), at: fc.nat() }),
  fc.record({
    do: fc.constant('add' as const),
    at: fc.nat(),
    name: fc.constantFrom('unlimited', 'accounts', 'label', 'acknowledge', 'until', 'recipients', 'name', 'typeHash'),
    by: fc.constantFrom(...ODD),
  }),
);

function changed(draft: Json, how: Change): Json {
  const copy = structuredClone(draft);
  const places = placesOf(copy);
  const place = places[how.at % places.length]!;
  let holder = copy as Record<string | number, Json>;
  for (const key of place.slice(0, -1)) holder = holder[key] as typeof holder;
  const last = place.at(-1);
  const target = (last === undefined ? copy : holder[last]) as Record<string, Json>;
  if (how.do === 'add') {
    if (typeof target === 'object' && target !== null && !Array.isArray(target)) target[how.name] = how.by;
  } else if (last === undefined) return copy;
  else if (how.do === 'replace') holder[last] = how.by;
  else if (Array.isArray(holder))
    holder.splice(last as number, how.do === 'drop' ? 1 : 0, ...(how.do === 'repeat' ? [holder[last]] : []));
  else if (how.do === 'drop') delete holder[last];
  return copy;
}

/** Ids are the vault's business: the engine takes any name for one. */
function hasIds(draft: Json): boolean {
  const { client, wallet } = draft as { client?: Json; wallet?: Json };
  return [client, wallet].every((id) => typeof id !== 'string' || id === 'any' || /^[A-Za-z0-9_-]{22}$/.test(id));
}

it('is taken or refused by the contract and by the engine alike, whatever is changed in it', () => {
  const seen = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...DRAFTS), fc.array(change, { minLength: 1, maxLength: 2 }), (draft, changes) => {
      const made = changes.reduce<Json>(changed, draft);
      if (!hasIds(made)) return;
      const taken = byEngine(made);
      seen[taken ? 'taken' : 'refused']++;
      if (byProtocol(made) !== taken) {
        expect.fail(`the engine ${taken ? 'takes' : 'refuses'} what the contract does not: ${JSON.stringify(made)}`);
      }
    }),
    { numRuns: 6_000 },
  );
  expect(seen.taken).toBeGreaterThan(300);
  expect(seen.refused).toBeGreaterThan(1_000);
}, 120_000);
