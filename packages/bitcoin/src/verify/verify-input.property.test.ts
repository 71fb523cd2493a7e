import { concat, toHex } from '@keepwatch/base';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as btc from '@scure/btc-signer';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { layoutBlock } from '../layout.ts';
import { txids } from '../merkle.ts';
import { decodeTransaction, transactionAt, type Transaction, type TransactionOutput } from '../transaction.ts';
import { verifyInput } from './verify-input.ts';

// The signer is @scure/btc-signer; it has its own signature hashes.

const secrets = Array.from({ length: 3 }, (_, i) => sha256(Uint8Array.of(i)));
const keys = secrets.map((secret) => secp256k1.getPublicKey(secret));
const xOnly = secrets.map((secret) => schnorr.getPublicKey(secret));
const [key, x] = [keys[0]!, xOnly[0]!];
const leaves = btc.p2tr_ns(2, xOnly).map(({ script }) => ({ script }));

/** Each way to lock a coin that is verified, and what the signer must know to unlock it. */
const kinds = {
  p2pkh: () => btc.p2pkh(key),
  p2wpkh: () => btc.p2wpkh(key),
  'p2sh-p2wpkh': () => btc.p2sh(btc.p2wpkh(key)),
  'p2sh-multisig': () => btc.p2sh(btc.p2ms(2, keys)),
  'p2wsh-multisig': () => btc.p2wsh(btc.p2ms(2, keys)),
  'p2sh-p2wsh-multisig': () => btc.p2sh(btc.p2wsh(btc.p2ms(2, keys))),
  'p2tr-key': () => btc.p2tr(x),
  'p2tr-script': () => btc.p2tr(undefined, leaves, undefined, true),
  'p2tr-tree': () => btc.p2tr(undefined, [...leaves, { script: btc.p2tr_pk(xOnly[2]!).script }], undefined, true),
} as const;

interface Signed {
  readonly transaction: Transaction;
  readonly prevouts: readonly TransactionOutput[];
}

/** A transaction that spends one coin of each given kind. */
function signed(names: readonly (keyof typeof kinds)[], amounts: readonly bigint[], hashType: number): Signed {
  const tx = new btc.Transaction({ allowUnknownOutputs: true, allowLegacyWitnessUtxo: true });
  const prevouts: TransactionOutput[] = [];
  for (const [i, name] of names.entries()) {
    const lock = kinds[name]();
    const sats = amounts[i % amounts.length]! + BigInt(i);
    prevouts.push({ script: lock.script, sats });
    const funding = new btc.Transaction({ allowUnknownOutputs: true, allowUnknownInputs: true });
    funding.addInput({ txid: new Uint8Array(32).fill(i + 1), index: i, finalScriptSig: new Uint8Array() });
    funding.addOutput({ script: lock.script, amount: sats });
    tx.addInput({
      ...lock,
      txid: funding.id,
      index: 0,
      sighashType: hashType,
      ...(lock.type === 'tr' || lock.type === 'wpkh' || lock.type === 'wsh'
        ? { witnessUtxo: { script: lock.script, amount: sats } }
        : { nonWitnessUtxo: funding.toBytes(true, true), witnessUtxo: { script: lock.script, amount: sats } }),
    });
  }
  for (let i = 0; i <= names.length; i++) tx.addOutput({ script: btc.p2wpkh(key).script, amount: 1000n });
  for (const one of secrets) {
    for (let i = 0; i < names.length; i++) {
      try {
        tx.signIdx(one, i, [hashType]);
      } catch {
        // This secret has no part in that input.
      }
    }
  }
  tx.finalize();
  const decoded = decodeTransaction(tx.extract());
  if (!decoded.ok) throw new Error(decoded.error);
  return { transaction: decoded.value, prevouts };
}

const names = Object.keys(kinds) as (keyof typeof kinds)[];
const hashTypes = fc.constantFrom(1, 2, 3, 0x81, 0x82, 0x83);
const amount = fc.bigInt({ min: 10_000n, max: 10n ** 12n });

const withInput = (tx: Transaction, input: number, change: Partial<Transaction['inputs'][number]>): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((one, i) => (i === input ? { ...one, ...change } : one)),
});

describe('what @scure/btc-signer signs', () => {
  it.each(names)('%s is valid, and standard', (name) => {
    fc.assert(
      fc.property(amount, hashTypes, (sats, hashType) => {
        const { transaction, prevouts } = signed([name], [sats], hashType);
        expect(verifyInput(transaction, 0, prevouts)).toEqual({ kind: 'valid', nonStandard: null });
      }),
      { numRuns: 8 },
    );
  });

  it('is valid in every input of a mixed transaction', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(names, { minLength: 3 }),
        fc.array(amount, { minLength: 1 }),
        hashTypes,
        (list, sats, type) => {
          const { transaction, prevouts } = signed(list, sats, type);
          for (const input of list.keys()) {
            expect(verifyInput(transaction, input, prevouts)).toEqual({ kind: 'valid', nonStandard: null });
          }
        },
      ),
      { numRuns: 5 },
    );
  });
});

