import { randomFillSync } from 'node:crypto';
import { uuidV7 } from '@keepwatch/wire';

/** Random bytes are drawn for many keys at once: one draw costs more than all the rest of a key. */
const POOL_BYTES = 4_096;

let pool: Uint8Array = new Uint8Array(0);
let used = 0;

/** A new idempotency key (UUIDv7) of the present time. */
export function newKey(): string {
  return uuidV7(Date.now(), draw);
}

/** Bytes that were never given before; the caller copies them. */
function draw(length: number): Uint8Array {
  if (used + length > pool.length) {
    pool = randomFillSync(new Uint8Array(POOL_BYTES));
    used = 0;
  }
  used += length;
  return pool.subarray(used - length, used);
}
