import type { Address } from '@keepwatch/evm';
import type { EvmWatched } from '../account.ts';
import { resultOf } from '../block.ts';
import type { EvmPendingCount, EvmPendingFacts, Hash32 } from '../facts.ts';
import { EvmFault } from '../fault.ts';
import type { EvmRpc, RpcAnswer, RpcCall } from '../rpc.ts';
import { pause } from '../upstream.ts';
import { list, object, quantity, small } from '../words.ts';
import { readPending, type ReadPending } from './transaction.ts';

/**
 * By what an upstream shows what stands in no block:
 *
 * - `stream`: each transaction that reaches its pool, over a WebSocket (`eth_subscribe`, with whole transactions)
 * - `content`: what its pool holds of an account (`txpool_contentFrom`)
 * - `block`: what it would put into the next block (`eth_getBlockByNumber` of `pending`)
 * - `count`: how many transactions of an account it knows (`eth_getTransactionCount` of `pending`)
 */
export type EvmPendingMeans = 'stream' | 'content' | 'block' | 'count';

/** What an upstream says of a transaction that was sighted. `mined`: in the block of this number. */
export type EvmStanding =
  { readonly is: 'there' } | { readonly is: 'gone' } | { readonly is: 'mined'; readonly number: number };

/** Whoever is told what one upstream shows. */
export interface PendingListener {
  transaction(facts: EvmPendingFacts): void;
  count(count: EvmPendingCount): void;
  standing(hash: Hash32, standing: EvmStanding): void;
  /** It showed something that is made up, or it no longer does. */
  forging(is: boolean): void;
}

export interface PendingLookDeps {
  readonly rpc: EvmRpc;
  readonly chainId: bigint;
  readonly pollMs: number;
  /** The longest rest after failures. */
  readonly restMs: number;
  readonly watching: () => readonly EvmWatched[];
  /** The number of its best block; undefined while it cannot be asked. */
  readonly height: () => number | undefined;
  readonly isStreaming: () => boolean;
  readonly told: PendingListener;
}

/** The rounds of questions that one upstream is asked about what stands in no block. */
export interface PendingLook {
  readonly means: () => readonly EvmPendingMeans[];
  /** A transaction that the upstream showed unasked. */
  hear(value: unknown): void;
  run(signal: AbortSignal): Promise<void>;
}

/** In one round: accounts that are asked about, transactions that are asked for again, and transactions that are read of each. */
const ACCOUNTS = 50;
const CHECKS = 50;
const READ = 256;
/** What has to be asked for as a whole block, or of each transaction, is asked for in each fourth round. */
const SELDOM = 4;
const KNOWN_MS = 1_000;
/** What an upstream does not have is asked for again after so long: nodes are started anew, and providers change. */
const LACK_MS = 600_000;
const LOST_MS = 60_000;

/** One of the ways in which it may be asked. */
interface Way {
  is: 'untried' | 'there' | 'lacking';
  untilMs: number;
}

