import {
  assert as holds,
  array,
  bigInt,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  property,
  record,
} from 'fast-check';
import { expect, it } from 'vitest';
import type { Finding } from '../finding.ts';
import { decodeEvmEvent, decodeEvmState, encodeEvmEvent, encodeEvmState } from './codec.ts';
import { evmPastsDue } from './decide-past.ts';
import type { EvmEvent, EvmInput, EvmPastEntry } from './event.ts';
import type { EvmBlockFacts } from './facts.ts';
import { applyEvmEvent } from './fold.ts';
import { CHAIN, CODE, GENESIS, makeBlock, OTHER, STRANGE, TOKEN, WALLET, type MadeBlock } from './history.fixture.ts';
import type { EvmBlockRef } from './spend.ts';
import { createEvmState, type EvmState } from './state.ts';
import { evmStep } from './step.ts';
import type { EvmWallet } from './wallet.ts';

// What is read of the past is what would have been told, had the wallet been watched then.

const amount = bigInt({ min: 1n, max: 1_000n });
const deed = oneof(
  record({ do: constant('pay' as const), amount, fails: boolean() }),
  record({ do: constant('get' as const), amount, fails: boolean() }),
  record({ do: constant('inner' as const), amount: bigInt({ min: -500n, max: 500n }) }),
  record({
    ...{ do: constant('token-out' as const), amount: bigInt({ min: 0n, max: 100n }) },
    ...{ by: constantFrom(WALLET, OTHER), token: constantFrom(TOKEN, STRANGE) },
  }),
  record({ do: constant('token-in' as const), amount: bigInt({ min: 0n, max: 100n }), token: constant(TOKEN) }),
  record({ do: constant('allow' as const), amount: bigInt({ min: 0n, max: 50n }), by: constantFrom(WALLET, OTHER) }),
  record({ do: constant('hidden' as const) }),
  record({ do: constant('delegate' as const), to: constantFrom(CODE, OTHER, null) }),
  record({ do: constant('withdrawal' as const), amount }),
);
const world = record({
  blocks: array(array(deed, { maxLength: 3 }), { minLength: 4, maxLength: 16 }),
  birthday: integer({ min: 0, max: 12 }),
  /** The wallet is added when so many blocks are there, of twelfths. */
  addedAt: integer({ min: 4, max: 10 }),
  /** Sizes of the pieces, in turn. */
  pieces: array(integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }),
  dies: array(boolean(), { minLength: 1, maxLength: 4 }),
  /** Blocks before the birthday of whose successors no state is known. */
  pruned: constantFrom(0, 0, 3, 7, 100),
});

