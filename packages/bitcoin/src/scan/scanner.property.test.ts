import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Block, type Transaction as Bitcoinjs } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, toHex } from '@keepwatch/base';
import { consensusOf } from '../consensus.ts';
import { compactSize } from '../compact-size.ts';
import { toDisplay, type InternalHash, type Txid } from '../hash.ts';
import { layoutBlock, layoutTransaction, transactionBytes, type Layout } from '../layout.ts';
import { txids } from '../merkle.ts';
import { sha256d } from '../sha256d.ts';
import { encodeTransaction, type Transaction } from '../transaction.ts';
import { createScanner, type MatchedTx } from './scanner.ts';

const entropy = (length: number) => Uint8Array.from(randomBytes(length));
const realBlock = Uint8Array.from(
  gunzipSync(readFileSync(new URL('../vectors/mainnet-block-702861.raw.gz', import.meta.url))),
);

function layoutOf(bytes: Uint8Array): Layout {
  const walked = layoutBlock(bytes);
  if (!walked.ok) throw new Error(walked.error);
  return walked.value;
}

/** The same question answered with another parser and plain Sets: transaction by transaction, as a wallet would. */
function naive(transactions: readonly Bitcoinjs[], scripts: Set<string>, outpoints: Set<string>) {
  const all = new Set(outpoints);
  for (const tx of transactions) {
    for (const [vout, { script }] of tx.outs.entries())
      if (scripts.has(toHex(script))) all.add(`${tx.getId()}:${vout}`);
  }
  const matches = [];
  for (const tx of transactions) {
    const received = [...tx.outs.entries()].filter(([, { script }]) => scripts.has(toHex(script)));
    const name = ({ hash, index }: { hash: Uint8Array; index: number }) =>
      `${toDisplay(hash as InternalHash)}:${index}`;
    const spent = [...tx.ins.entries()].filter(([, input]) => all.has(name(input)));
    if (received.length + spent.length === 0) continue;
    matches.push({
      txid: tx.getId(),
      raw: toHex(tx.toBuffer()),
      received: received.map(([vout, { script, value }]) => `${vout} ${toHex(script)} ${value}`),
      spent: spent.map(([vin, input]) => `${vin} ${name(input)}`),
    });
  }
  return matches;
}

const plain = (matches: readonly MatchedTx[]) =>
  matches.map(({ txid, raw, received, spent }) => ({
    txid,
    raw: toHex(raw),
    received: received.map(({ vout, script, sats }) => `${vout} ${toHex(script)} ${sats}`),
    spent: spent.map(({ vin, outpoint }) => `${vin} ${outpoint.txid}:${outpoint.vout}`),
  }));

describe('a scan of the real block', () => {
  const layout = layoutOf(realBlock);
  const oracle = Block.fromBuffer(realBlock).transactions!;
  const ids = txids(layout);

  it.each([0, 1, 7, 50])(
    'finds what a naive scan finds, with every output or input in %i of 100 watched',
    (percent) => {
      const scripts = oracle.flatMap((tx) => tx.outs.map(({ script }) => script)).filter((_, i) => i % 100 < percent);
      const outpoints = oracle
        .slice(1)
        .flatMap((tx) => tx.ins)
        .filter((_, i) => i % 100 < percent)
        .map(({ hash, index }) => ({ txid: toDisplay<Txid>(hash as InternalHash), vout: index }));
      const scanner = createScanner({ entropy });
      const strangers = Array.from({ length: 5_000 }, () => entropy(34));
      scanner.addScripts([...strangers, ...scripts]);
      scanner.addOutpoints(outpoints);
      const expected = naive(oracle, new Set(scripts.map(toHex)), new Set(outpoints.map((o) => `${o.txid}:${o.vout}`)));
      expect(plain(scanner.scanBlock(layout, ids))).toEqual(expected);
      expect(plain(scanner.scanBlock(layout))).toEqual(expected);
      expect(expected.length > 0).toBe(percent > 0);

      scanner.removeScripts(scripts);
      scanner.removeOutpoints(outpoints);
      scanner.removeOutpoints(
        expected.flatMap((m) => m.received.map((r) => ({ txid: m.txid as Txid, vout: parseInt(r) }))),
      );
      expect(scanner.scanBlock(layout)).toEqual([]);
      expect(scanner.counts).toEqual({ scripts: 5_000, outpoints: 0 });
    },
  );
});

