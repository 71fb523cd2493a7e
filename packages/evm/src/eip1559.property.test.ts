import { MAX_UINT256, toHex, wei } from '@keepwatch/base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTransaction, serializeTransaction, type TransactionSerializableEIP1559 } from 'viem';
import { decodeUnsigned, encodeSigned, encodeUnsigned, type Eip1559Transaction } from './eip1559.ts';

// viem is the oracle: it writes and reads the same envelope by other code.

const bytesHex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes): `0x${string}` => `0x${toHex(bytes)}`);
/** Small and full-width numbers alike: most bugs of an integer codec live at a change of length. */
const uint = (bits: number) =>
  fc.integer({ min: 0, max: bits }).chain((width) => fc.bigInt({ min: 0n, max: (1n << BigInt(width)) - 1n }));

const transactions: fc.Arbitrary<Eip1559Transaction> = fc
  .record({
    chainId: uint(53).map((id) => Math.max(1, Number(id))),
    nonce: uint(53).map(Number),
    fees: fc.tuple(uint(190), uint(190)),
    gasLimit: uint(64),
    to: fc.option(bytesHex(20)),
    value: uint(256),
    data: fc.uint8Array({ maxLength: 100 }),
    accessList: fc.array(fc.record({ address: bytesHex(20), storageKeys: fc.array(bytesHex(32), { maxLength: 3 }) }), {
      maxLength: 3,
    }),
  })
  .map(({ fees: [a, b], value, ...rest }) => ({
    ...rest,
    value: wei(value),
    maxPriorityFeePerGas: wei(a < b ? a : b),
    maxFeePerGas: wei(a < b ? b : a),
  }));

function forViem(transaction: Eip1559Transaction): TransactionSerializableEIP1559 {
  const { gasLimit, data, accessList, ...rest } = transaction;
  return { ...rest, type: 'eip1559', gas: gasLimit, data: `0x${toHex(data)}`, accessList };
}

it('writes the bytes that viem writes, signed and unsigned, and reads them back', () => {
  const scalars = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => bytes.some((byte) => byte !== 0));
  fc.assert(
    fc.property(transactions, scalars, scalars, fc.constantFrom(0, 1), (transaction, r, s, yParity) => {
      const unsigned = encodeUnsigned(transaction);
      expect(`0x${toHex(unsigned)}`).toBe(serializeTransaction(forViem(transaction)));
      expect(decodeUnsigned(unsigned)).toEqual({ ok: true, value: transaction });

      const signed = encodeSigned(unsigned, { r, s, yParity });
      const signature = { r: `0x${toHex(r)}`, s: `0x${toHex(s)}`, yParity } as const;
      expect(`0x${toHex(signed)}`).toBe(serializeTransaction(forViem(transaction), signature));
      expect(decodeUnsigned(signed)).toEqual({ ok: false, error: 'signed_transaction' });
    }),
    { numRuns: 500 },
  );
});

it('says of the bytes what viem says of them', () => {
  fc.assert(
    fc.property(transactions, (transaction) => {
      const theirs = parseTransaction(serializeTransaction(forViem(transaction)) as `0x02${string}`);
      const decoded = decodeUnsigned(encodeUnsigned(transaction));
      if (!decoded.ok) throw new Error(decoded.error);
      const ours = decoded.value;
      // viem leaves out what is zero or empty.
      expect(ours.chainId).toBe(theirs.chainId);
      expect(ours.nonce).toBe(theirs.nonce ?? 0);
      expect(ours.maxPriorityFeePerGas).toBe(theirs.maxPriorityFeePerGas ?? 0n);
      expect(ours.maxFeePerGas).toBe(theirs.maxFeePerGas ?? 0n);
      expect(ours.gasLimit).toBe(theirs.gas ?? 0n);
      expect(ours.to).toBe(theirs.to?.toLowerCase() ?? null);
      expect(ours.value).toBe(theirs.value ?? 0n);
      expect(`0x${toHex(ours.data)}`).toBe(theirs.data ?? '0x');
      expect(ours.accessList).toEqual(
        (theirs.accessList ?? []).map(({ address, storageKeys }) => ({ address: address.toLowerCase(), storageKeys })),
      );
    }),
    { numRuns: 300 },
  );
});

it('has one meaning per byte string: every changed byte is refused or changes the transaction', () => {
  let accepted = 0;
  fc.assert(
    fc.property(transactions, fc.integer({ min: 1, max: 255 }), (transaction, mask) => {
      const bytes = encodeUnsigned(transaction);
      for (let at = 0; at < bytes.length; at++) {
        const mutated = Uint8Array.from(bytes);
        mutated[at]! ^= mask;
        const decoded = decodeUnsigned(mutated);
        if (!decoded.ok) continue;
        accepted++;
        expect(toHex(encodeUnsigned(decoded.value))).toBe(toHex(mutated));
        expect(decoded.value).not.toEqual(transaction);
        expect(decoded.value.gasLimit * decoded.value.maxFeePerGas <= MAX_UINT256).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
  expect(accepted).toBeGreaterThan(0);
});

it('refuses every truncation and every extension, and never throws', () => {
  fc.assert(
    fc.property(transactions, fc.uint8Array({ minLength: 1, maxLength: 4 }), (transaction, tail) => {
      const bytes = encodeUnsigned(transaction);
      for (let length = 0; length < bytes.length; length++) {
        expect(decodeUnsigned(bytes.subarray(0, length)).ok).toBe(false);
      }
      expect(decodeUnsigned(Uint8Array.from([...bytes, ...tail]))).toEqual({ ok: false, error: 'rlp_trailing_bytes' });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
      for (const bytes of [
        noise,
        Uint8Array.from([2, ...noise]),
        Uint8Array.from([2, 0xc0 + noise.length, ...noise]),
      ]) {
        const decoded = decodeUnsigned(bytes);
        if (decoded.ok) expect(encodeUnsigned(decoded.value)).toEqual(bytes);
      }
    }),
    { numRuns: 1000 },
  );
});
