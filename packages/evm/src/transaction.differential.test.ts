import { toHex } from '@keepwatch/base';
import fc from 'fast-check';
import { Transaction as MicroTransaction } from 'micro-eth-signer';
import { expect, it } from 'vitest';
import { fromRlp, keccak256, parseTransaction, recoverAddress } from 'viem';
import { apart, SIGNED_VECTORS } from './fixtures/signed-transactions.ts';
import { encodeRlp, type RlpItem } from './rlp.ts';
import { decodeUnsigned, encodeUnsigned, signingDigest, type Transaction } from './transaction.ts';
import { transactions } from './transaction.arbitrary.fixture.ts';

/**
 * Three decoders of the same bytes, honest and mutated ones: ours, viem’s and micro-eth-signer’s. What ours takes, the
 * others take too, and read the same from it; so wherever they disagree, ours is the one that refuses.
 */

type Facts = Record<string, unknown>;

function byViem(bytes: Uint8Array): Facts {
  const { type, gas, ...rest } = parseTransaction(`0x${toHex(bytes)}`) as Facts;
  return { type, gasLimit: gas, ...rest };
}

function byMicro(bytes: Uint8Array): Facts {
  const { type, raw } = MicroTransaction.fromBytes(bytes);
  return { type, ...(raw as Facts) };
}

const lower = (text: unknown) => (typeof text === 'string' ? text.toLowerCase() : '');
const integer = (value: unknown) => BigInt((value as bigint | number | undefined) ?? 0);

/** One form for what the three say: libraries leave out what is zero or empty, or write it otherwise. */
function normal(facts: Facts): Facts {
  const list = (facts.accessList ?? []) as readonly { address: string; storageKeys: readonly string[] }[];
  const authorizations = (facts.authorizationList ?? []) as readonly Facts[];
  const data = facts.data instanceof Uint8Array ? `0x${toHex(facts.data)}` : lower(facts.data);
  return {
    type: facts.type,
    chainId: integer(facts.chainId),
    nonce: integer(facts.nonce),
    gasPrice: integer(facts.gasPrice),
    maxFeePerGas: integer(facts.maxFeePerGas),
    maxPriorityFeePerGas: integer(facts.maxPriorityFeePerGas),
    maxFeePerBlobGas: integer(facts.maxFeePerBlobGas),
    gasLimit: integer(facts.gasLimit),
    value: integer(facts.value),
    to: lower(facts.to).replace(/^0x$/, ''),
    data: data === '' ? '0x' : data,
    accessList: list.map(({ address, storageKeys }) => [lower(address), storageKeys.map(lower)]),
    blobVersionedHashes: ((facts.blobVersionedHashes ?? []) as unknown[]).map(lower),
    authorizationList: authorizations.map(({ chainId, address, nonce, yParity, r, s }) => [
      ...[integer(chainId), lower(address), integer(nonce), integer(yParity), integer(r), integer(s)],
    ]),
  };
}

function agree(bytes: Uint8Array, ours: Transaction): void {
  const facts = normal(ours as unknown as Facts);
  expect(normal(byViem(bytes))).toEqual(facts);
  expect(normal(byMicro(bytes))).toEqual(facts);
}

function takes(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch {
    return false;
  }
}

it.each(SIGNED_VECTORS)(
  'the published $type of $sender is signed over our digest',
  async (vector) => {
    const { unsigned, signature } = apart(vector);
    const { r, s, yParity } = signature;
    const hash = signingDigest(unsigned, (bytes) => keccak256(bytes, 'bytes'));
    const recovered = await recoverAddress({ hash, signature: { r: `0x${toHex(r)}`, s: `0x${toHex(s)}`, yParity } });
    expect(recovered.toLowerCase()).toBe(`0x${vector.sender}`);
  },
  120_000,
);

it('reads what the others read', () => {
  fc.assert(
    fc.property(transactions, (transaction) => {
      agree(encodeUnsigned(transaction), transaction);
    }),
    { numRuns: 250 },
  );
}, 120_000);

