import { CodedError } from '@keepwatch/base';
import type { EvmPastPiece, EvmSource } from '@keepwatch/chain';
import { evmPastsDue, type EvmPastDue } from '@keepwatch/watch';
import type { Engine } from '../engine/engine.ts';
import { chainName, upstreamNames } from './source-names.ts';

/** How far the past of an account is read: as scans of bitcoin wallets say it. */
export interface PastStanding {
  readonly wallet: string;
  /** The last block that is read; null: none yet. */
  readonly height: number | null;
  readonly done: number;
  readonly total: number | null;
  readonly etaSeconds: number | null;
  /** Why it rests at present. */
  readonly problem: string | null;
}

export interface Pasts {
  /** Looks for pasts that are due, and goes on with those that are not under way. */
  wake(): void;
  standing(): readonly PastStanding[];
  /** Waits for what is under way to stop. */
  stop(): Promise<void>;
}

export interface PastsDeps {
  readonly engine: Engine;
  readonly source: EvmSource;
  /** For the log, which names no wallet. */
  readonly onTrouble: (error: unknown) => void;
}

const REST_MS = 5_000;

/**
 * Reads the past of the accounts of one chain, one after the other, piece by piece, while its blocks go on to be followed.
 * Each piece is durable with how far it goes, so whatever ends it, it goes on behind the last one.
 */
export function createPasts({ engine, source, onTrouble }: PastsDeps): Pasts {
  const { chainId } = source;
  const stop = new AbortController();
  const standings = new Map<string, PastStanding>();
  const differing = new Set<string>();
  const due = () => evmPastsDue(engine.state.evm).filter((each) => each.chainId === chainId);
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let next = due(); next.length > 0 && !stop.signal.aborted; next = due()) {
      for (const wallet of standings.keys()) if (!next.some((each) => each.wallet === wallet)) standings.delete(wallet);
      let went = false;
      for (const each of next) went = (await readOne(each)) || went;
      if (!went) await rest(stop.signal);
    }
  }

  /** As far as it can be read now. Gives back whether it went. */
  async function readOne({ wallet, address, from: begin, birthday, to }: EvmPastDue): Promise<boolean> {
    const startMs = performance.now();
    try {
      let from = begin;
      if (from === null) {
        note(wallet, {});
        const timeMs = 'timeMs' in birthday ? birthday.timeMs : 0;
        from = (await source.numberAt(timeMs, to, stop.signal)) ?? null;
        if (from === null) throw new CodedError('upstreams_too_few', 'Too few upstreams say when blocks were made.');
      }
      // One that goes on after a rest has read something already.
      const doneBefore = (begin !== null && standings.get(wallet)?.done) || 0;
      const total = doneBefore + to - from + 1;
      note(wallet, { done: doneBefore, total });
      for (let next = from; next <= to && !stop.signal.aborted;) {
        const piece = await source.past(address, { from: next, to }, stop.signal);
        // Removed meanwhile, or made anew: what was read is of no use.
        if (!(await tell(wallet, piece))) return true;
        next = piece.to + 1;
        const now = next - from;
        const etaSeconds = Math.ceil((((performance.now() - startMs) / now) * (to - piece.to)) / 1_000);
        note(wallet, { height: piece.to, done: doneBefore + now, total, etaSeconds });
      }
      standings.delete(wallet);
      return true;
    } catch (error) {
      if (stop.signal.aborted) return true;
      onTrouble(error);
      const code = (error as { readonly code?: unknown }).code;
      note(wallet, { problem: typeof code === 'string' ? code : 'source_failed' });
      return false;
    }
  }

  async function tell(wallet: string, { seenBy, differing: others, ...piece }: EvmPastPiece): Promise<boolean> {
    await tellDifferences(others);
    const input = { kind: 'evm-past', wallet, ...piece, seenBy: upstreamNames(chainId, seenBy) } as const;
    await engine.submit({ room: 'evm', input });
    return engine.state.evm.wallets.get(wallet)?.past?.next === piece.to + 1;
  }

  /** What upstreams say differently is told once, and once more when a piece shows no difference of the kind. */
  async function tellDifferences(found: EvmPastPiece['differing']): Promise<void> {
    for (const { about, seenBy, others } of found) {
      if (differing.has(about)) continue;
      differing.add(about);
      await disagreement(about, false, seenBy, others);
    }
    for (const about of [...differing]) {
      if (found.some((each) => each.about === about)) continue;
      differing.delete(about);
      await disagreement(about, true, [], []);
    }
  }

  async function disagreement(about: string, over: boolean, seenBy: readonly string[], others: readonly string[]) {
    const who = { seenBy: upstreamNames(chainId, seenBy), others: upstreamNames(chainId, others) };
    const input = { kind: 'disagreement', about: `${chainName(chainId)}: ${about}`, over, ...who } as const;
    await engine.submit({ room: 'watch', input });
  }

  function note(wallet: string, more: Partial<PastStanding>): void {
    const before = standings.get(wallet) ?? { height: null, done: 0, total: null, etaSeconds: null };
    standings.set(wallet, { ...before, problem: null, ...more, wallet });
  }

  return {
    wake() {
      if (stop.signal.aborted) return;
      running ??= run().finally(() => (running = undefined));
      running.catch(() => undefined);
    },
    standing: () => [...standings.values()],
    async stop() {
      stop.abort();
      await running?.catch(() => undefined);
    },
  };
}

async function rest(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, REST_MS);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
