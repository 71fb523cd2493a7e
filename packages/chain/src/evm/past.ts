import { CodedError } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import { agree, agreeOnBlock, type Said } from './agree.ts';
import { askAll } from './ask.ts';
import type { EvmAccountFacts, EvmBlockFacts } from './facts.ts';
import { changesBetween, isSame, type Point, type State } from './past-changes.ts';
import type { EvmUpstream } from './upstream.ts';

/** A piece of the past of an account, as enough upstreams tell it. */
export interface EvmPastPiece {
  readonly from: number;
  /** It may be less than what was asked for: then the next piece begins behind it. */
  readonly to: number;
  /** The account in the block before; null: too few upstreams still have that state. */
  readonly before: EvmAccountFacts['state'];
  /** Blocks that touch the account, in order, each read as blocks are that are watched. */
  readonly facts: readonly EvmBlockFacts[];
  /** Of blocks before this one no state is known; null: of all of them it is. */
  readonly stateMissingBefore: number | null;
  readonly seenBy: readonly string[];
  /** Who says something else than the others, and about what. */
  readonly differing: readonly PastDifference[];
}

export interface PastDifference {
  readonly about: string;
  readonly seenBy: readonly string[];
  readonly others: readonly string[];
}

export interface EvmPastDeps {
  /** Upstreams that answer at present and know blocks up to a number. */
  readonly able: (reach: number) => readonly EvmUpstream[];
  readonly enough: number;
}

/** Blocks in one piece, at most: of such as no question has to be asked about each, and of such as are read one by one. */
const SPAN = 20_000;
const WALK = 256;
/** Blocks of one piece that touch the account, at most. */
const FOUND = 128;
/** Blocks that are read at once: live watching goes on beside it, over the same connections. */
const AT_ONCE = 3;
const PATIENCE_MS = 10_000;
const LIMIT_MS = 120_000;
/** Where an upstream gives logs of few blocks only, pieces are shorter, so that progress shows. */
const LOG_QUESTIONS = 64;

/**
 * Reads blocks `from` to `to` (settled ones, 1 or more) for one account, as many as make one piece.
 *
 * Logs of tokens are asked for over ranges. Where the state of old blocks is there, an account without code is looked at by
 * its balance and nonce: what leaves it raises its nonce, and without that its balance can only grow; so where both are the
 * same at two blocks, nothing happened between them, and otherwise the middle is looked at. Where states are missing, and
 * for an account that runs code, each block is read. Whatever one upstream finds is read from all of them.
 */
