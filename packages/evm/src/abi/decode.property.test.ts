import { fromHex, toHex, type Keccak256 } from '@keepwatch/base';
import fc from 'fast-check';
import { decodeAbiParameters, encodeAbiParameters, keccak256, type AbiParameter as ViemParameter } from 'viem';
import { expect, it } from 'vitest';
import { parseArtefact } from './artefact.ts';
import { decodeParameters } from './decode.ts';
import { encodeParameters } from './encode.ts';
import { formatFunction, parseFunction, type AbiFunction } from './function.ts';
import type { NamedValue, Value } from './value.ts';

// viem is the oracle: another implementation of the same specification, lenient where this one is strict.

const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');

/** A type in the notation of JSON ABIs, and a value of it as viem takes it. */
interface Sample {
  readonly type: ViemParameter;
  readonly value: unknown;
}

const hexOf = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => `0x${toHex(bytes)}`);
const sample = (type: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Sample> =>
  value.map((each) => ({ type: { type }, value: each }));
const integer = (kind: 'uint' | 'int') =>
  fc.integer({ min: 1, max: 32 }).chain((bytes) => {
    const bits = BigInt(bytes * 8);
    const [min, max] = kind === 'uint' ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
    const value = fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max));
    // viem's numbers up to 48 bits are numbers.
    return sample(`${kind}${bits}`, bits > 48n ? value : value.map(Number));
  });

const samples = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'abi' },
    integer('uint'),
    integer('int'),
    sample('address', hexOf(20)),
    sample('bool', fc.boolean()),
    sample('string', fc.string({ unit: 'binary', maxLength: 40 })),
    sample(
      'bytes',
      fc.uint8Array({ maxLength: 70 }).map((bytes) => `0x${toHex(bytes)}`),
    ),
    fc.integer({ min: 1, max: 32 }).chain((size) => sample(`bytes${size}`, hexOf(size))),
    fc.array(tie('sample'), { minLength: 1, maxLength: 4, depthIdentifier: 'abi' }).map(tupleOf),
    fc.tuple(tie('sample'), fc.nat({ max: 3 }), fc.boolean()).map(([item, length, fixed]) => ({
      type: { ...item.type, type: `${item.type.type}[${fixed ? length + 1 : ''}]` },
      value: Array.from({ length: fixed ? length + 1 : length }, () => item.value),
    })),
  ),
})).sample;

function tupleOf(members: readonly Sample[]): Sample {
  return {
    type: { type: 'tuple', components: members.map(({ type }, i) => ({ ...type, name: `m${i}` })) } as ViemParameter,
    value: Object.fromEntries(members.map(({ value }, i) => [`m${i}`, value])),
  };
}

const calls = fc.array(samples, { maxLength: 4 });

function functionOf(call: readonly Sample[]): AbiFunction {
  const inputs = call.map(({ type }, i) => ({ ...type, name: `a${i}` }));
  const parsed = parseArtefact(JSON.stringify([{ type: 'function', name: 'f', inputs }]), keccak);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value.functions[0]!;
}

const encodeByViem = (call: readonly Sample[]) =>
  fromHex(
    encodeAbiParameters(
      call.map(({ type }) => type),
      call.map(({ value }) => value),
    ),
  )!;

/** A value of ours in the shape that viem has. */
function plain(value: Value, type: ViemParameter): unknown {
  const array = /^(.*)\[[0-9]*\]$/.exec(type.type);
  if (array) {
    return (value as readonly Value[]).map((item) => plain(item, { ...type, type: array[1]! }));
  }
  if (type.type === 'tuple') {
    const { components } = type as { readonly components: readonly ViemParameter[] };
    return Object.fromEntries(
      (value as readonly NamedValue[]).map((member, i) => [member.name, plain(member.value, components[i]!)]),
    );
  }
  return typeof value === 'bigint' && Number(/[0-9]+$/.exec(type.type)![0]) <= 48 ? Number(value) : value;
}

const valuesOf = (named: readonly NamedValue[]) => named.map(({ value }) => value);
const lower = (value: unknown) =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)).toLowerCase();

it('reads what viem wrote, and writes the same', () => {
  fc.assert(
    fc.property(calls, (call) => {
      const { inputs } = functionOf(call);
      const bytes = encodeByViem(call);
      const decoded = decodeParameters(inputs, bytes);
      if (!decoded.ok) throw new Error(decoded.error);
      const ours = decoded.value.map(({ value }, i) => plain(value, call[i]!.type));
      expect(lower(ours)).toBe(lower(call.map(({ value }) => value)));
      expect(toHex(encodeParameters(inputs, valuesOf(decoded.value)))).toBe(toHex(bytes));
    }),
    { numRuns: 500 },
  );
});

it('reads changed bytes only where they are the encoding of what it reads, and then as viem does', () => {
  let accepted = 0;
  fc.assert(
    fc.property(calls, fc.nat(), fc.nat({ max: 31 }), fc.integer({ min: 1, max: 255 }), (call, word, at, flip) => {
      const { inputs } = functionOf(call);
      const bytes = encodeByViem(call);
      if (bytes.length === 0) return;
      const original = decodeParameters(inputs, bytes);
      bytes[((word * 32) % bytes.length) + at]! ^= flip;
      const decoded = decodeParameters(inputs, bytes);
      if (!decoded.ok) return;
      accepted++;
      expect(decoded).not.toEqual(original);
      expect(toHex(encodeParameters(inputs, valuesOf(decoded.value)))).toBe(toHex(bytes));
      const theirs = decodeAbiParameters(
        call.map(({ type }) => type),
        bytes,
      );
      expect(lower(decoded.value.map(({ value }, i) => plain(value, call[i]!.type)))).toBe(lower(theirs));
    }),
    { numRuns: 1000 },
  );
  expect(accepted).toBeGreaterThan(10);
});

it('never throws on foreign bytes, and takes none that are cut or longer', () => {
  fc.assert(
    fc.property(calls, fc.uint8Array({ maxLength: 200 }), fc.nat(), (call, noise, cut) => {
      const { inputs } = functionOf(call);
      decodeParameters(inputs, noise);
      const bytes = encodeByViem(call);
      if (bytes.length > 0) expect(decodeParameters(inputs, bytes.subarray(0, cut % bytes.length)).ok).toBe(false);
      if (noise.length > 0) expect(decodeParameters(inputs, Uint8Array.from([...bytes, ...noise])).ok).toBe(false);
    }),
  );
});

it('writes a function as a line that reads as the same function', () => {
  fc.assert(
    fc.property(calls, (call) => {
      const made = functionOf(call);
      expect(parseFunction(formatFunction(made), keccak)).toEqual({ ok: true, value: made });
    }),
  );
});
