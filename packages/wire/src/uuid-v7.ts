import { toHex, type Entropy } from '@keepwatch/base';

/** UUID version 7 (RFC 9562 §5.7): names that sort by time. Idempotency keys of commands and requests have this form. */

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function isUuidV7(text: string): boolean {
  return UUID_V7.test(text);
}

/** The time in a UUIDv7, its first 48 bits: milliseconds since the Unix epoch. */
export function timeOfUuidV7(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

/** `timeMs`: milliseconds since the Unix epoch. */
export function uuidV7(timeMs: number, entropy: Entropy): string {
  const bytes = new Uint8Array(16);
  bytes.set(entropy(10), 6);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(timeMs / 0x1_0000));
  view.setUint16(4, timeMs % 0x1_0000);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
