import { toHex } from '@keepwatch/base';
import { decodeTransaction, type Scanner, type Txid } from '@keepwatch/bitcoin';
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
  /** Null: not asked for yet. */
  items: readonly HistoryItem[] | null;
  asked: boolean;
}

/** Questions under way at once. */
const AT_ONCE = 16;
/** A script with more transactions than this belongs to an exchange, not to a wallet that is watched. */
const MAX_ITEMS = 200_000;

const keyOf = ({ txid, vout }: Outpoint) => `${txid}:${vout}`;

export function createHistories(scanner: Scanner): Histories {
  const entries = new Map<string, Entry>();
  /** Coins that are watched, by what is asked for them; null while their script is not known. */
  const outpoints = new Map<string, { readonly outpoint: Outpoint; script: string | null; readonly since: number }>();
  const watched = new Set<string>();

  function add(script: Uint8Array, since: number): string {
    const key = toHex(script);
    if (!entries.has(key)) entries.set(key, { script: script.slice(), since, items: null, asked: false });
    return key;
  }
  function drop(key: string): void {
    const needed = watched.has(key) || [...outpoints.values()].some(({ script }) => script === key);
    if (!needed) entries.delete(key);
  }

  async function learnScripts(session: ServerSession): Promise<void> {
    for (const each of outpoints.values()) {
      if (each.script !== null) continue;
      const layout = await fetchTransaction(session, each.outpoint.txid);
      const decoded = layout && decodeTransaction(layout.bytes);
      const output = decoded?.ok ? decoded.value.outputs[each.outpoint.vout] : undefined;
      if (output) each.script = add(output.script, each.since);
    }
  }

  return {
    watchScripts(scripts, height) {
      scanner.addScripts(scripts);
      for (const script of scripts) watched.add(add(script, height));
    },
    unwatchScripts(scripts) {
      scanner.removeScripts(scripts);
      for (const script of scripts) {
        watched.delete(toHex(script));
        drop(toHex(script));
      }
    },
    watchOutpoints(list, height) {
      scanner.addOutpoints(list);
      for (const outpoint of list) {
        const script = outpoint.output ? add(outpoint.output.script, height) : null;
        outpoints.set(keyOf(outpoint), { outpoint, script, since: height });
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
      const due = [...entries.values()].filter((entry) => !entry.asked || session.stale(entry.script));
      let late: number | null = null;
      const ask = async (entry: Entry) => {
        const items = await session.history(entry.script);
        if (items.length > MAX_ITEMS) {
          throw new ServerFault('transient', 'server_history_too_long', 'A watched script has too many transactions.');
        }
        const before = new Set(entry.items?.map(({ txid, height }) => `${txid}:${height}`));
        for (const { txid, height } of items) {
          const told = height > delivered || height <= entry.since || height <= 0 || before.has(`${txid}:${height}`);
          if (!told && entry.items !== null && (late === null || height < late)) late = height;
        }
        entry.items = items;
        entry.asked = true;
      };
      for (let i = 0; i < due.length; i += AT_ONCE) await Promise.all(due.slice(i, i + AT_ONCE).map(ask));
      return late;
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
