import { CodedError, type Entropy } from '@keepwatch/base';
import { createScanner, type Block, type Network, type Scanner, type Txid } from '@keepwatch/bitcoin';
import type {
  BlockRef,
  ChainEvent,
  ChainSource,
  Cursor,
  FeerateEstimate,
  Health,
  MatchedTx,
  Outpoint,
  SourceWatch,
} from '../source.ts';
import { createAlarm, type Alarm } from '../alarm.ts';
import { heightAtTime } from '../height-at.ts';
import { inputsOf } from '../transaction-inputs.ts';
import { createNodeBlocks, pathToBest, refOf } from './blocks.ts';
import { broadcast } from './broadcast.ts';
import { createMempoolWatch } from './mempool.ts';
import { createNodeRpc, type RpcAccess } from './rpc.ts';
import { scanNode } from './scan.ts';
import { transactionOf } from './transaction.ts';
import { subscribeZmq, type ZmqSubscription } from './zmq.ts';

export interface BitcoindDeps {
  readonly entropy: Entropy;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export interface BitcoindOptions {
  readonly name: string;
  readonly network: Network;
  readonly access: RpcAccess;
  /** `tcp://…` addresses of `-zmqpubhashblock` and `-zmqpubrawtx`, where they are set. Without them there is polling. */
  readonly zmq?: readonly string[];
  /** How often the node is asked for what ZMQ may have dropped, ms. */
  readonly pollMs?: number;
  /** Threads for scans of the past; 0: none. Default: as many as pay on this machine. */
  readonly scanWorkers?: number;
}

const POLL_MS = 5_000;
const RETRY_MS = 2_000;
/** Blocks fetched before their events are handed on and the mempool is looked at again. */
const BATCH = 50;
/** Remembered, to find a fork: deeper than any reorganisation that a live chain has seen. */
const REMEMBERED = 2_016;
/** Headers below the first block that is told. */
const UNTOLD = 144;
/** Raw transactions that wait to be looked at. A flood of them costs nothing but a look at the whole mempool. */
const MAX_HINTS = 10_000;
/** A main chain without a block for so long is worth a word (one in 150,000 blocks takes longer). */
const STALE_MS = 2 * 3_600_000;

const NO_PEERS = {
  code: 'node_alone',
  words: 'The node has no peers: it hears of no block and of no transaction.',
} as const;

/** A full node of one's own, by RPC, with REST and ZMQ where it has them. What it accepted is `relayed`. */
export function createBitcoindSource(deps: BitcoindDeps, options: BitcoindOptions): ChainSource {
  const { name, network } = options;
  const rpc = createNodeRpc(options.access);
  const blocks = createNodeBlocks(rpc, network);
  const scanner = createScanner({ entropy: deps.entropy });
  const mempool = createMempoolWatch(rpc, scanner);
  let own: BlockRef[] = [];
  let toldFrom = 0;
  let hadPeers = false;
  let health: Health = { state: 'starting', tip: null, peers: 0, problem: null };
  let alarm: Alarm | undefined;

  const changed = () => {
    mempool.rescan();
    alarm?.ring();
  };

  function setHealth(state: Health['state'], problem: Health['problem'], peers = health.peers): ChainEvent[] {
    const next: Health = { state, tip: own.at(-1) ?? null, peers, problem };
    const same =
      next.state === health.state && next.problem?.code === problem?.code && health.problem?.code === problem?.code;
    const told = same && health.tip?.hash === next.tip?.hash && health.peers === peers;
    health = next;
    return told || (same && health.peers === peers) ? [] : [{ kind: 'health', health }];
  }

  async function connectBlock(ref: BlockRef): Promise<ChainEvent[]> {
    const block = await blocks.block(ref);
    const spenders = new Map<string, Txid>();
    const matches = scanner.scanBlock(block.layout, block.txids);
    const watched = scanner.mark();
    const confirmed = new Set(matches.map(({ txid }) => txid));
    if (mempool.sighted.size > 0) noteSpenders(block, mempool.sighted, scanner, spenders);
    const lost = mempool.confirmed(confirmed, ({ txid, vout }) => spenders.get(`${txid}:${vout}`));
    own.push(ref);
    if (own.length > REMEMBERED) own.shift();
    return [...lost, { kind: 'connected', block: ref, matches, watched }];
  }

  /** A stretch of the way to the node's best block; `true`: there is more. */
  async function* catchUp(): AsyncGenerator<ChainEvent, boolean> {
    if (own.length === 0) {
      const best = await blocks.best();
      // What lies below is remembered but not told: a fork may lie deeper than the first block that was.
      const first = Math.max(0, best.height - UNTOLD);
      own = (await blocks.headersFrom(first, best.height - first)).map(refOf);
      toldFrom = best.height;
      yield* await connectBlock(refOf(best));
      return false;
    }
    const tip = own.at(-1)!;
    const hash = await blocks.bestHash();
    if (hash === tip.hash) return false;
    // Nearly always it is the next block, and the news is not kept waiting by questions about the way to it.
    const best = await blocks.header(hash);
    if (best?.previousblockhash === tip.hash && best.confirmations > 0) {
      yield* await connectBlock(refOf(best));
      return true;
    }
    const { back, fork, forth } = await pathToBest(blocks, own, BATCH);
    for (const block of [...back].reverse()) {
      own = own.filter(({ hash }) => hash !== block.hash);
      if (block.height >= toldFrom) yield { kind: 'disconnected', block, fork };
    }
    toldFrom = Math.min(toldFrom, fork.height + 1);
    if (own.length === 0) own = [fork];
    for (const ref of forth) yield* await connectBlock(ref);
    return forth.length === BATCH;
  }

  async function condition(): Promise<ChainEvent[]> {
    const chain = await rpc.call<{ blocks: number; headers: number; initialblockdownload: boolean }>(
      'getblockchaininfo',
    );
    const { connections } = await rpc.call<{ connections: number }>('getnetworkinfo');
    const tip = own.at(-1);
    const age = tip === undefined ? 0 : deps.nowMs() - tip.timeSeconds * 1_000;
    if (chain.initialblockdownload && network !== 'regtest') return setHealth('syncing', null, connections);
    if (chain.headers > chain.blocks + 1) return setHealth('behind', null, connections);
    // On a regtest network of its own a node never has any; that it has none any more says something everywhere.
    hadPeers ||= connections > 0 || network !== 'regtest';
    if (hadPeers && connections === 0) return setHealth('behind', NO_PEERS, 0);
    if (network === 'main' && age > STALE_MS) return setHealth('stale', null, connections);
    return setHealth('live', null, connections);
  }

  async function* events(from: Cursor | null, signal: AbortSignal): AsyncGenerator<ChainEvent> {
    own = [...(from?.blocks ?? [])].reverse();
    const wake = createAlarm(signal);
    alarm = wake;
    const hints: Uint8Array[] = [];
    let overflow = true;
    let subscriptions: ZmqSubscription[] = [];
    const subscribe = () => {
      if (subscriptions.length > 0) return;
      subscriptions = (options.zmq ?? []).map((address) =>
        subscribeZmq(address, ['hashblock', 'rawtx'], {
          message(topic, body) {
            if (topic === 'rawtx' && hints.length < MAX_HINTS) hints.push(body);
            else if (topic === 'rawtx') overflow = true;
            wake.ring();
          },
          closed: () => void (subscriptions = []),
        }),
      );
    };
    let lookedMs = 0;
    try {
      while (!signal.aborted) {
        try {
          subscribe();
          for (let more = true; more && !signal.aborted;) more = yield* catchUp();
          for (let raw = hints.shift(); raw && !signal.aborted; raw = hints.shift()) yield* await mempool.hint(raw);
          // What ZMQ dropped, and everything where there is no ZMQ.
          if (overflow || deps.nowMs() - lookedMs >= (options.pollMs ?? POLL_MS) || !options.zmq?.length) {
            overflow = false;
            yield* await mempool.reconcile(async () => (await blocks.best()).hash === own.at(-1)?.hash);
            yield* await condition();
            lookedMs = deps.nowMs();
          }
          await wake.rest(options.pollMs ?? POLL_MS);
        } catch (error) {
          if (signal.aborted) return;
          const code = error instanceof CodedError ? error.code : 'source_failed';
          if (!(error instanceof CodedError)) throw error;
          yield* setHealth('down', { code, words: error.message }, 0);
          overflow = true;
          await wake.rest(RETRY_MS);
        }
      }
    } finally {
      for (const subscription of subscriptions) subscription.close();
      alarm = undefined;
    }
  }

  return {
    name,
    kind: 'bitcoind',
    mempool: 'whole',
    network,
    watch: watchSet(scanner, changed),
    events,
    scan: (request, signal) =>
      scanNode(
        { ...deps, blocks, network, ...(options.scanWorkers === undefined ? {} : { workers: options.scanWorkers }) },
        request,
        signal,
      ),
    async heightAt(timeSeconds) {
      const median = async (height: number) => (await blocks.headersFrom(height, 1))[0]?.mediantime ?? Infinity;
      return heightAtTime(timeSeconds, 0, (await blocks.best()).height, median);
    },
    broadcast: (transactions) => broadcast(rpc, transactions),
    async feerates(targets) {
      const answers = await Promise.all(
        targets.map((target) => rpc.call<{ feerate?: number }>('estimatesmartfee', [Math.max(2, target)])),
      );
      return answers.map(({ feerate }, i): FeerateEstimate => ({
        targetBlocks: targets[i]!,
        // BTC per 1,000 virtual bytes to satoshi per virtual byte.
        satPerVbyte: feerate === undefined ? null : Math.round(feerate * 1e8) / 1_000,
      }));
    },
    transaction: (txid) => transactionOf(rpc, txid),
    health: () => health,
    close: () => Promise.resolve(rpc.close()),
  };
}

function watchSet(scanner: Scanner, changed: () => void): SourceWatch {
  const then = <A>(act: (items: Iterable<A>) => void) => {
    return (items: Iterable<A>) => {
      act(items);
      changed();
    };
  };
  return {
    addScripts: then(scanner.addScripts),
    removeScripts: then(scanner.removeScripts),
    addOutpoints: then(scanner.addOutpoints),
    removeOutpoints: then(scanner.removeOutpoints),
    mark: scanner.mark,
    covers: scanner.covers,
  };
}

/** Which transactions of a block spend what sighted transactions spend: those that are not the same have won. */
function noteSpenders(
  block: Block,
  sighted: ReadonlyMap<Txid, MatchedTx>,
  scanner: Scanner,
  spenders: Map<string, Txid>,
): void {
  const inputs = [...sighted.values()].flatMap(({ raw }) => inputsOf(raw).map(({ outpoint }) => outpoint));
  const extra = inputs.filter((outpoint) => !scanner.hasOutpoint(outpoint));
  scanner.addOutpoints(extra);

  for (const { txid, raw } of scanner.scanBlock(block.layout, block.txids)) {
    for (const { outpoint } of inputsOf(raw)) spenders.set(keyOf(outpoint), txid);
  }
  scanner.removeOutpoints(extra);
}

const keyOf = ({ txid, vout }: Outpoint) => `${txid}:${vout}`;
