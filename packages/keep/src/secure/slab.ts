import { CodedError } from '@keepwatch/base';
import { sodium } from './native.ts';
import type { SecureMemory, Slot } from './memory.ts';

/** Nothing can touch a slab outside a use; a stray access ends the process (SIGSEGV) instead of reading a key. */
export type Protection = 'noaccess' | 'readonly' | 'readwrite';

/** One guarded allocation, cut into places of equal size. */
export interface Slab {
  readonly bytes: Buffer;
  readonly slotBytes: number;
  /** Who lives at each place. A handle counts only while it is the one found here. */
  readonly live: (PlacedSlot | undefined)[];
  readonly vacant: number[];
  /** Freed while the slab was in use: the user may still hold a view, so the place is reused only afterwards. */
  readonly leaving: number[];
  readers: number;
  writers: number;
  protection: Protection;
}

export interface PlacedSlot extends Slot {
  readonly memory: SecureMemory;
  readonly slab: number;
  readonly index: number;
}

interface MemoryInternals {
  readonly slabs: readonly Slab[];
  /** Guarded and locked like the slabs, but always open; see `withScratch`. */
  readonly scratch: () => Scratch;
  /** Called when the last use of a slab ends. */
  readonly released: (slab: number) => void;
}

export interface Scratch {
  readonly bytes: Buffer;
  used: number;
}

/** Kept apart from the handles: who holds a memory or a slot cannot reach the bytes through it. */
const INTERNALS = new WeakMap<SecureMemory, MemoryInternals>();

export function registerMemory(memory: SecureMemory, internals: MemoryInternals): void {
  INTERNALS.set(memory, internals);
}

export function internalsOf(memory: SecureMemory): MemoryInternals {
  return INTERNALS.get(memory)!;
}

export function isLive(slot: Slot): boolean {
  const { memory, slab, index } = slot as PlacedSlot;
  return INTERNALS.get(memory)?.slabs[slab]?.live[index] === slot;
}

/** @throws CodedError `slot_freed` */
export function slabOf(slot: PlacedSlot): Slab {
  if (isLive(slot)) return INTERNALS.get(slot.memory)!.slabs[slot.slab]!;
  throw new CodedError('slot_freed', 'this secret was wiped or never existed', {
    remedy: 'Unseal the vault again. If it is unsealed, this is a defect of the program: report it.',
  });
}

export function viewOf(slot: PlacedSlot, slab: Slab): Uint8Array {
  return new Uint8Array(slab.bytes.buffer, slab.bytes.byteOffset + slot.index * slab.slotBytes, slot.size);
}

export function protect(slab: Slab, wanted: Protection): void {
  if (slab.protection === wanted) return;
  switch (wanted) {
    case 'noaccess':
      sodium.sodium_mprotect_noaccess(slab.bytes);
      break;
    case 'readonly':
      sodium.sodium_mprotect_readonly(slab.bytes);
      break;
    case 'readwrite':
      sodium.sodium_mprotect_readwrite(slab.bytes);
      break;
  }
  slab.protection = wanted;
}

/** Gives the slab the protection that its present users need, and no more. */
export function settle(slab: Slab): void {
  protect(slab, slab.writers > 0 ? 'readwrite' : slab.readers > 0 ? 'readonly' : 'noaccess');
}
