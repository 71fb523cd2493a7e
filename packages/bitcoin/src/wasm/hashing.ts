import type { InternalHash } from '../hash.ts';
import { createKernel, type Kernel } from './kernel.ts';

/**
 * Many double SHA-256 at once. The scratch memory of one kernel is shared by all calls: nothing of a call outlives it. It
 * stays as large as the largest input asked for, some megabytes for a full block.
 */
let shared: Kernel | undefined;

const align = (offset: number) => (offset + 63) & ~63;

/**
 * Row i of the table (four numbers) is start, bodyStart, bodyEnd and end of message i in the bytes: hashed are the four
 * bytes at its start, its body, and the four bytes up to its end. Gives 32 bytes for each.
 */
export function sha256dMany(bytes: Uint8Array, table: Uint32Array, count: number): Uint8Array {
  shared ??= createKernel();
  let longest = 0;
  for (let i = 0; i < count * 4; i += 4) longest = Math.max(longest, table[i + 2]! - table[i + 1]!);
  const stride = align(longest + 8 + 72);
  const base = align(shared.heapStart());
  const tableAt = align(base + bytes.length);
  const out = align(tableAt + count * 16);
  const scratch = align(out + count * 32);
  const memory = shared.memory(scratch + 4 * stride);
  memory.set(bytes, base);
  new Uint32Array(memory.buffer, tableAt, count * 4).set(table.subarray(0, count * 4));
  shared.sha256dMany(count, tableAt, base, out, scratch, stride);
  return memory.slice(out, out + count * 32);
}

/** The table of the last call of `sha256dEach`: mostly the next one is of the same width. */
let rows = { width: 0, table: new Uint32Array(0) };

/** Double SHA-256 of each `width` bytes (8 at least); what is left over at the end is not looked at. */
export function sha256dEach(bytes: Uint8Array, width: number): Uint8Array {
  const count = Math.floor(bytes.length / width);
  if (rows.width !== width || rows.table.length < count * 4) {
    const table = new Uint32Array(count * 4);
    for (let i = 0; i < count; i++) {
      const start = i * width;
      table.set([start, start + 4, start + width - 4, start + width], i * 4);
    }
    rows = { width, table };
  }
  return sha256dMany(bytes, rows.table, count);
}

/** Links of a chain, each the double SHA-256 of its hash and the link before it. */
export function sha256dChain(previous: InternalHash, hashes: readonly InternalHash[]): InternalHash[] {
  shared ??= createKernel();
  const base = align(shared.heapStart());
  const table = base + 64;
  const scratch = table + 64;
  const memory = shared.memory(scratch + 4 * 192);
  new Uint32Array(memory.buffer, table, 4).set([0, 4, 60, 64]);
  memory.set(previous, base + 32);
  return hashes.map((hash) => {
    memory.set(hash, base);
    shared!.sha256dMany(1, table, base, base + 32, scratch, 192);
    return memory.slice(base + 32, base + 64) as InternalHash;
  });
}

/** The merkle root of 32-byte hashes, at least one, and whether two equal ones made a pair in any row. */
export function rootOfRow(hashes: Uint8Array): { readonly root: InternalHash; readonly mutated: boolean } {
  shared ??= createKernel();
  const row = align(shared.heapStart());
  const memory = shared.memory(row + hashes.length + 32);
  memory.set(hashes, row);
  const mutated = shared.merkleRoot(row, hashes.length / 32) !== 0;
  return { root: memory.slice(row, row + 32) as InternalHash, mutated };
}
