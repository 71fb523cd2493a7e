import { toHex } from '@keepwatch/base';
import type { BlockHash, MatchedTx } from '@keepwatch/bitcoin';
import type { BlockRef, Finding, WatchInput } from '@keepwatch/watch';
import { keyOf } from './world.ts';

/**
 * What one input must bring, said again in the plainest way: which transactions are known, and what became of them. It
 * knows the inputs and the findings, and none of the code that is tested.
 */
export interface Story {
  /** A fault in words, or null. */
  readonly note: (input: WatchInput, findings: readonly Finding[]) => string | null;
  readonly toldTip: () => BlockRef | null;
  /** Height above which what happens to a wallet is news. */
  readonly added: ReadonlyMap<string, number>;
  /** Wallets that were taken out, each with the number of findings that there were then. */
  readonly removals: readonly { readonly wallet: string; readonly at: number }[];
}

interface Known {
  status: 'none' | 'claimed' | 'valid' | 'relayed' | 'confirmed' | 'gone';
  block: string | null;
  /** What took its place, where that is known. */
  by: string | null;
  coinbase: boolean;
  readonly wallets: Set<string>;
  readonly content: Set<string>;
  readonly spends: Set<string>;
}

const RANK = { none: -1, gone: -1, claimed: 0, valid: 1, relayed: 2, confirmed: 3 };

