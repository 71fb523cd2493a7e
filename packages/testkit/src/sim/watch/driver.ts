import { toHex } from '@keepwatch/base';
import {
  applyWatchEvent,
  createWatchState,
  cursorBlocks,
  decodeWatchEvent,
  decodeWatchState,
  DEFAULT_SETTINGS,
  dueScans,
  dueScripts,
  encodeWatchEvent,
  encodeWatchState,
  walletBalance,
  watchedCoins,
  watchedScripts,
  watchStep,
  type Finding,
  type WatchedWallet,
  type WatchEvent,
  type WatchInput,
  type WatchSettings,
} from '@keepwatch/watch';
import type { BlockHash, MatchedTx, Txid } from '@keepwatch/bitcoin';
import type { Random } from '../random.ts';
import { keyOf, matchOf, scriptOf, type SimBlock, type SimTx, type World } from './world.ts';

/**
 * A monitor as far as the watch needs one: a journal of encoded events with snapshots, one source with its watch set and a
 * queue in front of the watch, scans. It can die before and after each append.
 */
export interface Driver {
  /** What stands in the journal, read. */
  readonly events: () => readonly WatchEvent[];
  readonly crashes: () => number;
  readonly waiting: () => number;
  /** The owner's wishes; they hold over restarts. */
  readonly configure: (wallet: WatchedWallet) => void;
  readonly remove: (id: string) => void;
  readonly start: () => void;
  /** It ends, and the world goes on without it until it is started. */
  readonly stop: () => void;
  readonly isDown: () => boolean;
  /** ms since 1970; so much time passes, and nobody is told. */
  readonly nowMs: () => number;
  readonly elapse: (ms: number) => void;
  readonly mined: (block: SimBlock) => void;
  readonly tookBack: (block: SimBlock) => void;
  readonly sight: (tx: SimTx, grade: 'claimed' | 'valid' | 'relayed') => void;
  readonly lose: (txid: Txid, by: Txid | null) => void;
  /** What the source sighted and no longer has it says, now or some time later. */
  readonly notice: () => void;
  /** Hands the watch the next thing that waits. */
  readonly deliver: () => void;
  readonly again: () => void;
  readonly derive: () => boolean;
  readonly scan: (blocks: number) => boolean;
  readonly release: () => void;
  readonly tick: () => void;
  /** So much time passes, and the watch is told so. */
  readonly pass: (ms: number) => void;
  /** What the watch takes for unconfirmed. */
  readonly unconfirmed: () => readonly Txid[];
  /** In the mempool, and held back by the source that is listened to, or said and not heard yet. */
  readonly isHeldBack: (txid: Txid) => boolean;
  readonly known: (wallet: string) => boolean;
  readonly balance: (wallet: string) => bigint;
  /** Of how many outputs of transactions nothing but the short form is left. */
  readonly settled: () => number;
}

export interface DriverOptions {
  readonly settings: Partial<WatchSettings>;
  /** One in so many steps ends in a crash; 0: none. */
  readonly crashEvery: () => number;
  /** Whether sources hold things back. */
  readonly troubled: () => boolean;
  readonly note: (input: WatchInput, findings: readonly Finding[], nowMs: number) => void;
  /** Whether events go through their encoding: it takes most of the time, so not every history does. */
  readonly encoded: boolean;
  readonly startMs: number;
}

