import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { RawTx } from '@scure/btc-signer';
import { Block, Transaction as Bitcoinjs } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '@keepwatch/base';
import { toDisplay } from './hash.ts';
import {
  amountAt,
  isCoinbase,
  layoutBlock,
  layoutTransaction,
  scriptOf,
  size,
  strippedSize,
  transactionBytes,
  virtualSize,
  weight,
} from './layout.ts';
import { decodeTransaction, encodeTransaction, txidAt, wtxidAt, type Transaction } from './transaction.ts';
import type { InternalHash } from './hash.ts';

// The block is real: main chain, height 702,861, as a node serves it (public data).
const realBlock = Uint8Array.from(
  gunzipSync(readFileSync(new URL('./vectors/mainnet-block-702861.raw.gz', import.meta.url))),
);

const bytesOf = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const anyInput = (witnesses: fc.Arbitrary<Uint8Array[]>) =>
  fc.record({
    previous: bytesOf(32, 32).map((bytes) => bytes as InternalHash),
    vout: fc.integer({ min: 0, max: 0xffff_fffe }),
    scriptSig: fc.oneof(bytesOf(0, 30), bytesOf(250, 260)),
    sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
    witness: witnesses,
  });
const anyOutput = fc.record({
  sats: fc.bigInt({ min: 0n, max: 300_000_000_000_000n }),
  script: fc.oneof(bytesOf(0, 40), bytesOf(250, 300)),
});
const anyWitness = fc.oneof(
  fc.constant<Uint8Array[]>([]),
  fc.array(fc.oneof(bytesOf(0, 73), bytesOf(252, 254)), { maxLength: 4 }),
);
const anyTransaction: fc.Arbitrary<Transaction> = fc.record({
  version: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  inputs: fc.array(anyInput(anyWitness), { minLength: 1, maxLength: 5 }),
  outputs: fc.array(anyOutput, { minLength: 1, maxLength: 6 }),
  lockTime: fc.integer({ min: 0, max: 0xffff_ffff }),
});

describe('the walk over a transaction', () => {
  it('finds what bitcoinjs-lib and @scure/btc-signer read', () => {
    fc.assert(
      fc.property(anyTransaction, (transaction) => {
        const bytes = encodeTransaction(transaction);
        const walked = layoutTransaction(bytes);
        if (!walked.ok) throw new Error(walked.error);
        const layout = walked.value;
        const oracle = Bitcoinjs.fromBuffer(bytes);
        expect(toDisplay(txidAt(layout, 0))).toBe(oracle.getId());
        expect(toHex(wtxidAt(layout, 0))).toBe(toHex(oracle.getHash(true)));
        expect(size(layout, 0)).toBe(oracle.byteLength(true));
        expect(strippedSize(layout, 0)).toBe(oracle.byteLength(false));
        expect(weight(layout, 0)).toBe(oracle.weight());
        expect(virtualSize(layout, 0)).toBe(oracle.virtualSize());
        const other = RawTx.decode(bytes);
        const decoded = decodeTransaction(bytes);
        expect(decoded).toEqual({ ok: true, value: transaction });
        if (!decoded.ok) return;
        expect(decoded.value.lockTime).toBe(other.lockTime);
        expect(decoded.value.outputs.map(({ sats, script }) => [sats, toHex(script)])).toEqual(
          other.outputs.map(({ amount, script }) => [amount, toHex(script)]),
        );
        expect(decoded.value.inputs.map(({ previous, vout }) => [toDisplay(previous), vout])).toEqual(
          other.inputs.map(({ txid, index }) => [toHex(txid), index]),
        );
      }),
    );
  });

  it('takes bytes that were tampered with only where they say the same when written again', () => {
    const mutation = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }), cut: fc.nat({ max: 3 }) });
    let taken = 0;
    fc.assert(
      fc.property(anyTransaction, fc.array(mutation, { minLength: 1, maxLength: 3 }), (transaction, mutations) => {
        let bytes = encodeTransaction(transaction);
        for (const { at, to, cut } of mutations) {
          bytes[at % bytes.length] = to;
          bytes = bytes.subarray(0, bytes.length - cut);
        }
        const decoded = decodeTransaction(bytes);
        if (!decoded.ok) return;
        taken++;
        expect(toHex(encodeTransaction(decoded.value))).toBe(toHex(bytes));
        // What we take, others can read too, and they read the same.
        expect(Bitcoinjs.fromBuffer(bytes).getId()).toBe(toDisplay(txidAt(layoutOf(bytes), 0)));
      }),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it('never throws on noise', () => {
    fc.assert(
      fc.property(bytesOf(0, 200), (bytes) => {
        layoutTransaction(bytes);
        layoutBlock(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

function layoutOf(bytes: Uint8Array) {
  const walked = layoutTransaction(bytes);
  if (!walked.ok) throw new Error(walked.error);
  return walked.value;
}

describe('the walk over a real block', () => {
  const walked = layoutBlock(realBlock);
  if (!walked.ok) throw new Error(walked.error);
  const layout = walked.value;

  it('finds what bitcoinjs-lib reads', () => {
    const oracle = Block.fromBuffer(realBlock);
    expect(layout.txCount).toBe(oracle.transactions!.length);
    expect(isCoinbase(layout, 0)).toBe(true);
    for (const [i, expected] of oracle.transactions!.entries()) {
      expect(toDisplay(txidAt(layout, i))).toBe(expected.getId());
      expect(toHex(transactionBytes(layout, i))).toBe(toHex(expected.toBuffer()));
      expect(weight(layout, i)).toBe(expected.weight());
      const outputs = [];
      for (let k = layout.txFirstOutput[i]!; k < layout.txFirstOutput[i + 1]!; k++) {
        outputs.push([amountAt(layout, k), toHex(scriptOf(layout, k))]);
      }
      expect(outputs).toEqual(expected.outs.map(({ value, script }) => [value, toHex(script)]));
      const inputs = [];
      for (let k = layout.txFirstInput[i]!; k < layout.txFirstInput[i + 1]!; k++) {
        inputs.push(toHex(realBlock.subarray(layout.inputAt[k]!, layout.inputAt[k]! + 32)));
      }
      expect(inputs).toEqual(expected.ins.map(({ hash }) => toHex(hash)));
    }
  });

  it('takes the arrays of another layout', () => {
    const small = layoutTransaction(transactionBytes(layout, 1).slice());
    if (!small.ok) throw new Error(small.error);
    const again = layoutBlock(realBlock, small.value);
    if (!again.ok) throw new Error(again.error);
    const { txCount } = layout;
    expect(again.value.txStart.slice(0, txCount + 1)).toEqual(layout.txStart.slice(0, txCount + 1));
    const inputs = layout.txFirstInput[txCount]!;
    expect(again.value.inputAt.slice(0, inputs)).toEqual(layout.inputAt.slice(0, inputs));
  });

  it('ends with a code, never with an exception, wherever the block is cut or changed', () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(fc.nat({ max: realBlock.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const cut = layoutBlock(realBlock.subarray(0, at));
        expect(cut.ok).toBe(false);
        const changed = realBlock.slice();
        changed[at]! ^= flip;
        const result = layoutBlock(changed);
        if (!result.ok) codes.add(result.error);
      }),
      {
        numRuns: 100,
        examples: [80, 82, 87, layout.txStart[1]! + 4].flatMap(
          (at) =>
            [
              [at, 1],
              [at, 0xff],
            ] as [number, number][],
        ),
      },
    );
    expect(codes.size).toBeGreaterThan(1);
  });
});
