import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { toBase64url, type Sha256 } from '@keepwatch/base';
import type { EntryCipher } from '@keepwatch/journal';
import type { Ed25519Verify } from '@keepwatch/wire';

// By way of a string: half the time of having a Buffer made natively.
export const sha256: Sha256 = (bytes) => plain(Buffer.from(hash('sha256', bytes, 'latin1'), 'latin1'));

/** The same bytes, not as a Buffer: assertions tell the two apart. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

export const ed25519Verify: Ed25519Verify = (publicKey, message, signature) => {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64url(publicKey) }, format: 'jwk' });
  return verify(null, message, key, signature);
};

/** All that a journal asks of its owner, by real cryptography with keys on the ordinary heap: for tests. */
export interface JournalKeys {
  /** Identity of the owner: base64url of 32 bytes. */
  readonly vault: string;
  readonly receiptPublicKey: Uint8Array;
  signHead(bytes: Uint8Array): Uint8Array;
  /** ChaCha20-Poly1305, the place as associated data. */
  readonly cipher: EntryCipher;
  /** Later data is sealed under a new data key; the earlier ones still open. */
  rotate(): void;
  /** Earlier data no longer opens. */
  forget(keyId: number): void;
}

export function createJournalKeys(): JournalKeys {
  const receipt = generateKeyPairSync('ed25519');
  const dataKeys = new Map([[1, randomBytes(32)]]);
  let current = 1;
  const additional = (keyId: number, place: Uint8Array) => Buffer.concat([Buffer.from([keyId]), place]);
  return {
    vault: randomBytes(32).toString('base64url'),
    receiptPublicKey: plain(Buffer.from(receipt.publicKey.export({ format: 'jwk' }).x!, 'base64url')),
    signHead: (bytes) => plain(sign(null, bytes, receipt.privateKey)),
    cipher: {
      currentKey: () => current,
      seal(keyId, place, plaintext) {
        const nonce = randomBytes(12);
        const box = createCipheriv('chacha20-poly1305', dataKeys.get(keyId)!, nonce, { authTagLength: 16 });
        box.setAAD(additional(keyId, place));
        return plain(Buffer.concat([nonce, box.update(plaintext), box.final(), box.getAuthTag()]));
      },
      open(keyId, place, sealed) {
        const key = dataKeys.get(keyId);
        if (key === undefined || sealed.length < 28) return undefined;
        const box = createDecipheriv('chacha20-poly1305', key, sealed.subarray(0, 12), { authTagLength: 16 });
        box.setAAD(additional(keyId, place));
        box.setAuthTag(sealed.subarray(-16));
        const plaintext = box.update(sealed.subarray(12, -16));
        try {
          box.final();
          return plain(plaintext);
        } catch {
          return undefined;
        }
      },
    },
    rotate() {
      current += 1;
      dataKeys.set(current, randomBytes(32));
    },
    forget: (keyId) => void dataKeys.delete(keyId),
  };
}
