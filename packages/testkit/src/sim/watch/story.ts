import { toHex } from '@keepwatch/base';
import type { BlockHash, MatchedTx } from '@keepwatch/bitcoin';
import type { BlockRef, Finding, WalletLimits, WatchedWallet, WatchInput } from '@keepwatch/watch';
import { losesOnlyFee, type Sight } from './replacement.ts';
import { keyOf } from './world.ts';

/**
 * What one input must bring, said again in the plainest way: which transactions are known, and what became of them. It
 * knows the inputs and the findings, and none of the code that is tested.
 */
export interface Story {
  /** A fault in words, or null. */
  readonly note: (input: WatchInput, findings: readonly Finding[], nowMs: number) => string | null;
  readonly toldTip: () => BlockRef | null;
  /** Height above which what happens to a wallet is news. */
  readonly added: ReadonlyMap<string, number>;
  /** Wallets that were taken out, each with the number of findings that there were then. */
  readonly removals: readonly { readonly wallet: string; readonly at: number }[];
  /** Ids of what was told with a block as it was connected: these have to come in the order of the chain. */
  readonly inTurn: ReadonlySet<string>;
  /** Of these the first ones were told while the chain's time was a guess: fewer than eleven blocks were known (BIP113). */
  readonly guessed: ReadonlySet<string>;
  /** What wallets held when that was last compared with their limits: with a block, and not with what a scan finds later. */
  readonly compared: ReadonlyMap<string, bigint>;
  /** The first block that was told. */
  readonly lowest: () => number;
}

/** What was told of a wallet's balance. */
interface Standing {
  above: boolean;
  below: boolean;
  crossings: number;
}

/** News is late when it is older than this: so wrong may a miner's clock be. */
const LATE_MS = 7_200_000;
/** What is told of a block of the chain, and so has a time to compare with. */
const IN_BLOCK = new Set([
  ...['received', 'spent', 'self-transfer', 'watched', 'confirmed', 'large-amount', 'dust', 'address-reuse'],
  ...['timelock-expiry', 'unvault-started', 'balance-above', 'balance-below'],
]);
const MOVES = new Set(['received', 'spent', 'self-transfer', 'watched']);

interface Known {
  status: 'none' | 'claimed' | 'valid' | 'relayed' | 'confirmed' | 'gone';
  block: string | null;
  /** What took its place, where that is known. */
  by: string | null;
  /** The greatest height that there was when it went. */
  wentAt: number;
  coinbase: boolean;
  /** Whether it was more than claimed; and so deep in blocks that it may be forgotten whom it pays. */
  proven: boolean;
  deep: boolean;
  readonly wallets: Set<string>;
  readonly content: Set<string>;
  readonly spends: Set<string>;
}

const RANK = { none: -1, gone: -1, claimed: 0, valid: 1, relayed: 2, confirmed: 3 };

/**
 * `isHad`: whether the only source there is has an unconfirmed transaction, and has told it. `keptBlocks`: what went so many
 * blocks ago may be forgotten.
 */