export function createPendingLook(deps: PendingLookDeps): PendingLook {
  const { rpc, chainId, pollMs, restMs, watching, height, isStreaming, told } = deps;
  const ways: Record<'content' | 'block' | 'count', Way> = {
    content: { is: 'untried', untilMs: 0 },
    block: { is: 'untried', untilMs: 0 },
    count: { is: 'untried', untilMs: 0 },
  };
  let rounds = 0;
  let nextAccount = 0;
  let nextCheck = 0;
  let failures = 0;
  /** Rounds since something was made up. */
  let honestRounds = Infinity;
  let known: { readonly atMs: number; readonly all: ByAddress } = { atMs: -Infinity, all: new Map() };
  /** Accounts of which more was counted than is in blocks when they were asked about last. */
  const counted = new Set<Address>();

  const isWorth = (way: Way) => way.is !== 'lacking' || performance.now() >= way.untilMs;
  const found = (way: Way, is: boolean) => {
    if (!is) way.untilMs = performance.now() + (way.is === 'there' ? LOST_MS : LACK_MS);
    way.is = is ? 'there' : 'lacking';
  };

  const watched = () => watching().filter(({ fresh }) => !fresh);

  async function round(signal: AbortSignal): Promise<void> {
    const all = watched();
    if (all.length === 0) return;
    const isSeldom = rounds++ % SELDOM === 0;
    const byAddress = new Map(all.map((each) => [each.address, each]));
    const accounts = turnOf(all, nextAccount, ACCOUNTS);
    nextAccount += ACCOUNTS;
    if (isWorth(ways.content)) await askContent(accounts, byAddress, signal);
    const counts = ways.content.is !== 'there' && isWorth(ways.count) ? await askCounts(accounts, signal) : [];
    const waiting = counts.filter(({ pending, nonce }) => pending > nonce);
    const isWanted = waiting.length > 0 || (isSeldom && !isStreaming());
    if (isWanted && isWorth(ways.block)) await askBlock(byAddress, signal);
    tellCounts(counts);
    if (isSeldom) await check(all, byAddress, signal);
    // The way on which it came is not asked in each round: it is over when all were asked again.
    told.forging(honestRounds++ < SELDOM);
  }

  /** An upstream that refuses a question as such does not have the answer; one that cannot be reached is asked again. */
  async function tried(way: Way, calls: readonly RpcCall[], signal: AbortSignal): Promise<readonly RpcAnswer[] | null> {
    try {
      const answers = await rpc.ask(calls, signal);
      if (answers.every((each) => 'result' in each && each.result !== null)) return answers;
    } catch (error) {
      const isRefusal = error instanceof EvmFault && error.code === 'upstream_refused' && way.is !== 'there';
      if (!isRefusal) throw error;
    }
    found(way, false);
    return null;
  }

  async function askContent(accounts: readonly EvmWatched[], all: ByAddress, signal: AbortSignal): Promise<void> {
    const way = ways.content;
    // Whether it is there at all is asked with one question.
    const asked = way.is === 'there' ? accounts : accounts.slice(0, 1);
    const calls = asked.map(({ address }): RpcCall => ['txpool_contentFrom', [address]]);
    const answers = await tried(way, calls, signal);
    if (!answers) return;
    found(way, true);
    for (const [i, answer] of answers.entries()) {
      const content = object(resultOf(answer, 'pool'));
      const transactions = ['pending', 'queued'].flatMap((part) => Object.values(object(content[part] ?? {})));
      for (const each of transactions.slice(0, READ)) hear(each, all, asked[i]!.address);
    }
    if (asked.length < accounts.length) await askContent(accounts.slice(1), all, signal);
  }

  async function askCounts(accounts: readonly EvmWatched[], signal: AbortSignal): Promise<readonly EvmPendingCount[]> {
    const calls = accounts.flatMap(({ address }): RpcCall[] => [
      ['eth_getTransactionCount', [address, 'latest']],
      ['eth_getTransactionCount', [address, 'pending']],
    ]);
    const answers = await tried(ways.count, calls, signal);
    if (!answers) return [];
    found(ways.count, true);
    const numbers = answers.map((answer) => quantity(resultOf(answer, 'count')));
    return accounts.map(({ address }, i) => ({ address, nonce: numbers[2 * i]!, pending: numbers[2 * i + 1]! }));
  }

  /** Behind what else the round brought, and in the second round in a row: who shows it as well is heard first. */
  function tellCounts(counts: readonly EvmPendingCount[]): void {
    for (const count of counts) {
      const waits = count.pending > count.nonce;
      if (!waits || counted.has(count.address)) told.count(count);
      if (waits) counted.add(count.address);
      else counted.delete(count.address);
    }
  }

  async function askBlock(all: ByAddress, signal: AbortSignal): Promise<void> {
    const before = height() ?? 0;
    const answers = await tried(ways.block, [['eth_getBlockByNumber', ['pending', true]]], signal);
    if (!answers) return;
    const block = object(resultOf(answers[0]!, 'pending block'));
    const transactions = list(block['transactions']);
    const number = typeof block['number'] === 'string' ? small(block['number']) : Infinity;
    // The chain went on meanwhile: whether this one is the last or the next is not to be told.
    if (number > before && number <= (height() ?? 0)) return;
    // Some say the last block in its place: it is none that is pending.
    const isLast = number <= before;
    found(ways.block, !isLast && transactions.every((each) => typeof each === 'object'));
    if (ways.block.is === 'there') for (const each of transactions) hear(each, all, null);
  }

  /** Whether what was sighted is still there. */
  async function check(accounts: readonly EvmWatched[], all: ByAddress, signal: AbortSignal): Promise<void> {
    const awaited = [...new Set(accounts.flatMap(({ pending }) => pending.map(({ hash }) => hash)))];
    const asked = turnOf(awaited, nextCheck, CHECKS);
    nextCheck += CHECKS;
    if (asked.length === 0) return;
    const answers = await rpc.ask(
      asked.map((hash): RpcCall => ['eth_getTransactionByHash', [hash]]),
      signal,
    );
    for (const [i, answer] of answers.entries()) {
      if ('error' in answer) continue;
      if (answer.result === null) {
        told.standing(asked[i]!, { is: 'gone' });
        continue;
      }
      const { blockNumber } = object(answer.result);
      const isMined = typeof blockNumber === 'string';
      told.standing(asked[i]!, isMined ? { is: 'mined', number: small(blockNumber) } : { is: 'there' });
      if (!isMined) hear(answer.result, all, null);
    }
  }

  /** `of`: whose it has to be; null: anybody's. */
  function hear(value: unknown, all: ByAddress, of: Address | null): void {
    const read = readable(value, all);
    if (read.is === 'forged' || (of !== null && read.is === 'read' && read.facts.from !== of)) honestRounds = 0;
    else if (read.is === 'read') told.transaction(read.facts);
  }

  /** One that cannot be read, of a kind of this chain's own perhaps, hides no other. */
  function readable(value: unknown, all: ByAddress): ReadPending {
    try {
      return readPending(value, all, chainId);
    } catch {
      return { is: 'strange' };
    }
  }

  /** Many come in a second, and who is watched changes seldom. */
  function watchedNow(): ByAddress {
    if (performance.now() - known.atMs >= KNOWN_MS) {
      known = { atMs: performance.now(), all: new Map(watched().map((each) => [each.address, each])) };
    }
    return known.all;
  }

  return {
    hear: (value) => hear(value, watchedNow(), null),
    means: () => (['content', 'block', 'count'] as const).filter((name) => ways[name].is === 'there'),
    async run(signal) {
      while (!signal.aborted) {
        let rest = pollMs;
        if (height() !== undefined) {
          try {
            await round(signal);
            failures = 0;
          } catch (error) {
            if (signal.aborted) return;
            // Its blocks are another matter: one that does not answer these questions is not thought to be down.
            failures++;
            const asked = error instanceof EvmFault ? (error.retryAfterMs ?? 0) : 0;
            rest = Math.max(asked, Math.min(restMs, pollMs * 2 ** Math.min(failures, 10)));
          }
        }
        await pause(rest, signal);
      }
    },
  };
}

type ByAddress = ReadonlyMap<Address, EvmWatched>;

/** So many of them from a place on, which goes round. */
function turnOf<T>(all: readonly T[], from: number, most: number): readonly T[] {
  if (all.length <= most) return all;
  const start = from % all.length;
  return [...all.slice(start), ...all.slice(0, start)].slice(0, most);
}
