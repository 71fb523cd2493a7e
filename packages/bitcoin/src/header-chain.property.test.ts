import fc from 'fast-check';
import { expect, it } from 'vitest';
import { concat } from '@keepwatch/base';
import { consensusOf } from './consensus.ts';
import { toDisplay, type BlockHash } from './hash.ts';
import { createMemoryArchive } from './header-archive.ts';
import { createHeaderChain } from './header-chain.ts';
import { decodeHeader, headerHash } from './header.ts';
import { mineOn } from './mining.fixture.ts';

const NOW = 1_800_000_000;
const genesis = consensusOf('regtest').genesis;
const hashOf = (header: Uint8Array) => toDisplay<BlockHash>(headerHash(header));

/** The model: all blocks in a map, the best chain found anew by walking from the tip. */
interface Node {
  readonly header: Uint8Array;
  readonly height: number;
  readonly parent: Node | null;
}
function pathOf(node: Node): Node[] {
  const path: Node[] = [];
  for (let at: Node | null = node; at; at = at.parent) path.unshift(at);
  return path;
}

it('follows the most work like a model that starts from nothing each time, over random forks', () => {
  const count = fc.integer({ min: 1, max: 12 });
  const step = fc.record({ on: fc.nat(), count, again: fc.boolean(), diskFull: fc.boolean() });
  let reorgs = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const kept = createMemoryArchive();
      let full = false;
      const archive = {
        ...kept,
        get count() {
          return kept.count;
        },
        append(headers: Uint8Array) {
          if (full) throw new Error('no space left');
          kept.append(headers);
        },
      };
      const chain = createHeaderChain({ network: 'regtest', archive });
      const nodes: Node[] = [{ header: genesis, height: 0, parent: null }];
      let best = nodes[0]!;
      for (const [salt, { on, count, again, diskFull }] of steps.entries()) {
        // Half of the branches leave near the newest block, so that they become long.
        let parent = on % 2 === 0 ? nodes.at(-1)! : nodes[on % nodes.length]!;
        const batch: Uint8Array[] = again && parent.height > 0 ? [parent.header] : [];
        const before = best;
        for (let i = 0; i < count; i++) {
          const header = mineOn(parent.header, decodeHeader(parent.header)!.timeSeconds, 1 + (on % 7), salt);
          parent = { header, height: parent.height + 1, parent };
          batch.push(header);
          nodes.push(parent);
          if (parent.height > best.height) best = parent;
        }
        if (diskFull) {
          const was = [chain.tip(), chain.work(), chain.size(), chain.locator()];
          full = true;
          expect(() => chain.accept(concat(...batch), NOW)).toThrow('no space left');
          full = false;
          expect([chain.tip(), chain.work(), chain.size(), chain.locator()]).toEqual(was);
          expect(chain.find(hashOf(batch.at(-1)!))).toBeUndefined();
        }
        const accepted = chain.accept(concat(...batch), NOW);
        expect(accepted).toMatchObject({ added: count, known: batch.length - count, fault: null });

        const path = pathOf(best);
        const old = pathOf(before);
        const shared = old.filter((node, i) => path[i] === node).length;
        if (best === before) expect(accepted.change).toBeNull();
        else {
          expect(accepted.change!.fork.height).toBe(shared - 1);
          const gone = old.slice(shared).map(({ header }) => hashOf(header));
          expect(accepted.change!.disconnected.map(({ hash }) => hash)).toEqual(gone.reverse());
          if (gone.length > 0) reorgs++;
        }
        expect(chain.tip().hash).toBe(hashOf(best.header));
        expect(chain.work()).toBe(2n * BigInt(best.height + 1));
        for (const [height, node] of path.entries()) expect(chain.at(height)!.hash).toBe(hashOf(node.header));
        expect(chain.at(path.length)).toBeUndefined();
      }
      const onBest = new Set(pathOf(best));
      // A later start reads the same from what was kept.
      for (const each of [chain, createHeaderChain({ network: 'regtest', archive })]) {
        expect([each.size(), each.tip().hash]).toEqual([nodes.length, hashOf(best.header)]);
        for (const node of nodes) {
          const found = each.find(hashOf(node.header))!;
          expect([found.height, found.onBest]).toEqual([node.height, onBest.has(node)]);
          const fork = pathOf(node).findLast((ancestor) => onBest.has(ancestor))!;
          expect(each.forkPoint(found.hash)!.hash).toBe(hashOf(fork.header));
          expect(each.parentOf(found.hash)?.hash).toBe(node.parent ? hashOf(node.parent.header) : undefined);
        }
      }
    }),
    { numRuns: 60 },
  );
  expect(reorgs).toBeGreaterThan(10);
});

it('never throws on noise and takes nothing of it', () => {
  const chain = createHeaderChain({ network: 'regtest' });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, linked) => {
      const noise =
        linked && bytes.length >= 36 ? concat(bytes.subarray(0, 4), headerHash(genesis), bytes.subarray(36)) : bytes;
      expect(chain.accept(noise, NOW).added).toBe(0);
    }),
  );
  expect(chain.size()).toBe(1);
});