/** Blocks in which transactions spend earlier ones of the same block, and few scripts are paid again and again. */
const scriptOf = (n: number) => Uint8Array.of(0x00, 0x14, ...new Uint8Array(20).fill(n));
const anyShape = fc.array(
  fc.record({
    spends: fc.array(fc.record({ tx: fc.nat({ max: 10 }), vout: fc.nat({ max: 3 }) }), { minLength: 1, maxLength: 3 }),
    pays: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 8 },
);

function blockOf(shape: { spends: { tx: number; vout: number }[]; pays: number[] }[]): Uint8Array {
  const made: { bytes: Uint8Array; id: InternalHash }[] = [];
  const push = (transaction: Transaction) => {
    const bytes = encodeTransaction(transaction);
    made.push({ bytes, id: sha256d(bytes) });
  };
  const input = (previous: InternalHash, vout: number, scriptSig: Uint8Array) => ({
    ...{ previous, vout, scriptSig, sequence: 0, witness: [] },
  });
  const outputs = (pays: number[]) => pays.map((n) => ({ sats: BigInt(n), script: scriptOf(n) }));
  const nowhere = new Uint8Array(32) as InternalHash;
  push({ version: 1, inputs: [input(nowhere, 0xffff_ffff, scriptOf(0))], outputs: outputs([1]), lockTime: 0 });
  for (const { spends, pays } of shape) {
    const before = made.length;
    const inputs = spends.map(({ tx, vout }) => {
      const outside = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? tx : 0xee)) as InternalHash;
      return input(made[tx]?.id ?? outside, vout, new Uint8Array(0));
    });
    push({ version: 2, inputs, outputs: outputs(pays), lockTime: before });
  }
  return concat(consensusOf('main').genesis, compactSize(made.length), ...made.map(({ bytes }) => bytes));
}

describe('a scan of blocks that spend their own coins', () => {
  it('finds what a naive scan finds, over blocks in a row, while scripts come and go', () => {
    const step = fc.record({
      shape: anyShape,
      add: fc.array(fc.nat({ max: 12 })),
      remove: fc.array(fc.nat({ max: 12 })),
    });
    let spentInside = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const scanner = createScanner({ entropy });
        const scripts = new Set<string>();
        const outpoints = new Set<string>();
        for (const { shape, add, remove } of steps) {
          scanner.addScripts(add.map(scriptOf));
          for (const n of add) scripts.add(toHex(scriptOf(n)));
          scanner.removeScripts(remove.map(scriptOf));
          for (const n of remove) scripts.delete(toHex(scriptOf(n)));
          const bytes = blockOf(shape);
          const expected = naive(Block.fromBuffer(bytes).transactions!, scripts, outpoints);
          const found = scanner.scanBlock(layoutOf(bytes));
          expect(plain(found)).toEqual(expected);
          const inside = new Set(found.map(({ txid }) => txid));
          for (const match of found) {
            for (const { vout } of match.received) outpoints.add(`${match.txid}:${vout}`);
            spentInside += match.spent.filter(({ outpoint }) => inside.has(outpoint.txid)).length;
          }
          expect(scanner.counts).toEqual({ scripts: scripts.size, outpoints: outpoints.size });
        }
      }),
    );
    expect(spentInside).toBeGreaterThan(20);
  });
});

describe('a mark', () => {
  it('tells what a scan at that time had to find: what it found, and nothing that was watched later', () => {
    const layout = layoutOf(realBlock);
    const all = createScanner({ entropy });
    const oracle = Block.fromBuffer(realBlock).transactions!;
    const scripts = oracle.flatMap((tx) => tx.outs.map(({ script }) => script));
    all.addScripts(scripts);
    const everything = all.scanBlock(layout);
    const scanner = createScanner({ entropy });
    let before: { mark: ReturnType<typeof scanner.mark>; found: Set<string> } | undefined;
    for (let part = 0; part < 4; part++) {
      scanner.addScripts(scripts.filter((_, i) => i % 400 === part));
      const found = new Set(scanner.scanBlock(layout).map(({ txid }) => txid as string));
      const mark = scanner.mark();
      for (const match of everything) {
        expect(scanner.covers(match, mark)).toBe(found.has(match.txid));
        if (before) expect(scanner.covers(match, before.mark)).toBe(before.found.has(match.txid));
      }
      before = { mark, found };
    }
    expect(before!.found.size).toBeGreaterThan(20);
    scanner.removeScripts(scripts);
    const paid = everything.filter(({ received, spent }) => received.length > 0 && spent.length === 0);
    expect(paid.some((match) => scanner.covers(match, before!.mark))).toBe(false);
  });
});

describe('a scan of one transaction', () => {
  it('finds the same as the scan of its block, and follows nothing', () => {
    const layout = layoutOf(realBlock);
    const bytes = transactionBytes(layout, 5).slice();
    const one = layoutTransaction(bytes);
    if (!one.ok) throw new Error(one.error);
    const scanner = createScanner({ entropy });
    expect(scanner.scanTransaction(one.value)).toBeUndefined();
    const script = one.value.bytes.subarray(
      one.value.scriptAt[0]!,
      one.value.scriptAt[0]! + one.value.scriptLength[0]!,
    );
    scanner.addScripts([script]);
    const found = scanner.scanTransaction(one.value)!;
    const oracle = Block.fromBuffer(realBlock).transactions!.slice(5, 6);
    expect(plain([found])).toEqual(naive(oracle, new Set([toHex(script)]), new Set()));
    expect(scanner.counts).toEqual({ scripts: 1, outpoints: 0 });
    // What was found stays what it was when the buffer is used for something else.
    const before = toHex(found.raw);
    bytes.fill(0);
    expect(toHex(found.raw)).toBe(before);
  });
});
