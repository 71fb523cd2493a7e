import * as nodeCrypto from 'node:crypto';
import { fromBase64url } from '@keepwatch/base';
import { isCanonicalBase64url, type WireCrypto } from '@keepwatch/wire';
import { ed25519Verify } from '../secure/index.ts';
import { base64url } from './base64url.ts';

/**
 * The keep's end of the wire: Node's OpenSSL for what belongs to one session only. These keys live on OpenSSL's heap
 * and die with the session; no wallet's secret ever travels under them alone (it is sealed to a one-time key besides).
 */
export function createWireCrypto(): WireCrypto {
  return { sha256, ed25519Verify, mldsa65Verify, x25519, mlkem768, hkdfSha256, aesGcm, codec };
}

/** Of public data: the digest passes through a string, which costs half of what a Buffer from OpenSSL does. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return Buffer.from(nodeCrypto.hash('sha256', bytes, 'latin1'), 'latin1');
}

/** SHA-256 of a text in UTF-8, base64url: for what is not secret. */
export function sha256Text(text: string): string {
  return nodeCrypto.hash('sha256', text, 'base64url');
}

const rawPublic = (key: Uint8Array, asymmetricKeyType: string) =>
  nodeCrypto.createPublicKey({ key, format: 'raw-public', asymmetricKeyType } as never);
const exportRaw = (key: nodeCrypto.KeyObject): Uint8Array => key.export({ format: 'raw-public' } as never) as never;

function mldsa65Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return nodeCrypto.verify(null, message, rawPublic(publicKey, 'ml-dsa-65'), signature);
  } catch {
    return false;
  }
}

const x25519: WireCrypto['x25519'] = {
  generate() {
    const pair = nodeCrypto.generateKeyPairSync('x25519');
    return { publicKey: exportRaw(pair.publicKey), secret: pair.privateKey };
  },
  derive(secret, publicKey) {
    try {
      // OpenSSL refuses a shared secret of zeros (RFC 7748 §6.1).
      return nodeCrypto.diffieHellman({
        privateKey: secret as nodeCrypto.KeyObject,
        publicKey: rawPublic(publicKey, 'x25519'),
      });
    } catch {
      return undefined;
    }
  },
};

const mlkem768: WireCrypto['mlkem768'] = {
  generate() {
    const pair = nodeCrypto.generateKeyPairSync('ml-kem-768');
    return { publicKey: exportRaw(pair.publicKey), secret: pair.privateKey };
  },
  encapsulate(encapsulationKey) {
    try {
      const { ciphertext, sharedKey } = nodeCrypto.encapsulate(rawPublic(encapsulationKey, 'ml-kem-768'));
      return { ciphertext, shared: sharedKey };
    } catch {
      return undefined;
    }
  },
  decapsulate(secret, ciphertext) {
    return nodeCrypto.decapsulate(secret as nodeCrypto.KeyObject, ciphertext);
  },
};

function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(nodeCrypto.hkdfSync('sha256', ikm, salt, info, length));
}

const TAG = 16;

const aesGcm: WireCrypto['aesGcm'] = {
  create(key) {
    const secret = nodeCrypto.createSecretKey(key);
    return {
      seal(nonce, aad, plaintext) {
        const cipher = nodeCrypto.createCipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG });
        cipher.setAAD(aad);
        const ciphertext = cipher.update(plaintext);
        cipher.final();
        return { ciphertext, tag: cipher.getAuthTag() };
      },
      open(nonce, aad, ciphertext, tag) {
        if (tag.length !== TAG) return undefined;
        const decipher = nodeCrypto.createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG });
        decipher.setAAD(aad);
        decipher.setAuthTag(tag);
        const plaintext = decipher.update(ciphertext);
        try {
          decipher.final();
          return plaintext;
        } catch {
          return undefined;
        }
      },
    };
  },
};

const codec: WireCrypto['codec'] = {
  toBase64url: base64url,
  fromBase64url(text) {
    if (text.length < 64) return fromBase64url(text);
    // Node's decoder passes over what it does not know: only a text that encodes back to itself is canonical.
    const bytes = Buffer.from(text, 'base64url');
    return bytes.toString('base64url') === text ? bytes : undefined;
  },
  fromBase64urlBytes(ascii) {
    const text = view(ascii).toString('latin1');
    const bytes = Buffer.from(text, 'base64url');
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
  toAscii: (bytes) => view(bytes).toString('latin1'),
};

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
