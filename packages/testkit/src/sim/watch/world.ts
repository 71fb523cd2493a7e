import { encodeTransaction, toInternal, type BlockHash, type MatchedTx, type Txid } from '@keepwatch/bitcoin';
import { toHex } from '@keepwatch/base';
import type { BlockRef } from '@keepwatch/watch';
import type { Random } from '../random.ts';

/**
 * A chain and a mempool that random wallets and strangers use: what really happens, and so what the oracle knows. It holds
 * no code of the watch.
 */
export interface Owner {
  readonly wallet: string;
  readonly branch: number;
  readonly index: number;
}

export interface SimTx {
  readonly txid: Txid;
  readonly coinbase: boolean;
  /** Outpoints as `txid:vout`; one that no transaction here created is a stranger's. */
  readonly inputs: readonly string[];
  readonly outputs: readonly SimOutput[];
  readonly raw: Uint8Array;
}

export interface SimOutput {
  readonly sats: bigint;
  /** Null: a stranger. */
  readonly owner: Owner | null;
  readonly script: Uint8Array;
}

export interface SimBlock {
  readonly ref: BlockRef;
  readonly txs: readonly SimTx[];
}

export interface World {
  readonly chain: SimBlock[];
  readonly mempool: Map<Txid, SimTx>;
  /** By owner (`wallet/branch/index`): transactions that paid him in a block, whatever became of that block. */
  readonly paid: Map<string, Set<string>>;
  /** Whom strangers may pay: wallets that are watched since before their first payment, or scanned whole. */
  readonly payable: Set<string>;
  /** Wallets that hand out addresses further on than was said when they were added. */
  readonly wide: Set<string>;
  readonly create: (random: Random) => SimTx | undefined;
  /** Another transaction that spends what this one spends. */
  readonly rivalOf: (random: Random, tx: SimTx) => SimTx;
  /** The same with another fee, as its owner or who has his key would make it; undefined: it takes a stranger's coin. */
  readonly bumpOf: (random: Random, tx: SimTx) => SimTx | undefined;
  /** What cannot stand beside this transaction, and what builds on that: parents first. */
  readonly losersTo: (tx: SimTx) => readonly SimTx[];
  readonly descendants: (tx: SimTx) => readonly SimTx[];
  /** At this time, ms since 1970. */
  readonly mine: (random: Random, nowMs: number) => SimBlock;
  readonly takeBack: () => SimBlock;
}

/** A script other than the owner's first one, or one of the strangers', where it is given. */
interface Pay {
  readonly sats: bigint;
  readonly owner: Owner | null;
  readonly script?: Uint8Array;
}

const BRANCHES = 2;
/** How far in front of the last used index wallets hand out addresses, and how far where they are wide. */
const AHEAD = 2;
const FAR_AHEAD = 12;

export const keyOf = (txid: string, vout: number) => `${txid}:${vout}`;

const cache = new Map<string, Uint8Array>();
const owners = new Map<string, string>();
/** Which owner a script has, by its hex; of a stranger's the hex itself. */
export const ownerOf = (hex: string) => owners.get(hex) ?? hex;

/** Wallet `w0` has taproot scripts, with addresses; all others have scripts without. */
export function scriptOf({ wallet, branch, index }: Owner): Uint8Array {
  const key = `${wallet}/${branch}/${index}`;
  const known = cache.get(key);
  if (known) return known;
  const number = Number(wallet.slice(1));
  const script =
    number === 0
      ? Uint8Array.from([0x51, 0x20, ...new Uint8Array(30).fill(3), branch, index])
      : Uint8Array.of(0x61, number, branch, index, 0x51);
  cache.set(key, script);
  owners.set(toHex(script), key);
  return script;
}

const STRANGERS = Array.from({ length: 8 }, (_, i) => Uint8Array.of(0x61, 0xff, i));
/** What a coinbase spends. */
const NOTHING = keyOf('0'.repeat(64), 0xffff_ffff);
const isStranger = (txid: string) => txid.startsWith('f');

