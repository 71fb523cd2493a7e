import { toHex } from '@keepwatch/base';
import { decodeTransaction, scriptToAddress, type MatchedTx, type Txid } from '@keepwatch/bitcoin';
import { isBump, moneyOf } from './bump.ts';
import type { BlockRef, ChainInput } from './chain-input.ts';
import type { Direction, Evidence, Movement } from './finding.ts';
import { conflictKey, inBlockId, movementsOf } from './id.ts';
import { isUsed, losersOf, receiversOf, watchersOf } from './settled.ts';
import {
  hasReceived,
  outpointKey,
  outpointOf,
  type Money,
  type TxFact,
  type TxPart,
  type TxRecord,
  type WatchState,
} from './state.ts';
import { emit, named, tell, type Turn } from './turn.ts';
import { tellUnvaults } from './unvault.ts';

type Of<K extends ChainInput['kind']> = Extract<ChainInput, { readonly kind: K }>;

const RANK = { claimed: 0, valid: 1, relayed: 2 } as const;

/** Somebody says that there is a transaction, or more is known about it. */
export function decideSighting(turn: Turn, { tx, grade, seenBy }: Of<'sighted'>): void {
  const { state } = turn;
  const known = state.txs.get(tx.txid);
  if (known?.status.kind === 'confirmed') return;
  const fact = ours(turn, tx);
  if (!fact && !known) return;
  const before = known?.status.kind === 'unconfirmed' ? known.status.grade : null;
  const rises = before === null || RANK[grade] > RANK[before];
  const grown = fact ? grownWallets(turn, fact, known) : new Set<string>();
  if (!rises && grown.size === 0) {
    if (state.unconfirmed.get(tx.txid)! > 0) emit(turn, { kind: 'tx-seen', txid: tx.txid });
    return;
  }
  const now = before !== null && !rises ? before : grade;
  emit(turn, { kind: 'tx', tx: fact ?? factOf(known!), at: { grade: now } });
  const record = state.txs.get(tx.txid)!;
  const evidence: Evidence = { txid: tx.txid, grade: now, seenBy };
  for (const { wallet, sightings } of record.parts) {
    if (!rises && !grown.has(wallet)) continue;
    const part = record.parts.find((each) => each.wallet === wallet)!;
    const movement = movementOf(turn, record, part);
    const direction = directionOf(turn, record, part, movement);
    const amends =
      !rises && sightings > 0 ? { amends: named(turn, wallet, sightedId(wallet, tx.txid, sightings - 1)) } : {};
    const detail = { kind: 'sighted', direction, grade: now, ...movement, ...amends } as const;
    tell(turn, sightedId(wallet, tx.txid, sightings), wallet, evidence, detail);
    if (sightings === 0) tellLarge(turn, record, movement, wallet, evidence, false);
    if (known || sightings === 0) tellUnvaults(turn, record, wallet, evidence, false, known);
  }
  decideConflicts(turn, record, fact?.money ?? record.money, evidence);
}

function sightedId(wallet: string, txid: Txid, number: number): string {
  return `sighted:${wallet}:${txid}${number === 0 ? '' : `~${number}`}`;
}

/** A transaction in a block of the chain, known before or not. The block is connected already. */
export function decideConfirmed(turn: Turn, fact: TxFact, block: BlockRef, seenBy: readonly string[], late: boolean) {
  const { state } = turn;
  const known = state.txs.get(fact.txid);
  const isInBlock = known?.status.kind === 'confirmed';
  if (isInBlock && (known.status as { block: BlockRef }).block.hash !== block.hash) return;
  const mine = attributable(turn, fact);
  if (!mine && !known) return;
  const grown = mine ? grownWallets(turn, mine, known) : new Set<string>();
  if (isInBlock && grown.size === 0) return;
  emit(turn, { kind: 'tx', tx: mine ?? factOf(known!), at: { block } });
  const record = state.txs.get(fact.txid)!;
  const evidence: Evidence = { txid: fact.txid, block, grade: 'confirmed', seenBy };
  const used = usedByOthers(turn, record);
  for (const part of record.parts) {
    const { wallet } = part;
    if (part.silent || (isInBlock && !grown.has(wallet))) continue;
    const id = (what: string) => inBlockId(what, wallet, fact.txid, block, record.round);
    const movement = movementOf(turn, record, part);
    const direction = directionOf(turn, record, part, movement);
    const earlier = movementsOf(part.told);
    const suffix = earlier.length === 0 ? '' : `~${earlier.length}`;
    const amends = earlier.length === 0 ? {} : { amends: named(turn, wallet, id(earlier.at(-1)!)) };
    tell(turn, id(`${direction}${suffix}`), wallet, evidence, { kind: direction, ...movement, ...amends }, late);
    tellLarge(turn, record, movement, wallet, evidence, late);
    tellUnvaults(turn, record, wallet, evidence, late);
    // Of an output that was known here already it was decided then: what came since is the second use, and not this one.
    const decided = isInBlock ? (known.parts.find((each) => each.wallet === wallet)?.vouts ?? []) : [];
    const again = part.vouts.filter((vout) => used.has(vout) && !decided.includes(vout));
    tellPrivacy(turn, record, part, evidence, again, late);
  }
  decideConflicts(turn, record, mine?.money ?? record.money, evidence);
  loseRivals(turn, record, seenBy);
  tellDepths(turn, record.txid, seenBy, late);
}