export function createStory(
  ownerOf: (scriptHex: string) => string,
  isHad: (txid: string) => boolean,
  limitsOf: (wallet: string) => WalletLimits,
  keptBlocks: number,
): Story {
  const txs = new Map<string, Known>();
  /** All that was said of a transaction, whomever it concerned then. */
  const said = new Map<string, MatchedTx[]>();
  const scripts = new Set<string>();
  /** Whom a coin concerns, and what it holds. */
  const coins = new Map<string, Set<string>>();
  const amounts = new Map<string, bigint>();
  /** Who watches a transaction by its id. */
  const watchers = new Map<string, Set<string>>();
  /** By what a wallet is another one than before, though it has the same id. */
  const shapes = new Map<string, string>();
  const standings = new Map<string, Standing>();
  const drops = new Map<string, number>();
  const inTurn = new Set<string>();
  const guessed = new Set<string>();
  const compared = new Map<string, bigint>();
  let startedMs = 0;
  /** Whether blocks that were mined before the start are surely caught up with. */
  let catchingUp = false;
  const told = new Map<number, string>();
  const held = new Map<string, MatchedTx[]>();
  const conflicts = new Set<string>();
  const added = new Map<string, number>();
  const waiting = new Set<string>();
  const removals: { wallet: string; at: number }[] = [];
  /** Of whom and what the input at hand told: `wallet txid`. */
  let telling: ReadonlySet<string> = new Set();
  let total = 0;
  let tip: BlockRef | null = null;
  let best = -1;
  /** The first block that the source told; below it only scans know blocks. */
  let lowest = Infinity;

  const walletOf = (owner: string) => owner.slice(0, owner.indexOf('/'));

  /** Takes in what is new of a transaction, and says for which wallets it is. */
  function learn(tx: MatchedTx): { known: Known; grown: Set<string> } | undefined {
    const known: Known = txs.get(tx.txid) ?? {
      ...{ status: 'none', block: null, by: null, wentAt: -1, coinbase: isCoinbase(tx), proven: false, deep: false },
      ...{ wallets: new Set(), content: new Set(), spends: new Set() },
    };
    const grown = new Set<string>();
    const add = (wallet: string, what: string) => {
      known.wallets.add(wallet);
      if (!known.content.has(`${wallet} ${what}`)) grown.add(wallet);
      known.content.add(`${wallet} ${what}`);
    };
    for (const wallet of watchers.get(tx.txid) ?? []) add(wallet, 'by its id');
    for (const { vout, script, sats } of tx.received) {
      const owner = ownerOf(toHex(script));
      if (!scripts.has(owner)) continue;
      add(walletOf(owner), `out ${vout}`);
      const key = keyOf(tx.txid, vout);
      coins.set(key, new Set([...(coins.get(key) ?? []), walletOf(owner)]));
      amounts.set(key, sats);
    }
    for (const { outpoint } of tx.spent) {
      const key = keyOf(outpoint.txid, outpoint.vout);
      for (const wallet of coins.get(key) ?? []) {
        add(wallet, `in ${key}`);
        known.spends.add(key);
      }
    }
    if (known.wallets.size === 0) return undefined;
    txs.set(tx.txid, known);
    said.set(tx.txid, [...(said.get(tx.txid) ?? []), tx]);
    return { known, grown };
  }

  /** How many findings of double spends this transaction brings; and of how many more it may be forgotten who the other was. */
  function conflictsOf(txid: string, known: Known, expected: Expected): void {
    for (const key of known.spends) {
      for (const [other, rival] of txs) {
        const pair = [txid, other].sort().join() + key;
        if (other === txid || !rival.spends.has(key) || conflicts.has(pair)) continue;
        if (rival.status === 'gone' && rival.by !== txid) continue;
        conflicts.add(pair);
        for (const wallet of coins.get(key) ?? []) {
          const isFee =
            rival.proven &&
            losesOnlyFee(sightOf(wallet, txid), sightOf(wallet, other), (each) => ownedBy(wallet, each));
          const isOld = rival.status === 'gone' && rival.wentAt <= best - keptBlocks;
          if (isFee && (known.deep || rival.deep)) expected.oldDoubles++;
          else if (isFee) continue;
          else if (isOld) expected.oldDoubles++;
          else expected.doubles++;
        }
      }
    }
  }

  function sightOf(wallet: string, txid: string): Sight {
    const { content, spends } = txs.get(txid)!;
    return {
      raw: said.get(txid)![0]!.raw,
      takes: [...spends].filter((key) => content.has(`${wallet} in ${key}`)),
      returns: (vout) => content.has(`${wallet} out ${vout}`),
    };
  }

  /** What a coin holds that the wallet received. */
  function ownedBy(wallet: string, key: string): bigint | undefined {
    const [txid, vout] = key.split(':');
    return txs.get(txid!)?.content.has(`${wallet} out ${vout}`) ? amounts.get(key) : undefined;
  }

  function go(known: Known, by: string | null): void {
    known.status = 'gone';
    known.by = by;
    known.wentAt = best;
  }

  /** What went so long ago may be forgotten: then it is nobody's but of whom it is told now, or whom it names once more. */
  function forgetGone(txid: string): void {
    const known = txs.get(txid);
    if (known?.status !== 'gone' || known.wentAt > best - keptBlocks) return;
    const lost = [...known.wallets].filter((wallet) => !telling.has(`${wallet} ${txid}`));
    for (const wallet of lost) takeOut(txid, known, wallet);
  }

  function takeOut(txid: string, known: Known, wallet: string): void {
    known.wallets.delete(wallet);
    for (const each of known.content) if (each.startsWith(`${wallet} `)) known.content.delete(each);
    // Whoever still has the coin, or has it anew, knows what spends it.
    for (const key of known.spends) if (!coins.has(key)) known.spends.delete(key);
    if (known.wallets.size === 0) txs.delete(txid);
  }

  function confirm(tx: MatchedTx, block: string, expected: Expected): void {
    forgetGone(tx.txid);
    const before = txs.get(tx.txid);
    if (before?.status === 'confirmed' && before.block !== block) return;
    const learnt = learn(tx);
    const known = learnt?.known ?? before;
    if (!known || (known.status === 'confirmed' && (learnt?.grown.size ?? 0) === 0)) return;
    known.status = 'confirmed';
    known.block = block;
    known.proven = true;
    if ([...told].some(([height, hash]) => hash === block && isDeep(height))) known.deep = true;
    conflictsOf(tx.txid, known, expected);
    for (const rival of txs.values()) {
      const isUnconfirmed = RANK[rival.status] >= 0 && rival.status !== 'confirmed';
      if (rival === known || !isUnconfirmed || ![...rival.spends].some((key) => known.spends.has(key))) continue;
      go(rival, tx.txid);
      expected.lost += rival.wallets.size;
    }
  }

  const isDeep = (height: number) => best - height + 1 >= 6;

  /** What comes above this height now came after the wallets that there are. */
  function newsFrom(height: number): void {
    for (const [wallet, since] of added) if (since > height) added.set(wallet, height);
  }

  function takeBack(height: number, expected: Expected, hash = told.get(height)): void {
    if (told.get(height) === hash) told.delete(height);
    for (const [txid, known] of txs) {
      if (known.block !== hash) continue;
      // Should the block return, it holds what it held.
      held.set(hash!, [...(held.get(hash!) ?? []), ...knownOf(txid, known)]);
      if (known.coinbase) go(known, null);
      else known.status = 'valid';
      known.by = null;
      known.block = null;
      expected.back += known.wallets.size;
    }
  }

  /** What was said of a transaction, as far as it concerns a wallet. */
  function knownOf(txid: string, { content }: Known): MatchedTx[] {
    const whats = new Set([...content].map((each) => each.slice(each.indexOf(' ') + 1)));
    return (said.get(txid) ?? []).map((tx) => ({
      ...tx,
      received: tx.received.filter(({ vout }) => whats.has(`out ${vout}`)),
      spent: tx.spent.filter(({ outpoint }) => whats.has(`in ${keyOf(outpoint.txid, outpoint.vout)}`)),
    }));
  }

  function past(block: BlockRef, matches: readonly MatchedTx[], expected: Expected): void {
    const ours = told.get(block.height);
    if (block.height > (tip?.height ?? best) || (ours !== undefined && ours !== block.hash)) {
      held.set(block.hash, [...(held.get(block.hash) ?? []), ...matches]);
      return;
    }
    for (const tx of matches) {
      confirm(tx, block.hash, expected);
      if (txs.get(tx.txid)?.block === block.hash) told.set(block.height, block.hash);
    }
  }

  /** With time, what went unseen is told as lost; what the source has is not. */
  function doubted(findings: readonly Finding[], expected: Expected): string | null {
    for (const { detail, id } of findings) {
      if (detail.kind !== 'evicted' && detail.kind !== 'replaced') continue;
      const known = txs.get(detail.txid);
      if (known && RANK[known.status] >= 0 && known.status !== 'confirmed') {
        go(known, detail.kind === 'replaced' ? detail.by : null);
        expected.lost += known.wallets.size;
      }
      if (isHad(detail.txid)) return `${id}, and the source has it`;
    }
    return null;
  }

  function begin(wallet: WatchedWallet): void {
    const { id, txids } = wallet;
    added.set(id, tip?.height ?? best);
    if (best < 0) waiting.add(id);
    standings.set(id, { above: false, below: false, crossings: 0 });
    for (const { txid, inputs } of txids) {
      watchers.set(txid, new Set([...(watchers.get(txid) ?? []), id]));
      for (const input of inputs) {
        const key = keyOf(input.txid, input.vout);
        coins.set(key, new Set([...(coins.get(key) ?? []), id]));
      }
    }
  }

  function forget(id: string): void {
    if (!added.delete(id)) return;
    removals.push({ wallet: id, at: total });
    drops.set(id, (drops.get(id) ?? 0) + 1);
    standings.delete(id);
    compared.delete(id);
    for (const owner of scripts) if (walletOf(owner) === id) scripts.delete(owner);
    for (const each of watchers.values()) each.delete(id);
    for (const [key, wallets] of coins) {
      if (!wallets.delete(id) || wallets.size > 0) continue;
      coins.delete(key);
      // Added anew, it is told anew.
      for (const pair of conflicts) if (pair.endsWith(key)) conflicts.delete(pair);
    }
    for (const [txid, known] of txs) takeOut(txid, known, id);
  }

  /** What a wallet has in blocks. A coin that it watches and never got is not its own. */
  function balanceOf(wallet: string): bigint {
    let sats = 0n;
    for (const [txid, { status, content }] of txs) {
      if (status !== 'confirmed') continue;
      for (const each of content) {
        const [whose, way, what] = each.split(' ');
        if (whose !== wallet) continue;
        if (way === 'out') sats += amounts.get(keyOf(txid, Number(what)))!;
        if (way !== 'in') continue;
        const [parent, vout] = what!.split(':');
        if (txs.get(parent!)?.content.has(`${wallet} out ${vout}`)) sats -= amounts.get(what!)!;
      }
    }
    return sats;
  }

  /** Whose balance passed a limit with this block: the ids of what is told, and the balances. */
  function crossings(): Map<string, bigint> {
    const ids = new Map<string, bigint>();
    for (const [wallet, standing] of standings) {
      const sats = balanceOf(wallet);
      compared.set(wallet, sats);
      const { aboveSats, belowSats } = limitsOf(wallet);
      const above = aboveSats !== null && sats > aboveSats;
      const below = belowSats !== null && sats < belowSats;
      const times = drops.get(wallet) ?? 0;
      const id = (kind: string) => `${kind}/${standing.crossings}:${wallet}${times === 0 ? '' : `+${times}`}`;
      const [rose, fell] = [above && !standing.above, below && !standing.below];
      if (rose || fell) standing.crossings++;
      if (rose) ids.set(id('balance-above'), sats);
      if (fell) ids.set(id('balance-below'), sats);
      Object.assign(standing, { above, below });
    }
    return ids;
  }

  /** Whether what a block brings is late; null where it may be either. */
  function lateness(block: BlockRef, nowMs: number): boolean | null {
    const minedMs = block.timeSeconds * 1_000;
    if (nowMs - minedMs > LATE_MS) return true;
    if (minedMs >= startedMs) return false;
    return catchingUp ? true : null;
  }

  interface Expected {
    sighted: number | null;
    lost: number;
    doubles: number;
    oldDoubles: number;
    back: number;
  }

  function expect(input: WatchInput): Expected {
    const expected: Expected = { sighted: 0, lost: 0, doubles: 0, oldDoubles: 0, back: 0 };
    switch (input.kind) {
      case 'wallet':
        if (added.has(input.wallet.id) && shapes.get(input.wallet.id) === shapeOf(input.wallet)) break;
        forget(input.wallet.id);
        shapes.set(input.wallet.id, shapeOf(input.wallet));
        begin(input.wallet);
        break;
      case 'wallet-removed':
        forget(input.wallet);
        break;
      case 'scripts': {
        const { wallet, branch, from, to } = input;
        // What was asked for before the wallet was taken out and added anew is passed over.
        const isNext =
          !scripts.has(`${wallet}/${branch}/${from}`) && (from === 0 || scripts.has(`${wallet}/${branch}/${from - 1}`));
        if (added.has(wallet) && isNext) for (let i = from; i < to; i++) scripts.add(`${wallet}/${branch}/${i}`);
        break;
      }
      case 'sighted': {
        const before = txs.get(input.tx.txid)?.status ?? 'none';
        if (before === 'confirmed') break;
        const learnt = learn(input.tx);
        const known = learnt?.known ?? txs.get(input.tx.txid);
        if (!known) break;
        const rises = RANK[input.grade] > RANK[before];
        if (rises) known.status = input.grade;
        if (rises && input.grade !== 'claimed') known.proven = true;
        expected.sighted = rises ? known.wallets.size : learnt!.grown.size;
        if (expected.sighted > 0) conflictsOf(input.tx.txid, known, expected);
        break;
      }
      case 'replaced':
      case 'evicted': {
        const known = txs.get(input.txid);
        if (!known || RANK[known.status] < 0 || known.status === 'confirmed') break;
        go(known, input.kind === 'replaced' ? input.by : null);
        expected.lost = known.wallets.size;
        break;
      }
      case 'connected': {
        const { block, matches } = input;
        if (told.get(block.height) !== block.hash || block.height < lowest) {
          // Nobody said that they left; but this one stands in their place.
          for (const [height, hash] of [...told]) {
            if (height >= block.height && hash !== block.hash) takeBack(height, expected);
          }
          newsFrom(block.height - 1);
          told.set(block.height, block.hash);
          lowest = Math.min(lowest, block.height);
          if (best < 0) for (const wallet of waiting) added.set(wallet, block.height - 1);
          tip = block;
          best = Math.max(best, block.height);
          const low = new Set([...told].flatMap(([height, hash]) => (isDeep(height) ? [hash] : [])));
          for (const each of txs.values()) if (each.block !== null && low.has(each.block)) each.deep = true;
        }
        for (const tx of [...matches, ...joined(held.get(block.hash) ?? [])]) confirm(tx, block.hash, expected);
        held.delete(block.hash);
        break;
      }
      case 'disconnected': {
        const { block, fork } = input;
        if (tip && tip.hash !== block.hash) break;
        if (!tip && ![...txs.values()].some((known) => known.block === block.hash)) break;
        takeBack(block.height, expected, block.hash);
        // Below the first block that was told a scan may have looked at another branch.
        takeBack(block.height, expected);
        const isNext = fork.height === block.height - 1;
        const below = isNext || block.height - 1 < lowest ? undefined : told.get(block.height - 1);
        tip = below === undefined ? fork : { ...fork, height: block.height - 1, hash: below as BlockHash };
        newsFrom(tip.height);
        if (tip.hash !== fork.hash) break;
        for (const [height, hash] of [...told]) {
          if (height > fork.height || (height === fork.height && hash !== fork.hash)) takeBack(height, expected);
        }
        break;
      }
      case 'supplement':
        past(input.block, input.matches, expected);
        break;
      case 'history':
        if (input.scans.some(({ wallet }) => added.has(wallet)))
          for (const { block, matches } of input.found) past(block, matches, expected);
        break;
      default:
        break;
    }
    return expected;
  }

  /** What is told with a block: of that block, in time or late, and with the balances that there are then. */
  function freshFault(block: BlockRef, findings: readonly Finding[], nowMs: number): string | null {
    const late = lateness(block, nowMs);
    for (const finding of findings) {
      const { id, detail, evidence } = finding;
      if (!IN_BLOCK.has(detail.kind)) continue;
      inTurn.add(id);
      if (block.height - lowest < 10) guessed.add(id);
      if (late !== null && finding.late !== late)
        return `${id} is told as ${late ? 'in time' : 'late'}, which it is not`;
      if (MOVES.has(detail.kind) && evidence.block?.hash !== block.hash) return `${id} is told with another block`;
    }
    const expected = block.height >= best ? crossings() : new Map<string, bigint>();
    for (const { id, detail } of findings) {
      if (detail.kind !== 'balance-above' && detail.kind !== 'balance-below') continue;
      if (expected.get(id) !== detail.sats) return `${id} says ${detail.sats}, and not ${expected.get(id)}`;
      expected.delete(id);
    }
    for (const id of expected.keys()) return `${id} is not told`;
    return null;
  }

  /** What is learnt of a block that was told already is late; and balances are compared with their limits at blocks alone. */
  function staleFault({ kind }: WatchInput, findings: readonly Finding[]): string | null {
    for (const { id, late, detail, evidence } of findings) {
      if (!IN_BLOCK.has(detail.kind)) continue;
      if (evidence.block !== undefined && !late) return `${id} is told by ${kind}, and not as late`;
      if (evidence.block === undefined && late) return `${id} is of no block, and told as late`;
      if (detail.kind.startsWith('balance-')) return `${id} is told by ${kind}`;
    }
    return null;
  }

  return {
    toldTip: () => tip,
    added,
    removals,
    inTurn,
    guessed,
    compared,
    lowest: () => lowest,
    note(input, findings, nowMs) {
      total += findings.length;
      telling = new Set(findings.map(({ wallet, evidence }) => `${wallet} ${evidence.txid}`));
      if (input.kind === 'started') [startedMs, catchingUp] = [nowMs, true];
      const isFresh =
        input.kind === 'connected' &&
        (told.get(input.block.height) !== input.block.hash || input.block.height < lowest);
      const expected = expect(input);
      const fault = isFresh ? freshFault(input.block, findings, nowMs) : staleFault(input, findings);
      if (fault) return fault;
      // From the first block that was mined since the start on, or when nothing came for a while.
      if (input.kind === 'tick' || (isFresh && input.block.timeSeconds * 1_000 >= startedMs)) catchingUp = false;
      if (input.kind === 'tick') {
        const fault = doubted(findings, expected);
        if (fault) return fault;
      }
      const doubles = findings.filter(({ detail }) => detail.kind === 'double-spend').length;
      const oldDoubles = Math.min(expected.oldDoubles, Math.max(0, doubles - expected.doubles));
      const count = (...kinds: string[]) => findings.filter(({ detail }) => kinds.includes(detail.kind)).length;
      const wrong = (what: string, found: number, wanted: number | null) =>
        found === wanted ? null : `${input.kind} brought ${found} ${what} and not ${wanted}`;
      return (
        wrong('sightings', count('sighted'), expected.sighted) ??
        wrong('losses', count('replaced', 'evicted'), expected.lost) ??
        wrong('double spends', doubles - oldDoubles, expected.doubles) ??
        wrong('retractions', count('disconnected'), expected.back)
      );
    },
  };
}

