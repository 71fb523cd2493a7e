import type { Outpoint, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, ChainInput } from './chain-input.ts';
import { decideConfirmed, factOfMatch, tellDepths } from './decide-tx.ts';
import { holdingOf, inBlockId } from './id.ts';
import { outpointKey, outpointOf, type TxFact, type TxRecord, type WatchState } from './state.ts';
import { isSpent, medianWith, openingsOf, waitingFor } from './timelock.ts';
import { emit, named, tell, type Turn } from './turn.ts';
import { closeCondition, decidePace, endCatchUp } from './decide-condition.ts';

type Of<K extends ChainInput['kind']> = Extract<ChainInput, { readonly kind: K }>;

/** A block on top of the tip. Told again, it can only say more of what it holds. */
export function decideBlock(turn: Turn, { block, matches, seenBy }: Of<'connected'>): void {
  const { state, nowMs } = turn;
  const facts = matches.map(factOfMatch);
  const isKnown = state.blocks.get(block.height)?.hash === block.hash;
  if (isKnown && isTold(state, block.height)) {
    for (const fact of facts) decideConfirmed(turn, fact, block, seenBy, true);
    return;
  }
  // A source that did not say that blocks left the chain is believed in what it says now: another block stands in their place.
  takeBackAbove(turn, isKnown ? block.height : block.height - 1, null, seenBy);
  const late = isLate(turn, block);
  if (state.catchingUp && block.timeSeconds * 1_000 >= state.catchingUp.sinceMs) endCatchUp(turn);
  const held = parentsFirst(state.held.get(block.hash)?.txs ?? []);
  const waiting = waitingFor(state, block);
  emit(turn, { kind: 'block', block, atMs: nowMs });
  closeCondition(turn, 'tip-stalled', (id) =>
    tell(turn, id, null, { block, seenBy }, { kind: 'tip-stalled', lastBlock: block, forSeconds: 0, over: true }),
  );
  decidePace(turn, { block, seenBy });
  for (const fact of facts) decideConfirmed(turn, fact, block, seenBy, late);
  for (const fact of held) decideConfirmed(turn, fact, block, seenBy, late);
  for (const depth of state.settings.depths.toReversed()) {
    const below = state.blocks.get(block.height - depth + 1);
    for (const txid of (below && state.blockTxs.get(below.hash)) ?? []) tellDepths(turn, txid, seenBy, late);
  }
  tellOpenings(turn, waiting, block, late);
  if (block.height >= state.bestHeight) tellBalances(turn, block, seenBy, late);
}

/** Below the first block that was told only scans know blocks: some of what these hold, on whichever branch. */
const isTold = ({ lowestHeight }: WatchState, height: number) => height >= lowestHeight;

/**
 * The tip leaves the chain, and what was told of its transactions no longer holds. Below the first block that was told, only
 * scans know blocks, and a scan may have been ahead on the other branch: where its block is not the one that the source names
 * as leaving or as staying, it is taken back too, and told anew once it is connected. Such a block is never the tip then: a
 * restart would go on behind it, and what the scan did not look for in it would be in no balance. The fork is: all above it
 * is told, to whoever asks from there.
 */
export function decideBlockBack(turn: Turn, { block, fork, seenBy }: Of<'disconnected'>): void {
  const { state } = turn;
  if (state.tip !== null && state.tip.hash !== block.hash) return;
  if (state.tip === null && !state.blockTxs.has(block.hash)) return;
  const found = state.blocks.get(block.height);
  if (found && found.hash !== block.hash) takeBack(turn, found, block, seenBy);
  const isNext = fork.height === block.height - 1;
  const below = isNext || !isTold(state, block.height - 1) ? undefined : state.blocks.get(block.height - 1);
  takeBack(turn, block, below ?? fork, seenBy);
  if (state.tip?.hash === fork.hash) takeBackAbove(turn, fork.height, fork, seenBy);
  const base = state.blocks.get(fork.height);
  if (state.tip?.hash === fork.hash && base && base.hash !== fork.hash) takeBack(turn, base, fork, seenBy);
}

/** All blocks above this height leave the chain. `to`: the tip then, where it is known. */
function takeBackAbove(turn: Turn, height: number, to: BlockRef | null, seenBy: readonly string[]): void {
  const { state } = turn;
  const top = Math.max(state.tip?.height ?? -1, state.bestHeight);
  for (let each = top; each > height; each--) {
    const block = state.blocks.get(each) ?? (state.tip?.height === each ? state.tip : undefined);
    const below = isTold(state, each - 1) ? state.blocks.get(each - 1) : undefined;
    if (block) takeBack(turn, block, to ?? below ?? null, seenBy);
  }
}

/**
 * What was known of the block waits for its return. Its source may have looked through it before it knew of a wallet whose
 * scan, which is past it by now, found something in it: it would return without.
 */
