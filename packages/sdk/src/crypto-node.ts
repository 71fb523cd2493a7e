import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  verify,
  type KeyObject,
} from 'node:crypto';
import { viewFrom } from '@keepwatch/base';
import {
  isCanonicalBase64url,
  type AesGcm,
  type EntryCrypto,
  type WireCodec,
  type WireCrypto,
  type X25519,
} from '@keepwatch/wire';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { mldsa65Verify, mlkem768 } from './post-quantum.ts';

/**
 * The wire's cryptography from what Node has: OpenSSL for hashing, Ed25519, X25519, HKDF and AES-GCM, `post-quantum.ts`
 * for the rest. For a client: its secrets live on the ordinary heap.
 */

// DER of the fixed part before a raw key: SubjectPublicKeyInfo and PKCS #8 as RFC 8410 §4 and §7 write them.
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex');

export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

/** The 32 bytes at the end of a SubjectPublicKeyInfo: Ed25519 and X25519. */
function rawPublicKey(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
}

export function ed25519PublicKeyOf(privateKey: KeyObject): Uint8Array {
  return rawPublicKey(createPublicKey(privateKey));
}

/** The key that was used last, as Node has it: heads and receipts of a vault are all by one, and reading it takes a while. */
let lastKey: { readonly spki: Buffer; readonly key: KeyObject } | undefined;

function ed25519Key(publicKey: Uint8Array): KeyObject {
  const spki = Buffer.concat([ED25519_SPKI, publicKey]);
  if (!lastKey?.spki.equals(spki)) {
    lastKey = { spki, key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
  }
  return lastKey.key;
}

/** Node's `verify` with a key that may not be one at all: then nothing fits it. */
function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, message, ed25519Key(publicKey), signature);
  } catch {
    return false;
  }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

const x25519: X25519 = {
  generate() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    return { publicKey: rawPublicKey(publicKey), secret: privateKey };
  },
  derive(secret, publicKey) {
    try {
      const key = createPublicKey({ key: Buffer.concat([X25519_SPKI, publicKey]), format: 'der', type: 'spki' });
      const shared = diffieHellman({ privateKey: secret as KeyObject, publicKey: key });
      // OpenSSL refuses points of low order by itself; RFC 7748 §6.1 asks for the check either way.
      return shared.some((byte) => byte !== 0) ? shared : undefined;
    } catch {
      return undefined;
    }
  },
};

function aesGcm(rawKey: Uint8Array): AesGcm {
  // A copy and no KeyObject: Node opens a cipher 1 µs sooner with the bytes.
  const key = Uint8Array.from(rawKey);
  return {
    seal(nonce, aad, plaintext) {
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(aad);
      const ciphertext = cipher.update(plaintext);
      cipher.final();
      return { ciphertext, tag: cipher.getAuthTag() };
    },
    open(nonce, aad, ciphertext, tag) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce);
      try {
        decipher.setAAD(aad);
        decipher.setAuthTag(tag);
        const plaintext = decipher.update(ciphertext);
        decipher.final();
        return plaintext;
      } catch {
        return undefined;
      }
    },
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Used again and again: memory outside of V8's heap is slow to get, and more so to give back. Grows to the longest frame. */
let decoded = Buffer.allocUnsafeSlow(32 * 1024);

const codec: WireCodec = {
  toBase64url: (bytes) => asBuffer(bytes).toString('base64url'),
  fromBase64url(text) {
    const bytes = Buffer.from(text, 'base64url');
    // Node skips foreign letters, takes padding and both alphabets: only what encodes back to itself is canonical.
    return bytes.toString('base64url') === text ? bytes : undefined;
  },
  fromBase64urlBytes(ascii) {
    const text = asBuffer(ascii).toString('latin1');
    const most = Math.ceil((text.length * 3) / 4);
    if (most > decoded.length) decoded = Buffer.allocUnsafeSlow(most);
    const bytes = viewFrom(decoded, 0, decoded.write(text, 'base64url'));
    return isCanonicalBase64url(text, bytes) ? bytes : undefined;
  },
  fromAscii(...texts) {
    let length = 0;
    for (const text of texts) length += text.length;
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (const text of texts) at += bytes.write(text, at, 'latin1');
    return bytes;
  },
  toAscii: (bytes) => asBuffer(bytes).toString('latin1'),
};

const kem = mlkem768();

export const wireCrypto: WireCrypto = {
  sha256,
  ed25519Verify,
  mldsa65Verify,
  x25519,
  mlkem768: kem,
  hkdfSha256: (ikm, salt, info, length) => new Uint8Array(hkdfSync('sha256', ikm, salt, info, length)),
  aesGcm: { create: aesGcm },
  codec,
};

export const entryCrypto: EntryCrypto = {
  x25519,
  mlkem768: kem,
  blake2b256: (bytes) => blake2b(bytes, { dkLen: 32 }),
  xchacha20poly1305: {
    seal: (key, nonce, aad, plaintext) => xchacha20poly1305(key, nonce, aad).encrypt(plaintext),
    open(key, nonce, aad, box) {
      try {
        return xchacha20poly1305(key, nonce, aad).decrypt(box);
      } catch {
        return undefined;
      }
    },
  },
  randomBytes,
};
