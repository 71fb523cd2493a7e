import { consensusOf } from './consensus.ts';
import { medianTimePast, nextBits, versionOutdated, warpsTime, type Ancestry } from './difficulty.ts';
import { toDisplay, toInternal, type BlockHash, type InternalHash } from './hash.ts';
import { createMemoryArchive, type HeaderArchive } from './header-archive.ts';
import { createBestPath } from './header-path.ts';
import { createHeaderStore } from './header-store.ts';
import { decodeHeader } from './header.ts';
import { HEADER_BYTES } from './layout.ts';
import type { Network } from './network.ts';
import { isAtMost, targetBytes, targetFromBits, workOfTarget } from './proof-of-work.ts';
import { sha256dEach } from './wasm/hashing.ts';

/** A block as its header shows it. */
export interface HeaderPoint {
  readonly height: number;
  readonly hash: BlockHash;
  readonly timeSeconds: number;
}

export type HeaderErrorCode =
  /** The bytes are not a whole number of headers. */
  | 'header_length'
  /** Nothing is known of the block that it builds on: ask for what lies between. */
  | 'header_unknown_parent'
  | 'header_wrong_bits'
  | 'header_no_work'
  | 'header_time_too_old'
  /** More than two hours ahead of our clock. May be right later: this alone is no misbehaviour. */
  | 'header_time_too_new'
  /** BIP94. */
  | 'header_time_warp'
  | 'header_version_outdated'
  | 'header_against_checkpoint';

export interface AcceptedHeaders {
  /** How many were new. */
  readonly added: number;
  /** How many were known before. */
  readonly known: number;
  /** What is wrong with the first header that was refused; it and all behind it were not taken. */
  readonly fault: { readonly code: HeaderErrorCode; readonly index: number } | null;
  /** How the best chain changed: what is no longer on it (tip first) and the block that both share. */
  readonly change: { readonly fork: HeaderPoint; readonly disconnected: readonly HeaderPoint[] } | null;
}

export interface HeaderChain {
  readonly network: Network;
  /** The block with the most work behind it; of equals the one that came first. */
  tip(): HeaderPoint;
  /** Cumulative work of the tip (2^256 / (target + 1) for each block). */
  work(): bigint;
  /** Whether the best chain has as much work as the release vouches for; less is a fake, or a part. */
  hasMinimumWork(): boolean;
  /** Where the chain starts: genesis, or the checkpoint that it was created with. */
  readonly root: HeaderPoint;
  /** How many headers are held, those of side branches included. */
  size(): number;
  /**
   * Headers one behind the other, 80 bytes each, checked against all rules for headers of the network. The valid ones
   * before the first fault are kept, in the archive first. `nowSeconds`: our own clock, for headers from the future.
   * Where the archive throws, this throws, and everything is as it was before.
   */
  accept(headers: Uint8Array, nowSeconds: number): AcceptedHeaders;
  /** The block at this height of the best chain. */
  at(height: number): HeaderPoint | undefined;
  /** The hash of the block at this height of the best chain, without the trouble of a point. */
  hashAt(height: number): InternalHash | undefined;
  /** A known block, on the best chain or beside it. */
  find(hash: BlockHash): (HeaderPoint & { readonly onBest: boolean }) | undefined;
  /** The block that a known one builds on; `undefined` at the root, and for what is not known. */
  parentOf(hash: BlockHash): HeaderPoint | undefined;
  /** The last block of the best chain that is the given one or an ancestor of it. */
  forkPoint(hash: BlockHash): HeaderPoint | undefined;
  /** BIP113 median time past of a block of the best chain, in seconds. */
  medianTimePast(height: number): number | undefined;
  /** Hashes of the best chain, dense at the tip and ever sparser towards the root: what `getheaders` asks with. */
  locator(): readonly InternalHash[];
}

export interface HeaderChainOptions {
  readonly network: Network;
  /**
   * Start here and not at genesis: the header of a block that the release vouches for, its height (a multiple of 2,016, so
   * that the first retarget finds its period's start) and the cumulative work up to and including it.
   */
  readonly root?: { readonly header: Uint8Array; readonly height: number; readonly work: bigint };
  /** Blocks that the release vouches for. No header may contradict them, nor fork off below one that was reached. */
  readonly checkpoints?: readonly { readonly height: number; readonly hash: BlockHash }[];
  /** What the work of the whole chain is at least, as far as the release knows. Default: nothing. */
  readonly minimumWork?: bigint;
  /**
   * Where the headers are kept. What it holds is held to the same rules again, so that nothing in it has to be trusted; a
   * header that does not hold, and what follows it, is cut off. Default: memory.
   */
  readonly archive?: HeaderArchive;
}