function takeBack(turn: Turn, block: BlockRef, to: BlockRef | null, seenBy: readonly string[]): void {
  const { state, nowMs } = turn;
  const before = (state.blockTxs.get(block.hash) ?? []).map((txid) => state.txs.get(txid)!);
  const facts = before.map((record) => factOfRecord(state, record));
  emit(turn, { kind: 'block-back', block, to, atMs: nowMs });
  hold(turn, block, facts);
  // What was told last is taken back first.
  for (const { txid, parts, round } of before.toReversed()) {
    for (const { wallet, told } of parts) {
      const id = (what: string) => inBlockId(what, wallet, txid, block, round);
      const detail = {
        kind: 'disconnected',
        txid,
        retracts: holdingOf(told).map((what) => named(turn, wallet, id(what))),
      } as const;
      tell(turn, id('disconnected'), wallet, { txid, block, seenBy }, detail);
    }
  }
}

/** More is known of a block that was told. */
export function decideSupplement(turn: Turn, { block, matches, seenBy }: Of<'supplement'>): void {
  decidePast(turn, block, matches.map(factOfMatch), seenBy);
}

export function decideHistory(turn: Turn, { scans, found, toHeight, done }: Of<'history'>): void {
  const { state } = turn;
  const asked = new Map<string, { scan: number; transactions: number }>();
  for (const { wallet, scan } of scans) if (state.wallets.has(wallet)) asked.set(wallet, { scan, transactions: 0 });
  if (asked.size === 0) return;
  const whose = (txid: Txid) => (state.txs.get(txid)?.parts ?? []).map((part) => part.wallet);
  for (const { block, matches } of found) {
    const before = new Map(matches.map(({ txid }) => [txid, whose(txid)]));
    decidePast(turn, block, matches.map(factOfMatch), []);
    for (const [txid, known] of before) {
      for (const wallet of whose(txid)) {
        const of = known.includes(wallet) ? undefined : asked.get(wallet);
        if (of) of.transactions++;
      }
    }
  }
  for (const [wallet, { scan, transactions }] of asked) tellScan(turn, { wallet, scan, toHeight, done, transactions });
}

interface Scanned {
  readonly wallet: string;
  readonly scan: number;
  readonly toHeight: number;
  readonly done: boolean;
  /** That are new to it. */
  readonly transactions: number;
}

function tellScan(turn: Turn, { wallet, scan, toHeight, done, transactions }: Scanned): void {
  const record = turn.state.wallets.get(wallet)!;
  if (record.scan === null) return;
  // Scripts were added meanwhile, or are to be: another scan looks for them, from where this one was known to be.
  if (record.scan.scan !== scan || turn.state.scriptsDue.has(wallet)) {
    if (transactions > 0) emit(turn, { kind: 'scan-progress', wallet, toHeight: null, done: false, transactions });
    return;
  }
  emit(turn, { kind: 'scan-progress', wallet, toHeight, done, transactions });
  if (!record.scan.first || !done) return;
  const told = record.scan.transactions + transactions;
  const detail = { kind: 'backfilled', toHeight, transactions: told } as const;
  tell(turn, `backfilled:${wallet}:${scan}`, wallet, { seenBy: [] }, detail);
}

function decidePast(turn: Turn, block: BlockRef, facts: readonly TxFact[], seenBy: readonly string[]): void {
  const { state } = turn;
  const top = state.tip?.height ?? state.bestHeight;
  const ours = state.blocks.get(block.height);
  if (block.height > top || (ours !== undefined && ours.hash !== block.hash)) {
    hold(turn, block, facts);
    return;
  }
  for (const fact of facts) decideConfirmed(turn, fact, block, seenBy, true);
}

/** What is known of a transaction, as a source would say it. */
function factOfRecord(state: WatchState, { txid, coinbase, outputs, parts }: TxRecord): TxFact {
  const vouts = [...new Set(parts.flatMap((part) => part.vouts))];
  const received = vouts.map((vout) => {
    const { script, sats } = state.coins.get(outpointKey({ txid, vout }))!;
    return { vout, script: script!, sats: sats! };
  });
  const spent = [...new Set(parts.flatMap((part) => part.spent))].map(outpointOf);
  return { txid, coinbase, outputs, received, spent };
}

/** A scan was faster than the chain that is told, or is on another branch: what it found waits for its block. */
function hold(turn: Turn, block: BlockRef, facts: readonly TxFact[]): void {
  const { txs = [] } = turn.state.held.get(block.hash) ?? {};
  const all = new Map(txs.map((fact) => [fact.txid, fact]));
  // The scan of another wallet sees another part of the same transaction.
  for (const fact of facts) all.set(fact.txid, joined(all.get(fact.txid), fact));
  const isMore = [...all.values()].some((fact) => !txs.includes(fact));
  if (isMore) emit(turn, { kind: 'held', block, txs: [...all.values()] });
}