/** Outputs of a transaction in a block to whose scripts others in blocks pay as well. */
function usedByOthers({ state }: Turn, { txid, parts }: TxRecord): ReadonlySet<number> {
  const byScript = new Map<string, number[]>();
  for (const vout of new Set(parts.flatMap((part) => part.vouts))) {
    const hex = toHex(state.coins.get(outpointKey({ txid, vout }))!.script!);
    byScript.set(hex, [...(byScript.get(hex) ?? []), vout]);
  }
  return new Set([...byScript].flatMap(([hex, own]) => (isUsed(state, hex, own.length) ? own : [])));
}

/** Each depth that the transaction has reached and that was not told of it in this block. */
export function tellDepths(turn: Turn, txid: Txid, seenBy: readonly string[], late: boolean): void {
  const { state } = turn;
  const { depths } = state.settings;
  const record = state.txs.get(txid);
  if (record?.status.kind !== 'confirmed' || state.tip === null) return;
  const { block } = record.status;
  const reached = state.tip.height - block.height + 1;
  for (const depth of depths) {
    if (depth > reached) continue;
    for (const part of record.parts) {
      const what = `confirmed/${depth}`;
      if (part.silent || part.told.includes(what)) continue;
      const id = inBlockId(what, part.wallet, txid, block, record.round);
      const detail = { kind: 'confirmed', txid, depth, buried: depth === depths.at(-1) } as const;
      tell(turn, id, part.wallet, { txid, block, grade: 'confirmed', seenBy }, detail, late);
    }
  }
}

/** An unconfirmed transaction is replaced, or no longer in the mempool. */
export function decideLoss(turn: Turn, input: Of<'replaced' | 'evicted'>): void {
  const record = turn.state.txs.get(input.txid);
  if (record?.status.kind === 'unconfirmed') lose(turn, record, 'by' in input ? input.by : null, input.seenBy);
}

function lose(turn: Turn, record: TxRecord, by: Txid | null, seenBy: readonly string[]): void {
  const { txid, parts } = record;
  const times = record.round + record.returns;
  emit(turn, { kind: 'tx-gone', txid, by });
  for (const { wallet } of parts) {
    const what = by === null ? 'evicted' : `replaced/${by}`;
    const id = `${what}:${wallet}:${txid}${times === 0 ? '' : `~${times}`}`;
    const detail = by === null ? ({ kind: 'evicted', txid } as const) : ({ kind: 'replaced', txid, by } as const);
    tell(turn, id, wallet, { txid, seenBy }, detail);
  }
}

/** How long a source is live until what it did not say is taken for what it does not have. */
const SETTLE_MS = 30_000;
/** Nodes keep what is unconfirmed for so long (DEFAULT_MEMPOOL_EXPIRY_HOURS of Bitcoin Core: 336). */
const EXPIRY_MS = 336 * 3_600_000;

/**
 * What nobody was heard to have since a start, or since its block left the chain, went while nobody looked: it is told as
 * lost once a source with a whole mempool has said all that it has or, where there is none, when nodes forget.
 */
export function decideDoubts(turn: Turn): void {
  const { state, nowMs } = turn;
  if (state.catchingUp) return;
  const whole = [...state.sources.entries()].filter(
    ([, source]) => source.state === 'live' && source.mempool === 'whole',
  );
  const liveMs = Math.min(...whole.map(([, { sinceMs }]) => sinceMs));
  for (const [txid, sinceMs] of state.unconfirmed.entries()) {
    if (sinceMs === 0) continue;
    const isOver = whole.length > 0 && nowMs - Math.max(sinceMs, liveMs) >= SETTLE_MS;
    if (!isOver && nowMs - sinceMs < EXPIRY_MS) continue;
    const record = state.txs.get(txid)!;
    lose(turn, record, successorOf(turn, record), isOver ? whole.map(([name]) => name) : []);
  }
}

