import { createCipheriv, createDecipheriv, hkdfSync, type Cipheriv } from 'node:crypto';

/** The ciphers of BIP324: ChaCha20 and ChaCha20-Poly1305 that change their keys as they go ("forward secrecy"). */

export const REKEY_INTERVAL = 224;
export const TAG_BYTES = 16;

/** FSChaCha20, which hides the lengths of packets. Encrypting and decrypting are the same. */
export function createLengthCipher(initialKey: Uint8Array): (bytes: Uint8Array) => Uint8Array {
  let rekeys = 0n;
  let chunks = 0;
  let stream = keystream(initialKey, rekeys);
  return (bytes) => {
    const out = stream.update(bytes);
    if (++chunks === REKEY_INTERVAL) {
      const key = stream.update(new Uint8Array(32));
      chunks = 0;
      stream = keystream(key, ++rekeys);
    }
    return out;
  };
}

/** OpenSSL's ChaCha20 takes the block counter (32 bits, little-endian) in front of the nonce. */
function keystream(key: Uint8Array, rekeys: bigint): Cipheriv {
  const iv = new Uint8Array(16);
  new DataView(iv.buffer).setBigUint64(8, rekeys, true);
  return createCipheriv('chacha20', key, iv);
}

export interface PacketCipher {
  encrypt(aad: Uint8Array, plain: Uint8Array): Uint8Array;
  /** `undefined` where the tag does not hold. */
  decrypt(aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** FSChaCha20Poly1305. One object for one direction: its nonces count packets. */
export function createPacketCipher(initialKey: Uint8Array): PacketCipher {
  let key = initialKey;
  let packets = 0;
  let rekeys = 0n;

  function nonce(first: number): Uint8Array {
    const out = new Uint8Array(12);
    const view = new DataView(out.buffer);
    view.setUint32(0, first, true);
    view.setBigUint64(4, rekeys, true);
    return out;
  }

  function next(): void {
    if (++packets < REKEY_INTERVAL) return;
    key = seal(key, nonce(0xffff_ffff), new Uint8Array(0), new Uint8Array(32)).subarray(0, 32);
    packets = 0;
    rekeys++;
  }

  return {
    encrypt(aad, plain) {
      const sealed = seal(key, nonce(packets), aad, plain);
      next();
      return sealed;
    },
    decrypt(aad, sealed) {
      const body = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv('chacha20-poly1305', key, nonce(packets), { authTagLength: TAG_BYTES });
      decipher.setAAD(aad, { plaintextLength: body });
      decipher.setAuthTag(sealed.subarray(body));
      const plain = decipher.update(sealed.subarray(0, body));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      next();
      return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
    },
  };
}

function seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad, { plaintextLength: plain.length });
  const body = cipher.update(plain);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

export interface SessionKeys {
  readonly sessionId: Uint8Array;
  readonly initiatorLength: Uint8Array;
  readonly initiatorPacket: Uint8Array;
  readonly responderLength: Uint8Array;
  readonly responderPacket: Uint8Array;
  readonly initiatorTerminator: Uint8Array;
  readonly responderTerminator: Uint8Array;
}

/** BIP324 "Keys and session ID derivation". */
export function deriveSessionKeys(sharedSecret: Uint8Array, magic: Uint8Array): SessionKeys {
  const salt = Buffer.concat([Buffer.from('bitcoin_v2_shared_secret'), magic]);
  const derive = (info: string) => new Uint8Array(hkdfSync('sha256', sharedSecret, salt, info, 32));
  const terminators = derive('garbage_terminators');
  return {
    sessionId: derive('session_id'),
    initiatorLength: derive('initiator_L'),
    initiatorPacket: derive('initiator_P'),
    responderLength: derive('responder_L'),
    responderPacket: derive('responder_P'),
    initiatorTerminator: terminators.subarray(0, 16),
    responderTerminator: terminators.subarray(16),
  };
}
