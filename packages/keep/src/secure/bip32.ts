import { CodedError, err, ok, u32be, utf8, type Result } from '@keepwatch/base';
import { withAccess, withScratch } from './access.ts';
import { createHmacSha512, HMAC_SCRATCH_BYTES } from './hmac-sha512.ts';
import { secp256k1 } from './native.ts';
import type { SecureMemory, Slot } from './memory.ts';

/** Child numbers from here on are hardened (BIP-32 "Child key derivation functions"). */
export const HARDENED = 0x8000_0000;

const MASTER_KEY = utf8('Bitcoin seed');

/** Reads a path such as `m/44'/60'/0'/0/5` into child numbers. Error: `path_malformed`. */
export function parseDerivationPath(path: string): Result<readonly number[], 'path_malformed'> {
  const [root, ...steps] = path.split('/');
  if (root !== 'm' || steps.length > 255) return err('path_malformed');
  const numbers: number[] = [];
  for (const step of steps) {
    const match = /^(0|[1-9][0-9]{0,9})('?)$/.exec(step);
    const number = match ? Number(match[1]) : Number.NaN;
    if (!(number < HARDENED)) return err('path_malformed');
    numbers.push(number + (match![2] === "'" ? HARDENED : 0));
  }
  return ok(numbers);
}

/**
 * The private key at `path` below the seed (16 to 64 bytes), in a new slot of 32 bytes. Chain codes and the keys on the
 * way stay in a scratch that is zeroed.
 *
 * @throws CodedError `derivation_failed`: the path leads to no valid key (less likely than 1 in 2^127; take the next one)
 */
export function derivePrivateKey(memory: SecureMemory, seed: Slot, path: readonly number[]): Slot {
  if (seed.size < 16 || seed.size > 64) throw new RangeError('a BIP-32 seed has 16 to 64 bytes');
  const key = memory.alloc(32);
  try {
    withScratch(memory, SCRATCH_BYTES, (scratch) =>
      withAccess([seed], [key], ([seedBytes], [keyBytes]) => {
        const node = createNode(scratch, seedBytes!);
        for (const number of path) node.descend(number);
        keyBytes!.set(node.key);
      }),
    );
    return key;
  } catch (error) {
    memory.free(key);
    throw error;
  }
}

const PUBLIC_KEY_BYTES = 33;
const DATA_BYTES = 37;
const SCRATCH_BYTES = HMAC_SCRATCH_BYTES + 32 + 32 + 64 + DATA_BYTES;

/** An extended private key that walks down the tree in place. All its bytes lie in `scratch`. */
function createNode(scratch: Uint8Array, seed: Uint8Array) {
  const hmac = createHmacSha512(scratch.subarray(0, HMAC_SCRATCH_BYTES));
  const node = scratch.subarray(HMAC_SCRATCH_BYTES);
  const key = node.subarray(0, 32);
  const chainCode = node.subarray(32, 64);
  const digest = node.subarray(64, 128);
  const data = node.subarray(128);
  const left = digest.subarray(0, 32);
  const right = digest.subarray(32);

  hmac(digest, MASTER_KEY, seed);
  key.set(left);
  chainCode.set(right);
  if (!secp256k1.privateKeyVerify(key)) throw invalid();

  return {
    key,
    /** CKDpriv((k, c), i): I = HMAC-SHA512(c, data ‖ i); k' = IL + k mod n; c' = IR. */
    descend(number: number): void {
      if (number >= HARDENED) {
        data[0] = 0;
        data.set(key, 1);
      } else {
        secp256k1.publicKeyCreate(key, true, data.subarray(0, PUBLIC_KEY_BYTES));
      }
      data.set(u32be(number), PUBLIC_KEY_BYTES);
      hmac(digest, chainCode, data);
      try {
        secp256k1.privateKeyTweakAdd(key, left);
      } catch {
        throw invalid();
      }
      chainCode.set(right);
    },
  };
}

function invalid(): CodedError {
  return new CodedError('derivation_failed', 'this derivation path leads to no valid key', {
    remedy: 'Take the next account.',
  });
}
