import { toHex, type Entropy } from '@keepwatch/base';
import {
  createScanner,
  headerHash,
  toDisplay,
  vouchedFor,
  type BlockHash,
  type HeaderChain,
  type HeaderChainOptions,
  type MatchedTx,
  type Network,
  type Scanner,
} from '@keepwatch/bitcoin';
import { createAlarm } from '../alarm.ts';
import { heightAtTime } from '../height-at.ts';
import type {
  BlockRef,
  BroadcastResult,
  ChainEvent,
  ChainSource,
  Cursor,
  Health,
  ScanEvent,
  TransactionAnswer,
} from '../source.ts';
import { ServerFault, type ServerBackend, type ServerSession } from './backend.ts';
import { confirmedAt } from './block-matches.ts';
import { broadcastBy } from './broadcast.ts';
import { createHistories, type Histories } from './histories.ts';
import { openKeptChain } from './kept-headers.ts';
import { createMempoolView, type MempoolView } from './mempool-view.ts';
import { scanBy } from './scan.ts';

export interface ServerSourceOptions {
  readonly name: string;
  readonly network: Network;
  /** Where the header chain starts, and what is known of it. Default: at genesis, and what the release vouches for. */
  readonly headers?: Omit<HeaderChainOptions, 'network' | 'archive'>;
  /** Where headers are kept from one run to the next, for one process at a time. Left out: nowhere. */
  readonly dataDir?: string;
}

export interface ServerSourceDeps {
  readonly entropy: Entropy;
  readonly nowMs: () => number;
}

/** Headers asked for at a time: one retarget period, and what Electrum servers give at most. */
const HEADERS_AT_ONCE = 2_016;
/** Pauses after a fault, ms: doubled from the first to the last. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 120_000;
const MOVED_PAUSE_MS = 100;
const UNSETTLED_PAUSE_MS = 1_000;

const BEHIND = {
  code: 'server_behind',
  words: 'The server does not have the chain with the most work that we know.',
} as const;

/**
 * A chain source over a server that indexes by script. The server is not trusted with anything that can be checked:
 * headers must have their work, a transaction its id, a confirmation its merkle proof. What cannot be checked is what it
 * does **not** say: a server can keep a transaction or the newest blocks to itself. Run it beside other sources.
 *
 * In each round it takes the headers, then the histories, then looks whether the chain has moved meanwhile. Where a server
 * tells of a transaction in a block that was delivered already, that block is taken back and delivered again with it.
 */
