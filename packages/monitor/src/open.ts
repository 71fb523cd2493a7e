import { randomBytes } from 'node:crypto';
import { CodedError, createZones, toBase64url } from '@keepwatch/base';
import type { Network } from '@keepwatch/bitcoin';
import type { Quorum } from '@keepwatch/chain';
import { DEFAULT_SETTINGS } from '@keepwatch/watch';
import { createPeers, type Peers } from './access/peers.ts';
import { findingMethods } from './api/finding-methods.ts';
import type { Methods } from './api/server.ts';
import { walletMethods } from './api/wallet-methods.ts';
import { createChannelDesk, type ChannelDesk, type MessageKey } from './channels/channel-desk.ts';
import type { ScanStanding } from './chain/scans.ts';
import { evmMethods } from './evm/evm-methods.ts';
import type { RunningEvm } from './evm/run.ts';
import { createEngine, type Engine, type Recorded } from './engine/engine.ts';
import { loadState } from './engine/state.ts';
import { createLadderDesk, type LadderDesk } from './ladder/ladder-desk.ts';
import { createOrders, type Changes, type Orders } from './orders/order-desk.ts';
import { orderMethods } from './orders/order-rows.ts';
import { createRuleDesk, type RuleDesk } from './rules/rule-desk.ts';
import { createScheduleDesk, type ScheduleDesk } from './schedule/schedule-desk.ts';
import { beginStore, ed25519Verify, openStore, type MonitorStore } from './store/store.ts';
import { vaultMethods } from './vault/vault-methods.ts';

/** The data of a monitor, open: it can be asked and told everything, and follows no chain by itself. */
export interface OpenMonitor {
  readonly engine: Engine;
  readonly store: MonitorStore;
  readonly channels: ChannelDesk;
  readonly ladder: LadderDesk;
  readonly schedule: ScheduleDesk;
  /** What can be asked, without whatever changes something: that is ordered. */
  readonly methods: Methods;
  readonly orders: Orders;
  readonly peers: Peers;
  /** Told after each append. Gives back how to stop being told. */
  onDurable(hear: (events: readonly Recorded[]) => void): () => void;
  /** What runs the chain says how its scans stand. */
  showScans(standing: () => readonly ScanStanding[]): void;
  /** What runs the chain asks its sources for a transaction. */
  showTransactions(fetch: Quorum['transaction']): void;
  /** What follows EVM chains answers what a token is called. */
  showEvm(running: RunningEvm): void;
  /** How many entries were folded at the start, behind the snapshot. */
  readonly folded: number;
  close(): Promise<void>;
}

/**
 * Opens the journal in a data directory with its root key. Throws `storage_busy` where a monitor runs there already,
 * `monitor_journal_missing` where there is no journal, or an empty one. The network is set when the monitor is made: where
 * `network` is given and is another, it throws `monitor_other_network`.
 */
export async function openMonitor({
  dataDir,
  rootKey,
  network,
}: {
  readonly dataDir: string;
  readonly rootKey: Uint8Array;
  readonly network?: Network;
}): Promise<OpenMonitor> {
  return openWith(await openStore(dataDir, rootKey), ({ state: { watch } }) => {
    if (network === undefined || network === watch.settings.network) return;
    const words = `This monitor watches ${watch.settings.network}, and its sources are of ${network}.`;
    throw new CodedError('monitor_other_network', words, {
      remedy: `Give --network ${watch.settings.network}, or sources of it in chain.json; or make another monitor with --data.`,
    });
  });
}

/** Begins the journal of a monitor, with its network set. Throws the codes of {@link beginStore}. */
export async function beginMonitor({
  dataDir,
  rootKey,
  network,
}: {
  readonly dataDir: string;
  readonly rootKey: Uint8Array;
  readonly network: Network;
}): Promise<OpenMonitor> {
  return openWith(await beginStore(dataDir, rootKey), async (engine) => {
    await engine.submit({ room: 'watch', input: { kind: 'settings', settings: { ...DEFAULT_SETTINGS, network } } });
  });
}

/** `settle`: what comes before anything else is asked of it. */
async function openWith(store: MonitorStore, settle: (engine: Engine) => Promise<void> | void): Promise<OpenMonitor> {
  try {
    return await monitorOf(store, settle);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function monitorOf(store: MonitorStore, settle: (engine: Engine) => Promise<void> | void): Promise<OpenMonitor> {
  const { state, seq, folded } = await loadState(store.journal, store.id);
  const zones = createZones(process.versions.tz);
  const { receiptPublicKey, signMessage } = store;
  const signing: MessageKey = {
    publicKey: `kwm_${toBase64url(receiptPublicKey)}`,
    sign: signMessage,
    verify: (bytes, signature) => ed25519Verify(receiptPublicKey, bytes, signature),
  };
  const hearers = new Set<(events: readonly Recorded[]) => void>();
  let standing: () => readonly ScanStanding[] = () => [];
  let wakers: (() => void)[] = [];
  let following: RunningEvm | null = null;
  let fetch: Quorum['transaction'] | null = null;
  const engine: Engine = createEngine(
    {
      journal: store.journal,
      nowMs: Date.now,
      monotonicMs: () => performance.now(),
      entropy: (length) => new Uint8Array(randomBytes(length)),
      route(finding, at) {
        const routed = channels.route(finding, at);
        return { ...routed, climb: ladder.climbOf(finding, routed.posts, at) };
      },
      word: (order, finding, at) => ladder.word(order, finding, at),
      onDurable(events) {
        for (const hear of hearers) hear(events);
        for (const wake of wakers.splice(0)) wake();
      },
    },
    state,
    { seq },
  );
  const rules: RuleDesk = createRuleDesk({ engine, journal: store.journal, zones });
  const channels: ChannelDesk = createChannelDesk({
    ...{ engine, rules, beatsTo: (channel) => schedule.tells(channel), signing },
  });
  const schedule: ScheduleDesk = createScheduleDesk({ engine, zones, messageKey: signing.publicKey });
  hearers.add((events) => schedule.hear(events));
  const ladder: LadderDesk = createLadderDesk({ engine, journal: store.journal });
  hearers.add((events) => channels.hear(events));
  hearers.add((events) => ladder.hear(events));
  await settle(engine);

  const nextAppend = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      wakers.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  const scans = () => standing();
  const peers = createPeers(engine, Date.now);
  hearers.add((events) => peers.hear(events));
  const wallets = walletMethods({ engine, scans, transaction: () => fetch });
  const evm = evmMethods({ engine, journal: store.journal, running: () => following });
  const vaults = vaultMethods({ engine });
  const rooms = [wallets, evm, vaults, rules, peers, channels, ladder, schedule];
  const orders = createOrders({
    ...{ engine, store, nowMs: Date.now },
    changes: Object.assign({}, ...rooms.map(({ changes }) => changes)) as Changes,
  });
  return {
    engine,
    store,
    channels,
    ladder,
    schedule,
    folded,
    peers,
    orders,
    methods: {
      ...(Object.assign({}, ...rooms.map(({ methods }) => methods)) as Methods),
      ...findingMethods({ engine, store, nextAppend }),
      ...orderMethods(store),
    },
    onDurable(hear) {
      hearers.add(hear);
      return () => hearers.delete(hear);
    },
    showScans: (how) => void (standing = how),
    showTransactions: (how) => void (fetch = how),
    showEvm: (running) => void (following = running),
    async close() {
      await schedule.close();
      await ladder.close();
      await channels.close();
      await engine.close();
      wakers = [];
      await engine.save();
      store.close();
    },
  };
}
