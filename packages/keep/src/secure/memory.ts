import { CodedError } from '@keepwatch/base';
import { withWritable } from './access.ts';
import { requireLocked } from './locked-memory.ts';
import { sodium } from './native.ts';
import { protect, registerMemory, settle, slabOf } from './slab.ts';
import type { PlacedSlot, Scratch, Slab } from './slab.ts';

/**
 * A place for one secret in locked memory: a handle without the bytes. It dies with `free` or `wipeAll`; whoever uses
 * it afterwards gets `slot_freed`, never another secret.
 */
export interface Slot {
  /** Bytes. */
  readonly size: number;
  readonly [slotBrand]: true;
}
declare const slotBrand: unique symbol;

export interface SecureMemoryOptions {
  /**
   * Go on where the kernel did not lock the memory. Sound on a machine without swap; everywhere else keys may reach
   * the disk.
   */
  readonly allowUnlockedMemory?: boolean;
  /** Becomes the first slab of small secrets. */
  readonly shared?: SharedSlab;
}

/** Memory of `sodium_malloc` that another thread reads from while a use of it lasts. */
export interface SharedSlab {
  readonly slab: Buffer;
  /** Returns when nobody reads from it. Called before the bytes of a secret change that may be in use. */
  quiesce(): void;
}

/**
 * Guarded memory for secrets, packed in slabs: locked, without access between uses, fenced by guard pages. Slots are
 * packed because each libsodium allocation costs several mappings, and the kernel allows about 65,000 per process.
 */
export interface SecureMemory {
  /**
   * A slot of zeros.
   * @throws CodedError `memory_not_locked`, `slot_size` (not a whole number within 1 … MAX_SLOT_BYTES),
   *   `secure_memory_exhausted`
   */
  alloc(size: number): Slot;
  /** A slot of random bytes from the kernel's generator. */
  allocRandom(size: number): Slot;
  /** Zeroes the slot and gives its place back. */
  free(slot: Slot): void;
  /** Zeroes every slab. All slots die; the slabs stay for later use. */
  wipeAll(): void;
  /** @throws CodedError `memory_not_locked`, unless `allowUnlockedMemory` was given */
  checkLocked(): void;
  stats(): SecureMemoryStats;
}

export interface SecureMemoryStats {
  /** Bytes that libsodium was asked to lock for this memory, canaries included. Compare with `lockedBytes()`. */
  readonly allocatedBytes: number;
  readonly slabs: number;
  readonly liveSlots: number;
  /** Slabs that a use holds open at this moment. */
  readonly openSlabs: number;
  readonly allowUnlockedMemory: boolean;
}

export const MAX_SLOT_BYTES = 1 << 20;

const PAGE = 4096;
/** libsodium puts a canary of 16 bytes before the memory that it gives and locks the pages that hold both. */
const CANARY = 16;
/** The first slab of a class is small, so that a vault of few keys fits the usual limit of 8 MiB. */
const FIRST_SLAB_BYTES = 64 * 1024;
/** Up to here changing the protection of a slab costs the same, whatever its size. */
const SLAB_BYTES = 256 * 1024;
const SCRATCH_BYTES = 32 * 1024;
/** Slots up to the last of these share slabs of their class; a larger one has a slab to itself. */
const SHARED_CLASSES = [32, 64, 256, 1024, 4096];

interface SizeClass {
  slabs: number;
  readonly withRoom: number[];
}