export function createServerSource(
  kind: 'electrum' | 'esplora',
  backend: ServerBackend,
  deps: ServerSourceDeps,
  options: ServerSourceOptions,
): ChainSource {
  const { network } = options;
  const kept = openKeptChain({ network, ...vouchedFor(network), ...options.headers }, options.dataDir);
  const { chain } = kept;
  const scanner = createScanner(deps);
  const histories = createHistories(scanner);
  const closing = new AbortController();
  let session: ServerSession | null = null;
  let health: Health = { state: 'starting', tip: null, peers: 0, problem: null };
  let ring: () => void = () => undefined;
  /** Nothing of blocks up to here is told any more. */
  let deliveredHeight = chain.root.height;

  async function withSession<T>(use: (session: ServerSession) => Promise<T>): Promise<T> {
    if (session) return use(session);
    const own = await backend.open(() => undefined, closing.signal);
    try {
      return await use(own);
    } finally {
      own.close();
    }
  }

  async function* run(from: Cursor | null, signal: AbortSignal): AsyncGenerator<ChainEvent, void, undefined> {
    const alarm = createAlarm(signal);
    ring = () => alarm.ring();
    const delivered: BlockRef[] = [...(from?.blocks ?? [])].sort((a, b) => a.height - b.height);
    const mempool = createMempoolView(scanner, histories);
    let pauseMs = FIRST_PAUSE_MS;
    let moves = 0;
    const turn = (next: Health): ChainEvent[] => {
      const news = !same(health, next);
      health = next;
      return news ? [{ kind: 'health', health }] : [];
    };
    while (!signal.aborted) {
      try {
        session ??= await open(() => alarm.ring(), signal);
        if (await takeHeaders(chain, session, deps.nowMs)) {
          if (delivered.length === 0) delivered.push(...before(chain));
          yield* round(chain, session, histories, scanner, mempool, delivered, (height) => (deliveredHeight = height));
          yield* turn({ state: 'live', tip: chain.tip(), peers: 1, problem: null });
        } else {
          yield* turn({ ...health, state: 'behind', peers: 1, problem: BEHIND });
        }
        pauseMs = FIRST_PAUSE_MS;
        moves = 0;
        await alarm.rest(mempool.unsettled ? Math.min(UNSETTLED_PAUSE_MS, backend.pollMs) : backend.pollMs);
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof ServerFault)) throw error;
        // A chain that moved between two questions is no trouble, unless it never stands still.
        if (error.code === 'server_moved_on' && ++moves < 20) {
          await alarm.rest(MOVED_PAUSE_MS);
          continue;
        }
        session?.close();
        session = null;
        const problem = { code: error.code, words: error.message };
        yield* turn({ ...health, state: 'down', peers: 0, problem });
        await alarm.rest(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
      }
    }
    session?.close();
    session = null;
  }

  async function reachTip(own: ServerSession): Promise<void> {
    if (!(await takeHeaders(chain, own, deps.nowMs))) throw new ServerFault('transient', BEHIND.code, BEHIND.words);
  }

  async function open(changed: () => void, signal: AbortSignal): Promise<ServerSession> {
    const opened = await backend.open(changed, signal);
    histories.forgetServer();
    return opened;
  }

  return {
    name: options.name,
    kind,
    mempool: 'whole',
    network: options.network,
    watch: {
      addScripts: (scripts) => {
        histories.watchScripts([...scripts], deliveredHeight);
        ring();
      },
      removeScripts: (scripts) => histories.unwatchScripts([...scripts]),
      addOutpoints: (outpoints) => {
        histories.watchOutpoints([...outpoints], deliveredHeight);
        ring();
      },
      removeOutpoints: (outpoints) => histories.unwatchOutpoints([...outpoints]),
      mark: histories.mark,
      covers: histories.covers,
    },
    events: (from, signal) => {
      const both = AbortSignal.any([signal, closing.signal]);
      return run(from, both);
    },
    scan: async function* (request, signal): AsyncGenerator<ScanEvent, void, undefined> {
      const own = await backend.open(() => undefined, signal);
      try {
        await reachTip(own);
        yield* scanBy(own, chain, createScanner(deps), request, signal, deps.nowMs);
      } finally {
        own.close();
      }
    },
    heightAt: async (timeSeconds, signal) => {
      const own = await backend.open(() => undefined, signal);
      try {
        await reachTip(own);
        const median = (height: number) => chain.medianTimePast(height) ?? Infinity;
        return await heightAtTime(timeSeconds, chain.root.height, chain.tip().height, median);
      } finally {
        own.close();
      }
    },
    broadcast: async (transactions): Promise<BroadcastResult> => {
      try {
        return await withSession((open) => broadcastBy(open, transactions.map(toHex)));
      } catch (error) {
        if (!(error instanceof ServerFault)) throw error;
        return { kind: 'unknown', why: error.message };
      }
    },
    feerates: async (targets) => {
      try {
        const rates = await withSession((open) => open.feerates(targets));
        return targets.map((targetBlocks, i) => {
          const rate = rates[i] ?? null;
          return { targetBlocks, satPerVbyte: rate === null ? null : rate / 1_000 };
        });
      } catch (error) {
        if (!(error instanceof ServerFault)) throw error;
        return targets.map((targetBlocks) => ({ targetBlocks, satPerVbyte: null }));
      }
    },
    transaction: async (txid): Promise<TransactionAnswer> => {
      try {
        const raw = await withSession((open) => open.transaction(txid));
        return raw ? { kind: 'found', raw } : { kind: 'unknown', why: 'it has no transaction of this id' };
      } catch (error) {
        if (!(error instanceof ServerFault)) throw error;
        return { kind: error.kind === 'lied' ? 'lied' : 'failed', why: error.message };
      }
    },
    health: () => health,
    close: async () => {
      closing.abort();
      session?.close();
      session = null;
      kept.close();
    },
  };
}

