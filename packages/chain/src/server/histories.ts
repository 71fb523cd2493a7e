import { toHex } from '@keepwatch/base';
import { decodeTransaction, type MatchedTx, type Scanner, type Txid, type WatchMark } from '@keepwatch/bitcoin';
import type { Outpoint } from '../source.ts';
import { ServerFault, type HistoryItem, type ServerSession } from './backend.ts';
import { fetchTransaction } from './confirm.ts';

/**
 * What the server says of each watched script. A watched coin is asked for by its script too: these servers know scripts
 * alone.
 */
export interface Histories {
  /** `height`: blocks up to here were delivered before the script was watched; nothing of them is told. */
  watchScripts(scripts: readonly Uint8Array[], height: number): void;
  unwatchScripts(scripts: readonly Uint8Array[]): void;
  watchOutpoints(outpoints: readonly KnownOutpoint[], height: number): void;
  unwatchOutpoints(outpoints: readonly Outpoint[]): void;
  /**
   * Asks for what may have changed. Gives the height of the lowest block at or below `delivered` that holds a transaction
   * which the server had not told before; null where there is none.
   */
  refresh(session: ServerSession, delivered: number): Promise<number | null>;
  /** Asks for what was added since, so that the next block is looked through for it too. */
  askAdded(session: ServerSession): Promise<void>;
  /** A block holds this for certain: its coins are watched from now on, as a scan of the whole block would. */
  follow(match: MatchedTx): void;
  /** What is watched now; and how much of it the server was asked for. */
  mark(): WatchMark;
  asked(): WatchMark;
  covers(match: Pick<MatchedTx, 'received' | 'spent'>, mark: WatchMark): boolean;
  /** The transactions at this height, each once. */
  at(height: number): readonly Txid[];
  unconfirmed(): readonly Txid[];
  /** Whether the server tells of it at all. */
  has(txid: Txid): boolean;
  /** A new connection: every history must be asked for again. */
  forgetServer(): void;
}

export interface KnownOutpoint extends Outpoint {
  readonly output?: { readonly script: Uint8Array; readonly sats: bigint };
}

interface Entry {
  readonly script: Uint8Array;
  /** Blocks up to here are not told. */
  readonly since: number;
  /** Which addition it came with. */
  readonly added: number;
  /** Null: not asked for yet. */
  items: readonly HistoryItem[] | null;
  asked: boolean;
}

interface Coin {
  readonly outpoint: Outpoint;
  script: string | null;
  readonly since: number;
  readonly added: number;
}

/** Questions under way at once. */
const AT_ONCE = 16;
/** A script with more transactions than this belongs to an exchange, not to a wallet that is watched. */
const MAX_ITEMS = 200_000;

const keyOf = ({ txid, vout }: Outpoint) => `${txid}:${vout}`;

