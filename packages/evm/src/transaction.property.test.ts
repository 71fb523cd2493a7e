import { toHex } from '@keepwatch/base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTransaction, serializeTransaction, type TransactionSerializable } from 'viem';
import { decodeUnsigned, encodeSigned, encodeUnsigned, type Transaction } from './transaction.ts';
import { signatures, transactions } from './transaction.arbitrary.fixture.ts';

// viem is an oracle: it writes and reads the same envelopes by other code.

function forViem(transaction: Transaction): TransactionSerializable {
  const { gasLimit, data, ...rest } = transaction;
  return { ...rest, gas: gasLimit, data: `0x${toHex(data)}` } as TransactionSerializable;
}

function decoded(bytes: Uint8Array): Transaction {
  const result = decodeUnsigned(bytes);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** viem writes a legacy transaction without chain id as such; with one it appends the three fields of EIP-155. */
it('writes the bytes that viem writes, signed and unsigned, and reads them back', () => {
  fc.assert(
    fc.property(transactions, signatures, (transaction, { r, s, yParity }) => {
      const unsigned = encodeUnsigned(transaction);
      expect(`0x${toHex(unsigned)}`).toBe(serializeTransaction(forViem(transaction)));
      expect(decoded(unsigned)).toEqual(transaction);

      const signed = encodeSigned(unsigned, { r, s, yParity });
      const signature = { r: `0x${toHex(r)}`, s: `0x${toHex(s)}`, yParity, v: BigInt(27 + yParity) } as const;
      expect(`0x${toHex(signed)}`).toBe(serializeTransaction(forViem(transaction), signature));
      expect(decodeUnsigned(signed)).toEqual({ ok: false, error: 'signed_transaction' });
    }),
    { numRuns: 400 },
  );
}, 120_000);

it('says of the bytes what viem says of them', () => {
  fc.assert(
    fc.property(transactions, (transaction) => {
      const bytes = encodeUnsigned(transaction);
      const ours = decoded(bytes) as unknown as Record<string, unknown>;
      const theirs = parseTransaction(`0x${toHex(bytes)}`) as Record<string, unknown>;
      expect(ours.type).toBe(theirs.type);
      // viem leaves out what is zero or empty, and calls the gas limit gas.
      for (const name of ['chainId', 'nonce']) expect([name, ours[name]]).toEqual([name, theirs[name] ?? 0]);
      for (const name of ['maxPriorityFeePerGas', 'maxFeePerGas', 'gasPrice', 'value', 'maxFeePerBlobGas']) {
        if (name in ours) expect([name, ours[name]]).toEqual([name, theirs[name] ?? 0n]);
      }
      expect(ours.gasLimit).toBe(theirs.gas ?? 0n);
      expect(ours.to).toBe((theirs.to as string | undefined)?.toLowerCase() ?? null);
      expect(`0x${toHex(ours.data as Uint8Array)}`).toBe(theirs.data ?? '0x');
      for (const name of ['accessList', 'blobVersionedHashes']) {
        if (name in ours) expect([name, ours[name]]).toEqual([name, theirs[name] ?? []]);
      }
      if (ours.type === 'eip7702') {
        const list = theirs.authorizationList as Record<string, unknown>[];
        const words = (hex: unknown) => `0x${String(hex).slice(2).padStart(64, '0')}`;
        expect(ours.authorizationList).toEqual(
          list.map(({ address, chainId, nonce, r, s, yParity }) => ({
            ...{ address, chainId: chainId ?? 0, nonce: nonce ?? 0, r: words(r), s: words(s), yParity },
          })),
        );
      }
    }),
    { numRuns: 250 },
  );
}, 120_000);

it('has one meaning per byte string: every changed byte is refused or changes the transaction', () => {
  let accepted = 0;
  fc.assert(
    fc.property(transactions, fc.integer({ min: 1, max: 255 }), (transaction, mask) => {
      const bytes = encodeUnsigned(transaction);
      for (let at = 0; at < bytes.length; at++) {
        const mutated = Uint8Array.from(bytes);
        mutated[at]! ^= mask;
        const result = decodeUnsigned(mutated);
        if (!result.ok) continue;
        accepted++;
        expect(toHex(encodeUnsigned(result.value))).toBe(toHex(mutated));
        expect(result.value).not.toEqual(transaction);
      }
    }),
    { numRuns: 50 },
  );
  expect(accepted).toBeGreaterThan(0);
}, 120_000);

it('refuses every truncation and every extension', () => {
  fc.assert(
    fc.property(transactions, fc.uint8Array({ minLength: 1, maxLength: 4 }), (transaction, tail) => {
      const bytes = encodeUnsigned(transaction);
      for (let length = 0; length < bytes.length; length++) {
        expect(decodeUnsigned(bytes.subarray(0, length)).ok).toBe(false);
      }
      expect(decodeUnsigned(Uint8Array.from([...bytes, ...tail]))).toEqual({ ok: false, error: 'rlp_trailing_bytes' });
    }),
    { numRuns: 50 },
  );
}, 120_000);

it('never throws on foreign bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 0, max: 5 }), (noise, type) => {
      for (const bytes of [
        noise,
        Uint8Array.from([type, ...noise]),
        Uint8Array.from([type, 0xc0 + noise.length, ...noise]),
        Uint8Array.from([0xc0 + noise.length, ...noise]),
      ]) {
        const result = decodeUnsigned(bytes);
        if (result.ok) expect(encodeUnsigned(result.value)).toEqual(bytes);
      }
    }),
    { numRuns: 1000 },
  );
}, 120_000);
