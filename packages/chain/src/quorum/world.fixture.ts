import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, ChainEvent, Health, MatchedTx, Outpoint, WatchMark } from '../source.ts';
import type { Member } from './view.ts';

/**
 * A small bitcoin network, and sources as the adapters of this package are, written anew over plain maps: each has a node of
 * its own that learns of blocks late, looks through them with what it watches then, and is heard later still.
 */

export interface Tx {
  readonly txid: Txid;
  readonly pays: readonly string[];
  readonly spends: readonly Outpoint[];
}

export interface Block extends BlockRef {
  readonly below: Block | null;
  readonly txs: readonly Tx[];
}

export interface Network {
  /** The best chain, oldest first. */
  best: Block[];
  readonly mempool: Map<Txid, Tx>;
  readonly coins: Outpoint[];
  count: number;
}

export function createNetwork(): Network {
  return { best: [blockOn(null, [], 'g')], mempool: new Map(), coins: [], count: 0 };
}

function blockOn(below: Block | null, txs: readonly Tx[], name: string): Block {
  const height = below ? below.height + 1 : 0;
  return { height, hash: `${name}${height}` as BlockHash, timeSeconds: height, below, txs };
}

/** Pays scripts, and spends the newest coin that nobody spends yet, where it is to. */
export function pay(net: Network, pays: readonly string[], spends: boolean): Tx {
  const txid = `t${++net.count}` as Txid;
  const coin = spends ? net.coins.pop() : undefined;
  const tx = { txid, pays, spends: coin ? [coin] : [] };
  net.mempool.set(txid, tx);
  for (const vout of pays.keys()) net.coins.push({ txid, vout });
  return tx;
}

/** Takes in the first so many transactions that wait. */
export function mine(net: Network, most: number): void {
  const txs = [...net.mempool.values()].slice(0, most);
  for (const { txid } of txs) net.mempool.delete(txid);
  net.best = [...net.best, blockOn(net.best.at(-1)!, txs, `b${++net.count}_`)];
}

/** Another branch, one block longer; what was in the old one waits again. */
export function reorganise(net: Network, depth: number, most: number): void {
  const gone = Math.min(depth, net.best.length - 1);
  if (gone === 0) return;
  const back = net.best.slice(-gone).flatMap(({ txs }) => txs);
  const waiting = [...back, ...net.mempool.values()];
  net.mempool.clear();
  for (const tx of waiting) net.mempool.set(tx.txid, tx);
  net.best = net.best.slice(0, -gone);
  for (let i = 0; i <= gone; i++) mine(net, i === 0 ? most : 1);
}

/** `node` looks through whole blocks; `light` hears only what is relayed; `server` was asked before a stretch of blocks. */
export type Kind = 'node' | 'light' | 'server';

export interface Source {
  readonly name: string;
  readonly kind: Kind;
  readonly member: Member;
  up: boolean;
  addScripts(scripts: readonly string[]): void;
  addCoins(coins: readonly Outpoint[]): void;
  /** Its node learns of the best chain, and so many of the blocks on the way there are looked through. */
  advance(net: Network, most: number): void;
  listen(net: Network): void;
  /** A transaction passes by. */
  relay(tx: Tx): void;
  turn(up: boolean): void;
  /** What it has to say next. */
  next(): ChainEvent | undefined;
  /** What it kept back, of what it had to tell. */
  readonly kept: { readonly block: BlockRef; readonly found: MatchedTx }[];
}

const keyOf = ({ txid, vout }: Outpoint) => `${txid}:${vout}`;
const bytesOf = (script: string) => new TextEncoder().encode(script);
const textOf = (script: Uint8Array) => new TextDecoder().decode(script);

