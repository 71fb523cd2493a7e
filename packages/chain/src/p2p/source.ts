import { CodedError, toHex } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import { createAlarm } from '../alarm.ts';
import { heightAtTime } from '../height-at.ts';
import type { BlockRef, ChainEvent, ChainSource, Cursor, Health } from '../source.ts';
import { createBroadcaster } from './broadcast.ts';
import { createCoins } from './coins.ts';
import { createFollower } from './follow.ts';
import { openLightClient, type LightClient } from './light-client.ts';
import { createMempoolWatch } from './mempool.ts';
import type { P2pDeps, P2pOptions } from './options.ts';
import type { Ban } from './peers/address-book.ts';
import { keyOf } from './peers/peer-address.ts';
import { serviceNames } from './peers/services.ts';
import { scanFilters, untilSynced } from './scan.ts';

/** A connection as people want to see it. Times in ms since 1970, traffic in bytes. */
export interface PeerInfo {
  readonly address: string;
  readonly transport: 'v1' | 'v2';
  readonly userAgent: string;
  /** The version of the protocol that it speaks. */
  readonly protocol: number;
  /** Names of what it says that it does (BIP9 service bits); bits without a name as `bit N`. */
  readonly services: readonly string[];
  readonly height: number;
  readonly filters: boolean;
  /** Null before its first pong, ms. */
  readonly latencyMs: number | null;
  readonly connectedMs: number;
  readonly received: number;
  readonly sent: number;
}

/** How far headers and filter headers are. `target`: what our peers say they have; null while there is none. */
export interface SyncProgress {
  readonly headers: number;
  readonly filterHeaders: number;
  /** The last block of the best chain that is known. */
  readonly tip: BlockRef;
  readonly target: number | null;
  readonly synced: boolean;
}

export interface P2pSource extends ChainSource {
  peers(): readonly PeerInfo[];
  /** Nodes that did what no honest node does, and until when they are not met again. */
  bans(): readonly Ban[];
  progress(): SyncProgress;
  /** Connects and synchronises without events or scans. */
  start(): void;
}

const REST_MS = 1_000;
/** Confirmed transactions of which a broadcast is told so at once. */
const CONFIRMED_KEPT = 10_000;

const LOW_WORK = {
  code: 'chain_low_work',
  words: 'All nodes that answer show less work than the chain is known to have: they hide blocks, or make them up.',
};

