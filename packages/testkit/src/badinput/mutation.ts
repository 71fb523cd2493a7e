import fc from 'fast-check';

/** Damage to bytes that were valid: what a flaky line, a careless program or an attacker makes of them. */
export type Mutation = (bytes: Uint8Array) => Uint8Array;

/** Pieces that have broken parsers before. */
const TOKENS = [
  '"__proto__":{"admin":true},',
  '"constructor":{"prototype":{}},',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":',
  '1e999',
  '-0',
  '9007199254740993',
  '\\ud800',
  '\u0000',
  'null',
  '{}',
  '..',
  '=',
  '%00',
  'ÿþ',
].map((text) => Buffer.from(text));

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const one: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, change]): Mutation => (bytes) => {
    const changed = Uint8Array.from(bytes);
    if (changed.length > 0) changed[Math.floor(at * changed.length)]! ^= change;
    return changed;
  }),
  fc.tuple(place, fc.constantFrom(...TOKENS)).map(
    ([at, token]): Mutation =>
      (bytes) =>
        insert(bytes, at, token),
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 24 })).map(
    ([at, noise]): Mutation =>
      (bytes) =>
        insert(bytes, at, noise),
  ),
  fc.tuple(place, place).map(([a, b]): Mutation => (bytes) => {
    const [from, to] = span(bytes, a, b);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  }),
  fc.tuple(place, place).map(([a, b]): Mutation => (bytes) => {
    const [from, to] = span(bytes, a, b);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  }),
  place.map(
    (at): Mutation =>
      (bytes) =>
        bytes.subarray(0, Math.floor(at * bytes.length)),
  ),
  fc.tuple(place, fc.constantFrom(0, 0xff)).map(([at, fill]): Mutation => (bytes) => {
    const changed = Uint8Array.from(bytes);
    const start = Math.floor(at * bytes.length);
    changed.fill(fill, start, start + 4);
    return changed;
  }),
);

export const mutation: fc.Arbitrary<Mutation> = fc
  .array(one, { minLength: 1, maxLength: 4 })
  .map((steps) => (bytes) => steps.reduce((changed, step) => step(changed), bytes));

function insert(bytes: Uint8Array, at: number, what: Uint8Array): Uint8Array {
  const start = Math.floor(at * (bytes.length + 1));
  return Buffer.concat([bytes.subarray(0, start), what, bytes.subarray(start)]);
}

function span(bytes: Uint8Array, a: number, b: number): [from: number, to: number] {
  const ends = [Math.floor(a * bytes.length), Math.floor(b * bytes.length)].sort((x, y) => x - y);
  return [ends[0]!, ends[1]!];
}
