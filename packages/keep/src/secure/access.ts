import { mapEach } from '@keepwatch/base';
import { sodium } from './native.ts';
import { internalsOf, settle, slabOf, viewOf } from './slab.ts';
import type { PlacedSlot, Slab } from './slab.ts';
import type { SecureMemory, Slot } from './memory.ts';

// The only way to the bytes, and it stays inside this room. A view is good until `use` returns, or until the promise
// that it returned settles; touching it later is a SIGSEGV. Uses nest: a slab is open while any of them lasts.

export function withReadable<T>(slot: Slot, use: (bytes: Uint8Array) => T): T {
  const placed = slot as PlacedSlot;
  const slab = slabOf(placed);
  slab.readers += 1;
  settle(slab);
  const close = () => {
    slab.readers -= 1;
    settle(slab);
    internalsOf(placed.memory).released(placed.slab);
  };
  let result: T;
  try {
    result = use(viewOf(placed, slab));
  } catch (error) {
    close();
    throw error;
  }
  if (result instanceof Promise) return result.finally(close) as T;
  close();
  return result;
}

export function withWritable<T>(slot: Slot, use: (bytes: Uint8Array) => T): T {
  return withAccess([], [slot], (_, [bytes]) => use(bytes!));
}

/**
 * Opens all the slabs of these slots once, whatever the number of slots.
 * @throws CodedError `slot_freed`, before anything is opened
 */
export function withAccess<T>(
  read: readonly Slot[],
  write: readonly Slot[],
  use: (read: Uint8Array[], write: Uint8Array[]) => T,
): T {
  // What signing does most, and in a fraction of the time.
  if (read.length === 1 && write.length === 0) return withReadable(read[0]!, (bytes) => use([bytes], []));
  const readable = read as readonly PlacedSlot[];
  const writable = write as readonly PlacedSlot[];
  const readSlabs = mapEach(readable, slabOf);
  const writeSlabs = mapEach(writable, slabOf);
  // One slot of each slab stands for it: thousands may lie in a few.
  const slabs = new Map<Slab, PlacedSlot>();
  for (const [i, slab] of readSlabs.entries()) if (!slabs.has(slab)) slabs.set(slab, readable[i]!);
  for (const [i, slab] of writeSlabs.entries()) if (!slabs.has(slab)) slabs.set(slab, writable[i]!);

  for (const slab of readSlabs) slab.readers += 1;
  for (const slab of writeSlabs) slab.writers += 1;
  for (const slab of slabs.keys()) settle(slab);

  const close = () => {
    for (const slab of readSlabs) slab.readers -= 1;
    for (const slab of writeSlabs) slab.writers -= 1;
    for (const slab of slabs.keys()) settle(slab);
    for (const slot of slabs.values()) internalsOf(slot.memory).released(slot.slab);
  };

  let result: T;
  try {
    result = use(
      mapEach(readable, (slot, i) => viewOf(slot, readSlabs[i]!)),
      mapEach(writable, (slot, i) => viewOf(slot, writeSlabs[i]!)),
    );
  } catch (error) {
    close();
    throw error;
  }
  if (result instanceof Promise) return result.finally(close) as T;
  close();
  return result;
}

/**
 * Zeros for intermediate secrets, zeroed again when `use` ends, whatever way it ends. This memory is locked and fenced
 * but stays open between uses, because it is empty then: changing a protection costs more than a hash. `use` is
 * synchronous.
 */
export function withScratch<T>(memory: SecureMemory, size: number, use: (bytes: Uint8Array) => T): T {
  const scratch = internalsOf(memory).scratch();
  const start = scratch.used;
  if (start + size > scratch.bytes.length) throw new RangeError('the scratch memory is too small for this use');
  const bytes = new Uint8Array(scratch.bytes.buffer, scratch.bytes.byteOffset + start, size);
  // libsodium's hash states want alignment; the memory itself begins at a multiple of 64.
  scratch.used = start + Math.ceil(size / 64) * 64;
  try {
    return use(bytes);
  } finally {
    sodium.sodium_memzero(bytes);
    scratch.used = start;
  }
}
