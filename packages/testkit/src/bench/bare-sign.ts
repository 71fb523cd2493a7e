import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

/** The add-ons that keep loads, resolved from where keep stands: the base figure is about the very same code. */
interface Sodium {
  sodium_malloc(size: number): Buffer;
  randombytes_buf(out: Uint8Array): void;
}
interface Secp256k1 {
  ecdsaSign(digest: Uint8Array, key: Uint8Array, options: object, out: Uint8Array): unknown;
}

/** Signatures between two looks at the clock, each of another digest. */
const AT_ONCE = 64;

/** Makes one signature: libsecp256k1 in its add-on, the key in memory of sodium_malloc. */
export function createBareSignature(): () => void {
  const require = createRequire(import.meta.resolve('@keepwatch/keep/main'));
  const sodium = require('sodium-native') as Sodium;
  const secp256k1 = require('secp256k1/bindings.js') as Secp256k1;
  const key = sodium.sodium_malloc(32);
  sodium.randombytes_buf(key);
  key[0] = 1; // below the order of the group
  const digests = Array.from({ length: AT_ONCE }, (_, i) => createHash('sha256').update(String(i)).digest());
  const out = new Uint8Array(64);
  let next = 0;
  return () => void secp256k1.ecdsaSign(digests[next++ % digests.length]!, key, {}, out);
}

/**
 * How many signatures per second one core makes when it does nothing else, one digest after the other. Everything that
 * the vault does besides comes on top.
 */
export function createBareSigner(): (ms: number) => number {
  const sign = createBareSignature();

  return (ms) => {
    const started = performance.now();
    let signatures = 0;
    let elapsed = 0;
    while (elapsed < ms) {
      for (let i = 0; i < AT_ONCE; i++) sign();
      signatures += AT_ONCE;
      elapsed = performance.now() - started;
    }
    return (signatures / elapsed) * 1_000;
  };
}
