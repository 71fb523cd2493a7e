import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, utf8 } from '@keepwatch/base';
import { createQuorum, openSource, type ChainConfiguration, type ChainSource } from '@keepwatch/chain';
import { deadChannels } from '@keepwatch/notify';
import type { z } from 'zod';
import { showToken, tokenPath } from './access/token-file.ts';
import { serveWire, type WireServer } from './access/wire-server.ts';
import { answersOf, figuresOf, NO_FIGURES, waitingMessages } from './api/figures.ts';
import { serveHttp, type HttpServer } from './api/http.ts';
import { serveApi, type ApiServer, type Methods } from './api/server.ts';
import { none, unlock } from './api/shapes.ts';
import { openMonitor, type OpenMonitor } from './open.ts';
import { findingOf } from './engine/state.ts';
import { runVaults, type RunningVaults } from './vault/run.ts';
import { runEvm, type RunningEvm } from './evm/run.ts';
import { unreadPasts } from './evm/wallet-view.ts';
import { runMonitor, wordsOf, type RunningMonitor } from './run.ts';
import { lockKind, openLock, type LockKind, type Unlocking } from './store/lock.ts';

export interface DaemonOptions {
  readonly dataDir: string;
  readonly chain: ChainConfiguration;
  readonly unlocking: Unlocking;
  /** Health, metrics and the page of acknowledgements; null: not served. */
  readonly http: { readonly host: string; readonly port: number } | null;
  /** For operators and readers over a network, by the wire; null: nobody reaches it but by its socket. */
  readonly listen?: { readonly host: string; readonly port: number } | null;
  readonly log: (level: 'info' | 'warn' | 'error', words: string, details?: object) => void;
}

export interface Daemon {
  readonly phase: () => 'locked' | 'running';
  readonly httpUrl: string | null;
  /** How it is reached over a network, without a token; null: not at all, or not yet. */
  readonly address: () => string | null;
  /** The file with the one-time token for the first operator, as long as there is none. */
  readonly tokenFile: () => string | null;
  readonly lock: LockKind;
  /** Rejects where it cannot go on: the process has to end. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export const socketPath = (dataDir: string) => join(dataDir, 'monitor.sock');

interface Live {
  readonly monitor: OpenMonitor;
  /** What the monitor's own user may order by the socket. */
  readonly own: Methods;
  readonly running: RunningMonitor;
  readonly evm: RunningEvm;
  readonly vaults: RunningVaults;
  readonly wire: WireServer | null;
}