/** A light client of bitcoin's own network (BIP157, BIP158): it trusts no peer, and no peer learns what it watches for. */
export function createP2pSource(deps: P2pDeps, options: P2pOptions): P2pSource {
  const client = openLightClient(deps, options);
  const { manager, chain, filterHeaders, tuning } = client;
  const log = deps.log ?? (() => undefined);
  const waiting: ChainEvent[] = [];
  const confirmed = new Set<string>();
  let ring: () => void = () => undefined;
  let delivered: BlockRef | null = null;
  let told: Health | undefined;
  let startedMs: number | undefined;
  let failed: Health['problem'] = null;
  let missed: () => number | null = () => null;

  const coins = createCoins(deps.entropy, () => {
    mempool.rescan();
    ring();
  });
  const mempool = createMempoolWatch({
    manager,
    coins,
    nowMs: deps.nowMs,
    tell(event) {
      // Without a consumer nothing is gathered: what matters is sighted again by its grade, or confirmed.
      waiting.push(event);
      if (waiting.length > CONFIRMED_KEPT) waiting.shift();
      ring();
    },
  });
  const broadcaster = createBroadcaster(manager, {
    withinMs: tuning.broadcastMs,
    nowMs: deps.nowMs,
    confirmed: (txid) => confirmed.has(toHex(txid)),
  });

  function start(): void {
    startedMs ??= deps.nowMs();
    client.start();
  }

  function health(): Health {
    const peers = manager.peers().length;
    const tip = delivered;
    const is = (state: Health['state'], problem: Health['problem'] = null): Health => ({ state, tip, peers, problem });
    if (failed) return is('down', failed);
    if (startedMs === undefined) return is('starting');
    if (peers === 0) {
      if (deps.nowMs() - startedMs < tuning.dialMs && !client.headers.synced) return is('starting');
      return is('down', { code: 'no_peers', words: 'No node of the network can be reached.' });
    }
    if (client.headers.lowWork) return is('syncing', LOW_WORK);
    if (!client.synced()) return is('syncing');
    const undecided = client.filterSync.undecided;
    const lost = missed();
    const doubt = undecided === null ? null : undecidedAt(undecided);
    const problem = lost === null ? doubt : missedFrom(lost);
    if (delivered && delivered.height < filterHeaders.height()) return is('behind', problem);
    const ageMs = deps.nowMs() - chain.tip().timeSeconds * 1_000;
    if (options.network === 'main' && ageMs > tuning.staleMs) return is('stale', problem);
    return is('live', problem);
  }

  function* changedHealth(): Generator<ChainEvent> {
    const now = health();
    const same =
      told && told.state === now.state && told.peers === now.peers && told.problem?.code === now.problem?.code;
    if (same) return;
    told = now;
    yield { kind: 'health', health: now };
  }

  async function* events(from: Cursor | null, signal: AbortSignal): AsyncGenerator<ChainEvent> {
    const alarm = createAlarm(signal);
    ring = () => alarm.ring();
    const stop = client.listen(ring);
    const follower = createFollower(client, coins, from);
    missed = () => follower.missed;
    /** Transactions of blocks that were taken back: they wait again, unless the other branch has them too. */
    const orphaned = new Map<Txid, Uint8Array>();
    let recheckedMs = deps.nowMs();
    let checking: Promise<void> | undefined;
    waiting.length = 0;
    start();
    try {
      while (!signal.aborted) {
        for (let event = await next(); event !== undefined && !signal.aborted; event = await next()) {
          if (event.kind === 'connected') {
            for (const { txid } of event.matches) {
              orphaned.delete(txid);
              if (confirmed.size >= CONFIRMED_KEPT) confirmed.clear();
              confirmed.add(internalHex(txid));
            }
            mempool.confirmed(event.matches);
            yield* drain();
            delivered = event.block;
            yield event;
          } else {
            const { matches, ...disconnected } = event;
            for (const { txid, raw } of matches) {
              orphaned.set(txid, raw);
              confirmed.delete(internalHex(txid));
            }
            delivered = event.fork;
            yield disconnected;
          }
        }
        for (const raw of orphaned.values()) mempool.offer(raw);
        orphaned.clear();
        yield* drain();
        yield* changedHealth();
        if (deps.nowMs() - recheckedMs >= tuning.recheckMs && checking === undefined) {
          recheckedMs = deps.nowMs();
          checking = mempool.recheck().finally(() => (checking = undefined));
        }
        await alarm.rest(REST_MS);
      }
    } finally {
      stop();
      ring = () => undefined;
      await checking;
    }

    async function next() {
      try {
        return await follower.next(signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        if (error instanceof CodedError) failed = { code: error.code, words: error.message };
        throw error;
      }
    }
  }

  function* drain(): Generator<ChainEvent> {
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) yield event;
  }

  return {
    name: options.name,
    kind: 'p2p',
    mempool: 'relayed',
    network: options.network,
    watch: coins.watch,
    events,
    async *scan(request, signal) {
      start();
      yield* scanFilters(client, deps, request, signal);
      const lost = missed();
      const whole = request.to === null || request.to >= (delivered?.height ?? 0);
      if (!signal.aborted && lost !== null && request.from <= lost && whole) client.replaced.clear();
    },
    async heightAt(timeSeconds, signal) {
      start();
      await untilSynced(client, signal);
      const median = (height: number) => chain.medianTimePast(height) ?? Infinity;
      return heightAtTime(timeSeconds, chain.root.height, chain.tip().height, median);
    },
    async broadcast(transactions) {
      start();
      await firstPeer(client, tuning.dialMs);
      const result = await broadcaster.broadcast(transactions);
      if (result.kind === 'accepted' || result.kind === 'already-known')
        for (const raw of transactions) mempool.offer(raw);
      return result;
    },
    // Blocks say what was paid, not what would have sufficed, and without the coins they spend not even that.
    feerates: (targets) => Promise.resolve(targets.map((targetBlocks) => ({ targetBlocks, satPerVbyte: null }))),
    // Nodes of the network give nobody a transaction by its id that they did not just offer, nor one of a block.
    transaction(txid) {
      const raw = mempool.sighted.get(txid)?.raw;
      const why =
        'a light client has only what it has seen of the wallets itself, and nodes of the network look up no ids';
      return Promise.resolve(raw ? { kind: 'found', raw } : { kind: 'unknown', why });
    },
    health,
    peers: () =>
      manager.peers().map(({ address, transport, version, height, connectedMs, latencyMs, traffic }) => ({
        ...{ address: keyOf(address), transport, userAgent: version.userAgent, connectedMs, latencyMs },
        ...{ protocol: version.protocol, services: serviceNames(version.services) },
        height: Math.max(height, version.height),
        filters: (version.services & 64n) !== 0n,
        ...{ received: traffic.received, sent: traffic.sent },
      })),
    bans: () => manager.bans(),
    progress() {
      const heights = manager.peers().map(({ height, version }) => Math.max(height, version.height));
      return {
        headers: chain.tip().height,
        filterHeaders: filterHeaders.height(),
        tip: chain.tip(),
        target: heights.length > 0 ? Math.max(...heights, chain.tip().height) : null,
        synced: client.synced(),
      };
    },
    start,
    async close() {
      mempool.close();
      broadcaster.close();
      await client.close();
      log('closed');
    },
  };
}

const undecidedAt = (height: number) => ({
  code: 'filter_undecided',
  words: `Peers differ about the filter of block ${height}, and the block cannot decide. Blocks in doubt are looked into.`,
});
const missedFrom = (height: number) => ({
  code: 'filters_replaced',
  words: `Filters from block ${height} on were false. Scan again from there: what was seen before may lack a payment.`,
});

async function firstPeer(client: LightClient, withinMs: number): Promise<void> {
  try {
    await client.manager.one(() => true, AbortSignal.timeout(withinMs));
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
  }
}

const internalHex = (txid: Txid) => Buffer.from(txid, 'hex').reverse().toString('hex');