export function createSecureMemory(options: SecureMemoryOptions = {}): SecureMemory {
  const allowUnlockedMemory = options.allowUnlockedMemory ?? false;
  const { shared: sharedSlab } = options;
  const slabs: Slab[] = [];
  const classes = new Map<number, SizeClass>();
  let scratch: Scratch | undefined;
  let allocatedBytes = 0;
  let liveSlots = 0;

  function sizeClass(slotBytes: number): SizeClass {
    let found = classes.get(slotBytes);
    if (found === undefined) classes.set(slotBytes, (found = { slabs: 0, withRoom: [] }));
    return found;
  }

  function addSlab(slotBytes: number, room: SizeClass): void {
    const shared = slotBytes <= SHARED_CLASSES.at(-1)!;
    const size = !shared ? slotBytes : room.slabs === 0 ? FIRST_SLAB_BYTES : SLAB_BYTES;
    const first = slotBytes === SHARED_CLASSES[0] && room.slabs === 0 ? sharedSlab?.slab : undefined;
    const slab = createSlab(guarded(first ? first.length : size, first), slotBytes);
    room.slabs += 1;
    room.withRoom.push(slabs.push(slab) - 1);
  }

  /** Zeroed, guarded and, unless the caller does without, locked. */
  function guarded(size: number, bytes = sodium.sodium_malloc(size)): Buffer {
    if (bytes.length !== size) {
      throw new CodedError('secure_memory_exhausted', `no ${size} bytes of guarded memory are to be had`, {
        remedy: 'Give the keep more memory, or raise vm.max_map_count.',
      });
    }
    // Fresh memory from libsodium is filled with 0xdb.
    sodium.sodium_memzero(bytes);
    const locked = Math.ceil((size + CANARY) / PAGE) * PAGE;
    if (!allowUnlockedMemory) requireLocked(allocatedBytes + locked);
    allocatedBytes += locked;
    return bytes;
  }

  function alloc(size: number): Slot {
    const slotBytes = classFor(size);
    const room = sizeClass(slotBytes);
    if (room.withRoom.length === 0) addSlab(slotBytes, room);
    const at = room.withRoom.at(-1)!;
    const slab = slabs[at]!;
    const index = slab.vacant.pop()!;
    if (slab.vacant.length === 0) room.withRoom.pop();
    const slot = { size, memory, slab: at, index } as PlacedSlot;
    slab.live[index] = slot;
    liveSlots += 1;
    return slot;
  }

  function vacate(at: number, indexes: readonly number[]): void {
    const slab = slabs[at]!;
    if (indexes.length > 0 && slab.vacant.length === 0) sizeClass(slab.slotBytes).withRoom.push(at);
    for (const index of indexes) slab.vacant.push(index);
  }

  /** Places freed during a use are zeroed when it is over: a native thread may have written there until now. */
  function reclaim(at: number): void {
    const slab = slabs[at]!;
    if (slab.leaving.length === 0 || slab.readers + slab.writers > 0) return;
    protect(slab, 'readwrite');
    for (const index of slab.leaving) {
      sodium.sodium_memzero(slab.bytes.subarray(index * slab.slotBytes, (index + 1) * slab.slotBytes));
    }
    settle(slab);
    vacate(at, slab.leaving.splice(0));
  }

  const memory: SecureMemory = {
    alloc,

    allocRandom(size) {
      const slot = alloc(size);
      withWritable(slot, (bytes) => sodium.randombytes_buf(bytes));
      return slot;
    },

    free(slot) {
      const placed = slot as PlacedSlot;
      const slab = slabOf(placed);
      if (placed.memory !== memory) return placed.memory.free(slot);
      if (slab.readers + slab.writers > 0 && slab.bytes === sharedSlab?.slab) sharedSlab.quiesce();
      if (slab.readers + slab.writers > 0) withWritable(slot, (bytes) => sodium.sodium_memzero(bytes));
      slab.live[placed.index] = undefined;
      slab.leaving.push(placed.index);
      liveSlots -= 1;
      reclaim(placed.slab);
    },

    wipeAll() {
      sharedSlab?.quiesce();
      slabs.forEach((slab, at) => {
        protect(slab, 'readwrite');
        sodium.sodium_memzero(slab.bytes);
        settle(slab);
        for (const slot of slab.live) if (slot !== undefined) slab.leaving.push(slot.index);
        slab.live.fill(undefined);
        if (slab.readers + slab.writers === 0)
          vacate(
            at,
            slab.leaving.splice(0).sort((a, b) => b - a),
          );
      });
      liveSlots = 0;
    },

    checkLocked() {
      if (!allowUnlockedMemory) requireLocked(allocatedBytes);
    },

    stats: () => ({
      allocatedBytes,
      slabs: slabs.length,
      liveSlots,
      openSlabs: slabs.filter((slab) => slab.protection !== 'noaccess').length,
      allowUnlockedMemory,
    }),
  };

  registerMemory(memory, {
    slabs,
    scratch: () => (scratch ??= { bytes: guarded(SCRATCH_BYTES), used: 0 }),
    released: reclaim,
  });
  return memory;
}

/** The memory in which a slot lies. */
export function memoryOf(slot: Slot): SecureMemory {
  return (slot as PlacedSlot).memory;
}

function classFor(size: number): number {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SLOT_BYTES) {
    throw new CodedError('slot_size', `a secret has 1 to ${MAX_SLOT_BYTES} bytes, not ${size}`);
  }
  const shared = SHARED_CLASSES.find((slotBytes) => size <= slotBytes);
  return shared ?? 2 ** Math.ceil(Math.log2(size));
}

function createSlab(bytes: Buffer, slotBytes: number): Slab {
  const count = Math.floor(bytes.length / slotBytes);
  const slab: Slab = {
    bytes,
    slotBytes,
    live: new Array<undefined>(count).fill(undefined),
    vacant: Array.from({ length: count }, (_, i) => count - 1 - i),
    leaving: [],
    readers: 0,
    writers: 0,
    protection: 'readwrite',
  };
  settle(slab);
  return slab;
}