function shapeOf({ descriptors, txids, birthdaySeconds }: WatchedWallet): string {
  return [...descriptors.map(({ text }) => text), ...txids.map(({ txid }) => txid), birthdaySeconds].join();
}

/** By the bytes themselves: version, one input, and 32 zeros in front of it. */
function isCoinbase({ raw }: MatchedTx): boolean {
  return raw.subarray(5, 37).every((byte) => byte === 0);
}

/**
 * Each transaction once, with all that was said of it, behind those of them whose outputs it spends: looks into the past for
 * several wallets see several parts of one, and in an order of their own.
 */
function joined(all: readonly MatchedTx[]): readonly MatchedTx[] {
  const byId = new Map<string, MatchedTx>();
  for (const tx of all) {
    const { received, spent } = byId.get(tx.txid) ?? { received: [], spent: [] };
    const isNew = ({ outpoint }: MatchedTx['spent'][number]) =>
      spent.every((each) => keyOf(each.outpoint.txid, each.outpoint.vout) !== keyOf(outpoint.txid, outpoint.vout));
    byId.set(tx.txid, {
      ...tx,
      received: [...received, ...tx.received.filter(({ vout }) => received.every((each) => each.vout !== vout))],
      spent: [...spent, ...tx.spent.filter(isNew)],
    });
  }
  const placed = new Set<MatchedTx>();
  const place = (tx: MatchedTx | undefined) => {
    if (!tx || placed.has(tx)) return;
    for (const { outpoint } of tx.spent) place(byId.get(outpoint.txid));
    placed.add(tx);
  };
  for (const tx of byId.values()) place(tx);
  return [...placed];
}