/**
 * Brings the header chain to the server's tip. Whether the server then stands where the chain does: one that is on a
 * branch with less work, or behind, is to be waited for.
 */
async function takeHeaders(chain: HeaderChain, session: ServerSession, nowMs: () => number): Promise<boolean> {
  const lowest = chain.root.height + 1;
  const tip = await session.tipHeight();
  if (tip < lowest) return tip === chain.tip().height && chain.hasMinimumWork();
  // Our own tip is asked for as well: that shows whether the server has the same block there.
  let start = Math.max(lowest, Math.min(chain.tip().height, tip));
  let last: Uint8Array = new Uint8Array();
  for (let back = 1; start <= tip;) {
    const bytes = await session.headers(start, Math.min(HEADERS_AT_ONCE, tip - start + 1));
    if (bytes.length === 0) return false;
    const { fault } = chain.accept(bytes, Math.floor(nowMs() / 1_000));
    if (fault?.code === 'header_unknown_parent' && fault.index === 0) {
      if (start === lowest) {
        throw new ServerFault(
          'lied',
          'server_other_chain',
          'The server is on a chain that does not start where ours does.',
        );
      }
      start = Math.max(lowest, start - back);
      back *= 2;
      continue;
    }
    if (fault?.code === 'header_time_too_new') return false;
    if (fault)
      throw new ServerFault('lied', fault.code, `The server sent a header that breaks a rule (${fault.code}).`);
    start += bytes.length / 80;
    last = bytes.subarray(-80);
  }
  return toDisplay<BlockHash>(headerHash(last)) === chain.tip().hash && chain.hasMinimumWork();
}

/** The block below the tip: without a cursor the tip is the first block that is told. */
function before(chain: HeaderChain): BlockRef[] {
  const below = chain.at(chain.tip().height - 1);
  return below ? [below] : [];
}

/** One look at everything: blocks taken back, blocks connected, and what is unconfirmed. */
async function* round(
  chain: HeaderChain,
  session: ServerSession,
  histories: Histories,
  scanner: Scanner,
  mempool: MempoolView,
  delivered: BlockRef[],
  reached: (height: number) => void,
): AsyncGenerator<ChainEvent, void, undefined> {
  const tip = chain.tip();
  const late = await histories.refresh(session, delivered.at(-1)?.height ?? chain.root.height);
  if ((await session.tipHeight()) !== tip.height) {
    throw new ServerFault('transient', 'server_moved_on', 'The server’s chain grew while it was being asked.');
  }
  const onBest = (block: BlockRef) => chain.at(block.height)?.hash === block.hash;
  const lowest = late ?? Number.POSITIVE_INFINITY;
  const keep = delivered.filter((block) => onBest(block) && block.height < lowest);
  const fork = keep.at(-1) ?? chain.root;
  for (let block = delivered.at(-1); block && block.height > fork.height; block = delivered.at(-1)) {
    delivered.pop();
    yield { kind: 'disconnected', block, fork };
  }
  for (let height = fork.height + 1; height <= tip.height; height++) {
    const block = chain.at(height)!;
    await histories.askAdded(session);
    const watched = histories.asked();
    const matches: readonly MatchedTx[] = await confirmedAt(session, histories, scanner, block);
    delivered.push(block);
    if (delivered.length > 2_016) delivered.splice(0, delivered.length - 2_016);
    mempool.confirmed(matches);
    reached(height);
    yield { kind: 'connected', block, matches, watched };
  }
  yield* mempool.look(session);
}

function same(a: Health, b: Health): boolean {
  return a.state === b.state && a.tip?.hash === b.tip?.hash && a.problem?.code === b.problem?.code;
}