/** `keepsBack`: asked for each match; a liar's own. `from`: the chain that an earlier run told. */
export function createSource(
  name: string,
  kind: Kind,
  from: readonly Block[],
  keepsBack: () => boolean = () => false,
): Source {
  const scripts = new Map<string, number>();
  const coins = new Map<string, number>();
  const sighted = new Map<Txid, Tx>();
  const waiting: ChainEvent[] = [];
  const kept: Source['kept'] = [];
  let additions = 0;
  /** A copy: what is told in this run is no block of an earlier one. */
  const earlier = new Set(from);
  const own = [...from];
  let up = true;

  const markOf = (number: number): WatchMark => ({ scripts: number, outpoints: number });
  const scriptOfCoin = new Map<string, string>();
  const learn = (tx: Tx) => {
    for (const [vout, script] of tx.pays.entries()) scriptOfCoin.set(`${tx.txid}:${vout}`, script);
  };

  function match(tx: Tx, asked: number): MatchedTx | undefined {
    const received = tx.pays.flatMap((script, vout) =>
      (scripts.get(script) ?? Infinity) <= asked ? [{ vout, script: bytesOf(script), sats: 1n }] : [],
    );
    const spent = tx.spends.flatMap((outpoint, vin) =>
      (coins.get(keyOf(outpoint)) ?? Infinity) <= asked ? [{ vin, outpoint }] : [],
    );
    return received.length + spent.length === 0
      ? undefined
      : { txid: tx.txid, raw: new Uint8Array(0), received, spent };
  }

  /** A server tells of all that is done with the coins of a script; others know a coin from the time at which they see it. */
  function follow({ txid, received }: MatchedTx): void {
    for (const { vout, script } of received) {
      const key = `${txid}:${vout}`;
      if (!coins.has(key)) coins.set(key, kind === 'server' ? scripts.get(textOf(script))! : ++additions);
    }
  }

  /** `asked`: a server was asked only for what was watched by then. */
  function lookThrough(block: Block, asked: number | null): void {
    const matches: MatchedTx[] = [];
    for (const tx of block.txs) {
      learn(tx);
      const found = match(tx, asked ?? additions);
      sighted.delete(tx.txid);
      if (!found) continue;
      follow(found);
      if (keepsBack()) kept.push({ block, found });
      else matches.push(found);
    }
    own.push(block);
    const { height, hash, timeSeconds } = block;
    waiting.push({
      kind: 'connected',
      block: { height, hash, timeSeconds },
      matches,
      watched: markOf(asked ?? additions),
    });
  }

  function hearOf(tx: Tx): void {
    const found = match(tx, additions);
    if (!found) return;
    sighted.set(tx.txid, tx);
    waiting.push({ kind: 'sighted', tx: found, grade: 'claimed' });
  }

  const say = (state: Health['state']) =>
    waiting.push({ kind: 'health', health: { state, tip: null, peers: 1, problem: null } });
  say('live');

  return {
    name,
    kind,
    kept,
    member: {
      name,
      mempool: kind === 'light' ? 'relayed' : 'whole',
      watch: {
        mark: () => markOf(additions),
        covers: ({ received, spent }, mark) =>
          received.some(({ script }) => (scripts.get(textOf(script)) ?? Infinity) <= mark.scripts) ||
          spent.some(({ outpoint }) => (coins.get(keyOf(outpoint)) ?? Infinity) <= mark.outpoints),
      },
    },
    get up() {
      return up;
    },
    addScripts(added) {
      additions++;
      for (const script of added) if (!scripts.has(script)) scripts.set(script, additions);
    },
    addCoins(added) {
      additions++;
      for (const coin of added) if (!coins.has(keyOf(coin))) coins.set(keyOf(coin), additions);
    },
    advance(net, most) {
      if (!up) return;
      const isOn = (block: Block) => net.best[block.height]?.hash === block.hash;
      const fork = own.findLast(isOn)!;
      // A node that has not heard of the blocks of an earlier run yet is behind, and its source takes them back.
      while (own.at(-1)!.hash !== fork.hash) {
        const block = own.pop()!;
        waiting.push({ kind: 'disconnected', block, fork });
        if (kind !== 'light' || earlier.has(block)) continue;
        // It keeps what it has seen in a block that is gone.
        for (const tx of block.txs) hearOf(tx);
      }
      const asked = additions;
      for (const block of net.best.slice(fork.height + 1, fork.height + 1 + most)) {
        lookThrough(block, kind === 'server' ? asked : null);
      }
    },
    listen(net) {
      if (!up || kind === 'light') return;
      const tip = own.at(-1)!;
      // What its own node has in a block is in its mempool no more, and what the network has in a later one still is.
      const inBlocks = new Set<Txid>();
      for (let at: Block | null = tip; at; at = at.below) for (const { txid } of at.txs) inBlocks.add(txid);
      const later = net.best.slice(tip.height + 1).flatMap(({ txs }) => txs);
      const mempool = [...net.mempool.values(), ...later].filter(({ txid }) => !inBlocks.has(txid));
      for (const tx of mempool) {
        const found = match(tx, additions);
        if (sighted.has(tx.txid) || !found) continue;
        sighted.set(tx.txid, tx);
        waiting.push({ kind: 'sighted', tx: found, grade: 'relayed' });
      }
      for (const txid of sighted.keys()) {
        if (mempool.some((tx) => tx.txid === txid)) continue;
        sighted.delete(txid);
        waiting.push({ kind: 'evicted', txid });
      }
    },
    relay(tx) {
      if (up && kind === 'light') hearOf(tx);
    },
    turn(next) {
      if (up === next) return;
      up = next;
      say(up ? 'live' : 'down');
    },
    next: () => waiting.shift(),
  };
}
