import { assert as holds, array, boolean, constantFrom, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { decodeEvmEvent, encodeEvmEvent } from './codec.ts';
import type { EvmPendingFacts } from './facts.ts';
import { createAccount, own } from './pending.fixture.ts';
import type { Hash32 } from './spend.ts';

/** What happens next. `nonce`: above that of the chain. */
const deed = record({
  do: constantFrom('sight', 'sight', 'sight', 'evict', 'count', 'mine', 'mine', 'back'),
  nonce: integer({ min: 0, max: 2 }),
  name: constantFrom('a', 'b', 'c'),
  proven: boolean(),
  many: integer({ min: 0, max: 2 }),
  dies: constantFrom(null, null, 'journal', 'snapshot'),
  twice: boolean(),
});

it('whatever comes in which order, each sighting is told once and ends as the chain says', () => {
  holds(
    property(array(deed, { minLength: 1, maxLength: 40 }), (deeds) => {
      const account = createAccount();
      /** What is on the chain, block by block. */
      const chain: EvmPendingFacts[][] = [];
      const sighted = new Set<Hash32>();
      for (const each of deeds) {
        const nonce = Number(account.nonce()) + each.nonce;
        const transaction = own(nonce, each.name, each.proven ? {} : { digest: null });
        for (let n = 0; n < (each.twice ? 2 : 1); n++) {
          switch (each.do) {
            case 'sight': {
              const told = account.sight(transaction);
              if (n > 0) expect(told).toEqual([]);
              sighted.add(transaction.hash);
              break;
            }
            case 'evict':
              account.evict(transaction.hash);
              break;
            case 'count':
              account.count(account.nonce(), account.nonce() + BigInt(each.nonce));
              break;
            case 'mine': {
              const next = Number(account.nonce());
              const block = Array.from({ length: each.many }, (_, i) => own(next + i, each.name));
              chain.push(block);
              account.mine(block);
              // What is in a block is never told as though it were not.
              for (const mined of block) expect(account.sight(mined)).toEqual([]);
              break;
            }
            case 'back':
              if (chain.length > 0) {
                chain.pop();
                account.back();
              }
              break;
          }
        }
        if (each.dies !== null) {
          const { before, after } = account.die(each.dies);
          expect(after).toEqual(before);
        }
      }
      const { findings } = account;
      expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
      const retracted = new Set(
        findings.flatMap(({ detail }) => (detail.kind === 'evm-disconnected' ? detail.retracts : [])),
      );
      const standing = findings.filter(({ id }) => !retracted.has(id));
      const mined = new Map(chain.flat().map(({ nonce, hash }) => [nonce, hash]));
      /** Ends of sightings by the id of the sighting. */
      const ends = standing.flatMap(({ detail }) =>
        detail.kind === 'evm-replaced' || detail.kind === 'evm-evicted' ? [detail] : [],
      );
      expect(new Set(ends.map((end) => `${end.kind} ${end.sighted}`)).size).toBe(ends.length);
      const sightings = standing.flatMap(({ id, detail, evidence }) =>
        detail.kind === 'evm-sighted' ? [{ id, detail, hash: evidence.evm!.txHash! }] : [],
      );
      const amended = new Set(sightings.flatMap(({ detail }) => detail.amends ?? []));
      for (const { id, detail, hash } of sightings) {
        expect(sighted.has(hash)).toBe(true);
        if (amended.has(id)) continue;
        const end = ends.filter((each) => each.sighted === id);
        const onChain = mined.get(detail.nonce);
        const isWaiting = account.state().pending.get(`hot/${hash}`)?.told === id;
        // It waits, or a block has its nonce, or it was told how it ended: nothing is lost, and nothing ends in two ways.
        if (!isWaiting) expect(end).toHaveLength(1);
        if (onChain === undefined || !isWaiting) continue;
        const passed = account.state().pending.get(`hot/${hash}`)!;
        expect(passed.block).not.toBe(null);
        if (onChain !== hash) expect(end.map(({ kind }) => kind)).toEqual(['evm-replaced']);
        else expect(end.every((each) => each.kind === 'evm-replaced' && passed.replacedBy === each.by)).toBe(true);
      }
      const waiting = [...account.state().pending.values()].filter(({ block }) => block === null);
      for (const { nonce } of waiting) expect(nonce).toBeGreaterThanOrEqual(account.nonce());
    }),
    { numRuns: 400 },
  );
});

it('what a block leaves of it is the same wherever the monitor dies between two events', () => {
  const told = (cut: number) => {
    const account = createAccount();
    account.sight(own(0));
    account.sight(own(0, 'b'));
    account.sight(own(1));
    if (cut === 0) account.die();
    account.mine([own(0)]);
    if (cut === 1) account.die('snapshot');
    account.back();
    if (cut === 2) account.die();
    account.mine([own(0, 'b'), own(1)]);
    return account.findings.map(({ id }) => id);
  };
  const whole = told(-1);
  for (const cut of [0, 1, 2]) expect(told(cut)).toEqual(whole);
});

it('events are what the journal says', () => {
  const account = createAccount();
  const events = account.events({ kind: 'evm-sighted', chainId: 31_337n, transaction: own(0), seenBy: ['one'] });
  expect(events.map(({ kind }) => kind)).toEqual(['finding', 'evm-pending']);
  for (const event of events) expect(decodeEvmEvent(encodeEvmEvent(event))).toEqual({ ok: true, value: event });
});
