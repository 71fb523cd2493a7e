import { toHex, wei } from '@keepwatch/base';
import fc from 'fast-check';
import type { Authorization, SignedAuthorization } from './authorization.ts';
import type { TransactionSignature } from './signature.ts';
import type { Transaction } from './transaction.ts';

/** Random transactions of every type, with small and full-width numbers alike. */

const HALF_ORDER = 0x7fffffff_ffffffff_ffffffff_ffffffff_5d576e73_57a4501d_dfe92f46_681b20a0n;

export const bytesHex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes): `0x${string}` => `0x${toHex(bytes)}`);

/** Most bugs of an integer codec live at a change of length. */
export const uint = (bits: number) =>
  fc.integer({ min: 0, max: bits }).chain((width) => fc.bigInt({ min: 0n, max: (1n << BigInt(width)) - 1n }));

const number = uint(53).map(Number);
const positive = number.map((value) => Math.max(1, value));
const amount = (bits: number) => uint(bits).map(wei);
const accessList = fc.array(
  fc.record({ address: bytesHex(20), storageKeys: fc.array(bytesHex(32), { maxLength: 3 }) }),
  { maxLength: 3 },
);
const scalar = uint(255).map((value) => (value === 0n ? 1n : value > HALF_ORDER ? value >> 1n : value));
const word = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, '0')}`;
const parity = fc.constantFrom(0 as const, 1 as const);

export const signatures: fc.Arbitrary<TransactionSignature> = fc.record({
  r: scalar.map(bytesOf),
  s: scalar.map(bytesOf),
  yParity: parity,
});

function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 0xffn));
}

export const authorizations: fc.Arbitrary<Authorization> = fc.record({
  chainId: number,
  address: bytesHex(20),
  nonce: number,
});

const content = { nonce: number, gasLimit: uint(64), value: amount(256), data: fc.uint8Array({ maxLength: 100 }) };
const feeMarket = fc
  .record({ ...content, chainId: positive, fees: fc.tuple(amount(190), amount(190)), accessList })
  .map(({ fees: [a, b], ...rest }) => ({
    ...rest,
    maxPriorityFeePerGas: a < b ? a : b,
    maxFeePerGas: a < b ? b : a,
  }));
const recipient = fc.option(bytesHex(20));
const blobHashes = fc.array(
  bytesHex(31).map((hash): `0x${string}` => `0x01${hash.slice(2)}`),
  { minLength: 1, maxLength: 6 },
);
const signedAuthorization = (chainId: number): fc.Arbitrary<SignedAuthorization> =>
  fc.record({
    chainId: fc.constantFrom(0, chainId),
    address: bytesHex(20),
    nonce: number,
    yParity: parity,
    r: scalar.map(word),
    s: scalar.map(word),
  });

export const transactions: fc.Arbitrary<Transaction> = fc.oneof(
  fc.record({
    type: fc.constant('legacy' as const),
    chainId: positive,
    ...content,
    gasPrice: amount(190),
    to: recipient,
  }),
  fc.record({
    type: fc.constant('eip2930' as const),
    chainId: positive,
    ...content,
    gasPrice: amount(190),
    to: recipient,
    accessList,
  }),
  fc.tuple(feeMarket, recipient).map(([fields, to]) => ({ type: 'eip1559' as const, ...fields, to })),
  fc
    .tuple(feeMarket, bytesHex(20), amount(200), blobHashes)
    .map(([fields, to, maxFeePerBlobGas, blobVersionedHashes]) => ({
      type: 'eip4844' as const,
      ...fields,
      to,
      maxFeePerBlobGas,
      blobVersionedHashes,
    })),
  fc
    .tuple(feeMarket, bytesHex(20))
    .chain(([fields, to]) =>
      fc
        .array(signedAuthorization(fields.chainId), { minLength: 1, maxLength: 3 })
        .map((authorizationList) => ({ type: 'eip7702' as const, ...fields, to, authorizationList })),
    ),
);