export function createWorld(startSeconds: number): World {
  let numbers = 0;
  let blocks = 0;
  const genesis: SimBlock = { ref: { height: 100, hash: blockHash(0), timeSeconds: startSeconds }, txs: [] };
  const chain: SimBlock[] = [genesis];
  const mempool = new Map<Txid, SimTx>();
  const paid = new Map<string, Set<string>>();
  const payable = new Set<string>();
  const wide = new Set<string>();

  function blockHash(n: number): BlockHash {
    return `b${n.toString(16).padStart(63, '0')}` as BlockHash;
  }

  function make(inputs: readonly string[], pays: readonly Pay[], coinbase = false): SimTx {
    const outputs = pays.map(({ sats, owner, script }) => ({
      ...{ sats, owner, script: script ?? (owner ? scriptOf(owner) : STRANGERS[++numbers % STRANGERS.length]!) },
    }));
    const txid = `a${(++numbers).toString(16).padStart(63, '0')}` as Txid;
    const raw = encodeTransaction({
      version: 2,
      lockTime: 0,
      inputs: (coinbase ? [NOTHING] : inputs).map((key) => ({
        previous: toInternal(key.slice(0, 64) as Txid)!,
        vout: Number(key.slice(65)),
        // The script of a coinbase has 2 to 100 bytes.
        ...{ scriptSig: coinbase ? Uint8Array.of(1, 1) : new Uint8Array(0), sequence: 0, witness: [] },
      })),
      outputs: outputs.map(({ sats, script }) => ({ sats, script })),
    });
    return { txid, coinbase, inputs, outputs, raw };
  }

  const confirmed = () => chain.flatMap(({ txs }) => txs);

  function address(random: Random): Owner | null {
    if (payable.size === 0) return null;
    const wallet = random.pick([...payable]);
    const branch = random.below(BRANCHES);
    const used = confirmed()
      .flatMap(({ outputs }) => outputs)
      .reduce(
        (most, { owner }) =>
          owner?.wallet === wallet && owner.branch === branch ? Math.max(most, owner.index + 1) : most,
        0,
      );
    const ahead = wide.has(wallet) && random.chance(0.2) ? FAR_AHEAD : AHEAD;
    const index = random.chance(0.3) ? random.below(used + 1) : Math.min(used + random.below(ahead), 240);
    return { wallet, branch, index };
  }

  /** Coins of watched wallets that nothing in the chain or the mempool spends. */
  function coins(): { key: string; owner: Owner; sats: bigint }[] {
    const all = [...confirmed(), ...mempool.values()];
    const spent = new Set(all.flatMap(({ inputs }) => inputs));
    return all.flatMap(({ txid, outputs }) =>
      outputs.flatMap(({ owner, sats }, vout) => {
        const key = keyOf(txid, vout);
        return owner && payable.has(owner.wallet) && !spent.has(key) ? [{ key, owner, sats }] : [];
      }),
    );
  }

  /** A payment as wallets make them: to a stranger, and what is left after a fee to themselves. */
  function paymentOf(random: Random, put: readonly { readonly owner: Owner; readonly sats: bigint }[]): Pay[] {
    const left = put.reduce((total, { sats }) => total + sats, 0n) - BigInt(100 + random.below(400));
    if (left < 2_000n) return outputsFor(random);
    const sats = (left * BigInt(1 + random.below(9))) / 10n;
    const { wallet } = put[0]!.owner;
    const back = { wallet, branch: 1, index: random.below(AHEAD + 1) };
    return [
      { sats, owner: null },
      { sats: left - sats, owner: back },
    ];
  }

  function bumpOf(random: Random, tx: SimTx): SimTx | undefined {
    const all = new Map(
      [...confirmed(), ...mempool.values()].flatMap(({ txid, outputs }) =>
        outputs.map((output, vout) => [keyOf(txid, vout), output] as const),
      ),
    );
    const put = tx.inputs.map((key) => all.get(key)).filter((each) => each?.owner);
    if (put.length < tx.inputs.length || tx.coinbase) return undefined;
    // In a block: what builds on the transaction goes with it.
    const settled = coins().filter(({ key }) => !mempool.has(key.slice(0, 64) as Txid));
    const more = random.chance(0.3) ? settled.find(({ owner }) => owner.wallet === put[0]!.owner!.wallet) : undefined;
    const own = tx.outputs.findIndex(({ owner }) => owner !== null);
    const foreign = tx.outputs.findIndex(({ owner }) => owner === null);
    const pays: Pay[] = tx.outputs.map((output) => ({ ...output }));
    const change = (at: number, by: bigint) => {
      if (at in pays && pays[at]!.sats + by > 0n) pays[at] = { ...pays[at]!, sats: pays[at]!.sats + by };
    };
    const fee = BigInt(1 + random.below(900));
    const way = random.below(8);
    if (more && way < 7) change(own, more.sats);
    if (way < 4) change(own, -fee);
    else if (way === 4) change(foreign, -fee);
    else if (way === 5 && foreign >= 0 && own >= 0) {
      // The payment is taken back, or what is left goes to the miners.
      const [taken] = pays.splice(foreign, 1);
      if (random.chance(0.7)) change(own - (own > foreign ? 1 : 0), taken!.sats - fee);
    } else if (way === 6) {
      // Who has the key pays a little more to whom the owner pays, or to somebody else.
      change(own, -fee);
      if (random.chance(0.5)) change(foreign, fee / 2n + 1n);
      else pays.push({ sats: fee / 2n + 1n, owner: null });
    } else if (own >= 0) pays[own] = { sats: pays[own]!.sats, owner: null };
    const isMore = more !== undefined && !tx.inputs.includes(more.key);
    if (isMore) return make([...tx.inputs, more.key], pays);
    if (put.length < 2 || random.chance(0.5)) return make(tx.inputs, pays);
    // With a coin less: it leaves one for another payment.
    const rest = pays.findIndex(({ owner }) => owner !== null);
    change(rest, -put[1]!.sats);
    return make([tx.inputs[0]!], pays);
  }

  function outputsFor(random: Random): Pay[] {
    const count = 1 + random.below(3);
    const outputs = Array.from({ length: count }, () => ({
      sats: BigInt(random.chance(0.15) ? random.below(900) + 1 : 1_000 + random.below(200_000)),
      owner: random.chance(0.6) ? address(random) : null,
    }));
    return outputs;
  }

  function create(random: Random): SimTx | undefined {
    const mine = coins();
    const spends = mine.length > 0 && random.chance(0.55);
    const inputs = spends ? [random.pick(mine).key] : [keyOf(`f${(++numbers).toString(16).padStart(63, '0')}`, 0)];
    if (spends && mine.length > 1 && random.chance(0.3)) {
      const other = random.pick(mine).key;
      if (!inputs.includes(other)) inputs.push(other);
    }
    const put = mine.filter(({ key }) => inputs.includes(key));
    return make(inputs, spends && random.chance(0.5) ? paymentOf(random, put) : outputsFor(random));
  }

  function descendants(tx: SimTx): SimTx[] {
    const found: SimTx[] = [];
    const lost = new Set([tx.txid as string]);
    for (const each of mempool.values()) {
      if (!each.inputs.some((key) => lost.has(key.slice(0, key.indexOf(':'))))) continue;
      lost.add(each.txid);
      found.push(each);
    }
    return found;
  }

  function losersTo(tx: SimTx): SimTx[] {
    const direct = [...mempool.values()].filter(
      (each) => each.txid !== tx.txid && each.inputs.some((key) => tx.inputs.includes(key)),
    );
    return [...new Set(direct.flatMap((each) => [each, ...descendants(each)]))];
  }

  return {
    chain,
    mempool,
    paid,
    payable,
    wide,
    create,
    rivalOf: (random, tx) => make(tx.inputs, outputsFor(random)),
    bumpOf,
    losersTo,
    descendants,
    mine(random, nowMs) {
      const txs: SimTx[] = [];
      if (random.chance(0.1)) txs.push(make([], [{ sats: 5_000_000n, owner: address(random) }], true));
      const present = new Set(confirmed().map(({ txid }) => txid as string));
      // Parents stand before their children in the mempool; a child goes in only where its parents are.
      for (const tx of mempool.values()) {
        const parents = tx.inputs.map((key) => key.slice(0, key.indexOf(':'))).filter((id) => !isStranger(id));
        if (!parents.every((id) => present.has(id)) || !random.chance(0.7)) continue;
        txs.push(tx);
        present.add(tx.txid);
      }
      for (const tx of txs) mempool.delete(tx.txid);
      // What was never seen before; it may spend what a transaction of the mempool spends too.
      if (random.chance(0.3)) {
        const rival = mempool.size > 0 && random.chance(0.3) ? random.pick([...mempool.values()]) : undefined;
        const bump = rival && random.chance(0.5) ? bumpOf(random, rival) : undefined;
        const fresh = bump ?? (rival ? make(rival.inputs, outputsFor(random)) : create(random));
        const parents = fresh?.inputs.map((key) => key.slice(0, key.indexOf(':'))) ?? [];
        const taken = new Set(txs.flatMap(({ inputs }) => inputs));
        const isFree = fresh?.inputs.every((key) => !taken.has(key));
        if (fresh && isFree && parents.every((id) => isStranger(id) || present.has(id))) {
          txs.push(fresh);
          for (const lost of losersTo(fresh)) mempool.delete(lost.txid);
        }
      }
      const before = chain.at(-1)!.ref;
      const timeSeconds = Math.max(before.timeSeconds + 1, Math.floor(nowMs / 1_000));
      const ref = { height: before.height + 1, hash: blockHash(++blocks), timeSeconds };
      const block = { ref, txs };
      chain.push(block);
      for (const { txid, outputs } of txs) {
        for (const { owner } of outputs) {
          if (!owner) continue;
          const key = `${owner.wallet}/${owner.branch}/${owner.index}`;
          paid.set(key, (paid.get(key) ?? new Set()).add(txid));
        }
      }
      return block;
    },
    takeBack() {
      const block = chain.pop()!;
      // What was in the block stands before what builds on it.
      const rest = [...mempool.entries()];
      mempool.clear();
      for (const tx of block.txs) if (!tx.coinbase) mempool.set(tx.txid, tx);
      const lost = new Set(block.txs.filter(({ coinbase }) => coinbase).map(({ txid }) => txid as string));
      for (const [txid, tx] of rest) {
        const orphaned = tx.inputs.some((key) => lost.has(key.slice(0, key.indexOf(':'))));
        if (orphaned) lost.add(txid);
        else mempool.set(txid, tx);
      }
      return block;
    },
  };
}

/** What a source that watches these scripts (hex) and coins sees of a transaction. */
export function matchOf(tx: SimTx, scripts: ReadonlySet<string>, coins: ReadonlySet<string>): MatchedTx | undefined {
  const received = tx.outputs.flatMap(({ script, sats }, vout) =>
    scripts.has(toHex(script)) ? [{ vout, script, sats }] : [],
  );
  const spent = tx.inputs.flatMap((key, vin) =>
    coins.has(key) ? [{ vin, outpoint: { txid: key.slice(0, 64) as Txid, vout: Number(key.slice(65)) } }] : [],
  );
  return received.length + spent.length === 0 ? undefined : { txid: tx.txid, raw: tx.raw, received, spent };
}
