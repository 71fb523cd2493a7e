import { fromHex, toHex } from '@keepwatch/base';
import { networkMagic } from '@keepwatch/bitcoin/p2p';
import { elligatorSwift } from '@scure/btc-signer/p2p.js';
import { describe, expect, it } from 'vitest';
import { createLengthCipher, createPacketCipher, deriveSessionKeys } from './bip324-cipher.ts';
import { BIP324_VECTORS } from './bip324.fixture.ts';

const hex = (text: string) => fromHex(text)!;

describe('BIP324 packet encoding vectors', () => {
  for (const vector of BIP324_VECTORS) {
    it(`packet ${vector.index}`, () => {
      const shared = elligatorSwift.getSharedSecretBip324(
        hex(vector.privateKey),
        hex(vector.theirKey),
        hex(vector.ourKey),
        vector.initiating,
      );
      expect(toHex(shared)).toBe(vector.sharedSecret);
      const keys = deriveSessionKeys(shared, networkMagic('main'));
      expect(toHex(keys.initiatorLength)).toBe(vector.initiatorLength);
      expect(toHex(keys.initiatorPacket)).toBe(vector.initiatorPacket);
      expect(toHex(keys.responderLength)).toBe(vector.responderLength);
      expect(toHex(keys.responderPacket)).toBe(vector.responderPacket);
      expect(toHex(keys.sessionId)).toBe(vector.sessionId);
      const [ours, theirs] = vector.initiating
        ? [keys.initiatorTerminator, keys.responderTerminator]
        : [keys.responderTerminator, keys.initiatorTerminator];
      expect(toHex(ours)).toBe(vector.sendTerminator);
      expect(toHex(theirs)).toBe(vector.receiveTerminator);

      const length = createLengthCipher(vector.initiating ? keys.initiatorLength : keys.responderLength);
      const packetKey = vector.initiating ? keys.initiatorPacket : keys.responderPacket;
      const sender = createPacketCipher(packetKey);
      const receiver = createPacketCipher(packetKey);
      const none = new Uint8Array(0);
      // Vectors of later packets begin with empty ones, as the BIP's own runner does.
      for (let i = 0; i < vector.index; i++) {
        length(new Uint8Array(3));
        receiver.decrypt(none, sender.encrypt(none, Uint8Array.of(0)));
      }
      const contents = Buffer.alloc(vector.contents.length / 2, Buffer.from(vector.contents, 'hex'));
      const plain = Buffer.concat([
        Buffer.of(vector.ignore ? 0x80 : 0),
        ...Array<Buffer>(vector.multiply).fill(contents),
      ]);
      const size = plain.length - 1;
      const hidden = length(Uint8Array.of(size & 0xff, (size >> 8) & 0xff, size >> 16));
      const aad = hex(vector.aad);
      const sealed = sender.encrypt(aad, plain);
      const whole = toHex(Buffer.concat([hidden, sealed]));
      if (vector.ciphertext !== null) expect(whole).toBe(vector.ciphertext);
      else expect(whole.endsWith(vector.ciphertextEnd!)).toBe(true);

      const spoiled = new Uint8Array(sealed);
      spoiled[spoiled.length - 1]! ^= 1;
      expect(receiver.decrypt(aad, spoiled)).toBe(undefined);
      expect(Buffer.compare(receiver.decrypt(aad, sealed)!, plain)).toBe(0);
    });
  }
});