interface Mutated {
  readonly bytes: Uint8Array;
}

/** Bytes changed, put in, taken out or repeated. */
const byteMutations: fc.Arbitrary<Mutated> = fc
  .tuple(
    transactions,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([transaction, edits]) => {
    const bytes = [...encodeUnsigned(transaction)];
    for (const [position, kind, byte] of edits) {
      const at = position % bytes.length;
      if (kind === 0) bytes[at] = byte;
      if (kind === 1) bytes.splice(at, 0, byte);
      if (kind === 2 && bytes.length > 1) bytes.splice(at, 1);
      if (kind === 3) bytes.splice(at, 0, ...bytes.slice(at, at + (byte % 40)));
    }
    return { bytes: Uint8Array.from(bytes) };
  });

const oddItems: fc.Arbitrary<RlpItem> = fc.oneof(
  fc.uint8Array({ maxLength: 34 }),
  fc.constantFrom<RlpItem>([], [[]], Uint8Array.of(0), Uint8Array.of(0, 1), Uint8Array.of(1), Uint8Array.of(2)),
  fc.integer({ min: 19, max: 34 }).map((length) => new Uint8Array(length).fill(255)),
  fc.array(fc.uint8Array({ minLength: 31, maxLength: 33 }), { maxLength: 3 }),
);

/** Canonical RLP of other fields: one replaced, left out, added or moved, at any depth, or another type before them. */
const fieldMutations: fc.Arbitrary<Mutated> = fc
  .tuple(transactions, fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), oddItems, fc.integer({ min: 0, max: 4 }))
  .map(([transaction, path, odd, kind]) => {
    const bytes = encodeUnsigned(transaction);
    const typed = bytes[0]! < 0xc0;
    const tree = fromRlp(typed ? bytes.subarray(1) : bytes, 'bytes') as unknown as RlpItem[];
    const changed = mutate(tree, path, odd, kind);
    const prefix = !typed ? [] : kind === 4 ? [path[0]! % 6] : [bytes[0]!];
    return { bytes: Uint8Array.from([...prefix, ...encodeRlp(changed)]) };
  });

function mutate(list: readonly RlpItem[], path: readonly number[], odd: RlpItem, kind: number): RlpItem[] {
  const [step = 0, ...deeper] = path;
  const items = [...list];
  if (items.length === 0) return [odd];
  const at = step % items.length;
  const item = items[at]!;
  if (!(item instanceof Uint8Array) && deeper.length > 0 && deeper[0]! % 4 !== 0) {
    items[at] = mutate(item, deeper, odd, kind);
    return items;
  }
  if (kind === 0) items[at] = odd;
  if (kind === 1) items.splice(at, 1);
  if (kind === 2) items.splice(at, 0, odd);
  if (kind === 3) items.push(...items.splice(at, 1));
  return items;
}

it.each([
  // Of bytes changed by chance few make canonical RLP that another library misreads; of fields many do.
  ['bytes', byteMutations, 0],
  ['fields', fieldMutations, 1],
])(
  'is the stricter one wherever they disagree: mutated %s',
  (_, mutations, fooled) => {
    const count = { taken: 0, refused: 0, stricter: 0 };
    fc.assert(
      fc.property(mutations, ({ bytes }) => {
        const ours = decodeUnsigned(bytes);
        if (ours.ok) {
          count.taken++;
          expect(encodeUnsigned(ours.value)).toEqual(bytes);
          agree(bytes, ours.value);
        } else {
          count.refused++;
          if (takes(byViem, bytes) || takes(byMicro, bytes)) count.stricter++;
        }
      }),
      { numRuns: 1000 },
    );
    // The mutations are worth their time: some are good transactions, and those of fields fool one of the others.
    expect(count.taken).toBeGreaterThan(50);
    expect(count.stricter).toBeGreaterThanOrEqual(fooled);
  },
  120_000,
);
