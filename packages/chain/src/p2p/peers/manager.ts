import { CodedError } from '@keepwatch/base';
import type { Network } from '@keepwatch/bitcoin';
import { defaultPort, SERVICES, type NetAddress, type PeerMessage } from '@keepwatch/bitcoin/p2p';
import type { AddressBook, Ban } from './address-book.ts';
import type { ProxyOptions } from './dial.ts';
import { connectPeer, type Peer, type PeerOptions } from './peer.ts';
import { fromNetAddress, isPublic, keyOf, netgroup, parsePeerAddress, type PeerAddress } from './peer-address.ts';

export interface ManagerOptions extends Omit<PeerOptions, 'nonces'> {
  readonly network: Network;
  readonly proxy: ProxyOptions | null;
  readonly book: AddressBook;
  /** Nodes of the owner's choice: always kept, whatever their group. */
  readonly configured: readonly PeerAddress[];
  /** Whether others than the configured ones are looked for, by seeds and by what nodes tell. */
  readonly discover: boolean;
  /** Names, with a port where it is not the network's, that lead to nodes; and what finds their addresses. */
  readonly seeds: readonly string[];
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** How many connections are kept. */
  readonly target: number;
  /** Between two looks at what is missing, ms; a node that ended is missed at once. */
  readonly tickMs: number;
  /** A node that was not configured is exchanged for another after so long, one at a time, ms. */
  readonly rotateMs: number;
  readonly banMs: number;
  readonly random: () => number;
  readonly log: (line: string) => void;
}

export interface PeerManager {
  peers(): readonly Peer[];
  /** Peers that serve filters, in random order. */
  filterPeers(): readonly Peer[];
  /** Hears every message of every peer, and who came and went. */
  listen(listener: PeerListener): () => void;
  /** What no honest node does. The peer is left and not met again for a day. */
  ban(peer: Peer, code: string): void;
  bans(): readonly Ban[];
  /** A slow or silent peer: left, and another one is taken. */
  drop(peer: Peer, code: string): void;
  /** Resolves when a peer that `fits` is there; rejects on abort. */
  one(fits: (peer: Peer) => boolean, signal: AbortSignal): Promise<Peer>;
  start(): void;
  close(): Promise<void>;
}

export interface PeerListener {
  joined?(peer: Peer): void;
  left?(peer: Peer, reason: string): void;
  heard?(peer: Peer, message: PeerMessage): void;
}

const DIALS_AT_ONCE = 4;
const LOOK_MS = 100;
/** Addresses that are taken of one name. */
const MAX_OF_SEED = 64;
const WANTED = SERVICES.network | SERVICES.witness;
/** Two of three connections at least serve filters: what is asked of one is compared with another. */
const FILTERS = WANTED | SERVICES.compactFilters;
/** Faults that no honest node makes; the others may be the line's. */
const BANNED_FOR = /^(frame_|v2_(too_large|malformed|no_terminator)|peer_message_malformed|peer_out_of_order)/;