export function createDriver(world: World, random: Random, options: DriverOptions): Driver {
  const settings = { ...DEFAULT_SETTINGS, network: 'regtest', ...options.settings } as const;
  const journal: (Uint8Array | WatchEvent)[] = [];
  let snapshot: { at: number; bytes: Uint8Array } | null = null;
  let state = createWatchState(settings);
  let nowMs = options.startMs;
  let crashes = 0;
  let isDown = false;
  const wishes = new Map<string, WatchedWallet>();
  let scripts = new Set<string>();
  let coins = new Set<string>();
  let queue: WatchInput[] = [];
  let last: WatchInput | null = null;
  /** What the source that is listened to does not say; another one will. */
  let withheld: Extract<WatchInput, { kind: 'supplement' }>[] = [];
  const hidden = new Set<string>();
  /** What the source sighted, as far as it did not say what became of it. */
  const sighted = new Set<Txid>();
  /** In the mempool, and not told since the start. */
  const heldBack = new Set<Txid>();
  const scans = new Map<string, { scan: number; next: number; coins: Set<string> }>();
  const seenBy = ['sim'];

  function feed(input: WatchInput): void {
    nowMs += 1_000 + random.below(20_000);
    const events = watchStep(state, input, nowMs);
    const every = options.crashEvery();
    const fate = every === 0 ? -1 : random.below(every);
    if (fate === 0) {
      if (input.kind === 'supplement') queue.unshift(input);
      return crash();
    }
    for (const event of events) journal.push(options.encoded ? encodeWatchEvent(event) : event);
    options.note(
      input,
      events.flatMap((event) => (event.kind === 'finding' ? [event.finding] : [])),
      nowMs,
    );
    last = input;
    if (fate === 1) {
      const whole = random.chance(0.1);
      if (whole) for (const event of events) applyWatchEvent(state, event);
      const before = whole ? encodeWatchState(state) : null;
      return crash(before);
    }
    for (const event of events) applyWatchEvent(state, event);
    for (const event of events) follow(event);
    if (random.chance(0.01)) snapshot = { at: journal.length, bytes: encodeWatchState(state) };
  }

  function read(entry: Uint8Array | WatchEvent): WatchEvent {
    if (!(entry instanceof Uint8Array)) return entry;
    const event = decodeWatchEvent(entry);
    if (!event.ok) throw new Error(event.error);
    return event.value;
  }

  /** The source watches what the watch came to know. */
  function follow(event: WatchEvent): void {
    if (event.kind === 'scripts-added') {
      const { wallet, branch, from, to } = event.range;
      for (let index = from; index < to; index++) scripts.add(toHex(scriptOf({ wallet, branch, index })));
    } else if (event.kind === 'wallet-put') {
      for (const { scripts: some, inputs } of event.wallet.txids) {
        for (const script of some) scripts.add(toHex(script));
        for (const { txid, vout } of inputs) coins.add(keyOf(txid, vout));
      }
    } else if (event.kind === 'tx') {
      for (const { vout } of event.tx.received) coins.add(keyOf(event.tx.txid, vout));
    }
  }

  function crash(before: Uint8Array | null = null): void {
    crashes++;
    const saved = snapshot && decodeWatchState(snapshot.bytes);
    if (saved && !saved.ok) throw new Error(saved.error);
    state = saved ? saved.value : createWatchState(settings);
    for (const entry of journal.slice(snapshot?.at ?? 0)) applyWatchEvent(state, read(entry));
    if (before !== null && toHex(encodeWatchState(state)) !== toHex(before))
      throw new Error('the fold gives another state');
    start();
  }

  function start(): void {
    isDown = false;
    scripts = new Set([...watchedScripts(state)].map(toHex));
    coins = new Set([...watchedCoins(state)].map(({ txid, vout }) => keyOf(txid, vout)));
    withheld.unshift(...queue.filter((input) => input.kind === 'supplement'));
    queue = [];
    scans.clear();
    hidden.clear();
    // Sources go on knowing what they held back.
    for (const { txid, received } of withheld.flatMap(({ matches }) => matches)) {
      for (const { vout } of received) {
        coins.add(keyOf(txid, vout));
        hidden.add(keyOf(txid, vout));
      }
    }
    feed({ kind: 'started' });
    // Another crash may have come in between; then all of this has been done already.
    if (queue.length > 0) return;
    for (const wallet of wishes.values()) queue.push({ kind: 'wallet', wallet });
    for (const { wallet } of state.wallets.values()) {
      if (!wishes.has(wallet.id)) queue.push({ kind: 'wallet-removed', wallet: wallet.id });
    }
    const onChain = new Map(world.chain.map((block) => [block.ref.hash, block]));
    const told = cursorBlocks(state);
    const fork = told.find(({ hash }) => onChain.has(hash as BlockHash));
    const base = fork ?? world.chain[0]!.ref;
    for (const block of told) {
      if (block === fork) break;
      queue.push({ kind: 'disconnected', block, fork: base, seenBy });
    }
    const from =
      told.length === 0
        ? world.chain.length - 1
        : onChain.has(base.hash)
          ? base.height - world.chain[0]!.ref.height + 1
          : 0;
    for (const block of world.chain.slice(from)) mined(block);
    heldBack.clear();
    sighted.clear();
    for (const tx of world.mempool.values()) sight(tx, random.pick(['valid', 'relayed']));
    // It is live once it has told all that it has.
    queue.push({ kind: 'source', source: 'sim', state: 'live', mempool: 'whole', peers: 8, problem: null });
  }

  function mined(block: SimBlock): void {
    if (isDown) return;
    const matches: MatchedTx[] = [];
    for (const tx of block.txs) {
      const match = matchOf(tx, scripts, coins);
      if (!match) continue;
      const isHidden = match.spent.some(({ outpoint }) => hidden.has(keyOf(outpoint.txid, outpoint.vout)));
      for (const { vout } of match.received) coins.add(keyOf(tx.txid, vout));
      if (isHidden || (options.troubled() && random.chance(0.04))) {
        withheld.push({ kind: 'supplement', block: block.ref, matches: [match], seenBy });
        for (const { vout } of match.received) hidden.add(keyOf(tx.txid, vout));
      } else matches.push(match);
    }
    queue.push({ kind: 'connected', block: block.ref, matches, seenBy });
  }

  function sight(tx: SimTx, grade: 'claimed' | 'valid' | 'relayed'): void {
    if (isDown) return;
    const match = matchOf(tx, scripts, coins);
    if (!match) return;
    if (match.spent.some(({ outpoint }) => hidden.has(keyOf(outpoint.txid, outpoint.vout)))) {
      heldBack.add(tx.txid);
      return;
    }
    for (const { vout } of match.received) coins.add(keyOf(tx.txid, vout));
    sighted.add(tx.txid);
    queue.push({ kind: 'sighted', tx: match, grade, seenBy });
  }

  function derive(): boolean {
    const due = dueScripts(state);
    if (due.length === 0) return false;
    const { wallet, descriptor, branch, from, to } = random.pick(due);
    const all = Array.from({ length: to - from }, (_, i) => scriptOf({ wallet, branch, index: from + i }));
    const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const script of all) {
      bytes.set(script, at);
      at += script.length;
    }
    // It overtakes what the sources have said already, and they look for these scripts only once it is durable.
    feed({ kind: 'scripts', wallet, descriptor, branch, from, to, lengths: [all[0]!.length], bytes });
    return true;
  }

  function scan(blocks: number): boolean {
    const due = dueScans(state);
    if (due.length === 0) return false;
    const first = world.chain[0]!.ref.height;
    const one = random.pick(due);
    // Others may be looked through with it: from where the one that is furthest behind is.
    const together = due.filter((each) => each === one || random.chance(0.3));
    const tasks = together.map((each) => {
      let task = scans.get(each.wallet);
      if (task?.scan !== each.scan) {
        const next = Math.max(first, each.fromHeight ?? first);
        task = { scan: each.scan, next, coins: new Set() };
        scans.set(each.wallet, task);
      }
      return task;
    });
    const wallets = new Set(together.map(({ wallet }) => wallet));
    const own = new Set([...watchedScripts(state, wallets)].map(toHex));
    const known = new Set(tasks.flatMap((task) => [...task.coins]));
    for (const { txid, vout } of watchedCoins(state, wallets)) known.add(keyOf(txid, vout));
    const from = Math.min(...tasks.map(({ next }) => next)) - first;
    const part = world.chain.slice(from, from + blocks);
    const found = part.flatMap((block) => {
      const matches = block.txs.flatMap((tx) => {
        const match = matchOf(tx, own, known);
        for (const { vout } of match?.received ?? []) known.add(keyOf(tx.txid, vout));
        return match ? [match] : [];
      });
      return matches.length > 0 ? [{ block: block.ref, matches }] : [];
    });
    const next = first + from + part.length;
    const done = next - first >= world.chain.length;
    for (const [i, task] of tasks.entries()) {
      task.next = Math.max(task.next, next);
      task.coins = known;
      if (done) scans.delete(together[i]!.wallet);
    }
    for (const key of known) coins.add(key);
    const asked = together.map(({ wallet, scan }) => ({ wallet, scan }));
    feed({ kind: 'history', scans: asked, found, toHeight: next - 1, done });
    return true;
  }

  /** What was wished before and is not heard yet is wished no longer. */
  function overrule(id: string): void {
    queue = queue.filter((input) => !(input.kind === 'wallet' && input.wallet.id === id));
  }

  return {
    events: () => journal.map(read),
    crashes: () => crashes,
    waiting: () => queue.length,
    configure(wallet) {
      overrule(wallet.id);
      wishes.set(wallet.id, wallet);
      feed({ kind: 'wallet', wallet });
    },
    remove(id) {
      overrule(id);
      wishes.delete(id);
      feed({ kind: 'wallet-removed', wallet: id });
    },
    start,
    stop() {
      withheld.unshift(...queue.filter((input) => input.kind === 'supplement'));
      queue = [];
      isDown = true;
    },
    isDown: () => isDown,
    nowMs: () => nowMs,
    elapse(ms) {
      nowMs += ms;
    },
    mined,
    tookBack(block) {
      if (isDown) return;
      for (const task of scans.values()) task.next = Math.min(task.next, block.ref.height);
      queue.push({ kind: 'disconnected', block: block.ref, fork: world.chain.at(-1)!.ref, seenBy });
    },
    sight,
    lose(txid, by) {
      if (isDown) return;
      sighted.delete(txid);
      queue.push(by === null ? { kind: 'evicted', txid, seenBy } : { kind: 'replaced', txid, by, seenBy });
    },
    notice() {
      const mined = new Set(world.chain.flatMap(({ txs }) => txs.map(({ txid }) => txid)));
      for (const txid of sighted) {
        if (world.mempool.has(txid) || mined.has(txid) || (options.troubled() && random.chance(0.5))) continue;
        sighted.delete(txid);
        queue.push({ kind: 'evicted', txid, seenBy });
      }
    },
    deliver() {
      const next = queue.shift();
      if (next) feed(next);
    },
    again() {
      if (last) feed(last);
    },
    derive,
    scan,
    release() {
      const onChain = new Set(world.chain.map(({ ref }) => ref.hash));
      const settled = world.chain.at(-1)!.ref.height - settings.keptBlocks;
      // Of a block that left the chain so long ago nobody says anything any more.
      const parts = withheld.filter(({ block }) => onChain.has(block.hash) || block.height > settled);
      withheld = [];
      hidden.clear();
      queue.push(...parts);
    },
    tick: () => feed({ kind: 'tick' }),
    pass(ms) {
      nowMs += ms;
      feed({ kind: 'tick' });
    },
    unconfirmed: () => [...state.unconfirmed.keys()],
    isHeldBack: (txid) =>
      heldBack.has(txid) || queue.some((input) => input.kind === 'sighted' && input.tx.txid === txid),
    known: (wallet) => state.wallets.has(wallet),
    balance: (wallet) => walletBalance(state, wallet)!.confirmed,
    settled: () => [...state.settled.values()].reduce((sum, { parts }) => sum + parts.size, 0),
  };
}