/** Another transaction that spends a coin of it, and that somebody has. */
function successorOf({ state }: Turn, { txid, parts }: TxRecord): Txid | null {
  for (const key of new Set(parts.flatMap(({ spent }) => spent))) {
    for (const other of state.coins.get(key)!.spenders) {
      const stands = state.txs.get(other)?.status.kind === 'confirmed' || state.unconfirmed.get(other) === 0;
      if (other !== txid && stands) return other;
    }
  }
  return null;
}

/**
 * Other transactions that spend a coin which this one spends too, and are not known to have lost. Which of the two was there
 * before is decided once: one that only raised the fee is told as no double spend later either, whichever wins.
 */
function decideConflicts(turn: Turn, record: TxRecord, money: Money | undefined, evidence: Evidence): void {
  const { state } = turn;
  const { txid, parts } = record;
  for (const key of new Set(parts.flatMap(({ spent }) => spent))) {
    for (const other of state.coins.get(key)!.spenders) {
      const coin = state.coins.get(key)!;
      if (other === txid || coin.conflicts.includes(conflictKey(txid, other))) continue;
      const rival = state.txs.get(other);
      // Some sources say first that the one was replaced and then by what: it is the same happening.
      if (!rival || (rival.status.kind === 'gone' && rival.status.by !== txid)) continue;
      const outpoint = outpointOf(key);
      emit(turn, { kind: 'conflict', outpoint, txid, other });
      for (const wallet of coin.wallets) {
        if (isBump(state, wallet, record, money, rival)) continue;
        const id = `double-spend:${wallet}:${conflictKey(txid, other)}/${key}`;
        tell(turn, id, wallet, evidence, { kind: 'double-spend', txid, other, outpoint });
      }
    }
  }
}

/** What spends the same coin and is in no block can no longer stand. */
function loseRivals(turn: Turn, { txid, parts }: TxRecord, seenBy: readonly string[]): void {
  const { state } = turn;
  for (const key of new Set(parts.flatMap(({ spent }) => spent))) {
    for (const other of state.coins.get(key)!.spenders) {
      const rival = state.txs.get(other);
      if (other !== txid && rival?.status.kind === 'unconfirmed') lose(turn, rival, txid, seenBy);
    }
  }
}

function tellLarge(
  turn: Turn,
  { txid, round }: TxRecord,
  { receivedSats, spentSats }: Movement,
  wallet: string,
  evidence: Evidence,
  late: boolean,
): void {
  const limitSats = turn.state.wallets.get(wallet)?.wallet.limits.largeSats ?? null;
  const net = receivedSats - spentSats;
  const sats = net < 0n ? -net : net;
  if (limitSats === null || sats < limitSats) return;
  const told = turn.state.txs.get(txid)!.parts.find((part) => part.wallet === wallet)!.told;
  if (evidence.block && told.includes('large-amount')) return;
  const id = evidence.block
    ? inBlockId('large-amount', wallet, txid, evidence.block, round)
    : `large-amount:${wallet}:${txid}`;
  tell(turn, id, wallet, evidence, { kind: 'large-amount', txid, sats, limitSats }, late);
}

/** Dust that strangers send, and addresses that are paid again: both say who owns what. */
function tellPrivacy(
  turn: Turn,
  { txid, round }: TxRecord,
  part: TxPart,
  evidence: Evidence,
  usedAgain: readonly number[],
  late: boolean,
): void {
  const { state } = turn;
  const { wallet } = part;
  const watched = state.wallets.get(wallet)?.wallet;
  if (!watched) return;
  const told = state.txs.get(txid)!.parts.find((each) => each.wallet === wallet)!.told;
  const id = (what: string) => inBlockId(what, wallet, txid, evidence.block!, round);
  for (const vout of part.vouts) {
    const coin = state.coins.get(outpointKey({ txid, vout }))!;
    const { dustSats } = watched.limits;
    const dust = `dust/${vout}`;
    if (part.spent.length === 0 && dustSats !== null && coin.sats! < dustSats && !told.includes(dust)) {
      const detail = { kind: 'dust', txid, outpoint: { txid, vout }, sats: coin.sats! } as const;
      tell(turn, id(dust), wallet, evidence, detail, late);
    }
    // An address that stands alone is there to be paid again.
    const isRanged = state.scripts
      .find(coin.script!)
      .some((place) => place.wallet === wallet && watched.descriptors[place.descriptor]!.ranged);
    const reuse = `address-reuse/${vout}`;
    const address = scriptToAddress(coin.script!, state.settings.network);
    if (!isRanged || address === undefined || !usedAgain.includes(vout) || told.includes(reuse)) continue;
    tell(turn, id(reuse), wallet, evidence, { kind: 'address-reuse', txid, address }, late);
  }
}