/**
 * Runs a monitor in this process until it is stopped. Where a pass phrase is needed and not given, it waits, locked, until
 * `unlock` comes over its socket. Wires things and decides nothing.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { dataDir, log } = options;
  const lock = lockKind(dataDir);
  const startedMs = Date.now();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const counted: Record<string, number> = {};
  let live: Live | undefined;
  let unlocking: Promise<void> | undefined;
  let http: HttpServer | undefined;

  async function goLive(rootKey: Uint8Array): Promise<void> {
    const monitor = await openMonitor({ dataDir, rootKey, network: options.chain.network });
    monitor.onDurable((events) => {
      for (const finding of events.map(findingOf)) {
        if (!finding) continue;
        const { kind } = finding.detail;
        counted[kind] = (counted[kind] ?? 0) + 1;
        // Never whose it is: logs are read by more than the owner.
        log('info', 'finding', { kind, severity: finding.severity });
      }
    });
    try {
      const quorum = createQuorum({ sources: openSources(options), nowMs: Date.now }, options.chain.quorum);
      const running = await runMonitor({ monitor, quorum, dataDir, log });
      running.failed.catch(fail);
      const evm = await runEvm({
        ...{ engine: monitor.engine, chains: options.chain.evm },
        onTrouble: (error) =>
          log('warn', 'the past of an account could not be read; it is tried again', wordsOf(error)),
      });
      evm.failed.catch(fail);
      monitor.showEvm(evm);
      const vaults = runVaults({ monitor, log });
      vaults.failed.catch(fail);
      const stopping = async (error: unknown) => {
        await vaults.stop();
        await evm.stop();
        await running.stop();
        throw error;
      };
      const { store, peers, orders } = monitor;
      const methods = () => ({ ...common, ...monitor.methods });
      const { listen = null } = options;
      const wire =
        listen && (await serveWire({ store, peers, orders, methods, log }, { dataDir, listen }).catch(stopping));
      live = { monitor, own: orders.methodsOfOwner('socket'), running, evm, vaults, wire };
      log('info', 'the monitor watches', {
        network: options.chain.network,
        entries: monitor.engine.seq(),
        folded: monitor.folded,
      });
    } catch (error) {
      await monitor.close();
      throw error;
    }
  }

  function open(passphrase?: Uint8Array): Promise<void> {
    if (live) return Promise.resolve();
    // One try at a time: each takes memory and a second of one core.
    unlocking = (unlocking ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        if (!live)
          await goLive(await openLock(dataDir, { ...options.unlocking, ...(passphrase ? { passphrase } : {}) }));
      });
    return unlocking;
  }

  const common: Methods = {
    status: {
      params: none,
      call: () => Promise.resolve(statusOf(live, { dataDir, lock, startedMs, http: http?.url ?? null })),
    },
    /** With the one-time token as long as there is no operator: for the monitor’s own user. */
    connection: { params: none, call: () => Promise.resolve(live?.wire?.connection() ?? null) },
    unlock: {
      params: unlock,
      async call({ passphrase }: z.infer<typeof unlock>) {
        const wasLocked = live === undefined;
        await open(utf8(passphrase));
        if (wasLocked) await live?.monitor.orders.note('unlock');
        return { phase: 'running' };
      },
    },
  };

  const isLocked = (error: unknown) => error instanceof CodedError && error.code === 'monitor_locked';
  const api: ApiServer = await serveApi(
    socketPath(dataDir),
    () => ({ ...common, ...live?.monitor.methods, ...live?.own }),
    (error) => log('error', 'a request failed', { error: String(error) }),
  );
  try {
    // Of a monitor that was killed: its token ended with it.
    showToken(dataDir, null);
    if (options.http) {
      http = await serveHttp(
        options.http,
        () => (live ? figuresNow(live, counted) : { ...NO_FIGURES, findings: counted }),
        (request, response) => live?.monitor.ladder.serve(request, response) ?? false,
      );
    }
    await open().catch((error: unknown) => {
      if (!isLocked(error)) throw error;
      log('warn', 'the monitor is locked and watches nothing: it waits for `keepwatch monitor unlock`');
    });
  } catch (error) {
    await http?.close();
    await api.close();
    throw error;
  }

  return {
    phase: () => (live ? 'running' : 'locked'),
    httpUrl: http?.url ?? null,
    address: () => live?.wire?.address() ?? null,
    tokenFile: () => (existsSync(tokenPath(dataDir)) ? tokenPath(dataDir) : null),
    lock,
    failed,
    async stop() {
      await api.close();
      await http?.close();
      await unlocking?.catch(() => undefined);
      await live?.vaults.stop();
      await live?.evm.stop();
      await live?.wire?.close();
      await live?.running.stop();
      await live?.monitor.close();
    },
  };
}

function openSources({ chain, dataDir }: DaemonOptions): readonly ChainSource[] {
  const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: Date.now };
  const data = join(dataDir, 'chain', chain.network);
  const opened: ChainSource[] = [];
  try {
    for (const source of chain.sources) opened.push(openSource(source, chain, data, deps));
    return opened;
  } catch (error) {
    void Promise.all(opened.map((source) => source.close()));
    throw error;
  }
}

function statusOf(
  live: Live | undefined,
  about: {
    readonly dataDir: string;
    readonly lock: LockKind;
    readonly startedMs: number;
    readonly http: string | null;
  },
) {
  if (!live) return { phase: 'locked', ...about };
  const { monitor, running, evm } = live;
  const { watch, outbox, ladder } = monitor.engine.state;
  return {
    phase: 'running',
    ...about,
    monitor: monitor.store.id,
    network: watch.settings.network,
    able: running.able(),
    tip: watch.tip,
    entries: monitor.engine.seq(),
    version: monitor.engine.state.orders.version,
    wallets: [...watch.wallets.keys()].length,
    scripts: watch.scripts.size,
    scans: [...watch.scansDue.keys()].length + unreadPasts(monitor.engine.state.evm),
    messagesWaiting: waitingMessages(outbox),
    ...answersOf(ladder),
    channelsDead: deadChannels(outbox).map(({ channel, sinceMs, words }) => ({ channel, sinceMs, words })),
    sources: running.health().map(({ name, kind, health }) => ({
      ...{ name, kind, state: health.state, tip: health.tip, peers: health.peers, problem: health.problem },
    })),
    evm: evm.health().map(({ chainId, all, upstreams }) => ({
      ...{ chainId: String(chainId), ...all },
      upstreams: upstreams.map(({ name, health, pending }) => ({ name, ...health, pending })),
    })),
  };
}

const figuresNow = ({ monitor, running, evm }: Live, findings: Readonly<Record<string, number>>) =>
  figuresOf({
    ...{ state: monitor.engine.state, entries: monitor.engine.seq(), findings, nowMs: Date.now() },
    // Where EVM chains alone are followed, no source of bitcoin can be missing.
    able: running.able() || running.health().length === 0,
    ...{ sources: running.health(), evm: evm.health() },
  });