it('what is read of the past of a wallet is what is told of one that was watched all the time, each once', () => {
  holds(
    property(world, ({ blocks, birthday, addedAt, pieces, dies, pruned }) => {
      const chain: MadeBlock[] = [makeBlock(null, 'base', [])];
      for (const deeds of blocks) {
        const { facts, account } = chain.at(-1)!;
        chain.push(makeBlock({ block: facts.block, account }, 'c', deeds));
      }
      const driver = createDriver();
      driver.tell({ kind: 'evm-chain', chain: { chainId: CHAIN, symbol: 'ETH', depths: [2], keptBlocks: 64 } });
      driver.tell({ kind: 'evm-wallet', wallet: walletOf('old', null) });
      const added = Math.max(2, Math.floor((chain.length * addedAt) / 12));
      let turn = 0;
      let told: EvmBlockRef[] = [];
      const read = () => {
        for (let due = evmPastsDue(driver.state())[0]; due; due = evmPastsDue(driver.state())[0]) {
          const from = due.from!;
          const to = Math.min(due.to, from + pieces[turn % pieces.length]! - 1);
          const known = (number: number) => number >= pruned;
          const facts = chain
            .filter(({ facts: { block } }) => block.number >= from && block.number <= to)
            .filter(({ deeds, facts: { block } }) => deeds.length > 0 || block.number === pruned)
            .map(({ facts: each }) => (known(each.block.number) ? each : blind(each)));
          const { balance, nonce, code } = chain[from - 2]?.account ?? GENESIS;
          const piece = {
            ...{ kind: 'evm-past' as const, wallet: 'late', from, to, facts, seenBy: ['one'] },
            before: known(from - 1) ? { balance, nonce, code, implementation: null } : null,
            stateMissingBefore: known(from) ? null : Math.min(pruned, to + 1),
          };
          driver.tell(piece);
          // Told again, and told out of turn, it says nothing.
          if (dies[turn % dies.length]) driver.die();
          expect(driver.tell(piece)).toEqual([]);
          expect(driver.tell({ ...piece, from: to + 3, to: to + 4 })).toEqual([]);
          told = [...told, ...facts.map(({ block }) => block)];
          turn++;
        }
      };
      for (const [i, { facts }] of chain.entries()) {
        if (i === added) driver.tell({ kind: 'evm-wallet', wallet: walletOf('late', birthday) });
        driver.tell({ kind: 'evm-connected', facts, seenBy: ['one'] });
        read();
      }
      const since = added + 1;
      const isOver = chain.length >= since + 1 && Math.max(1, birthday) <= since;
      const from = Math.max(1, birthday);
      const inPast = ({ number }: EvmBlockRef) => number >= from && number <= since;
      if (isOver) {
        const expected = driver.findings
          .filter(({ wallet, detail, evidence }) => {
            return wallet === 'old' && detail.kind !== 'evm-confirmed' && inPast(evidence.evm!.block!);
          })
          .map(({ evidence, detail }) => wordsOf(evidence.evm!.block!, detail, pruned, from))
          .filter((words) => words !== null);
        const past = driver.past.map(({ block, entry }) => wordsOf(block, entry.detail, pruned, from));
        // The first block of the fixture is no news to who is watched from there.
        expect(past.filter((words) => words !== null).sort()).toEqual(expected.sort());
        const [ended, ...more] = driver.findings.filter(({ detail }) => detail.kind === 'evm-backfilled');
        expect(more).toEqual([]);
        expect(ended!.detail).toMatchObject({
          ...{ fromBlock: from, toBlock: since, entries: driver.past.length },
          stateMissingBefore: pruned <= from ? null : Math.min(pruned, since + 1),
        });
      }
      // What is told of the wallet as news lies behind its past, and the blocks are told in order.
      for (const { wallet, detail, evidence } of driver.findings) {
        if (wallet !== 'late' || detail.kind === 'evm-backfilled' || detail.kind === 'evm-confirmed') continue;
        if (detail.kind === 'evm-delegation' && evidence.evm!.block!.number === since) continue;
        expect(evidence.evm!.block!.number).toBeGreaterThan(since);
      }
      expect(new Set(driver.past.map(({ entry }) => entry.id)).size).toBe(driver.past.length);
      expect([...told].sort((a, b) => a.number - b.number)).toEqual(told);
    }),
    { numRuns: 400 },
  );
});

