import type { InternalHash } from './hash.ts';
import { targetFromBits, workOfTarget } from './proof-of-work.ts';

/**
 * Headers as a tree in typed arrays: 48 bytes a header and 4–8 for finding it by its hash. A node is a number; a parent's
 * number is smaller than its children's. Nothing is ever removed.
 */
export interface HeaderStore {
  readonly size: number;
  /** The caller has checked the header and knows its parent (the root has none: −1). */
  add(hash: InternalHash, parent: number, height: number, timeSeconds: number, bits: number): number;
  /** The node with this hash, which stands at `at` in the bytes; −1 where there is none. */
  find(bytes: Uint8Array, at: number): number;
  hash(node: number): InternalHash;
  parent(node: number): number;
  height(node: number): number;
  timeSeconds(node: number): number;
  bits(node: number): number;
  /** Work of the node and all its ancestors down from the root, the root's own given work included. */
  work(node: number): bigint;
}

const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;
const IN_CHUNK = CHUNK - 1;
/** Cumulative work is kept for one node in so many; between them it is added up again. */
const WORK_EVERY = 64;

/** `rootWork`: the cumulative work of the first node that is added. */
export function createHeaderStore(rootWork: bigint): HeaderStore {
  const hashes: Uint8Array[] = [];
  /** Four numbers a node: parent, height, time, bits. */
  const facts: Uint32Array[] = [];
  const works: bigint[] = [];
  const workOfBits = new Map<number, bigint>();
  let slots = new Int32Array(1 << 10).fill(-1);
  let size = 0;

  const fact = (node: number, which: number) => facts[node >> CHUNK_BITS]![(node & IN_CHUNK) * 4 + which]!;

  function ownWork(bits: number): bigint {
    let work = workOfBits.get(bits);
    if (work === undefined) {
      work = workOfTarget(targetFromBits(bits)!);
      workOfBits.set(bits, work);
    }
    return work;
  }

  function work(node: number): bigint {
    let sum = 0n;
    let at = node;
    for (; at % WORK_EVERY !== 0; at = fact(at, 0)) sum += ownWork(fact(at, 3));
    return sum + works[at / WORK_EVERY]!;
  }

  function equals(node: number, bytes: Uint8Array, at: number): boolean {
    const chunk = hashes[node >> CHUNK_BITS]!;
    const start = (node & IN_CHUNK) * 32;
    for (let i = 0; i < 32; i++) if (chunk[start + i] !== bytes[at + i]) return false;
    return true;
  }

  /** Where the hash is, or the free slot where it belongs. Its low bytes are as good as random: no further hashing. */
  function slotOf(bytes: Uint8Array, at: number): number {
    const mask = slots.length - 1;
    let slot = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) & mask;
    while (slots[slot]! >= 0 && !equals(slots[slot]!, bytes, at)) slot = (slot + 1) & mask;
    return slot;
  }

  function growSlots(): void {
    const before = slots;
    slots = new Int32Array(before.length * 2).fill(-1);
    for (const node of before) {
      if (node >= 0) slots[slotOf(hashes[node >> CHUNK_BITS]!, (node & IN_CHUNK) * 32)] = node;
    }
  }

  return {
    get size() {
      return size;
    },
    add(hash, parent, height, timeSeconds, bits) {
      const node = size;
      if ((node & IN_CHUNK) === 0) {
        hashes.push(new Uint8Array(CHUNK * 32));
        facts.push(new Uint32Array(CHUNK * 4));
      }
      // Three quarters full at most.
      if (node + 1 > slots.length - (slots.length >> 2)) growSlots();
      slots[slotOf(hash, 0)] = node;
      hashes[node >> CHUNK_BITS]!.set(hash, (node & IN_CHUNK) * 32);
      facts[node >> CHUNK_BITS]!.set([parent, height, timeSeconds, bits], (node & IN_CHUNK) * 4);
      size++;
      if (node % WORK_EVERY === 0) works.push(node === 0 ? rootWork : ownWork(bits) + work(parent));
      return node;
    },
    find: (bytes, at) => slots[slotOf(bytes, at)]!,
    hash(node) {
      const start = (node & IN_CHUNK) * 32;
      return hashes[node >> CHUNK_BITS]!.slice(start, start + 32) as InternalHash;
    },
    parent: (node) => fact(node, 0) | 0,
    height: (node) => fact(node, 1),
    timeSeconds: (node) => fact(node, 2),
    bits: (node) => fact(node, 3),
    work,
  };
}