/** `isHad`: whether the only source there is has an unconfirmed transaction, and has told it. */
export function createStory(ownerOf: (scriptHex: string) => string, isHad: (txid: string) => boolean): Story {
  const txs = new Map<string, Known>();
  const scripts = new Set<string>();
  const coins = new Map<string, string>();
  const told = new Map<number, string>();
  const held = new Map<string, MatchedTx[]>();
  const conflicts = new Set<string>();
  const added = new Map<string, number>();
  const waiting = new Set<string>();
  const removals: { wallet: string; at: number }[] = [];
  let total = 0;
  let tip: BlockRef | null = null;
  let best = -1;
  /** The first block that the source told; below it only scans know blocks. */
  let lowest = Infinity;

  const walletOf = (owner: string) => owner.slice(0, owner.indexOf('/'));

  /** Takes in what is new of a transaction, and says for which wallets it is. */
  function learn(tx: MatchedTx): { known: Known; grown: Set<string> } | undefined {
    const known: Known = txs.get(tx.txid) ?? {
      ...{ status: 'none', block: null, by: null, coinbase: isCoinbase(tx) },
      ...{ wallets: new Set(), content: new Set(), spends: new Set() },
    };
    const grown = new Set<string>();
    const add = (wallet: string, what: string) => {
      known.wallets.add(wallet);
      if (!known.content.has(`${wallet} ${what}`)) grown.add(wallet);
      known.content.add(`${wallet} ${what}`);
    };
    for (const { vout, script } of tx.received) {
      const owner = ownerOf(toHex(script));
      if (!scripts.has(owner)) continue;
      add(walletOf(owner), `out ${vout}`);
      coins.set(keyOf(tx.txid, vout), walletOf(owner));
    }
    for (const { outpoint } of tx.spent) {
      const key = keyOf(outpoint.txid, outpoint.vout);
      const wallet = coins.get(key);
      if (wallet === undefined) continue;
      add(wallet, `in ${key}`);
      known.spends.add(key);
    }
    if (known.wallets.size === 0) return undefined;
    txs.set(tx.txid, known);
    return { known, grown };
  }

  /** How many findings of double spends this transaction brings. */
  function conflictsOf(txid: string, known: Known): number {
    let count = 0;
    for (const key of known.spends) {
      for (const [other, rival] of txs) {
        const pair = [txid, other].sort().join() + key;
        if (other === txid || !rival.spends.has(key) || conflicts.has(pair)) continue;
        if (rival.status === 'gone' && rival.by !== txid) continue;
        conflicts.add(pair);
        if (coins.has(key)) count++;
      }
    }
    return count;
  }

  function confirm(tx: MatchedTx, block: string, expected: Expected): void {
    const before = txs.get(tx.txid);
    if (before?.status === 'confirmed' && before.block !== block) return;
    const learnt = learn(tx);
    const known = learnt?.known ?? before;
    if (!known || (known.status === 'confirmed' && (learnt?.grown.size ?? 0) === 0)) return;
    known.status = 'confirmed';
    known.block = block;
    expected.doubles += conflictsOf(tx.txid, known);
    for (const rival of txs.values()) {
      const isUnconfirmed = RANK[rival.status] >= 0 && rival.status !== 'confirmed';
      if (rival === known || !isUnconfirmed || ![...rival.spends].some((key) => known.spends.has(key))) continue;
      rival.status = 'gone';
      rival.by = tx.txid;
      expected.lost += rival.wallets.size;
    }
  }

  /** What comes above this height now came after the wallets that there are. */
  function newsFrom(height: number): void {
    for (const [wallet, since] of added) if (since > height) added.set(wallet, height);
  }

  function takeBack(height: number, expected: Expected, hash = told.get(height)): void {
    if (told.get(height) === hash) told.delete(height);
    for (const known of txs.values()) {
      if (known.block !== hash) continue;
      known.status = known.coinbase ? 'gone' : 'valid';
      known.by = null;
      known.block = null;
      expected.back += known.wallets.size;
    }
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
        known.status = 'gone';
        known.by = detail.kind === 'replaced' ? detail.by : null;
        expected.lost += known.wallets.size;
      }
      if (isHad(detail.txid)) return `${id}, and the source has it`;
    }
    return null;
  }

  interface Expected {
    sighted: number | null;
    lost: number;
    doubles: number;
    back: number;
  }

  function expect(input: WatchInput): Expected {
    const expected: Expected = { sighted: 0, lost: 0, doubles: 0, back: 0 };
    switch (input.kind) {
      case 'wallet':
        if (added.has(input.wallet.id)) break;
        added.set(input.wallet.id, tip?.height ?? best);
        if (best < 0) waiting.add(input.wallet.id);
        break;
      case 'wallet-removed':
        if (added.delete(input.wallet)) removals.push({ wallet: input.wallet, at: total });
        for (const owner of scripts) if (walletOf(owner) === input.wallet) scripts.delete(owner);
        for (const [key, wallet] of coins) {
          if (wallet !== input.wallet) continue;
          coins.delete(key);
          // Added anew, it is told anew.
          for (const pair of conflicts) if (pair.endsWith(key)) conflicts.delete(pair);
        }
        for (const [txid, known] of txs) {
          known.wallets.delete(input.wallet);
          for (const each of known.content) if (each.startsWith(`${input.wallet} `)) known.content.delete(each);
          for (const key of known.spends) if (!coins.has(key)) known.spends.delete(key);
          if (known.wallets.size === 0) txs.delete(txid);
        }
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
        expected.sighted = rises ? known.wallets.size : learnt!.grown.size;
        if (expected.sighted > 0) expected.doubles = conflictsOf(input.tx.txid, known);
        break;
      }
      case 'replaced':
      case 'evicted': {
        const known = txs.get(input.txid);
        if (!known || RANK[known.status] < 0 || known.status === 'confirmed') break;
        known.status = 'gone';
        known.by = input.kind === 'replaced' ? input.by : null;
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
        }
        for (const tx of [...matches, ...(held.get(block.hash) ?? [])]) confirm(tx, block.hash, expected);
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
        if (added.has(input.wallet)) for (const { block, matches } of input.found) past(block, matches, expected);
        break;
      default:
        break;
    }
    return expected;
  }

  return {
    toldTip: () => tip,
    added,
    removals,
    note(input, findings) {
      total += findings.length;
      const expected = expect(input);
      if (input.kind === 'tick') {
        const fault = doubted(findings, expected);
        if (fault) return fault;
      }
      const count = (...kinds: string[]) => findings.filter(({ detail }) => kinds.includes(detail.kind)).length;
      const wrong = (what: string, found: number, wanted: number | null) =>
        found === wanted ? null : `${input.kind} brought ${found} ${what} and not ${wanted}`;
      return (
        wrong('sightings', count('sighted'), expected.sighted) ??
        wrong('losses', count('replaced', 'evicted'), expected.lost) ??
        wrong('double spends', count('double-spend'), expected.doubles) ??
        wrong('retractions', count('disconnected'), expected.back)
      );
    },
  };
}

/** By the bytes themselves: version, one input, and 32 zeros in front of it. */
function isCoinbase({ raw }: MatchedTx): boolean {
  return raw.subarray(5, 37).every((byte) => byte === 0);
}