export async function readPast(
  deps: EvmPastDeps,
  address: Address,
  { from, to: limit }: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<EvmPastPiece> {
  const { enough } = deps;
  const differing = new Map<string, PastDifference>();
  const seenBy = new Set<string>();

  async function ask<T>(what: (upstream: EvmUpstream, inner: AbortSignal) => Promise<T>): Promise<readonly Said<T>[]> {
    let last: unknown;
    const note = (_: EvmUpstream, error: unknown) => void (last = error ?? last);
    const isEnough = (some: readonly unknown[]) => some.length >= enough;
    const options = { able: deps.able(limit), ask: what, isEnough, patienceMs: PATIENCE_MS, limitMs: LIMIT_MS, note };
    const said = await askAll(options, signal);
    if (said.length >= enough) return said;
    const words = `${said.length} upstreams tell of the past, and ${enough} are needed.`;
    throw new CodedError('upstreams_too_few', words, { cause: last });
  }

  const differ = (about: string, by: readonly string[], others: readonly string[]) => {
    if (others.length > 0) differing.set(about, { about, seenBy: by.toSorted(), others: others.toSorted() });
  };

  /** Null where too few still have the state. */
  async function statesAt(numbers: readonly number[]): Promise<ReadonlyMap<number, State>> {
    if (numbers.length === 0) return new Map();
    const said = await ask((upstream, inner) => upstream.reader.states(address, numbers, inner));
    const found = new Map<number, State>();
    for (const number of numbers) {
      const known = said
        .map(({ name, value }) => ({ name, value: value.get(number) ?? null }))
        .filter(({ value }) => value !== null);
      const verdict = known.length < enough ? null : agree(known, enough, keyOf);
      if (verdict === undefined) throw disagree(`states of block ${number}`);
      if (verdict) differ('states of the past', verdict.seenBy, verdict.others);
      found.set(number, verdict?.value ?? null);
    }
    return found;
  }

  /** What any of them has found: one honest upstream is enough for a block to be read. */
  async function foundBy(
    about: string,
    what: (upstream: EvmUpstream, inner: AbortSignal) => Promise<readonly number[]>,
  ): Promise<readonly number[]> {
    const said = await ask(what);
    const most = agree(said, 1, (numbers) => numbers.join(' '))!;
    differ(about, most.seenBy, most.others);
    return [...new Set(said.flatMap(({ value }) => value))];
  }

  const spans = deps.able(limit).map(({ reader }) => reader.logSpan());
  let to = Math.min(limit, from + Math.min(SPAN, Math.max(WALK, LOG_QUESTIONS * Math.min(...spans))) - 1);
  const ends = await statesAt([from - 1, to]);
  const before = ends.get(from - 1)!;
  const found = new Set<number>();
  /** Blocks to be read one by one, and whether their states are there. */
  const walked = new Map<number, boolean>();
  let stateFrom = before === null ? null : from - 1;
  if (before === null && ends.get(to) !== null) {
    stateFrom = await firstWithState(from - 1, to, statesAt);
    found.add(stateFrom);
  }
  const blindTo = stateFrom === null ? to : stateFrom - 1;
  for (let number = from; number <= Math.min(blindTo, from + WALK - 1); number++) walked.set(number, false);
  if (blindTo >= from + WALK) to = from + WALK - 1;
  if (stateFrom !== null && stateFrom < to) {
    const known = await statesAt([stateFrom, to]);
    const points = [stateFrom, to].map((number): Point => ({ number, state: known.get(number)! }));
    const changes = await changesBetween(points[0]!, points[1]!, statesAt);
    for (const number of changes.found) found.add(number);
    for (const number of changes.walked) walked.set(number, true);
    to = changes.to;
  }
  const inWalk = [...walked.keys()].filter((number) => number <= to).sort((a, b) => a - b);
  if (inWalk.length > WALK) to = inWalk[WALK]! - 1;
  const walk = inWalk.slice(0, WALK);
  if (walk.length > 0) {
    const touching = await foundBy('blocks of the past', (upstream, inner) => {
      return upstream.reader.touching(address, walk, inner);
    });
    for (const number of touching) found.add(number);
    const withState = walk.filter((number) => walked.get(number));
    const states = await statesAt([...new Set(withState.flatMap((number) => [number - 1, number]))]);
    for (const number of withState) {
      if (!isSame(states.get(number - 1) ?? null, states.get(number) ?? null)) found.add(number);
    }
  }
  const logs = await foundBy('logs of the past', (upstream, inner) => {
    return upstream.reader.logBlocks(address, from, to, inner);
  });
  for (const number of logs) found.add(number);
  const all = [...found].filter((number) => number >= from && number <= to).sort((a, b) => a - b);
  if (all.length > FOUND) to = all[FOUND]! - 1;
  const facts = await atOnce(all.slice(0, FOUND), AT_ONCE, readBlock);
  const stateMissingBefore = before !== null ? null : stateFrom === null ? to + 1 : Math.min(stateFrom, to + 1);
  return { from, to, before, facts, stateMissingBefore, seenBy: [...seenBy], differing: [...differing.values()] };

  async function readBlock(number: number): Promise<EvmBlockFacts> {
    const watched = [{ address, fresh: false, tokens: [], allowances: [], unread: [], pending: [] }];
    const said = await ask((upstream, inner) => upstream.reader.block(number, watched, inner));
    const verdict = agreeOnBlock(said, enough);
    if (verdict.kind === 'open') throw disagree(`${verdict.about} of block ${number}`);
    for (const name of verdict.seenBy) seenBy.add(name);
    differ('blocks of the past', verdict.seenBy, verdict.elsewhere);
    for (const { part, others } of verdict.differing) {
      const alike = verdict.seenBy.filter((name) => !others.includes(name));
      differ(`${part} of the past`, alike, others);
    }
    return verdict.facts;
  }
}

const keyOf = (state: State) =>
  JSON.stringify(state, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));

const disagree = (about: string) =>
  new CodedError('upstreams_disagree', `Too few upstreams say the same about the ${about}.`);

/** The first block with a state, of which `none` has none and `one` has one: old states go, and the newest stay. */
async function firstWithState(
  none: number,
  one: number,
  statesAt: (numbers: readonly number[]) => Promise<ReadonlyMap<number, State>>,
): Promise<number> {
  let [low, high] = [none, one];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if ((await statesAt([middle])).get(middle) === null) low = middle;
    else high = middle;
  }
  return high;
}

/** In the order of what is given, so many at a time. The first failure is the end of it. */
async function atOnce<T, R>(given: readonly T[], most: number, work: (each: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < given.length) {
      const i = next++;
      results[i] = await work(given[i]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, given.length) }, worker));
  return results;
}