/** All that two facts say of a transaction; the first one itself where the second says no more. */
function joined(known: TxFact | undefined, fact: TxFact): TxFact {
  if (!known) return fact;
  const received = fact.received.filter(({ vout }) => known.received.every((each) => each.vout !== vout));
  const spent = fact.spent.filter((outpoint) => known.spent.every((each) => !isSame(each, outpoint)));
  if (received.length + spent.length === 0) return known;
  return { ...known, received: [...known.received, ...received], spent: [...known.spent, ...spent] };
}

/**
 * Each after those of them whose outputs it spends: whose coin that is has to be known before it is spent. Scans of several
 * wallets hold them in the order in which they found them.
 */
function parentsFirst(facts: readonly TxFact[]): readonly TxFact[] {
  const byTxid = new Map(facts.map((fact) => [fact.txid, fact]));
  const seen = new Set<Txid>();
  const sorted: TxFact[] = [];
  for (const fact of facts) {
    const path = seen.has(fact.txid) ? [] : [fact];
    seen.add(fact.txid);
    for (let last = path.at(-1); last; last = path.at(-1)) {
      const next = last.spent.map(({ txid }) => byTxid.get(txid)).find((each) => each && !seen.has(each.txid));
      if (next) {
        seen.add(next.txid);
        path.push(next);
      } else sorted.push(path.pop()!);
    }
  }
  return sorted;
}

const isSame = (one: Outpoint, other: Outpoint) => one.txid === other.txid && one.vout === other.vout;

function tellOpenings(turn: Turn, waiting: readonly string[], block: BlockRef, late: boolean): void {
  const { state } = turn;
  const median = medianWith(state, block);
  for (const key of waiting) {
    const coin = state.coins.get(key);
    if (!coin || isSpent(state, coin)) continue;
    for (const { wallet, by, opensAt, soon, open } of openingsOf(state, coin)) {
      const record = state.txs.get(coin.txid)!;
      if (record.status.kind !== 'confirmed') continue;
      const now = by === 'time' ? median : block.height;
      const stage = now >= open ? 'open' : now >= soon ? 'soon' : undefined;
      const what = `timelock-expiry/${coin.vout}/${by === 'time' ? 't' : ''}${opensAt}/${stage}`;
      const told = record.parts.find((part) => part.wallet === wallet)?.told;
      if (stage === undefined || told === undefined || told.includes(what)) continue;
      const left = Math.max(0, open - now);
      const outpoint = { txid: coin.txid, vout: coin.vout };
      const when =
        by === 'time' ? { opensAtSeconds: opensAt, secondsLeft: left } : { opensAtHeight: opensAt, blocksLeft: left };
      const detail = { kind: 'timelock-expiry', outpoint, ...when, sats: coin.sats! } as const;
      const evidence = { txid: coin.txid, block: record.status.block, seenBy: [] };
      tell(turn, inBlockId(what, wallet, coin.txid, record.status.block, record.round), wallet, evidence, detail, late);
    }
  }
}

/** Compares balances that changed with their limits, once the chain is as long as it was: not in the midst of a reorg. */
function tellBalances(turn: Turn, block: BlockRef, seenBy: readonly string[], late: boolean): void {
  const { state } = turn;
  const changed = [...state.unsettled.keys()].map((id) => {
    const { wallet, confirmedSats: sats, above: wasAbove, below: wasBelow, crossings } = state.wallets.get(id)!;
    const { aboveSats, belowSats } = wallet.limits;
    const above = aboveSats !== null && sats > aboveSats;
    const below = belowSats !== null && sats < belowSats;
    return {
      id,
      sats,
      aboveSats,
      belowSats,
      above,
      below,
      rose: above && !wasAbove,
      fell: below && !wasBelow,
      number: crossings + 1,
    };
  });
  if (changed.length === 0) return;
  emit(turn, { kind: 'settled', wallets: changed.map(({ id, above, below }) => ({ id, above, below })) });
  for (const { id, sats, aboveSats, belowSats, rose, fell, number } of changed) {
    const say = (kind: 'balance-above' | 'balance-below', limitSats: bigint) =>
      tell(turn, `${kind}/${number}:${id}`, id, { block, seenBy }, { kind, sats, limitSats }, late);
    if (rose) say('balance-above', aboveSats!);
    if (fell) say('balance-below', belowSats!);
  }
}

function isLate({ state, nowMs }: Turn, block: BlockRef): boolean {
  const minedMs = block.timeSeconds * 1_000;
  const { catchingUp, settings } = state;
  return nowMs - minedMs > settings.lateAfterSeconds * 1_000 || (catchingUp !== null && minedMs < catchingUp.sinceMs);
}
