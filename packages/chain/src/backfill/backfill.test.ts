import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { concat } from '@keepwatch/base';
import {
  compactSize,
  createScanner,
  encodeHeader,
  encodeTransaction,
  headerHash,
  layoutBlock,
  merkleRoot,
  sha256d,
  toDisplay,
  type BlockHash,
  type InternalHash,
  type MatchedTx,
  type Outpoint,
} from '@keepwatch/bitcoin';
import { backfill, type BackfillEvent, type PastBlock } from './backfill.ts';

const scriptOf = (n: number) => Uint8Array.of(0x00, 0x14, ...new Uint8Array(20).fill(n));
const anyBlock = fc.array(
  fc.record({
    // Outputs of the last transactions made, so that coins are spent within a block and in the ones right behind it.
    spends: fc.array(fc.record({ back: fc.integer({ min: 1, max: 8 }), vout: fc.nat({ max: 1 }) }), {
      minLength: 1,
      maxLength: 2,
    }),
    pays: fc.array(fc.nat({ max: 60 }), { minLength: 2, maxLength: 3 }),
  }),
  { maxLength: 3 },
);
type Shape = { spends: { back: number; vout: number }[]; pays: number[] }[];

/** Blocks whose bytes belong to their headers, one behind the other. */
function chainOf(shapes: readonly Shape[]): PastBlock[] {
  const ids: InternalHash[] = [];
  let previous = new Uint8Array(32) as InternalHash;
  return shapes.map((shape, height) => {
    const made: Uint8Array[] = [];
    const push = (
      inputs: { previous: InternalHash; vout: number; scriptSig: Uint8Array }[],
      pays: readonly number[],
    ) => {
      const outputs = pays.map((n) => ({ sats: BigInt(n), script: scriptOf(n) }));
      const full = inputs.map((input) => ({ ...input, sequence: 0, witness: [] }));
      const bytes = encodeTransaction({ version: 2, inputs: full, outputs, lockTime: made.length });
      made.push(bytes);
      ids.push(sha256d(bytes));
    };
    const nowhere = new Uint8Array(32) as InternalHash;
    push([{ previous: nowhere, vout: 0xffff_ffff, scriptSig: Uint8Array.of(height & 255, height >> 8) }], [200]);
    for (const { spends, pays } of shape) {
      const inputs = spends.map(({ back, vout }) => {
        const previous = ids.at(-back) ?? (new Uint8Array(32).fill(7) as InternalHash);
        return { previous, vout, scriptSig: new Uint8Array(0) };
      });
      push(inputs, pays);
    }
    const root = merkleRoot(concat(...made.map(sha256d))).root;
    const header = encodeHeader({
      version: 4,
      previous,
      merkleRoot: root,
      timeSeconds: height,
      bits: 0x207fffff,
      nonce: 0,
    });
    previous = headerHash(header);
    const block = { height, hash: toDisplay<BlockHash>(previous), timeSeconds: height };
    return { block, bytes: concat(header, compactSize(made.length), ...made) };
  });
}

async function* from(blocks: readonly PastBlock[]): AsyncGenerator<PastBlock> {
  yield* blocks;
}

async function collect(events: AsyncIterable<BackfillEvent>): Promise<BackfillEvent[]> {
  const all: BackfillEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** What one scanner finds, block by block. */
function oneScanner(blocks: readonly PastBlock[], scripts: readonly Uint8Array[], outpoints: readonly Outpoint[]) {
  const scanner = createScanner({ entropy: (length) => Uint8Array.from(randomBytes(length)) });
  scanner.addScripts(scripts);
  scanner.addOutpoints(outpoints);
  return blocks.map(({ block, bytes }): { block: PastBlock['block']; matches: MatchedTx[] } => {
    const walked = layoutBlock(bytes);
    if (!walked.ok) throw new Error(walked.error);
    return { block, matches: scanner.scanBlock(walked.value) };
  });
}

const never = () => new AbortController().signal;

it('finds on several cores what one scanner finds, block by block', { timeout: 300_000 }, async () => {
  let spentLater = 0;
  const run = fc.record({
    shapes: fc.array(anyBlock, { minLength: 1, maxLength: 60 }),
    watched: fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 6 }),
    workers: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(run, async ({ shapes, watched, workers }) => {
      const blocks = chainOf(shapes);
      const scripts = watched.map(scriptOf);
      const expected = oneScanner(blocks, scripts, []);
      const events = await collect(
        backfill(from(blocks), { network: 'regtest', scripts, outpoints: [], workers }, never()),
      );
      expect(events).toEqual(expected.map((each) => ({ kind: 'scanned', ...each })));
      spentLater += expected.flatMap(({ matches }) => matches).flatMap(({ spent }) => spent).length;
    }),
    { numRuns: 4, examples: [[{ shapes: Array.from({ length: 40 }, spendAtOnce), watched: [5], workers: 2 }]] },
  );
  expect(spentLater).toBeGreaterThan(20);
});

/** Each block spends what the block before it was paid: the worker cannot know of the coin when it gets the block. */
function spendAtOnce(): Shape {
  return [{ spends: [{ back: 2, vout: 0 }], pays: [5, 6] }];
}

it('refuses a block whose bytes are not its own, and gives all before it', { timeout: 180_000 }, async () => {
  const blocks = chainOf(Array.from({ length: 10 }, spendAtOnce));
  const bytes = blocks[6]!.bytes.slice();
  bytes[bytes.length - 1]! ^= 1;
  const evil = blocks.with(6, { ...blocks[6]!, bytes });
  const request = { network: 'regtest', scripts: [scriptOf(5)], outpoints: [], workers: 2 } as const;
  const events = await collect(backfill(from(evil), request, never()));
  expect(events.slice(0, 6)).toEqual(
    oneScanner(blocks.slice(0, 6), [scriptOf(5)], []).map((each) => ({ kind: 'scanned', ...each })),
  );
  expect(events.slice(6)).toEqual([{ kind: 'refused', block: blocks[6]!.block, code: 'merkle_root' }]);
});

it('ends when it is told to, also while the source has nothing to give', { timeout: 180_000 }, async () => {
  const blocks = chainOf(Array.from({ length: 3 }, spendAtOnce));
  const stop = new AbortController();
  async function* stuck(): AsyncGenerator<PastBlock> {
    yield* blocks;
    await new Promise(() => undefined);
  }
  const seen: number[] = [];
  const request = { network: 'regtest', scripts: [scriptOf(5)], outpoints: [], workers: 2 } as const;
  for await (const event of backfill(stuck(), request, stop.signal)) {
    seen.push(event.block.height);
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toEqual([0, 1, 2]);
});

it('finds coins that were given as outpoints', { timeout: 180_000 }, async () => {
  const blocks = chainOf(Array.from({ length: 5 }, spendAtOnce));
  const [, { matches }] = oneScanner(blocks, [scriptOf(5)], []) as [unknown, { matches: MatchedTx[] }];
  const outpoints = matches[0]!.spent.map(({ outpoint }) => outpoint);
  expect(outpoints.length).toBe(1);
  const request = { network: 'regtest', scripts: [], outpoints, workers: 2 } as const;
  const events = await collect(backfill(from(blocks), request, never()));
  expect(events).toEqual(oneScanner(blocks, [], outpoints).map((each) => ({ kind: 'scanned', ...each })));
  expect(events.flatMap((event) => (event.kind === 'scanned' ? event.matches : [])).length).toBe(1);
});
