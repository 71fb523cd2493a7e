import { fromHex, toHex } from '@keepwatch/base';
import { withReadable, withWritable } from './access.ts';
import type { SecureMemory, Slot } from './memory.ts';

// Known secrets for tests: in and out of slots. The product has no such way out.

export function secretOf(memory: SecureMemory, bytes: Uint8Array | string): Slot {
  const known = typeof bytes === 'string' ? fromHex(bytes)! : bytes;
  const slot = memory.alloc(known.length);
  withWritable(slot, (view) => view.set(known));
  return slot;
}

export function reveal(slot: Slot): Uint8Array {
  return withReadable(slot, (view) => view.slice());
}

export function revealHex(slot: Slot): string {
  return toHex(reveal(slot));
}
