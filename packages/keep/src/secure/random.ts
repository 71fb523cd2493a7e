import { sodium } from './native.ts';

/**
 * Random bytes from the kernel, as for nonces: they do not repeat where a machine's snapshot is started twice. Node's own
 * come from a generator of OpenSSL in the process.
 */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  sodium.randombytes_buf(bytes);
  return bytes;
}