function movementOf(turn: Turn, { txid }: TxRecord, part: TxPart): Movement {
  const { state } = turn;
  const received = part.vouts.map((vout) => {
    const { sats, script } = state.coins.get(outpointKey({ txid, vout }))!;
    return { txid, vout, address: scriptToAddress(script!, state.settings.network) ?? null, sats: sats! };
  });
  const spent = part.spent.map((key) => ({ ...outpointOf(key), sats: state.coins.get(key)!.sats }));
  const sum = (list: readonly { readonly sats: bigint | null }[]) =>
    list.reduce((total, { sats }) => total + (sats ?? 0n), 0n);
  return { txid, receivedSats: sum(received), spentSats: sum(spent), received, spent };
}

/** By what is left in the end: whoever gets more out of a common transaction than he puts in has received. */
function directionOf(
  { state }: Turn,
  { txid, outputs }: TxRecord,
  part: TxPart,
  { receivedSats, spentSats }: Movement,
): Direction {
  // The inputs of a transaction that is watched by its id are watched as well, and are none of this wallet's coins.
  const isNamed = state.byTxid.get(txid)?.includes(part.wallet) ?? false;
  if (isNamed && part.vouts.length === 0 && !part.spent.some((key) => isOwn(state, part.wallet, key))) return 'watched';
  if (part.spent.length === 0) return 'received';
  if (part.vouts.length === outputs) return 'self-transfer';
  return receivedSats > spentSats ? 'received' : 'spent';
}

/** A coin that the wallet received, or that it watches for itself. */
function isOwn(state: WatchState, wallet: string, key: string): boolean {
  const outpoints = state.wallets.get(wallet)?.wallet.outpoints ?? [];
  return hasReceived(state, wallet, outpointOf(key)) || outpoints.some((each) => outpointKey(each) === key);
}

/** Wallets for which the fact holds more than is known of the transaction. */
function grownWallets(turn: Turn, fact: TxFact, known: TxRecord | undefined): ReadonlySet<string> {
  const { state } = turn;
  const grown = new Set<string>();
  const partOf = (id: string) => known?.parts.find(({ wallet }) => wallet === id);
  for (const id of watchersOf(state, fact.txid)) if (!partOf(id)) grown.add(id);
  for (const { vout, script } of fact.received) {
    for (const { wallet } of receiversOf(state, fact.txid, vout, script)) {
      if (!partOf(wallet)?.vouts.includes(vout)) grown.add(wallet);
    }
  }
  for (const outpoint of fact.spent) {
    const key = outpointKey(outpoint);
    for (const wallet of losersOf(state, key, fact.txid)) {
      if (!partOf(wallet)?.spent.includes(key)) grown.add(wallet);
    }
  }
  return grown;
}

/** What a source reports, as far as it is kept. Bytes that cannot be read say nothing more than what was matched. */
export function factOfMatch({ txid, raw, received, spent }: MatchedTx): TxFact {
  const decoded = decodeTransaction(raw);
  const inputs = decoded.ok ? decoded.value.inputs : [];
  const money = decoded.ok && spent.length > 0 ? moneyOf(decoded.value) : undefined;
  return {
    txid,
    coinbase: inputs.length === 1 && inputs[0]!.vout === 0xffff_ffff && inputs[0]!.previous.every((byte) => byte === 0),
    outputs: decoded.ok ? decoded.value.outputs.length : received.length,
    received: received.map(({ vout, script, sats }) => ({ vout, script, sats })),
    spent: spent.map(({ outpoint }) => ({ txid: outpoint.txid, vout: outpoint.vout })),
    ...(money ? { money } : {}),
  };
}

function ours(turn: Turn, tx: MatchedTx): TxFact | undefined {
  return attributable(turn, factOfMatch(tx));
}

/**
 * The part of a fact that concerns watched wallets, and is not settled; a source may still watch what was taken out here.
 */
function attributable({ state }: Turn, fact: TxFact): TxFact | undefined {
  const { txid } = fact;
  const received = fact.received.filter(({ vout, script }) => receiversOf(state, txid, vout, script).length > 0);
  const spent = fact.spent.filter((outpoint) => losersOf(state, outpointKey(outpoint), txid).length > 0);
  if (received.length + spent.length === 0 && watchersOf(state, txid).length === 0) return undefined;
  const { money, ...rest } = fact;
  return { ...rest, received, spent, ...(money && spent.length > 0 ? { money } : {}) };
}

/** What is known already, said again in another status. */
function factOf({ txid, coinbase, outputs }: TxRecord): TxFact {
  return { txid, coinbase, outputs, received: [], spent: [] };
}
