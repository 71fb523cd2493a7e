import { assertNever, concat, lengthPrefixed, utf8 } from '@keepwatch/base';
import { withAccess, withReadable, withScratch } from './access.ts';
import { MAX_SLOT_BYTES, memoryOf } from './memory.ts';
import { sodium } from './native.ts';
import type { SecureMemory, Slot } from './memory.ts';

/**
 * Authenticated encryption with a versioned scheme and a place.
 *
 *     sealed = scheme u8 ‖ keyId u32 ‖ nonce 24 ‖ box          (integers big-endian)
 *     context = lengthPrefixed(label, scheme, keyId, place)
 *
 * Scheme 1: box = XChaCha20-Poly1305(key, nonce, plaintext, context).
 * Scheme 2: H = BLAKE2b-512(key, context ‖ nonce); sub-key = H[0..32], commitment = H[32..64];
 *           box = commitment ‖ XChaCha20-Poly1305(sub-key, nonce, plaintext, context).
 *
 * The place says where the ciphertext stands ("wallet-key/…", "data-key/7"); moved elsewhere it does not open.
 * Poly1305 alone does not commit to a key: one ciphertext can be made that opens under two. The commitment, compared
 * before anything is decrypted, ends that. Keys of scheme 2 never meet XChaCha20 themselves.
 *
 * Nonces are 192 random bits from the kernel for each message: they do not repeat, not even when a machine's snapshot
 * is started twice (the kernel reseeds; a counter in memory would go on from the same number in both).
 *
 * There are two labels. Secrets open into slots only, data opens into ordinary memory only, and neither opens as the
 * other.
 */
export type Scheme = 1 | 2;

export const CURRENT_SCHEME: Scheme = 2;

const HEADER = 5;
const NONCE = 24;
const TAG = 16;
const COMMITMENT = 32;
const DERIVED = 64;
const PREFIX = HEADER + NONCE;

const SECRET = utf8('keepwatch/sealed-secret/1');
const DATA = utf8('keepwatch/sealed-data/1');

/** Which scheme and key a ciphertext says it was made with; `undefined` where it is none of ours. Not authenticated. */
export function sealedUnder(sealed: Uint8Array): { scheme: Scheme; keyId: number } | undefined {
  const scheme = sealed[0];
  if ((scheme !== 1 && scheme !== 2) || sealed.length < overhead(scheme)) return undefined;
  return { scheme, keyId: ((sealed[1]! << 24) | (sealed[2]! << 16) | (sealed[3]! << 8) | sealed[4]!) >>> 0 };
}

/** Encrypts a secret. `keyId` (u32) and `place` must be given again to open it. */
export function sealSecret(
  key: Slot,
  keyId: number,
  place: Uint8Array,
  secret: Slot,
  scheme: Scheme = CURRENT_SCHEME,
): Uint8Array {
  return withScratch(memoryOf(key), DERIVED, (scratch) =>
    withAccess([key, secret], [], ([keyBytes, plaintext]) =>
      createBox(SECRET, keyBytes!, scratch).seal(scheme, keyId, place, plaintext!),
    ),
  );
}

export interface SealedSecret {
  readonly keyId: number;
  /** A text stands for its UTF-8 bytes. */
  readonly place: Uint8Array | string;
  readonly sealed: Uint8Array;
}

/** Decrypts a secret into a new slot of `memory`. `undefined`: altered, moved, or of another key. */
export function openSecret(memory: SecureMemory, key: Slot, secret: SealedSecret): Slot | undefined {
  return openSecrets(memory, key, [secret])[0];
}

/** Decrypts many secrets under one key: their slabs are opened once for all of them. */
export function openSecrets(memory: SecureMemory, key: Slot, secrets: readonly SealedSecret[]): (Slot | undefined)[] {
  const slots = secrets.map(({ sealed }) => {
    const size = plaintextLength(sealed);
    return size > 0 && size <= MAX_SLOT_BYTES ? memory.alloc(size) : undefined;
  });
  const targets = slots.filter((slot) => slot !== undefined);
  const failed: number[] = [];
  withScratch(memoryOf(key), DERIVED, (scratch) =>
    withAccess([key], targets, ([keyBytes], views) => {
      const box = createBox(SECRET, keyBytes!, scratch);
      let next = 0;
      secrets.forEach(({ keyId, place, sealed }, i) => {
        if (slots[i] !== undefined && !box.open(keyId, place, sealed, views[next++]!)) failed.push(i);
      });
    }),
  );
  for (const i of failed) {
    memory.free(slots[i]!);
    slots[i] = undefined;
  }
  return slots;
}

/** Encrypts data that is confidential but no key: journal batches, snapshots, the boot table. */
export function sealBytes(
  key: Slot,
  keyId: number,
  place: Uint8Array,
  plaintext: Uint8Array,
  scheme: Scheme = CURRENT_SCHEME,
): Uint8Array {
  return withScratch(memoryOf(key), DERIVED, (scratch) =>
    withReadable(key, (keyBytes) => createBox(DATA, keyBytes, scratch).seal(scheme, keyId, place, plaintext)),
  );
}

