import * as node from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Mlkem768 } from '@keepwatch/wire';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

/**
 * ML-KEM-768 and ML-DSA-65: Node's own where it has them (24.7 and later), else noble's. Both give the same bytes for
 * the same seed, so that a key file made on one Node works on another.
 */

// DER before the raw key or seed (RFC 9881 and RFC 9935: seed form, context tag [0]).
const MLKEM768_SPKI = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');
const MLDSA65_SPKI = Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex');
const MLDSA65_PKCS8 = Buffer.from('3034020100300b06096086480165030403120422', 'hex');
const SEED_TAG = Buffer.from('8020', 'hex');

/** Does this Node's OpenSSL know the two algorithms? */
export function hasNativePostQuantum(): boolean {
  return typeof node.encapsulate === 'function';
}

function spki(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return node.createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' });
}

const nativeMlkem768: Mlkem768 = {
  generate() {
    const { publicKey, privateKey } = node.generateKeyPairSync('ml-kem-768');
    return {
      publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(MLKEM768_SPKI.length)),
      secret: privateKey,
    };
  },
  encapsulate(encapsulationKey) {
    try {
      const { sharedKey, ciphertext } = node.encapsulate(spki(MLKEM768_SPKI, encapsulationKey));
      return { shared: sharedKey, ciphertext };
    } catch {
      return undefined;
    }
  },
  decapsulate: (secret, ciphertext) => node.decapsulate(secret as KeyObject, ciphertext),
};

const portableMlkem768: Mlkem768 = {
  generate() {
    const { publicKey, secretKey } = ml_kem768.keygen();
    return { publicKey, secret: secretKey };
  },
  encapsulate(encapsulationKey) {
    try {
      const { sharedSecret, cipherText } = ml_kem768.encapsulate(encapsulationKey);
      return { shared: sharedSecret, ciphertext: cipherText };
    } catch {
      return undefined;
    }
  },
  decapsulate: (secret, ciphertext) => ml_kem768.decapsulate(ciphertext, secret as Uint8Array),
};

export function mlkem768(native: boolean = hasNativePostQuantum()): Mlkem768 {
  return native ? nativeMlkem768 : portableMlkem768;
}

export function mldsa65Verify(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  native: boolean = hasNativePostQuantum(),
): boolean {
  try {
    return native
      ? node.verify(null, message, spki(MLDSA65_SPKI, publicKey), signature)
      : ml_dsa65.verify(signature, message, publicKey);
  } catch {
    return false;
  }
}

export interface Mldsa65Key {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** The key of a 32-byte seed (FIPS 204 §5.1, ξ). */
export function mldsa65FromSeed(seed: Uint8Array, native: boolean = hasNativePostQuantum()): Mldsa65Key {
  if (!native) {
    const { publicKey, secretKey } = ml_dsa65.keygen(seed);
    return { publicKey, sign: (message) => ml_dsa65.sign(message, secretKey) };
  }
  const key = Buffer.concat([MLDSA65_PKCS8, SEED_TAG, seed]);
  const privateKey = node.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const der = node.createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(der.subarray(MLDSA65_SPKI.length)),
    sign: (message) => node.sign(null, message, privateKey),
  };
}
