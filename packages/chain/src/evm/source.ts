import type { Address } from '@keepwatch/evm';
import { agree, agreeOnBlock, type BlockVerdict, type Said } from './agree.ts';
import { askAll } from './ask.ts';
import type { EvmWatched } from './account.ts';
import type { EvmBlockFacts, EvmBlockRef } from './facts.ts';
import { readPast, type EvmPastPiece } from './past.ts';
import { createEvmReader } from './reader.ts';
import { createPendingBoard, type EvmPendingEvent } from './pending/board.ts';
import { createPendingLook, type EvmPendingMeans } from './pending/look.ts';
import { createPendingStream } from './pending/stream.ts';
import { createEvmRpc, type EvmEndpoint } from './rpc.ts';
import { createEvmUpstream, pause, type EvmHealth, type EvmUpstream } from './upstream.ts';

export type { EvmHealth } from './upstream.ts';

export interface EvmSourceOptions {
  readonly chainId: bigint;
  readonly upstreams: readonly (EvmEndpoint & { readonly name: string })[];
  /** So many of them have to say the same, for each block: 1 believes whoever answers first. */
  readonly agree: number;
  readonly pollMs?: number;
  /** How long others are waited for once enough agree, so that a difference is seen. */
  readonly patienceMs?: number;
  /** How long hashes may differ at the tip before it is told: blocks take their time, and reorganisations happen. */
  readonly graceMs?: number;
  /** An upstream that is more blocks behind the best one is told. */
  readonly lagBlocks?: number;
  /** No block for so long is told. */
  readonly stalledMs?: number;
  /** Blocks that are read at once while the chain is caught up with. */
  readonly ahead?: number;
  /** Between two rounds of questions about what stands in no block; null: nobody is asked. */
  readonly pendingMs?: number | null;
  /** How long nobody may have shown a transaction that was sighted before it is told as gone. */
  readonly evictMs?: number;
}

export type EvmEvent =
  | { readonly kind: 'connected'; readonly facts: EvmBlockFacts; readonly seenBy: readonly string[] }
  /** The tip was taken back, one block at a time. */
  | { readonly kind: 'disconnected'; readonly block: EvmBlockRef; readonly seenBy: readonly string[] }
  | { readonly kind: 'finality'; readonly number: number }
  /** `name` null: all of them together. */
  | { readonly kind: 'health'; readonly name: string | null; readonly health: EvmHealth }
  | {
      readonly kind: 'disagreement';
      readonly about: string;
      readonly over: boolean;
      readonly seenBy: readonly string[];
      readonly others: readonly string[];
    }
  | EvmPendingEvent;

/** One EVM chain, by one upstream or several that are compared. */
export interface EvmSource {
  readonly chainId: bigint;
  /**
   * Runs until the signal aborts. Blocks come in order, each on top of the one before; the next is read when this one was
   * taken, with what `watching` gives then. `cursor`: the last known blocks, newest first; without one the first block is
   * the tip of that moment. One run at a time.
   */
  events(
    cursor: readonly EvmBlockRef[],
    watching: () => readonly EvmWatched[],
    signal: AbortSignal,
  ): AsyncGenerator<EvmEvent, void, undefined>;
  /** A piece of the past of an account, from settled blocks `from` to `to`, while live blocks go on. Throws where too few tell. */
  past(
    address: Address,
    range: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): Promise<EvmPastPiece>;
  /** The first block of this time (ms since 1970) or later, up to `to`; undefined where too few answer. */
  numberAt(timeMs: number, to: number, signal: AbortSignal): Promise<number | undefined>;
  /** What enough upstreams say of a token's symbol and decimals. */
  token(token: Address, signal: AbortSignal): Promise<{ symbol: string; decimals: number } | undefined>;
  /** Whether there is code at an address, as enough upstreams say; undefined where too few of them say the same. */
  hasCode(address: Address, signal: AbortSignal): Promise<boolean | undefined>;
  health(): {
    readonly all: EvmHealth;
    readonly upstreams: readonly EvmUpstreamHealth[];
  };
  close(): void;
}