export function createPeerManager(options: ManagerOptions): PeerManager {
  const { book, network, log, nowMs } = options;
  const nonces = new Set<bigint>();
  const peers = new Map<string, Peer>();
  const dialling = new Map<string, PeerAddress>();
  const listeners = new Set<PeerListener>();
  const waiting = new Map<string, { failures: number; nextMs: number }>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let seededMs = -Infinity;
  let rotatedMs = nowMs();
  let savedMs = nowMs();

  const hasFilters = (peer: Peer) => (peer.version.services & FILTERS) === FILTERS;

  function tick(): void {
    if (closed) return;
    const now = nowMs();
    for (const address of options.configured) {
      const wait = waiting.get(keyOf(address));
      if (wait === undefined || wait.nextMs <= now) void meet(address, true);
    }
    if (options.discover) {
      const strangers = [...peers.values()].length + dialling.size;
      for (let missing = options.target - strangers; missing > 0 && dialling.size < DIALS_AT_ONCE; missing--) {
        const taken = new Set(
          [...peers.values(), ...[...dialling.values()].map((address) => ({ address }))].map(({ address }) =>
            netgroup(address),
          ),
        );
        const needFilters = [...peers.values()].filter(hasFilters).length * 3 < options.target * 2;
        const address = book.pick(needFilters ? FILTERS : WANTED, taken, now) ?? book.pick(WANTED, taken, now);
        if (address === undefined) {
          void seed();
          break;
        }
        void meet(address, false);
      }
      rotate(now);
    }
    if (now - savedMs > 60_000) {
      savedMs = now;
      save();
    }
  }

  /** Whoever holds all our connections at some time must not hold them for ever. */
  function rotate(now: number): void {
    if (now - rotatedMs < options.rotateMs || peers.size < options.target) return;
    rotatedMs = now;
    const others = [...peers.values()].filter(({ address }) => !isConfigured(address));
    others[Math.floor(options.random() * others.length)]?.leave('peer_rotated');
  }
  const isConfigured = (address: PeerAddress) => options.configured.some((each) => keyOf(each) === keyOf(address));

  async function meet(address: PeerAddress, configured: boolean): Promise<void> {
    const key = keyOf(address);
    if (closed || peers.has(key) || dialling.has(key) || book.banned(address, nowMs())) return;
    dialling.set(key, address);
    book.tried(address, nowMs());
    try {
      const peer = await connect(address);
      if (closed) return peer.leave('closed');
      if (!configured && (peer.version.services & WANTED) !== WANTED) return peer.leave('peer_no_service');
      waiting.delete(key);
      join(peer);
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'peer_unreachable';
      if (BANNED_FOR.test(code)) book.ban(address, nowMs() + options.banMs);
      const failures = (waiting.get(key)?.failures ?? 0) + 1;
      // A dead node costs less and less: at first once a tick, in the end once in five minutes.
      if (configured)
        waiting.set(key, {
          failures,
          nextMs: nowMs() + Math.min(300_000, options.tickMs * 2 ** Math.min(20, failures - 1)),
        });
      log(`${key}: ${code}`);
    } finally {
      dialling.delete(key);
    }
  }

  async function connect(address: PeerAddress): Promise<Peer> {
    const all: PeerOptions = { ...options, nonces };
    const transport = book.transportFor(address);
    try {
      return await connectPeer(address, transport, all);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'peer_not_v2') throw error;
      book.notV2(address);
      return connectPeer(address, 'v1', all);
    }
  }

  function join(peer: Peer): void {
    const key = keyOf(peer.address);
    peers.set(key, peer);
    book.connected(peer.address, peer.version.services, peer.transport, nowMs());
    log(`${key}: met ${peer.version.userAgent} by ${peer.transport} at height ${peer.version.height}`);
    peer.listen((message) => {
      if (message.kind === 'addr' || message.kind === 'addrv2') note(peer, message.addresses);
      for (const { heard } of [...listeners]) heard?.(peer, message);
    });
    void peer.gone.then((reason) => {
      peers.delete(key);
      if (BANNED_FOR.test(reason)) book.ban(peer.address, nowMs() + options.banMs);
      log(`${key}: left (${reason})`);
      for (const { left } of [...listeners]) left?.(peer, reason);
      tick();
    });
    if (options.discover) peer.send({ kind: 'getaddr' });
    for (const { joined } of [...listeners]) joined?.(peer);
  }

  function note(peer: Peer, addresses: readonly NetAddress[]): void {
    if (!options.discover) return;
    for (const each of addresses) {
      const address = fromNetAddress(each);
      // An onion name leads nowhere without a proxy.
      if (address && (address.network !== 'torv3' || options.proxy))
        book.add(address, each.services, netgroup(peer.address));
    }
  }

  /** Through a proxy a seed is a node that is asked once for addresses: a name is never resolved here. */
  async function seed(): Promise<void> {
    if (nowMs() - seededMs < 60_000 || closed) return;
    seededMs = nowMs();
    await Promise.all(
      options.seeds.map(async (text) => {
        const seed = parsePeerAddress(text, defaultPort(network));
        if (seed === undefined) return;
        try {
          if (options.proxy) return await askSeed(seed);
          for (const host of (await options.resolve(seed.host)).slice(0, MAX_OF_SEED)) {
            const address = parsePeerAddress(host, seed.port);
            // A resolver that lies must not make us knock at doors of our own network.
            if (address && (network === 'regtest' || isPublic(address))) book.add(address, WANTED, seed.host);
          }
        } catch (error) {
          log(`${text}: ${String(error)}`);
        }
      }),
    );
    tick();
  }

  async function askSeed(address: PeerAddress): Promise<void> {
    const peer = await connect(address);
    try {
      await peer.ask({ kind: 'getaddr' }, (message) => {
        if (message.kind !== 'addr' && message.kind !== 'addrv2') return undefined;
        // Its own address alone comes unasked.
        if (message.addresses.length < 2) return 'more';
        note(peer, message.addresses);
        return {};
      });
    } finally {
      peer.leave('seed_asked');
    }
  }

  function save(): void {
    try {
      book.save();
    } catch (error) {
      log(`the address book was not saved: ${String(error)}`);
    }
  }

  function shuffled<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = Math.floor(options.random() * (i + 1));
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }

  return {
    peers: () => [...peers.values()],
    filterPeers: () => shuffled([...peers.values()].filter(hasFilters)),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ban(peer, code) {
      book.ban(peer.address, nowMs() + options.banMs);
      peer.leave(code);
    },
    bans: () => book.bans(nowMs()),
    drop: (peer, code) => peer.leave(code),
    one(fits, signal) {
      return new Promise((resolve, reject) => {
        const pick = () => shuffled([...peers.values()]).find(fits);
        const here = pick();
        if (here) return resolve(here);
        // A peer may come, or begin to fit: by what it says, or by what others do.
        const looking = setInterval(look, LOOK_MS);
        const stop = () => {
          clearInterval(looking);
          signal.removeEventListener('abort', abort);
        };
        function abort(): void {
          stop();
          reject(new CodedError('closed', 'Stopped before there was a peer.'));
        }
        function look(): void {
          const found = pick();
          if (!found) return;
          stop();
          resolve(found);
        }
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort);
      });
    },
    start() {
      if (timer !== undefined || closed) return;
      timer = setInterval(tick, options.tickMs);
      tick();
    },
    async close() {
      closed = true;
      clearInterval(timer);
      const leaving = [...peers.values()];
      for (const peer of leaving) peer.leave('closed');
      await Promise.all(leaving.map(({ gone }) => gone));
      save();
    },
  };
}