it('a wallet whose first block is taken back has its past up to the one that takes its place', () => {
  const driver = createDriver();
  const base = makeBlock(null, 'base', []);
  const next = (parent: MadeBlock, label: string, gift: bigint) =>
    makeBlock({ block: parent.facts.block, account: parent.account }, label, [
      { do: 'get', amount: gift, fails: false },
    ]);
  driver.tell({ kind: 'evm-chain', chain: { chainId: CHAIN, symbol: 'ETH', depths: [2], keptBlocks: 64 } });
  driver.tell({ kind: 'evm-wallet', wallet: walletOf('late', 1) });
  const gone = next(base, 'gone', 5n);
  driver.tell({ kind: 'evm-connected', facts: gone.facts, seenBy: [] });
  expect(driver.state().wallets.get('late')?.since).toBe(2);
  driver.tell({ kind: 'evm-disconnected', chainId: CHAIN, block: gone.facts.block, seenBy: [] });
  expect(driver.state().wallets.get('late')?.since).toBeNull();
  const stays = next(base, 'stays', 7n);
  const third = next(stays, 'third', 8n);
  const fourth = next(third, 'fourth', 9n);
  driver.tell({ kind: 'evm-connected', facts: third.facts, seenBy: [] });
  // The first block is not settled yet: it is read no further than the one below it.
  expect(evmPastsDue(driver.state())).toMatchObject([{ from: 1, to: 2 }]);
  driver.tell({ kind: 'evm-connected', facts: fourth.facts, seenBy: [] });
  expect(evmPastsDue(driver.state())).toMatchObject([{ from: 1, to: 3 }]);
  const before = base.facts.accounts[0]!.state;
  const piece = { kind: 'evm-past', wallet: 'late', from: 1, to: 3, before, stateMissingBefore: null } as const;
  driver.tell({ ...piece, facts: [stays.facts, third.facts], seenBy: [] });
  expect(driver.past.map(({ entry: { detail } }) => 'amount' in detail && detail.amount)).toEqual([7n, 8n]);
  expect(driver.findings.map(({ detail }) => ('amount' in detail ? detail.amount : detail.kind))).toEqual([
    9n,
    'evm-backfilled',
  ]);
  expect(evmPastsDue(driver.state())).toEqual([]);
});

const walletOf = (id: string, birthday: number | null): EvmWallet => ({
  ...{ id, name: id, owner: null, tags: [], chainId: CHAIN, address: WALLET, limits: [] },
  tokens: [{ token: TOKEN, symbol: 'COIN', decimals: 6 }],
  birthday: birthday === null ? null : { number: birthday },
});

const blind = (facts: EvmBlockFacts): EvmBlockFacts => {
  return { ...facts, accounts: facts.accounts.map((each) => ({ ...each, state: null })) };
};

/** Without a state nobody can say what contracts moved, what the account runs, or by which right something was taken. */
function wordsOf({ hash, number }: EvmBlockRef, detail: Finding['detail'], pruned: number, from: number) {
  const isBlind = number <= pruned && pruned > 0;
  // What was allowed before the birthday is not known.
  const isWayKnown = from === 1 && !isBlind;
  if (detail.kind === 'evm-delegation') return isBlind ? null : `${hash} delegation ${detail.after}`;
  if (detail.kind === 'evm-nonce') return isBlind ? null : `${hash} nonce ${detail.nonce - detail.expected}`;
  if (detail.kind === 'evm-internal') return isBlind ? null : `${hash} internal ${detail.direction} ${detail.amount}`;
  if (!('asset' in detail)) return `${hash} ${detail.kind}`;
  const how = 'how' in detail && isWayKnown ? detail.how : '';
  return `${hash} ${detail.kind} ${detail.asset.token} ${detail.amount} ${how}`;
}

function createDriver() {
  let state: EvmState = createEvmState();
  const journal: Uint8Array[] = [];
  const findings: Finding[] = [];
  const past: { block: EvmBlockRef; entry: EvmPastEntry }[] = [];
  let nowMs = 1_000_000;
  return {
    findings,
    past,
    state: () => state,
    tell(input: EvmInput): readonly EvmEvent[] {
      const events = evmStep(state, input, ++nowMs);
      for (const event of events) {
        journal.push(encodeEvmEvent(event));
        applyEvmEvent(state, event);
        if (event.kind === 'finding') findings.push(event.finding);
        if (event.kind === 'evm-past-block')
          past.push(...event.entries.map((entry) => ({ block: event.block, entry })));
      }
      return events;
    },
    die() {
      const before = encodeEvmState(state);
      const read = decodeEvmState(before);
      if (!read.ok) throw new Error(read.error);
      const folded = createEvmState();
      for (const bytes of journal) {
        const event = decodeEvmEvent(bytes);
        if (!event.ok) throw new Error(event.error);
        applyEvmEvent(folded, event.value);
      }
      expect(encodeEvmState(folded)).toEqual(before);
      state = read.value;
    },
  };
}