/** Bitcoin Core's MAX_FUTURE_BLOCK_TIME. */
const MAX_FUTURE_SECONDS = 7_200;
/** Headers that are read from the archive at once. */
const CHUNK = 500;

export function createHeaderChain(options: HeaderChainOptions): HeaderChain {
  const { network } = options;
  const params = consensusOf(network);
  const archive = options.archive ?? createMemoryArchive();
  const rootBytes = options.root?.header ?? params.genesis;
  const rootHeader = decodeHeader(rootBytes);
  const rootHeight = options.root?.height ?? 0;
  if (rootHeader === undefined || rootHeight % 2_016 !== 0)
    throw new RangeError('a chain starts where a period starts');
  const rootTarget = targetFromBits(rootHeader.bits);
  if (rootTarget === undefined) throw new RangeError('the root has no target');
  const checkpoints = new Map(options.checkpoints?.map(({ height, hash }) => [height, hash]));

  const rootWork = options.root?.work ?? workOfTarget(rootTarget);
  const store = createHeaderStore({ header: rootBytes, height: rootHeight, work: rootWork }, archive);
  const best = createBestPath(store);
  let tipWork = rootWork;
  let lowestFork = rootHeight;
  /** What compact targets stand for. */
  const targets = new Map<number, { readonly limit: Uint8Array; readonly work: bigint }>();

  const point = (node: number): HeaderPoint => ({
    height: store.height(node),
    hash: toDisplay<BlockHash>(store.hash(node)),
    timeSeconds: store.timeSeconds(node),
  });

  /** Ancestors by height. Remembers the last one it was asked for, so that walking down a side branch stays linear. */
  function createAncestry(): Ancestry & { of(node: number): Ancestry } {
    let base = best.tip();
    let cursor = base;
    function ancestor(height: number): number {
      if (height > store.height(cursor)) cursor = base;
      while (store.height(cursor) > height && !best.has(cursor)) cursor = store.parent(cursor);
      if (store.height(cursor) > height) cursor = best.at(height)!;
      return cursor;
    }
    return {
      oldest: rootHeight,
      get height() {
        return store.height(base);
      },
      timeSeconds: (height) => store.timeSeconds(ancestor(height)),
      bits: (height) => store.bits(ancestor(height)),
      of(node) {
        base = node;
        cursor = node;
        return this;
      },
    };
  }
  const ancestry = createAncestry();

  function setTip(node: number, work: bigint): void {
    best.moveTo(node);
    tipWork = work;
    const height = store.height(node);
    if (checkpoints.has(height)) lowestFork = Math.max(lowestFork, height);
  }

  /** What the header at `at` says, or why it is refused. */
  function check(view: DataView, at: number, hash: InternalHash, parent: number, now: number) {
    const height = store.height(parent) + 1;
    const version = view.getInt32(at, true);
    const timeSeconds = view.getUint32(at + 68, true);
    const bits = view.getUint32(at + 72, true);
    const behind = ancestry.of(parent);
    if (bits !== nextBits(params, behind, timeSeconds)) return 'header_wrong_bits';
    let target = targets.get(bits);
    if (target === undefined) {
      const number = targetFromBits(bits);
      if (number === undefined || number > params.powLimit) return 'header_wrong_bits';
      target = { limit: targetBytes(number), work: workOfTarget(number) };
      targets.set(bits, target);
    }
    if (!isAtMost(hash, target.limit)) return 'header_no_work';
    const vouched = checkpoints.get(height);
    if (vouched !== undefined && vouched !== toDisplay(hash)) return 'header_against_checkpoint';
    if (height <= lowestFork) return 'header_against_checkpoint';
    if (timeSeconds <= medianTimePast(behind)) return 'header_time_too_old';
    if (warpsTime(params, behind, timeSeconds)) return 'header_time_warp';
    if (timeSeconds > now + MAX_FUTURE_SECONDS) return 'header_time_too_new';
    if (versionOutdated(params, height, version)) return 'header_version_outdated';
    return { work: target.work };
  }

  /** Takes headers into the tree. With `loading`, one that is known already is where it ends. */
  function take(headers: Uint8Array, nowSeconds: number, loading: boolean) {
    const hashes = sha256dEach(headers, HEADER_BYTES);
    const view = new DataView(headers.buffer, headers.byteOffset, headers.length);
    let added = 0;
    let known = 0;
    let fault: AcceptedHeaders['fault'] = null;
    let last = -1;
    let lastHash: InternalHash | undefined;
    let lastWork = 0n;
    for (let at = 0, index = 0; at < headers.length; at += HEADER_BYTES, index++) {
      if (at + HEADER_BYTES > headers.length) {
        fault = { code: 'header_length', index };
        break;
      }
      const hash = hashes.subarray(index * 32, index * 32 + 32) as InternalHash;
      if (store.find(hash, 0) >= 0) {
        if (loading) break;
        known++;
        lastHash = undefined;
        continue;
      }
      const follows = lastHash !== undefined && startsWith(headers, at + 4, lastHash);
      const parent = follows ? last : store.find(headers, at + 4);
      if (parent < 0) {
        fault = { code: 'header_unknown_parent', index };
        break;
      }
      const checked = check(view, at, hash, parent, nowSeconds);
      if (typeof checked === 'string') {
        fault = { code: checked, index };
        break;
      }
      const work = (follows ? lastWork : store.work(parent)) + checked.work;
      last = store.add(hash, headers, at, parent);
      lastHash = hash;
      lastWork = work;
      added++;
      if (work > tipWork) setTip(last, work);
    }
    return { added, known, fault };
  }

  function accept(headers: Uint8Array, nowSeconds: number): AcceptedHeaders {
    const before = { path: best.snapshot(), tipWork, lowestFork };
    const oldTip = best.tip();
    let taken;
    try {
      taken = take(headers, nowSeconds, false);
      store.commit();
    } catch (error) {
      store.rollback();
      best.restore(before.path);
      ({ tipWork, lowestFork } = before);
      throw error;
    }
    return { ...taken, change: best.tip() === oldTip ? null : changeFrom(oldTip) };
  }

  /** They were not from the future when they came. A clock that went back since then must not cost them. */
  function load(): void {
    const memory = new Uint8Array(CHUNK * HEADER_BYTES);
    for (let at = 0; at < archive.count;) {
      const count = archive.read(at, memory);
      const { added } = take(memory.subarray(0, count * HEADER_BYTES), Infinity, true);
      at += added;
      if (added < count) return store.cutOff();
    }
  }

  function changeFrom(oldTip: number) {
    const disconnected: HeaderPoint[] = [];
    let at = oldTip;
    for (; !best.has(at); at = store.parent(at)) disconnected.push(point(at));
    return { fork: point(at), disconnected };
  }

  function nodeOf(hash: BlockHash): number {
    const internal = toInternal(hash);
    return internal === undefined ? -1 : store.find(internal, 0);
  }

  load();

  return {
    network,
    root: point(0),
    tip: () => point(best.tip()),
    work: () => tipWork,
    hasMinimumWork: () => tipWork >= (options.minimumWork ?? 0n),
    size: () => store.size,
    accept,
    at(height) {
      const node = best.at(height);
      return node === undefined ? undefined : point(node);
    },
    hashAt(height) {
      const node = best.at(height);
      return node === undefined ? undefined : store.hash(node);
    },
    find(hash) {
      const node = nodeOf(hash);
      return node < 0 ? undefined : { ...point(node), onBest: best.has(node) };
    },
    parentOf(hash) {
      const node = nodeOf(hash);
      const parent = node < 0 ? -1 : store.parent(node);
      return parent < 0 ? undefined : point(parent);
    },
    forkPoint(hash) {
      let node = nodeOf(hash);
      if (node < 0) return undefined;
      while (!best.has(node)) node = store.parent(node);
      return point(node);
    },
    medianTimePast(height) {
      const node = best.at(height);
      return node === undefined ? undefined : medianTimePast(ancestry.of(node));
    },
    locator() {
      const hashes: InternalHash[] = [];
      let step = 1;
      for (let height = store.height(best.tip()); height > rootHeight; height -= step) {
        hashes.push(store.hash(best.at(height)!));
        if (hashes.length > 10) step *= 2;
      }
      hashes.push(store.hash(best.at(rootHeight)!));
      return hashes;
    },
  };
}

function startsWith(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}