describe('what was changed afterwards', () => {
  it.each(names)('%s: no changed byte of a witness or scriptSig is ever valid and standard', (name) => {
    const { transaction, prevouts } = signed([name], [50_000n], 1);
    const { witness, scriptSig } = transaction.inputs[0]!;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, at, by) => {
        const parts = [...witness, scriptSig];
        const target = parts.filter(({ length }) => length > 0)[
          which % parts.filter(({ length }) => length > 0).length
        ]!;
        const changed = target.slice();
        changed[at % changed.length]! ^= by;
        const replace = (part: Uint8Array) => (part === target ? changed : part);
        const wrong = withInput(transaction, 0, { witness: witness.map(replace), scriptSig: replace(scriptSig) });
        const verdict = verifyInput(wrong, 0, prevouts);
        expect(verdict).not.toEqual({ kind: 'valid', nonStandard: null });
      }),
      { numRuns: 40 },
    );
  });

  it.each(names)('%s: items added, taken away or put elsewhere are not valid and standard', (name) => {
    const { transaction, prevouts } = signed([name], [50_000n], 1);
    const { witness, scriptSig } = transaction.inputs[0]!;
    const wrongs = [
      { witness: [], scriptSig: new Uint8Array() },
      { witness: [...witness, Uint8Array.of(1)], scriptSig },
      { witness: [Uint8Array.of(1), ...witness], scriptSig },
      { witness, scriptSig: concat(Uint8Array.of(0x51), scriptSig) },
      { witness, scriptSig: concat(scriptSig, Uint8Array.of(0x51)) },
      ...witness.map((_, i) => ({ witness: witness.filter((_one, j) => j !== i), scriptSig })),
      ...(witness.length > 1 ? [{ witness: [...witness].reverse(), scriptSig }] : []),
    ];
    for (const wrong of wrongs) {
      expect(verifyInput(withInput(transaction, 0, wrong), 0, prevouts)).not.toEqual({
        kind: 'valid',
        nonStandard: null,
      });
    }
  });

  it.each(names)('%s: a changed transaction is invalid', (name) => {
    const { transaction, prevouts } = signed([name], [50_000n], 1);
    const wrongs: Transaction[] = [
      { ...transaction, lockTime: 1 },
      { ...transaction, version: transaction.version + 1 },
      { ...transaction, outputs: transaction.outputs.slice(1) },
      { ...transaction, outputs: transaction.outputs.map((one) => ({ ...one, sats: one.sats + 1n })) },
      withInput(transaction, 0, { sequence: 7 }),
      withInput(transaction, 0, { vout: 1 }),
    ];
    for (const wrong of wrongs) expect(verifyInput(wrong, 0, prevouts).kind).toBe('invalid');
  });

  it('an annex that nobody signed is invalid, one that was signed is known', () => {
    const { transaction, prevouts } = signed(['p2tr-key'], [50_000n], 1);
    const annexed = { witness: [...transaction.inputs[0]!.witness, Uint8Array.of(0x50, 1, 2)] };
    expect(verifyInput(withInput(transaction, 0, annexed), 0, prevouts)).toEqual({
      kind: 'invalid',
      reason: 'schnorr_sig',
    });
  });

  it('a signature with a high s counts, although nodes would not relay it', () => {
    const { transaction, prevouts } = signed(['p2wpkh'], [50_000n], 1);
    const [signature, publicKey] = transaction.inputs[0]!.witness;
    const { r, s } = secp256k1.Signature.fromBytes(signature!.subarray(0, -1), 'der');
    const high = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes('der');
    const wrong = withInput(transaction, 0, { witness: [concat(high, Uint8Array.of(1)), publicKey!] });
    expect(verifyInput(wrong, 0, prevouts)).toEqual({ kind: 'valid', nonStandard: 'sig_high_s' });
  });

  it('what has no meaning yet is not called valid', () => {
    const { transaction } = signed(['p2wpkh'], [50_000n], 1);
    const future = [{ sats: 50_000n, script: Uint8Array.of(0x52, 2, 1, 1) }];
    const bare = withInput(transaction, 0, { witness: [] });
    expect(verifyInput(bare, 0, future)).toEqual({ kind: 'cannot-verify', reason: 'unknown_script' });
    const anchor = [{ sats: 240n, script: Uint8Array.of(0x51, 2, 0x4e, 0x73) }];
    expect(verifyInput(bare, 0, anchor)).toEqual({ kind: 'valid', nonStandard: null });
  });

  it('the coin of the input itself must be given', () => {
    const { transaction } = signed(['p2wpkh'], [50_000n], 1);
    expect(() => verifyInput(transaction, 0, [undefined])).toThrow(RangeError);
    expect(() => verifyInput(transaction, 1, [])).toThrow(RangeError);
  });
});

describe('a real block (main chain, height 702,861)', () => {
  it('every input whose coin is of the same block may spend it', { timeout: 120_000 }, () => {
    const raw = gunzipSync(readFileSync(new URL('../vectors/mainnet-block-702861.raw.gz', import.meta.url)));
    const walked = layoutBlock(raw);
    if (!walked.ok) throw new Error(walked.error);
    const layout = walked.value;
    const hashes = txids(layout);
    const ids = Array.from({ length: layout.txCount }, (_, i) => toHex(hashes.subarray(i * 32, i * 32 + 32)));
    const transactions = ids.map((_, i) => transactionAt(layout, i));
    const coins = new Map<string, TransactionOutput>();
    for (const [i, id] of ids.entries()) {
      for (const [vout, output] of transactions[i]!.outputs.entries()) coins.set(`${id}:${vout}`, output);
    }
    let verified = 0;
    for (const transaction of transactions) {
      const prevouts = transaction.inputs.map(({ previous, vout }) => coins.get(`${toHex(previous)}:${vout}`));
      for (const [input, coin] of prevouts.entries()) {
        if (!coin) continue;
        expect(verifyInput(transaction, input, prevouts)).toEqual({ kind: 'valid', nonStandard: null });
        verified++;
      }
    }
    expect(verified).toBeGreaterThan(100);
  });
});
