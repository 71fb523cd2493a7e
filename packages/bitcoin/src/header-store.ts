import type { InternalHash } from './hash.ts';
import type { HeaderArchive } from './header-archive.ts';
import { headerHash } from './header.ts';
import { createHeaderIndex } from './header-index.ts';
import { HEADER_BYTES } from './layout.ts';
import { targetFromBits, workOfTarget } from './proof-of-work.ts';

/**
 * Headers as a tree. A node is a number, in the order of acceptance; a parent's number is smaller than its children's. Node
 * 0 is the root, and node n the archive's header n − 1. In memory stand the index by hash, some pages of the archive, and
 * the runs: stretches of nodes each of which builds on the one before it. A chain without branches is one run.
 */
export interface HeaderStore {
  readonly size: number;
  /** The header at `at`. The caller has checked it and knows its hash and its parent. */
  add(hash: InternalHash, headers: Uint8Array, at: number, parent: number): number;
  /** Puts into the archive what was added since. */
  commit(): void;
  /** Forgets what was added since. */
  rollback(): void;
  /** Cuts the archive off behind the last node. */
  cutOff(): void;
  /** The node with this hash, which stands at `at` in the bytes; −1 where there is none. */
  find(bytes: Uint8Array, at: number): number;
  hash(node: number): InternalHash;
  /** −1 for the root. */
  parent(node: number): number;
  height(node: number): number;
  /** The first node of the run that this one is in: all from there on are ancestors of it. */
  runStart(node: number): number;
  timeSeconds(node: number): number;
  bits(node: number): number;
  /** Work of the node and all its ancestors down from the root, the root's own given work included. */
  work(node: number): bigint;
}

export interface HeaderRoot {
  readonly header: Uint8Array;
  readonly height: number;
  /** Cumulative, its own included. */
  readonly work: bigint;
}

/** Pages of the archive: headers a page, and how many are kept (some 700 kB). */
const PAGE = 128;
const PAGES = 64;
/** Cumulative work is kept for one node in so many; between them it is added up again. */
const WORK_EVERY = 256;

