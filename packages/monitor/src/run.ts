import { statfs } from 'node:fs/promises';
import type { ChainSource, Health, Quorum } from '@keepwatch/chain';
import { createReplyReader } from '@keepwatch/notify';
import { createChainInputs } from './chain/inputs.ts';
import { createDerivation } from './chain/derivation.ts';
import { createScans } from './chain/scans.ts';
import { tellSourcesGone } from './chain/sources-gone.ts';
import { cursorOf, watchAll, watchMore } from './chain/watch-set.ts';
import type { EngineInput } from './engine/engine.ts';
import { isEvmSource } from './evm/source-names.ts';
import type { OpenMonitor } from './open.ts';

export interface RunDeps {
  readonly monitor: OpenMonitor;
  readonly quorum: Quorum;
  /** Where the journal lies: how much room is left there is looked at. */
  readonly dataDir: string;
  readonly log: (level: 'info' | 'warn' | 'error', words: string, details?: object) => void;
}

/** A monitor that follows the chain. */
export interface RunningMonitor {
  /** What each source said last. */
  health(): readonly { readonly name: string; readonly kind: ChainSource['kind']; readonly health: Health }[];
  /** Whether enough sources speak to be believed. */
  able(): boolean;
  /** Rejects where the journal refused or a source broke its word: the process has to end and start anew. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

const TICK_MS = 5_000;
const MACHINE_MS = 60_000;
/** A block's time is at most two hours ahead of the network's (consensus rule of nodes): beyond that, our clock is behind. */
const BLOCK_AHEAD_SECONDS = 7_200;
const FEERATE_TARGET = 2;

/**
 * Follows the chain: what the sources say is stepped and journaled, and the sources look for what the watch then knows.
 * It goes on behind the last durable block; what was said and not durable is said again.
 */
export async function runMonitor({ monitor, quorum, dataDir, log }: RunDeps): Promise<RunningMonitor> {
  const { engine } = monitor;
  const { watch } = engine.state;
  const stop = new AbortController();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  let able = false;

  /** For what nobody waits for. */
  const tell = (input: EngineInput) => void engine.submit(input).catch(fail);
  const derivation = createDerivation(engine, stop.signal);
  const scans = createScans({
    engine,
    sources: quorum.sources,
    derived: derivation.wake,
    onTrouble: (error) => log('warn', 'the past of a wallet could not be read; it is tried again', wordsOf(error)),
  });
  monitor.showScans(scans.standing);
  monitor.showTransactions(quorum.transaction);
  const unhear = monitor.onDurable((events) => {
    watchMore(events, quorum.watch);
    if (watch.scriptsDue.keys()[Symbol.iterator]().next().done === false) void derivation.wake().catch(fail);
    if (watch.scansDue.keys()[Symbol.iterator]().next().done === false) scans.wake();
  });

  await engine.submit({ room: 'watch', input: { kind: 'started' } });
  const names = new Set(quorum.sources.map(({ name }) => name));
  await tellSourcesGone(engine, names, (source) => !isEvmSource(source));
  await derivation.wake();
  watchAll(watch, quorum.watch);
  monitor.channels.start();
  monitor.ladder.start((error) => log('error', 'the ladder could not be climbed; it is tried again', wordsOf(error)));
  const replies = createReplyReader({
    ...{ channels: monitor.channels.open, ladder: () => engine.state.ladder, answer: monitor.ladder.answer },
    kept: (channel) => engine.state.desk.replyCursors.get(channel) ?? null,
    keep: async (channel, cursor) =>
      void (await engine.submit({ room: 'desk', event: { kind: 'replies-read', channel, cursor } })),
    onTrouble: (error) => log('warn', 'replies on a channel could not be read; it is tried again', wordsOf(error)),
  });
  replies.start();
  monitor.schedule.start({
    probe: (channel) => monitor.channels.probe(channel),
    onTrouble: (error) => log('error', 'what is due by the clock was not done; it is tried again', wordsOf(error)),
  });
  scans.wake();

  async function follow(): Promise<void> {
    const inputOf = createChainInputs(quorum.sources);
    for await (const event of quorum.events(cursorOf(watch), stop.signal)) {
      if (event.kind === 'quorum') able = event.able;
      tell({ room: 'watch', input: inputOf(event) });
      await engine.room();
    }
  }

  const ticking = setInterval(() => {
    tell({ room: 'watch', input: { kind: 'tick' } });
    // A source that was silent may be heard again; what rests is looked at once more.
    scans.wake();
  }, TICK_MS);
  const looking = setInterval(() => void lookAround().catch(() => undefined), MACHINE_MS);

  async function lookAround(): Promise<void> {
    const { bavail, bsize } = await statfs(dataDir);
    tell({ room: 'watch', input: { kind: 'disk', freeBytes: bavail * bsize } });
    if (watch.tip) {
      const skewSeconds = Math.min(0, Math.floor(Date.now() / 1_000) + BLOCK_AHEAD_SECONDS - watch.tip.timeSeconds);
      tell({ room: 'watch', input: { kind: 'clock', skewSeconds } });
    }
    if (watch.settings.feerateLimit !== null) {
      const [estimate] = await quorum.feerates([FEERATE_TARGET]);
      const satPerVbyte = estimate?.satPerVbyte;
      if (typeof satPerVbyte === 'number') {
        tell({ room: 'watch', input: { kind: 'feerate', satPerVbyte: Math.ceil(satPerVbyte) } });
      }
    }
  }
  void lookAround().catch(() => undefined);
  const following = follow().catch((error: unknown) => {
    if (!stop.signal.aborted) fail(error);
  });

  return {
    health: () => quorum.sources.map((source) => ({ name: source.name, kind: source.kind, health: source.health() })),
    able: () => able,
    failed,
    async stop() {
      clearInterval(ticking);
      clearInterval(looking);
      stop.abort();
      await replies.stop();
      await Promise.all([following, scans.stop()]);
      unhear();
      await quorum.close();
    },
  };
}

export function wordsOf(error: unknown): { readonly code: string; readonly words: string } {
  const code = (error as { readonly code?: unknown }).code;
  return { code: typeof code === 'string' ? code : 'unforeseen', words: error instanceof Error ? error.message : '' };
}
