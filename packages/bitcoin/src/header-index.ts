/**
 * Finds nodes by hash without keeping hashes: of each node the first four bytes, and an open-addressed table of node
 * numbers over them. Some 12 bytes a node. Who finds one compares the whole hash (`is`).
 */
export interface HeaderIndex {
  readonly size: number;
  /** The next node's number goes to the hash at `at`. */
  add(bytes: Uint8Array, at: number): void;
  /** The first node with this hash, by the table and by `is`; −1 where there is none. */
  find(bytes: Uint8Array, at: number, is: (node: number) => boolean): number;
  /** Forgets the newest nodes, as if they had never been added. */
  shrink(size: number): void;
}

const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;
const IN_CHUNK = CHUNK - 1;

export function createHeaderIndex(): HeaderIndex {
  /** The low bytes of a block hash are as good as random: no further hashing. */
  const marks: Uint32Array[] = [];
  /** Node + 1; 0 is free. */
  let slots = new Uint32Array(1 << 10);
  let size = 0;

  const markOf = (node: number) => marks[node >> CHUNK_BITS]![node & IN_CHUNK]!;
  const markAt = (bytes: Uint8Array, at: number) =>
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

  function put(node: number): void {
    const mask = slots.length - 1;
    let slot = markOf(node) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = node + 1;
  }

  return {
    get size() {
      return size;
    },
    add(bytes, at) {
      const node = size++;
      if ((node & IN_CHUNK) === 0) marks.push(new Uint32Array(CHUNK));
      marks[node >> CHUNK_BITS]![node & IN_CHUNK] = markAt(bytes, at);
      if (size <= slots.length - (slots.length >> 2)) return put(node);
      // Three quarters full at most. In the order of their numbers: `shrink` relies on it.
      slots = new Uint32Array(slots.length * 2);
      for (let each = 0; each < size; each++) put(each);
    },
    find(bytes, at, is) {
      const mask = slots.length - 1;
      const mark = markAt(bytes, at);
      for (let slot = mark & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const node = slots[slot]! - 1;
        if (markOf(node) === mark && is(node)) return node;
      }
      return -1;
    },
    shrink(kept) {
      // Who came last stands in nobody's way: its slot is simply free again.
      while (size > kept) {
        const node = --size;
        const mask = slots.length - 1;
        let slot = markOf(node) & mask;
        while (slots[slot] !== node + 1) slot = (slot + 1) & mask;
        slots[slot] = 0;
        if ((node & IN_CHUNK) === 0) marks.pop();
      }
    },
  };
}