export function createHeaderStore(root: HeaderRoot, archive: HeaderArchive): HeaderStore {
  const rootHash = headerHash(root.header);
  const index = createHeaderIndex();
  const starts = [0];
  const parents = [-1];
  const heights = [root.height];
  const works = [root.work];
  const workOfBits = new Map<number, bigint>();
  const pages = new Map<number, Uint8Array>();
  let page = -1;
  let pageBytes: Uint8Array = new Uint8Array(0);
  /** Headers that are not in the archive yet: those of nodes from `archive.count + 1` on. */
  let fresh = new Uint8Array(0);
  let freshLength = 0;
  /** Where the node is that was asked for last. */
  let bytes: Uint8Array = root.header;
  /** The hash that was computed last: mostly that of the tip, which no header names yet. */
  let hashed = { node: 0, hash: rootHash };
  index.add(rootHash, 0);

  /** Offset of the node's header in `bytes`. */
  function seek(node: number): number {
    const at = node - 1;
    if (at < 0) {
      bytes = root.header;
      return 0;
    }
    if (at >= archive.count) {
      bytes = fresh;
      return (at - archive.count) * HEADER_BYTES;
    }
    const wanted = Math.floor(at / PAGE);
    if (wanted !== page) {
      pageBytes = pages.get(wanted) ?? readPage(wanted);
      page = wanted;
      // The one that was not used for the longest time goes first.
      pages.delete(wanted);
      pages.set(wanted, pageBytes);
    }
    bytes = pageBytes;
    return (at % PAGE) * HEADER_BYTES;
  }

  function readPage(wanted: number): Uint8Array {
    let memory: Uint8Array | undefined;
    if (pages.size >= PAGES) {
      // Its memory is used again: garbage of this size is collected late.
      const [oldest] = pages.keys();
      memory = pages.get(oldest!)!;
      pages.delete(oldest!);
    }
    memory ??= new Uint8Array(PAGE * HEADER_BYTES);
    archive.read(wanted * PAGE, memory);
    return memory;
  }

  function word(node: number, offset: number): number {
    const at = seek(node) + offset;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  function forgetPages(from: number): void {
    for (const each of pages.keys()) if (each >= from) pages.delete(each);
    page = -1;
  }

  /** The run that the node is in. */
  function runOf(node: number): number {
    let low = 0;
    let high = starts.length - 1;
    if (node >= starts[high]!) return high;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= node) low = middle;
      else high = middle;
    }
    return low;
  }

  function parent(node: number): number {
    const run = runOf(node);
    return starts[run] === node ? parents[run]! : node - 1;
  }

  function height(node: number): number {
    const run = runOf(node);
    return heights[run]! + node - starts[run]!;
  }

  function hash(node: number): InternalHash {
    if (node === 0) return rootHash.slice() as InternalHash;
    // The next one of its run names it.
    if (node + 1 < index.size && parent(node + 1) === node) {
      const at = seek(node + 1) + 4;
      return bytes.slice(at, at + 32) as InternalHash;
    }
    if (hashed.node !== node) {
      const at = seek(node);
      hashed = { node, hash: headerHash(bytes, at) };
    }
    return hashed.hash.slice() as InternalHash;
  }

  function is(node: number, wanted: Uint8Array, at: number): boolean {
    const own = hash(node);
    for (let i = 0; i < 32; i++) if (own[i] !== wanted[at + i]) return false;
    return true;
  }

  function ownWork(bits: number): bigint {
    let work = workOfBits.get(bits);
    if (work === undefined) {
      work = workOfTarget(targetFromBits(bits)!);
      workOfBits.set(bits, work);
    }
    return work;
  }

  const bits = (node: number) => word(node, 72);

  function work(node: number): bigint {
    let sum = 0n;
    let at = node;
    for (; at % WORK_EVERY !== 0; at = parent(at)) sum += ownWork(bits(at));
    return sum + works[at / WORK_EVERY]!;
  }

  function keepFresh(headers: Uint8Array, at: number): void {
    if (freshLength === fresh.length) {
      const larger = new Uint8Array(Math.max(64 * HEADER_BYTES, fresh.length * 2));
      larger.set(fresh);
      fresh = larger;
    }
    fresh.set(headers.subarray(at, at + HEADER_BYTES), freshLength);
    freshLength += HEADER_BYTES;
  }

  return {
    get size() {
      return index.size;
    },
    add(hash, headers, at, parentNode) {
      const node = index.size;
      if (node > archive.count) keepFresh(headers, at);
      if (parentNode !== node - 1) {
        starts.push(node);
        heights.push(height(parentNode) + 1);
        parents.push(parentNode);
      }
      index.add(hash, 0);
      hashed = { node, hash: hash.slice() as InternalHash };
      if (node % WORK_EVERY === 0) works.push(ownWork(bits(node)) + work(parentNode));
      return node;
    },
    commit() {
      if (freshLength === 0) return;
      const kept = archive.count;
      archive.append(fresh.subarray(0, freshLength));
      freshLength = 0;
      // The last page may have been read when it was not full yet.
      forgetPages(Math.floor(kept / PAGE));
    },
    rollback() {
      const kept = archive.count;
      index.shrink(kept + 1);
      while (starts.at(-1)! > kept) {
        starts.pop();
        heights.pop();
        parents.pop();
      }
      works.length = Math.floor(kept / WORK_EVERY) + 1;
      hashed = { node: 0, hash: rootHash };
      freshLength = 0;
    },
    cutOff() {
      archive.truncate(index.size - 1);
      forgetPages(0);
    },
    find: (wanted, at) => index.find(wanted, at, (node) => is(node, wanted, at)),
    hash,
    parent,
    height,
    runStart: (node) => starts[runOf(node)]!,
    timeSeconds: (node) => word(node, 68),
    bits,
    work,
  };
}
