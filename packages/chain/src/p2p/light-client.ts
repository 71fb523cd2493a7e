import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { createHeaderChain, HEADER_BYTES, vouchedFor, type HeaderChain } from '@keepwatch/bitcoin';
import { defaultPort } from '@keepwatch/bitcoin/p2p';
import { TUNING, type P2pDeps, type P2pOptions, type P2pTuning } from './options.ts';
import { openAddressBook } from './peers/address-book.ts';
import { createPeerManager, type PeerManager } from './peers/manager.ts';
import { parsePeerAddress } from './peers/peer-address.ts';
import { lockDirectory } from '../store/directory-lock.ts';
import { dnsSeeds, resolveName } from './peers/seeds.ts';
import { openFilterHeaders, type FilterHeaders } from './store/filter-headers.ts';
import { openRecordFile } from '../store/record-file.ts';
import { openReplacedMark, type ReplacedMark } from './store/replaced-mark.ts';
import { createBlockFetch, type BlockFetch } from './sync/block-fetch.ts';
import { createFilterFetch, type FilterFetch } from './sync/filter-fetch.ts';
import { createFilterSync, type FilterSync } from './sync/filter-sync.ts';
import { createHeaderSync, type HeaderSync } from './sync/header-sync.ts';

/** Everything that keeps chain and peers going; what is watched is not its business. */
export interface LightClient {
  readonly chain: HeaderChain;
  readonly filterHeaders: FilterHeaders;
  readonly manager: PeerManager;
  readonly headers: HeaderSync;
  readonly filterSync: FilterSync;
  readonly replaced: ReplacedMark;
  readonly blocks: BlockFetch;
  readonly filters: FilterFetch;
  readonly tuning: P2pTuning;
  /** Whether headers and filter headers are as far as our peers are. */
  synced(): boolean;
  /** Called whenever something may have changed. Gives the way to stop. */
  listen(listener: () => void): () => void;
  start(): void;
  close(): Promise<void>;
}

const USER_AGENT = '/keepwatch:0.1/';

export function openLightClient(deps: P2pDeps, options: P2pOptions): LightClient {
  const { network, dataDir } = options;
  const { nowMs, entropy } = deps;
  const log = deps.log ?? (() => undefined);
  const tuning = { ...TUNING, ...options.tuning };
  const configured = (options.peers ?? []).map((text) => {
    const address = parsePeerAddress(text, defaultPort(network));
    if (address) return address;
    throw new CodedError('peer_address_malformed', `“${text}” is no address of a node.`, {
      remedy: 'Write host:port.',
    });
  });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(dataDir);
  const random = () => new DataView(Uint8Array.from(entropy(4)).buffer).getUint32(0) / 2 ** 32;
  const archive = openRecordFile(join(dataDir, 'headers.dat'), HEADER_BYTES);
  const chain = createHeaderChain({ network, ...(options.vouched ?? vouchedFor(network)), archive });
  const filterHeaders = openFilterHeaders(join(dataDir, 'filter-headers.dat'), chain);
  const listeners = new Set<() => void>();
  const ring = () => {
    for (const listener of [...listeners]) listener();
  };
  const manager = createPeerManager({
    network,
    entropy,
    nowMs,
    random,
    log,
    configured,
    book: openAddressBook(join(dataDir, 'peers.json'), random),
    discover: options.discover ?? network !== 'regtest',
    seeds: options.seeds ?? dnsSeeds(network),
    resolve: deps.resolve ?? resolveName,
    proxy: options.proxy ?? null,
    userAgent: USER_AGENT,
    height: () => chain.tip().height,
    target: tuning.target,
    timeoutMs: tuning.dialMs,
    answerMs: tuning.answerMs,
    pingMs: tuning.pingMs,
    tickMs: tuning.tickMs,
    rotateMs: tuning.rotateMs,
    banMs: tuning.banMs,
  });
  const blocks = createBlockFetch(manager, network, tuning.answerMs);
  let changedMs = nowMs();
  const headers = createHeaderSync({
    ...{ chain, manager, nowMs, log },
    shown: (peer) => filterSync.shown(peer),
    changed(change) {
      changedMs = nowMs();
      filterSync.wake(change.disconnected.length > 0 ? change.fork.height : undefined);
      ring();
    },
  });
  const replaced = openReplacedMark(join(dataDir, 'filters-replaced.json'));
  const { graceMs, answerMs } = tuning;
  const filterSync = createFilterSync({
    ...{ chain, filterHeaders, replaced, manager, blocks, log, graceMs, answerMs, changed: ring },
  });
  const stopListening = manager.listen({ joined: ring, left: ring });
  let watching: NodeJS.Timeout | undefined;

  /** Time goes by without a block: all are asked, and who is behind us then tells us nothing. */
  function watchTip(): void {
    ring();
    if (nowMs() - changedMs < tuning.slowTipMs) return;
    changedMs = nowMs();
    for (const peer of manager.peers()) {
      if (peer.height < chain.tip().height && nowMs() - peer.connectedMs > tuning.slowTipMs) {
        manager.drop(peer, 'peer_behind');
      }
    }
    headers.refresh();
  }

  return {
    chain,
    filterHeaders,
    manager,
    headers,
    filterSync,
    replaced,
    blocks,
    tuning,
    filters: createFilterFetch(manager, chain, filterHeaders, filterSync),
    synced: () => headers.synced && filterHeaders.height() >= chain.tip().height,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start() {
      watching ??= setInterval(watchTip, tuning.tickMs);
      manager.start();
    },
    async close() {
      clearInterval(watching);
      stopListening();
      headers.close();
      const closing = filterSync.close();
      await manager.close();
      await closing;
      archive.close();
      filterHeaders.close();
      lock.release();
    },
  };
}