/** One upstream. `pending`: by what it shows what stands in no block; none: it does not. */
export interface EvmUpstreamHealth {
  readonly name: string;
  readonly health: EvmHealth;
  readonly pending: readonly EvmPendingMeans[];
}

const READ_MS = 30_000;
const REST_MS = 60_000;
const FORGED = 'pending transactions that nobody signed';
/** Blocks that are remembered to find where branches part. */
const KEPT = 512;

export function createEvmSource(options: EvmSourceOptions): EvmSource {
  const { chainId, agree: enough } = options;
  const {
    pollMs = 3_000,
    patienceMs = 1_500,
    graceMs = 30_000,
    lagBlocks = 5,
    stalledMs = 600_000,
    ahead = 8,
    pendingMs = 3_000,
    evictMs = 60_000,
  } = options;
  let wake: () => void = () => undefined;
  let woken = false;
  const changed = () => {
    woken = true;
    wake();
  };
  const rpcs = options.upstreams.map((endpoint) => createEvmRpc(endpoint));
  const upstreams = options.upstreams.map(({ name }, i): EvmUpstream => {
    return createEvmUpstream(name, createEvmReader(rpcs[i]!, chainId), { pollMs, restMs: REST_MS }, changed);
  });
  /** What is looked for by the run that is under way. */
  let lookingFor: () => readonly EvmWatched[] = () => [];
  const board = createPendingBoard({ watching: () => lookingFor(), enough, graceMs: evictMs, changed });
  const looks = options.upstreams.map((endpoint, i) => {
    const told = board.listener(endpoint.name);
    const { websocket } = endpoint;
    const hear = (value: unknown) => look.hear(value);
    const of = { chainId, restMs: REST_MS };
    const stream =
      websocket === undefined ? null : createPendingStream({ ...of, endpoint: { ...endpoint, websocket }, hear });
    const isStreaming = () => stream?.isOpen() ?? false;
    const height = () => upstreams[i]!.head()?.number;
    const rounds = { pollMs: pendingMs ?? 0, watching: () => lookingFor(), height, isStreaming, told };
    const look = createPendingLook({ ...of, rpc: rpcs[i]!, ...rounds });
    return {
      means: (): readonly EvmPendingMeans[] => [...(isStreaming() ? (['stream'] as const) : []), ...look.means()],
      run: (signal: AbortSignal) => Promise.all([look.run(signal), stream?.run(signal)]),
    };
  });
  /** Newest last. */
  let kept: EvmBlockRef[] = [];
  let tipSince = performance.now();
  let openSince: { readonly about: string; readonly ms: number } | null = null;
  let hashesDifferSince: number | null = null;
  const told = new Map<string, string>();
  const disagreements = new Set<string>();
  let final = -1;

  const answering = () => upstreams.filter((each) => each.head() !== null);
  const reaching = (reach: number) => answering().filter((each) => each.head()!.number >= reach);
  /** So far enough have got; one alone that claims more says nothing. −1: too few answer. */
  const reachOf = () => {
    const heads = answering().map((each) => each.head()!.number);
    return heads.sort((a, b) => b - a)[enough - 1] ?? -1;
  };

  function healthOf(upstream: EvmUpstream): EvmHealth {
    const head = upstream.head()?.number ?? null;
    const problem = upstream.problem();
    if (problem !== null) return { state: 'down', head, problem };
    if (head === null) return { state: 'starting', head, problem };
    const behind = reachOf() - head;
    if (behind <= lagBlocks) return { state: 'live', head, problem };
    return { state: 'behind', head, problem: { code: 'upstream_behind', words: `It is ${behind} blocks behind.` } };
  }

  function healthOfAll(): EvmHealth {
    const head = kept.at(-1)?.number ?? null;
    const able = answering().length;
    const down = (problem: NonNullable<EvmHealth['problem']>): EvmHealth => ({ state: 'down', head, problem });
    if (able < enough) {
      const isNew = upstreams.every((each) => each.head() === null && each.problem() === null);
      if (isNew) return { state: 'starting', head, problem: null };
      return down({
        code: 'upstreams_too_few',
        words: `${able} of ${upstreams.length} upstreams answer, and ${enough} are needed.`,
      });
    }
    if (openSince !== null && performance.now() - openSince.ms > graceMs) {
      return down({ code: 'upstreams_disagree', words: `Too few upstreams say the same about ${openSince.about}.` });
    }
    const quietMs = performance.now() - tipSince;
    const behind = head === null ? 0 : reachOf() - head;
    if (quietMs > stalledMs) {
      return down({ code: 'chain_stalled', words: `No new block for ${Math.round(quietMs / 60_000)} minutes.` });
    }
    if (behind <= lagBlocks) return { state: head === null ? 'starting' : 'live', head, problem: null };
    return { state: 'behind', head, problem: { code: 'chain_behind', words: `${behind} blocks are to be read.` } };
  }

  function* healthEvents(): Generator<EvmEvent> {
    const all = [
      ...upstreams.map((each) => ({ name: each.name as string | null, health: healthOf(each) })),
      { name: null, health: healthOfAll() },
    ];
    for (const { name, health } of all) {
      const key = name ?? '';
      const words = `${health.state} ${health.problem?.code ?? ''}`;
      if (told.get(key) === words) continue;
      told.set(key, words);
      yield { kind: 'health', name, health };
    }
  }

  function* differ(about: string, seenBy: readonly string[], others: readonly string[]): Generator<EvmEvent> {
    if (disagreements.has(about)) return;
    disagreements.add(about);
    yield { kind: 'disagreement', about, over: false, seenBy, others };
  }

  function* alike(about: string, seenBy: readonly string[]): Generator<EvmEvent> {
    if (disagreements.delete(about)) yield { kind: 'disagreement', about, over: true, seenBy, others: [] };
  }

  /** Asks all that can be asked, once enough have got so far. */
  async function askThem<T>(
    reach: number,
    ask: (upstream: EvmUpstream, signal: AbortSignal) => Promise<T>,
    isEnough: (said: readonly Said<T>[]) => boolean,
    signal: AbortSignal,
  ): Promise<readonly Said<T>[]> {
    const able = answering();
    if (reaching(reach).length < enough) return [];
    const note = (upstream: EvmUpstream, error: unknown) => {
      if (error === null || upstream.head() !== null) upstream.noted(error);
    };
    return askAll({ able, ask, isEnough, patienceMs, limitMs: READ_MS, note }, signal);
  }

  const hashAt = async (number: number, signal: AbortSignal) => {
    const ask = (upstream: EvmUpstream, inner: AbortSignal) => upstream.reader.header(number, inner);
    const keyOf = ({ block }: { readonly block: EvmBlockRef }) => block.hash;
    const said = await askThem(number, ask, (some) => agree(some, enough, keyOf) !== undefined, signal);
    return agree(said, enough, keyOf);
  };

  /** Takes back what is no longer in the chain. Gives back whether it could be told. */
  async function* stepBack(reach: number, signal: AbortSignal): AsyncGenerator<EvmEvent, boolean, undefined> {
    let fork = kept.length - 1;
    let seenBy: readonly string[] = [];
    // Nothing that is longer than the chain is on it.
    while (fork >= 0 && kept[fork]!.number > reach) fork--;
    for (; fork >= 0; fork--) {
      const found = await hashAt(kept[fork]!.number, signal);
      if (!found) return false;
      seenBy = found.seenBy;
      if (found.value.block.hash === kept[fork]!.hash) break;
    }
    while (kept.length - 1 > fork) yield { kind: 'disconnected', block: kept.pop()!, seenBy };
    return true;
  }

  function* judged(verdict: BlockVerdict, number: number): Generator<EvmEvent, boolean, undefined> {
    if (verdict.kind === 'agreed') {
      openSince = null;
      if (verdict.elsewhere.length === 0) {
        hashesDifferSince = null;
        yield* alike('hash', verdict.seenBy);
      } else {
        hashesDifferSince ??= performance.now();
        if (performance.now() - hashesDifferSince >= graceMs) yield* differ('hash', verdict.seenBy, verdict.elsewhere);
      }
      for (const part of ['accounts', 'balances', 'transactions', 'logs']) {
        const differing = verdict.differing.find((each) => each.part === part);
        if (differing) yield* differ(part, verdict.seenBy, differing.others);
        else yield* alike(part, verdict.seenBy);
      }
      return true;
    }
    const { about, names } = verdict;
    const label = `${about} of block ${number}`;
    openSince ??= { about: label, ms: performance.now() };
    // At the tip hashes differ for a moment; what is read of one and the same block does not.
    const isNatural = about === 'hash' && performance.now() - openSince.ms < graceMs;
    if (!isNatural) yield* differ(about, [], names);
    return false;
  }

  async function* events(
    cursor: readonly EvmBlockRef[],
    watching: () => readonly EvmWatched[],
    outer: AbortSignal,
  ): AsyncGenerator<EvmEvent, void, undefined> {
    kept = cursor.slice(0, KEPT).toReversed();
    tipSince = performance.now();
    told.clear();
    lookingFor = watching;
    const stop = new AbortController();
    const signal = AbortSignal.any([outer, stop.signal]);
    const polling = upstreams.map((each) => each.run(signal));
    const looking = pendingMs === null ? [] : looks.map((each) => each.run(signal));
    try {
      while (!signal.aborted) {
        woken = false;
        yield* healthEvents();
        yield* pendingEvents();
        yield* follow(watching, signal);
        yield* finality();
        if (!woken) {
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          await Promise.race([promise, pause(pollMs, signal)]);
          wake = () => undefined;
        }
      }
    } finally {
      stop.abort();
      await Promise.allSettled([...polling, ...looking]);
    }
  }

  /** What stands in no block is told by a chain that is caught up with: what an old block has is not news. */
  function* pendingEvents(): Generator<EvmEvent> {
    const tip = kept.at(-1);
    if (!tip || reachOf() - tip.number > lagBlocks) return;
    const forgers = board.forgers();
    yield* forgers.length > 0 ? differ(FORGED, [], forgers) : alike(FORGED, []);
    yield* board.events(tip.number);
  }

  /** What upstreams say of a block, by the accounts that were looked for. */
  interface Reading {
    readonly key: string;
    readonly said: Promise<readonly Said<EvmBlockFacts>[]>;
  }

  /**
   * Reads blocks ahead while the chain is caught up with. What is looked for may change with each block: what was read with
   * anything else is read again, so that it is all the same as one after the other.
   */
  function createReadings(signal: AbortSignal) {
    const stop = new AbortController();
    const readings = new Map<number, Reading>();
    return {
      of(number: number, reach: number, watched: readonly EvmWatched[]): Reading['said'] {
        const key = watched.map(keyOfWatched).join();
        for (let each = number; each <= Math.min(reach, number + ahead - 1); each++) {
          if (readings.get(each)?.key === key) continue;
          const ask = (upstream: EvmUpstream, inner: AbortSignal) => upstream.reader.block(each, watched, inner);
          const isEnough = (some: readonly Said<EvmBlockFacts>[]) => agreeOnBlock(some, enough).kind === 'agreed';
          const said = askThem(each, ask, isEnough, AbortSignal.any([signal, stop.signal]));
          readings.set(each, { key, said });
        }
        const { said } = readings.get(number)!;
        readings.delete(number);
        return said;
      },
      stop: () => stop.abort(),
    };
  }

  async function* follow(
    watching: () => readonly EvmWatched[],
    signal: AbortSignal,
  ): AsyncGenerator<EvmEvent, void, undefined> {
    // What was read of a branch that is left, or of upstreams that did not agree, is not used any more.
    for (let again = true; again && !signal.aborted;) {
      const readings = createReadings(signal);
      try {
        again = yield* followOn(readings, watching, signal);
      } finally {
        readings.stop();
      }
    }
  }

  /** Gives back whether it is to be gone on with at once. */
  async function* followOn(
    readings: ReturnType<typeof createReadings>,
    watching: () => readonly EvmWatched[],
    signal: AbortSignal,
  ): AsyncGenerator<EvmEvent, boolean, undefined> {
    while (!signal.aborted) {
      const reach = reachOf();
      if (reach < 0) return false;
      const tip = kept.at(-1);
      if (tip && reach <= tip.number) {
        // Nothing new; the chain may have become another one all the same.
        const same = answering().filter((each) => each.head()!.hash === tip.hash);
        if (same.length >= enough) return false;
        const known = kept.findLast(({ number }) => number === reach);
        const found = known && (await hashAt(reach, signal));
        if (!found || found.value.block.hash === known.hash) return false;
        return yield* stepBack(reach, signal);
      }
      const number = tip ? tip.number + 1 : reach;
      const watched = watching();
      const said = await readings.of(number, reach, watched);
      if (signal.aborted || said.length < enough) return false;
      const verdict = agreeOnBlock(said, enough);
      if (!(yield* judged(verdict, number)) || verdict.kind !== 'agreed') return false;
      const { facts, seenBy } = verdict;
      if (tip && facts.parentHash !== tip.hash) {
        if (!(yield* stepBack(reach, signal))) return false;
        // The same tip still: what was read is on no chain that we know, and is asked for again in a while.
        return kept.at(-1) !== tip;
      }
      kept.push(facts.block);
      if (kept.length > KEPT) kept.shift();
      tipSince = performance.now();
      yield { kind: 'connected', facts, seenBy };
      yield* healthEvents();
    }
    return false;
  }

  /** What enough upstreams call final, and what we have got to. */
  function* finality(): Generator<EvmEvent> {
    const tip = kept.at(-1);
    const said = answering().flatMap((each) => each.head()!.finalized ?? []);
    if (!tip || said.length < enough) return;
    const number = Math.min(tip.number, said.sort((a, b) => b - a)[enough - 1]!);
    if (number <= final) return;
    final = number;
    yield { kind: 'finality', number };
  }

  return {
    chainId,
    events,
    async token(token, signal) {
      const keyOf = (value: { symbol: string; decimals: number } | undefined) => JSON.stringify(value ?? null);
      const ask = (upstream: EvmUpstream, inner: AbortSignal) => upstream.reader.token(token, inner);
      const said = await askThem(0, ask, (some) => agree(some, enough, keyOf) !== undefined, signal);
      return agree(said, enough, keyOf)?.value;
    },
    async hasCode(address, signal) {
      const ask = (upstream: EvmUpstream, inner: AbortSignal) => upstream.reader.hasCode(address, inner);
      const said = await askThem(0, ask, (some) => agree(some, enough, String) !== undefined, signal);
      return agree(said, enough, String)?.value;
    },
    past: (address, range, signal) => readPast({ able: reaching, enough }, address, range, signal),
    async numberAt(timeMs, to, signal) {
      let [low, high] = [1, to];
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const found = await hashAt(middle, signal);
        if (!found) return undefined;
        if (found.value.block.timeMs < timeMs) low = middle + 1;
        else high = middle;
      }
      return high;
    },
    health: () => ({
      all: healthOfAll(),
      upstreams: upstreams.map((each, i) => ({
        ...{ name: each.name, health: healthOf(each) },
        pending: looks[i]!.means(),
      })),
    }),
    close() {
      for (const rpc of rpcs) rpc.close();
    },
  };
}

/** What of an account decides what is read of a block. */
function keyOfWatched({ address, fresh, tokens, allowances, unread, pending }: EvmWatched): string {
  const pairs = [...allowances, ...unread].map(({ token, spender }) => `${token}/${spender}`);
  return [address, fresh, ...tokens, ...pairs, ...pending.map(({ hash }) => hash)].join(' ');
}