export function createHistories(scanner: Scanner): Histories {
  const entries = new Map<string, Entry>();
  /** Coins that are watched, by what is asked for them; null while their script is not known. */
  const outpoints = new Map<string, Coin>();
  /** Scripts, and with which addition they came. */
  const watched = new Map<string, number>();
  /** Those that were never asked for. */
  const unasked = new Set<Entry>();
  let additions = 0;
  let askedFor = 0;

  function add(script: Uint8Array, since: number): string {
    const key = toHex(script);
    if (entries.has(key)) return key;
    const entry = { script: script.slice(), since, added: additions, items: null, asked: false };
    entries.set(key, entry);
    unasked.add(entry);
    return key;
  }
  function drop(key: string): void {
    const needed = watched.has(key) || [...outpoints.values()].some(({ script }) => script === key);
    const entry = entries.get(key);
    if (needed || !entry) return;
    entries.delete(key);
    unasked.delete(entry);
  }
  function addCoin(outpoint: Outpoint, script: string | null, since: number, added: number): void {
    const key = keyOf(outpoint);
    // Added twice it is in once; but what it holds may not have been known.
    if (outpoints.get(key)?.script) return;
    outpoints.set(key, { outpoint, script, since, added });
  }
  const markOf = (number: number): WatchMark => ({ scripts: number, outpoints: number });

  async function learnScripts(session: ServerSession): Promise<void> {
    for (const each of outpoints.values()) {
      if (each.script !== null) continue;
      const layout = await fetchTransaction(session, each.outpoint.txid);
      const decoded = layout && decodeTransaction(layout.bytes);
      const output = decoded?.ok ? decoded.value.outputs[each.outpoint.vout] : undefined;
      if (output) each.script = add(output.script, each.since);
    }
  }

  function take(entry: Entry, items: readonly HistoryItem[]): void {
    entry.items = items;
    entry.asked = true;
    unasked.delete(entry);
  }

  return {
    watchScripts(scripts, height) {
      additions++;
      scanner.addScripts(scripts);
      for (const script of scripts) {
        const key = add(script, height);
        if (!watched.has(key)) watched.set(key, additions);
      }
    },
    unwatchScripts(scripts) {
      scanner.removeScripts(scripts);
      for (const script of scripts) {
        watched.delete(toHex(script));
        drop(toHex(script));
      }
    },
    watchOutpoints(list, height) {
      additions++;
      scanner.addOutpoints(list);
      for (const outpoint of list) {
        const script = outpoint.output ? add(outpoint.output.script, height) : null;
        addCoin(outpoint, script, height, additions);
      }
    },
    follow({ txid, received }) {
      for (const { vout, script } of received) {
        const key = toHex(script);
        const [entry, added] = [entries.get(key), watched.get(key)];
        if (!entry || added === undefined) continue;
        const outpoint = { txid, vout };
        scanner.addOutpoints([outpoint]);
        // Who watches a script sees all that is done with its coins.
        addCoin(outpoint, key, entry.since, added);
      }
    },
    unwatchOutpoints(list) {
      scanner.removeOutpoints(list);
      for (const outpoint of list) {
        const known = outpoints.get(keyOf(outpoint));
        outpoints.delete(keyOf(outpoint));
        if (known?.script) drop(known.script);
      }
    },
    async refresh(session, delivered) {
      await learnScripts(session);
      const all = additions;
      const due = [...entries.values()].filter((entry) => !entry.asked || session.stale(entry.script));
      let late: number | null = null;
      const ask = async (entry: Entry) => {
        const items = await historyOf(session, entry.script);
        const before = new Set(entry.items?.map(({ txid, height }) => `${txid}:${height}`));
        for (const { txid, height } of items) {
          const told = height > delivered || height <= entry.since || height <= 0 || before.has(`${txid}:${height}`);
          if (!told && entry.items !== null && (late === null || height < late)) late = height;
        }
        take(entry, items);
      };
      for (let i = 0; i < due.length; i += AT_ONCE) await Promise.all(due.slice(i, i + AT_ONCE).map(ask));
      askedFor = all;
      return late;
    },
    async askAdded(session) {
      while (unasked.size > 0) {
        const all = additions;
        const due = [...unasked];
        const ask = async (entry: Entry) => take(entry, await historyOf(session, entry.script));
        for (let i = 0; i < due.length; i += AT_ONCE) await Promise.all(due.slice(i, i + AT_ONCE).map(ask));
        askedFor = all;
      }
      askedFor = additions;
    },
    mark: () => markOf(additions),
    asked: () => markOf(askedFor),
    covers({ received, spent }, mark) {
      const isAsked = (script: string) => (entries.get(script)?.added ?? Infinity) <= mark.scripts;
      const isWatched = (script: string) => (watched.get(script) ?? Infinity) <= mark.scripts;
      const isFound = (outpoint: Outpoint) => {
        const coin = outpoints.get(keyOf(outpoint));
        return coin !== undefined && coin.script !== null && coin.added <= mark.outpoints && isAsked(coin.script);
      };
      return received.some(({ script }) => isWatched(toHex(script))) || spent.some(({ outpoint }) => isFound(outpoint));
    },
    at(height) {
      const found = new Set<Txid>();
      for (const { items, since } of entries.values()) {
        if (height <= since) continue;
        for (const item of items ?? []) if (item.height === height) found.add(item.txid);
      }
      return [...found];
    },
    unconfirmed() {
      const found = new Set<Txid>();
      for (const { items } of entries.values()) {
        for (const item of items ?? []) if (item.height <= 0) found.add(item.txid);
      }
      return [...found];
    },
    has: (txid) => [...entries.values()].some(({ items }) => items?.some((item) => item.txid === txid)),
    forgetServer() {
      for (const entry of entries.values()) entry.asked = false;
    },
  };
}

async function historyOf(session: ServerSession, script: Uint8Array): Promise<readonly HistoryItem[]> {
  const items = await session.history(script);
  if (items.length <= MAX_ITEMS) return items;
  throw new ServerFault('transient', 'server_history_too_long', 'A watched script has too many transactions.');
}
