import { CodedError } from '@keepwatch/base';
import type { BlockRef, ChainSource } from '@keepwatch/chain';
import type { MatchedTx } from '@keepwatch/bitcoin';
import { watchedScripts, type DueScan } from '@keepwatch/watch';
import type { Engine } from '../engine/engine.ts';
import { nextCohort, remaining, type Cohort } from './cohort.ts';
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
  /** Resolves once all scripts that were asked for are derived. */
  readonly derived: () => Promise<void>;
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
 * Reads the past of wallets while the chain goes on to be followed: once for all whose past begins at the same place, and of
 * others one after the other. How far it is stands in the journal, so whatever ends it, it goes on from there. One source is
 * asked; where it fails, the next one is.
 */
export function createScans({ engine, sources, derived, onTrouble }: ScansDeps): Scans {
  const stop = new AbortController();
  const order = [...sources].sort((a, b) => PREFERENCE.indexOf(a.kind) - PREFERENCE.indexOf(b.kind));
  const standings = new Map<string, ScanStanding>();
  const { watch, desk } = engine.state;
  let running: Promise<void> | undefined;
  let again = false;

  async function run(): Promise<void> {
    do {
      again = false;
      for (;;) {
        const next = nextCohort(watch, desk.birthHeights);
        if (!next || stop.signal.aborted) break;
        await read(next);
      }
    } while (again && !stop.signal.aborted);
  }

  /** Until nothing of it is due: what was is done, or was asked for in another way. */
  async function read(cohort: Cohort): Promise<void> {
    const { wallets, start } = cohort;
    let startHeight: number | undefined;
    let back = 0;
    for (let failures = 0; !stop.signal.aborted;) {
      const source = order[failures % order.length]!;
      try {
        // Whoever grew goes on with the others, and not a whole look later.
        await derived();
        startHeight ??= 'height' in start ? start.height : await source.heightAt(start.timeSeconds, stop.signal);
        const { scans, fromHeight } = remaining(watch, cohort, startHeight, desk.birthHeights);
        if (scans.length === 0) break;
        // A height that was given while no block was known may lie behind the tip.
        const from = Math.max(0, Math.min(fromHeight, watch.bestHeight + 1) - back);
        await readBy(source, scans, from);
      } catch (error) {
        if (stop.signal.aborted) break;
        // What comes in place of the blocks that left is to be read for all, however far they were.
        const reorganised = error instanceof CodedError && error.code === 'scan_reorganised';
        if (reorganised) back = STEP_BACK;
        if (reorganised) continue;
        failures++;
        onTrouble(error);
        note(wallets, source, { problem: error instanceof CodedError ? error.code : 'source_failed' });
        await rest(stop.signal);
      }
    }
    for (const wallet of wallets) standings.delete(wallet);
  }

  function note(wallets: readonly string[], source: ChainSource, more: Partial<ScanStanding>): void {
    for (const wallet of wallets) {
      const before = standings.get(wallet) ?? { height: null, done: 0, total: null, etaSeconds: null };
      standings.set(wallet, { ...before, problem: null, ...more, wallet, source: source.name });
    }
  }

  /** Up to the source's tip, or until one of the wallets is to be looked through in another way. */
  async function readBy(source: ChainSource, due: readonly DueScan[], from: number): Promise<void> {
    const scans = due.map(({ wallet, scan }) => ({ wallet, scan }));
    const wallets = scans.map(({ wallet }) => wallet);
    const among = new Set(wallets);
    const scripts = [...watchedScripts(watch, among)];
    const outpoints = [...outpointsOf(watch, among)];
    const ended = new AbortController();
    const signal = AbortSignal.any([stop.signal, ended.signal]);
    note(wallets, source, {});
    let found: { block: BlockRef; matches: readonly MatchedTx[] }[] = [];
    let toldMs = Date.now();
    let height = from - 1;
    const tell = async (done: boolean) => {
      const input = { kind: 'history', scans, found, toHeight: height, done } as const;
      found = [];
      toldMs = Date.now();
      await engine.submit({ room: 'watch', input });
      // More scripts than were looked for, or the wallet is gone: this look is of no use to it any more.
      return scans.every(
        ({ wallet, scan }) => watch.wallets.get(wallet)?.scan?.scan === scan && !watch.scriptsDue.has(wallet),
      );
    };
    try {
      for await (const event of source.scan({ scripts, outpoints, from, to: null }, signal)) {
        if (event.kind === 'match') {
          found.push({ block: event.block, matches: event.matches });
          continue;
        }
        height = event.height;
        const { done, total, etaSeconds } = event;
        note(wallets, source, { height, done, total, etaSeconds });
        const isDue = found.length >= PIECE || Date.now() - toldMs >= REPORT_MS;
        if (isDue && !(await tell(false))) return;
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
