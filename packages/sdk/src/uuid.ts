import { randomBytes } from 'node:crypto';
import { toHex } from '@keepwatch/base';

/**
 * A time-ordered UUID (RFC 9562 §5.7): 48 bits of time, 74 random bits. It is the idempotency key of a request or
 * command. The vault reads its time, and so knows which keys it may have forgotten.
 */
export function uuidV7(nowMs: number = Date.now(), random: (length: number) => Uint8Array = randomBytes): string {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(nowMs) << 16n);
  bytes.set(random(10), 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
