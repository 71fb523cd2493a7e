import type { InternalHash } from './hash.ts';
import { HEADER_BYTES } from './layout.ts';
import { sha256d } from './sha256d.ts';

/** The 80 bytes at the head of a block, as plain data. */
export interface Header {
  /** Signed 32-bit. */
  readonly version: number;
  readonly previous: InternalHash;
  readonly merkleRoot: InternalHash;
  /** Seconds since 1970, chosen by the miner. */
  readonly timeSeconds: number;
  /** The target in compact form. */
  readonly bits: number;
  readonly nonce: number;
}

/** Reads the header at `at`; `undefined` where fewer than 80 bytes are left. Every 80 bytes are a header. */
export function decodeHeader(bytes: Uint8Array, at = 0): Header | undefined {
  if (at < 0 || at + HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  return {
    version: view.getInt32(0, true),
    previous: bytes.slice(at + 4, at + 36) as InternalHash,
    merkleRoot: bytes.slice(at + 36, at + 68) as InternalHash,
    timeSeconds: view.getUint32(68, true),
    bits: view.getUint32(72, true),
    nonce: view.getUint32(76, true),
  };
}

export function encodeHeader(header: Header): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES);
  const view = new DataView(out.buffer);
  view.setInt32(0, header.version, true);
  out.set(header.previous, 4);
  out.set(header.merkleRoot, 36);
  view.setUint32(68, header.timeSeconds, true);
  view.setUint32(72, header.bits, true);
  view.setUint32(76, header.nonce, true);
  return out;
}

/** The hash of the block whose header stands at `at`. */
export function headerHash(bytes: Uint8Array, at = 0): InternalHash {
  return sha256d(bytes.subarray(at, at + HEADER_BYTES));
}
