import { CodedError } from '@keepwatch/base';
import type { BlockRef, ChainSource } from '@keepwatch/chain';
import type { MatchedTx } from '@keepwatch/bitcoin';
import { dueScans, watchedScripts } from '@keepwatch/watch';
import type { Engine } from '../engine/engine.ts';
import { outpointsOf } from './watch-set.ts';

/** How far the scan of a wallet's past is. */
export interface ScanStanding {
  readonly wallet: string;
  readonly source: string | null;
  readonly height: number | null;
  readonly done: number;
  readonly total: number | null;
  readonly etaSeconds: number | null;
  /** Why it rests at present. */
  readonly problem: string | null;
}

export interface Scans {
  /** Looks for scans that are due, and begins those that are not under way. */
  wake(): void;
  standing(): readonly ScanStanding[];
  /** Waits for what is under way to stop. */
  stop(): Promise<void>;
}

export interface ScansDeps {
  readonly engine: Engine;
  readonly sources: readonly ChainSource[];
  /** For the log, which names no wallet. */
  readonly onTrouble: (error: unknown) => void;
}

/** Blocks to go back where the chain was reorganised under a scan. */
const STEP_BACK = 144;
const REST_MS = 5_000;
/** Found blocks that are told at once, and the least time between two reports of nothing but progress. */
const PIECE = 50;
const REPORT_MS = 2_000;
/** Who looks into blocks by itself comes first; of servers, the one that is asked may be silent. */
const PREFERENCE: readonly ChainSource['kind'][] = ['bitcoind', 'p2p', 'electrum', 'esplora'];

/**
 * Reads the past of wallets while the chain goes on to be followed, one after the other. How far it is stands in the
 * journal, so whatever ends it, it goes on from there. One source is asked; where it fails, the next one is.
 */
export function createScans({ engine, sources, onTrouble }: ScansDeps): Scans {
  const stop = new AbortController();
  const order = [...sources].sort((a, b) => PREFERENCE.indexOf(a.kind) - PREFERENCE.indexOf(b.kind));
  const standings = new Map<string, ScanStanding>();
  let running: Promise<void> | undefined;
  let again = false;

  async function run(): Promise<void> {
    do {
      again = false;
      for (const due of dueScans(engine.state.watch)) {
        if (stop.signal.aborted) return;
        await scanOne(due.wallet, due.scan);
        again = true;
      }
    } while (again && !stop.signal.aborted);
  }

  /** Until the scan of this number is no longer what is due: it is done, or another took its place. */
  async function scanOne(wallet: string, scan: number): Promise<void> {
    let back = 0;
    for (let attempt = 0; !stop.signal.aborted; attempt++) {
      const record = engine.state.watch.wallets.get(wallet);
      if (record?.scan?.scan !== scan) break;
      const source = order[attempt % order.length]!;
      try {
        await scanBy(source, wallet, scan, back);
      } catch (error) {
        if (stop.signal.aborted) break;
        const reorganised = error instanceof CodedError && error.code === 'scan_reorganised';
        back = reorganised ? STEP_BACK : 0;
        if (reorganised) continue;
        onTrouble(error);
        note(wallet, source, { problem: error instanceof CodedError ? error.code : 'source_failed' });
        await rest(stop.signal);
      }
    }
    standings.delete(wallet);
  }

  function note(wallet: string, source: ChainSource, more: Partial<ScanStanding>): void {
    const before = standings.get(wallet) ?? { height: null, done: 0, total: null, etaSeconds: null, problem: null };
    standings.set(wallet, { ...before, problem: null, ...more, wallet, source: source.name });
  }

  async function scanBy(source: ChainSource, wallet: string, scan: number, back: number): Promise<void> {
    const { watch, desk } = engine.state;
    const record = watch.wallets.get(wallet)!;
    const scripts = [...watchedScripts(watch, wallet)];
    const outpoints = [...outpointsOf(watch, wallet)];
    const wanted =
      record.scan!.fromHeight ??
      desk.birthHeights.get(wallet) ??
      (await source.heightAt(record.wallet.birthdaySeconds ?? 0, stop.signal));
    // A height that was given while no block was known may lie behind the tip.
    const from = Math.max(0, Math.min(wanted, watch.bestHeight + 1) - back);
    const ended = new AbortController();
    const signal = AbortSignal.any([stop.signal, ended.signal]);
    note(wallet, source, {});
    let found: { block: BlockRef; matches: readonly MatchedTx[] }[] = [];
    let toldMs = Date.now();
    let height = from - 1;
    const tell = async (done: boolean) => {
      const input = { kind: 'history', wallet, scan, found, toHeight: height, done } as const;
      found = [];
      toldMs = Date.now();
      await engine.submit({ room: 'watch', input });
      // More scripts than were looked for, or the wallet is gone: this scan is of no use any more.
      return engine.state.watch.wallets.get(wallet)?.scan?.scan === scan;
    };
    try {
      for await (const event of source.scan({ scripts, outpoints, from, to: null }, signal)) {
        if (event.kind === 'match') {
          found.push({ block: event.block, matches: event.matches });
          continue;
        }
        height = event.height;
        const { done, total, etaSeconds } = event;
        note(wallet, source, { height, done, total, etaSeconds });
        const due = found.length >= PIECE || Date.now() - toldMs >= REPORT_MS;
        if (due && !(await tell(false))) return;
      }
      if (!signal.aborted) await tell(true);
    } finally {
      ended.abort();
    }
  }

  return {
    wake() {
      again = true;
      running ??= run().finally(() => (running = undefined));
    },
    standing: () => [...standings.values()],
    async stop() {
      stop.abort();
      await running;
    },
  };
}

async function rest(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, REST_MS);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
