import { toHex, type Json, type Keccak256 } from '@keepwatch/base';
import fc from 'fast-check';
import { addr, signTyped } from 'micro-eth-signer';
import { hashTypedData, keccak256, recoverAddress, type TypedDataDefinition } from 'viem';
import { expect, it } from 'vitest';
import { readTypedData, type TypedData } from './typed-data.ts';

const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');

type Member = { readonly name: string; readonly type: string };
type JsonObject = { [key: string]: Json };
interface Document extends JsonObject {
  types: { [name: string]: Member[] };
  primaryType: string;
  domain: JsonObject;
  message: JsonObject;
}

/** A type and its values, as JSON that wallets take and that is exact. */
interface Typed {
  readonly type: string;
  readonly value: fc.Arbitrary<Json>;
}

const hexOf = (min: number, max = min) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((bytes): Json => `0x${toHex(bytes)}`);
const integer = (min: bigint, max: bigint) =>
  fc.bigInt({ min, max }).chain((value): fc.Arbitrary<Json> => {
    const exact = value >= -(2n ** 53n) + 1n && value < 2n ** 53n;
    return fc.constantFrom<Json>(
      value.toString(),
      ...(exact ? [Number(value)] : []),
      ...(value < 0n ? [] : [hex(value)]),
    );
  });
const hex = (value: bigint) => `0x${value.toString(16)}`;

const atomic: fc.Arbitrary<Typed> = fc.oneof(
  fc.integer({ min: 1, max: 32 }).map((bytes) => ({
    type: `uint${bytes * 8}`,
    value: integer(0n, 2n ** BigInt(bytes * 8) - 1n),
  })),
  fc.integer({ min: 1, max: 32 }).map((bytes) => ({
    type: `int${bytes * 8}`,
    value: integer(-(2n ** BigInt(bytes * 8 - 1)), 2n ** BigInt(bytes * 8 - 1) - 1n),
  })),
  fc.integer({ min: 1, max: 32 }).map((size) => ({ type: `bytes${size}`, value: hexOf(size) })),
  fc.constantFrom<Typed>(
    { type: 'bool', value: fc.boolean() },
    { type: 'address', value: hexOf(20) },
    { type: 'bytes', value: hexOf(0, 70) },
    { type: 'string', value: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  ),
);

function arrays(item: Typed, lengths: readonly number[]): Typed {
  return lengths.reduce<Typed>(
    ({ type, value }, length) =>
      length === 0
        ? { type: `${type}[]`, value: fc.array(value, { maxLength: 3 }) }
        : { type: `${type}[${length}]`, value: fc.array(value, { minLength: length, maxLength: length }) },
    item,
  );
}

const NAMES = ['Alpha', 'Beta', 'alpha', 'A1', '_y', 'Zeta', 'ZETA'];
const lengths = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 });

/** Structs that may hold those declared before them; the last one is the primary type and needs all others. */
const documents: fc.Arbitrary<Document> = fc
  .integer({ min: 1, max: 4 })
  .chain((count) =>
    fc.tuple(
      fc.shuffledSubarray(NAMES, { minLength: count, maxLength: count }),
      fc.array(fc.array(fc.tuple(fc.option(fc.nat(), { freq: 2 }), atomic, lengths), { minLength: 1, maxLength: 4 }), {
        minLength: count,
        maxLength: count,
      }),
      fc.subarray(['name', 'version', 'chainId', 'verifyingContract', 'salt'], { minLength: 1 }),
    ),
  )
  .chain(([names, plans, domainMembers]) => {
    const types: Record<string, Member[]> = {};
    const structs: Typed[] = [];
    for (const [i, plan] of plans.entries()) {
      const fields: [string, Typed][] = plan.map(([earlier, leaf, dimensions], j) => [
        `${i === 0 ? 'a' : 'b'}${j}`,
        arrays(earlier === null || i === 0 ? leaf : structs[earlier % i]!, dimensions),
      ]);
      // Nothing that is declared stays unused.
      if (i > 0) fields.push(['last', structs[i - 1]!]);
      types[names[i]!] = fields.map(([name, { type }]) => ({ name, type }));
      const value = fc.record(Object.fromEntries(fields.map(([name, field]) => [name, field.value])));
      structs.push({ type: names[i]!, value: value as fc.Arbitrary<Json> });
    }
    const domain: Record<string, Typed> = {
      name: { type: 'string', value: fc.string() },
      version: { type: 'string', value: fc.string() },
      chainId: { type: 'uint256', value: fc.constantFrom<Json>(1, '1', '0x1') },
      verifyingContract: { type: 'address', value: hexOf(20) },
      salt: { type: 'bytes32', value: hexOf(32) },
    };
    const EIP712Domain = domainMembers.map((name) => ({ name, type: domain[name]!.type }));
    return fc.record({
      types: fc.constant({ EIP712Domain, ...types }),
      primaryType: fc.constant(names[names.length - 1]!),
      domain: fc.record(Object.fromEntries(domainMembers.map((name) => [name, domain[name]!.value]))),
      message: structs[structs.length - 1]!.value as fc.Arbitrary<JsonObject>,
    });
  }) as fc.Arbitrary<Document>;

const viemDigest = (document: Json) => hashTypedData(document as unknown as TypedDataDefinition);