/** The reverse of {@link sealBytes}. `undefined`: altered, moved, or of another key. */
export function openBytes(key: Slot, keyId: number, place: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const size = plaintextLength(sealed);
  if (size < 0) return undefined;
  const plaintext = new Uint8Array(size);
  const opened = withScratch(memoryOf(key), DERIVED, (scratch) =>
    withReadable(key, (keyBytes) => createBox(DATA, keyBytes, scratch).open(keyId, place, sealed, plaintext)),
  );
  return opened ? plaintext : undefined;
}

/** Seals and opens under one key. `derived` is scratch for sub-keys; the context is built in place, once per length. */
function createBox(label: Uint8Array, key: Uint8Array, derived: Uint8Array) {
  const subKey = derived.subarray(0, 32);
  let context: ReturnType<typeof createContext>;

  function bind(scheme: Scheme, keyId: number, place: Uint8Array | string): void {
    const length = typeof place === 'string' ? Buffer.byteLength(place) : place.length;
    context = contextFor(label, length);
    context.scheme[0] = scheme;
    writeU32(context.keyId, keyId);
    if (typeof place === 'string') context.place.write(place);
    else context.place.set(place);
  }

  return {
    seal(scheme: Scheme, keyId: number, place: Uint8Array, plaintext: Uint8Array): Uint8Array {
      bind(scheme, keyId, place);
      sodium.randombytes_buf(context.nonce);
      const sealed = new Uint8Array(overhead(scheme) + plaintext.length);
      sealed[0] = scheme;
      writeU32(sealed.subarray(1, HEADER), keyId);
      sealed.set(context.nonce, HEADER);
      switch (scheme) {
        case 1:
          encrypt(sealed.subarray(PREFIX), plaintext, context.bound, context.nonce, key);
          break;
        case 2:
          sodium.crypto_generichash(derived, context.whole, key);
          sealed.set(derived.subarray(32), PREFIX);
          encrypt(sealed.subarray(PREFIX + COMMITMENT), plaintext, context.bound, context.nonce, subKey);
          break;
        default:
          assertNever(scheme);
      }
      return sealed;
    },

    open(keyId: number, place: Uint8Array | string, sealed: Uint8Array, plaintext: Uint8Array): boolean {
      const under = sealedUnder(sealed);
      if (under === undefined || under.keyId !== keyId) return false;
      bind(under.scheme, keyId, place);
      for (let i = 0; i < NONCE; i++) context.nonce[i] = sealed[HEADER + i]!;
      switch (under.scheme) {
        case 1:
          return decrypt(plaintext, sealed.subarray(PREFIX), context.bound, context.nonce, key);
        case 2: {
          sodium.crypto_generichash(derived, context.whole, key);
          let difference = 0;
          for (let i = 0; i < COMMITMENT; i++) difference |= derived[32 + i]! ^ sealed[PREFIX + i]!;
          if (difference !== 0) return false;
          return decrypt(plaintext, sealed.subarray(PREFIX + COMMITMENT), context.bound, context.nonce, subKey);
        }
        default:
          return assertNever(under.scheme);
      }
    },
  };
}

/** The last context of each label. Nothing secret stands in it, and nobody holds it over a turn. */
const contexts = new Map<Uint8Array, ReturnType<typeof createContext>>();

function contextFor(label: Uint8Array, placeLength: number): ReturnType<typeof createContext> {
  const last = contexts.get(label);
  if (last?.place.length === placeLength) return last;
  const made = createContext(label, placeLength);
  contexts.set(label, made);
  return made;
}

/** lengthPrefixed(label, scheme, keyId, place) ‖ nonce, with views on the parts that change. */
function createContext(label: Uint8Array, placeLength: number) {
  const bound = lengthPrefixed(label, new Uint8Array(1), new Uint8Array(4), new Uint8Array(placeLength));
  const whole = concat(bound, new Uint8Array(NONCE));
  const placeAt = bound.length - placeLength;
  return {
    whole,
    bound: whole.subarray(0, bound.length),
    scheme: whole.subarray(placeAt - 13, placeAt - 12),
    keyId: whole.subarray(placeAt - 8, placeAt - 4),
    place: Buffer.from(whole.buffer, whole.byteOffset + placeAt, placeLength),
    nonce: whole.subarray(bound.length),
  };
}

function writeU32(out: Uint8Array, value: number): void {
  out[0] = value >>> 24;
  out[1] = value >>> 16;
  out[2] = value >>> 8;
  out[3] = value;
}

function encrypt(out: Uint8Array, plaintext: Uint8Array, bound: Uint8Array, nonce: Uint8Array, key: Uint8Array): void {
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(out, plaintext, bound, null, nonce, key);
}

function decrypt(out: Uint8Array, box: Uint8Array, bound: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean {
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(out, null, box, bound, nonce, key);
    return true;
  } catch {
    return false;
  }
}

/** By how much a ciphertext of this scheme is longer than its plaintext. */
function overhead(scheme: Scheme): number {
  return PREFIX + (scheme === 1 ? TAG : COMMITMENT + TAG);
}

/** Negative where these bytes are no ciphertext. */
function plaintextLength(sealed: Uint8Array): number {
  const under = sealedUnder(sealed);
  return under === undefined ? -1 : sealed.length - overhead(under.scheme);
}