function read(document: Json): TypedData {
  const result = readTypedData(document, 1, keccak);
  if (!result.ok) throw new Error(`${result.error.code} at ${result.error.path}`);
  return result.value;
}

it('hashes as viem does', () => {
  fc.assert(
    fc.property(documents, (document) => {
      expect(`0x${toHex(read(document).digest)}`).toBe(viemDigest(document));
    }),
    { numRuns: 250 },
  );
}, 120_000);

/** Values as micro-eth-signer takes them: no text or number stands for an integer, no text for bytes. */
function forMicro(value: Json, type: string, types: Document['types']): unknown {
  const array = /^(.*)\[[0-9]*\]$/.exec(type);
  if (array) return (value as Json[]).map((item) => forMicro(item, array[1]!, types));
  if (types[type]) return structForMicro(value as JsonObject, type, types);
  if (/^u?int/.test(type)) return BigInt(value as string);
  if (/^bytes/.test(type)) return Uint8Array.fromHex((value as string).slice(2));
  return value;
}

function structForMicro(value: JsonObject, type: string, types: Document['types']): Record<string, unknown> {
  return Object.fromEntries(
    types[type]!.map((member) => [member.name, forMicro(value[member.name]!, member.type, types)]),
  );
}

it('hashes as micro-eth-signer does: its signature is over our digest', async () => {
  const key = `0x${'11'.repeat(32)}`;
  const account = addr.fromPrivateKey(key);
  await fc.assert(
    fc.asyncProperty(documents, async (document) => {
      const { types, primaryType, domain, message } = document;
      const theirs = {
        ...{ types, primaryType },
        domain: structForMicro(domain, 'EIP712Domain', types),
        message: structForMicro(message, primaryType, types),
      };
      const signature = signTyped(theirs as never, key) as `0x${string}`;
      expect(await recoverAddress({ hash: read(document).digest, signature })).toBe(account);
    }),
    { numRuns: 30 },
  );
}, 120_000);

/** Paths to everything in the document that can be changed. */
function places(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value as JsonObject).flatMap(([key, member]) =>
    places(member, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...inner];
}

function changed(value: Json, path: readonly (string | number)[], change: (old: Json) => Json | undefined): Json {
  const [step, ...deeper] = path;
  if (step === undefined) return change(value) ?? null;
  const copy: JsonObject = Array.isArray(value) ? ([...value] as unknown as JsonObject) : { ...(value as JsonObject) };
  if (deeper.length === 0) {
    const next = change(copy[step]!);
    if (next === undefined) delete copy[step];
    else copy[step] = next;
  } else copy[step] = changed(copy[step]!, deeper, change);
  return copy;
}

const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    1,
    -1,
    '',
    '0',
    '1',
    '0x',
    '0x00',
    '0x01',
    [],
    {},
    2 ** 53,
    0.5,
    'string',
  ),
  fc.constantFrom<Json>(
    'uint256',
    'uint',
    'bytes',
    'bytes32',
    'address',
    'address[]',
    'Alpha',
    'Beta[]',
    'EIP712Domain',
  ),
  fc.string({ maxLength: 5 }),
  fc.integer(),
  hexOf(0, 33),
);

it('is the stricter one wherever it and viem disagree about a changed document', () => {
  const count = { taken: 0, same: 0, stricter: 0 };
  fc.assert(
    fc.property(documents, fc.nat(), odd, fc.integer({ min: 0, max: 3 }), (document, at, replacement, kind) => {
      const all = places(document);
      const mutated = changed(document, all[at % all.length]!, (old) => {
        if (kind === 0) return undefined;
        if (kind === 1 && Array.isArray(old)) return [...(old as Json[]), replacement];
        if (kind === 2 && typeof old === 'string') return old.slice(0, -1);
        if (kind === 3 && typeof old === 'object' && !Array.isArray(old))
          return { ...(old as object), more: replacement };
        return replacement;
      });
      const ours = readTypedData(mutated, 1, keccak);
      if (!ours.ok) {
        try {
          viemDigest(mutated);
          count.stricter++;
        } catch {
          // Both refuse.
        }
        return;
      }
      count.taken++;
      const digest = toHex(ours.value.digest);
      expect(`0x${digest}`).toBe(viemDigest(mutated));
      // What is reported tells two digests apart: nothing that was hashed is left out.
      const before = read(document);
      const report = ({ domain, encodedType, fields }: TypedData) => ({ domain, encodedType, fields });
      if (digest === toHex(before.digest)) {
        count.same++;
        expect(report(ours.value)).toEqual(report(before));
      } else expect(report(ours.value)).not.toEqual(report(before));
    }),
    { numRuns: 800 },
  );
  expect(count.taken - count.same).toBeGreaterThan(20);
  expect(count.stricter).toBeGreaterThan(20);
}, 120_000);

it('never throws on foreign JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), documents, fc.nat(3), (value, document, place) => {
      const member = ['types', 'primaryType', 'domain', 'message'][place]!;
      for (const json of [value, { ...document, [member]: value }]) {
        const result = readTypedData(json as Json, 1, keccak);
        expect(typeof result.ok).toBe('boolean');
      }
    }),
    { numRuns: 1000 },
  );
}, 120_000);
