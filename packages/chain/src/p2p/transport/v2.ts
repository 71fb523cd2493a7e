import { concat } from '@keepwatch/base';
import { decodeV2Contents, encodeV2Contents, maxPayload, MAX_MESSAGE_BYTES } from '@keepwatch/bitcoin/p2p';
import { elligatorSwift } from '@scure/btc-signer/p2p.js';
import {
  createLengthCipher,
  createPacketCipher,
  deriveSessionKeys,
  TAG_BYTES,
  type PacketCipher,
} from './bip324-cipher.ts';
import { createByteQueue } from './byte-queue.ts';
import type { Transport } from './transport.ts';

/**
 * The second transport (BIP324): encrypted, and without a pattern that a middlebox could look for. It keeps out who only
 * listens; who the other side is it does not say.
 */
export interface V2Options {
  readonly magic: Uint8Array;
  readonly initiating: boolean;
  /** Random: for the key, and for garbage of random length. */
  readonly entropy: (length: number) => Uint8Array;
  /** Left out: made anew. Only the published vectors give one. */
  readonly keys?: { readonly privateKey: Uint8Array<ArrayBuffer>; readonly publicKey: Uint8Array<ArrayBuffer> };
}

const KEY_BYTES = 64;
const LENGTH_BYTES = 3;
const HEADER_BYTES = 1;
const IGNORE_BIT = 0x80;
const MAX_GARBAGE = 4_095;
const TERMINATOR_BYTES = 16;
/** A name takes 13 bytes, a payload at most MAX_MESSAGE_BYTES. */
const MAX_CONTENTS = 13 + MAX_MESSAGE_BYTES;
const NOTHING: Uint8Array = new Uint8Array(0);

export function createV2Transport(options: V2Options): Transport {
  const { magic, initiating } = options;
  const keys = options.keys ?? elligatorSwift.keygen();
  const [high, low] = options.entropy(2) as unknown as [number, number];
  const garbage = options.entropy(((high << 8) | low) % (MAX_GARBAGE + 1));
  const queue = createByteQueue();
  let state: 'key' | 'garbage' | 'version' | 'open' = 'key';
  let sendLength: (bytes: Uint8Array) => Uint8Array;
  let receiveLength: (bytes: Uint8Array) => Uint8Array;
  let sender: PacketCipher;
  let receiver: PacketCipher;
  let theirTerminator: Uint8Array;
  let theirGarbage: Uint8Array = NOTHING;
  /** Length of the packet that is being received. */
  let expected: number | undefined;

  function packet(contents: Uint8Array, aad = NOTHING): Uint8Array {
    const length = contents.length;
    const hidden = sendLength(Uint8Array.of(length & 0xff, (length >> 8) & 0xff, length >> 16));
    return concat(hidden, sender.encrypt(aad, concat(Uint8Array.of(0), contents)));
  }

  function begin(theirKey: Uint8Array<ArrayBuffer>): Uint8Array {
    const shared = elligatorSwift.getSharedSecretBip324(keys.privateKey, theirKey, keys.publicKey, initiating);
    const derived = deriveSessionKeys(shared, magic);
    sendLength = createLengthCipher(initiating ? derived.initiatorLength : derived.responderLength);
    receiveLength = createLengthCipher(initiating ? derived.responderLength : derived.initiatorLength);
    sender = createPacketCipher(initiating ? derived.initiatorPacket : derived.responderPacket);
    receiver = createPacketCipher(initiating ? derived.responderPacket : derived.initiatorPacket);
    theirTerminator = initiating ? derived.responderTerminator : derived.initiatorTerminator;
    const ourTerminator = initiating ? derived.initiatorTerminator : derived.responderTerminator;
    // The version packet, with nothing in it yet; our garbage is authenticated by it.
    const rest = concat(ourTerminator, packet(NOTHING, garbage));
    return initiating ? rest : concat(keys.publicKey, garbage, rest);
  }

  return {
    kind: 'v2',
    opening: initiating ? concat(keys.publicKey, garbage) : NOTHING,
    ready: () => state !== 'key',
    encode: (command, payload) => packet(encodeV2Contents(command, payload)),
    receive(bytes, out) {
      queue.push(bytes);
      for (;;) {
        switch (state) {
          case 'key': {
            // A node of the first transport answers a key with a frame of its own, or begins with one.
            const start = queue.peek(Math.min(queue.length, 16));
            if (start !== undefined && start.length === 16 && isV1Version(start, magic)) return 'v2_is_v1';
            const theirKey = queue.take(KEY_BYTES);
            if (theirKey === undefined) return undefined;
            out.send(begin(new Uint8Array(theirKey)));
            state = 'garbage';
            break;
          }
          case 'garbage': {
            const end = find(queue.peek(Math.min(queue.length, MAX_GARBAGE + TERMINATOR_BYTES))!, theirTerminator);
            if (end < 0) return queue.length >= MAX_GARBAGE + TERMINATOR_BYTES ? 'v2_no_terminator' : undefined;
            theirGarbage = queue.take(end)!.slice();
            queue.take(TERMINATOR_BYTES);
            state = 'version';
            break;
          }
          case 'version':
          case 'open': {
            if (expected === undefined) {
              const hidden = queue.take(LENGTH_BYTES);
              if (hidden === undefined) return undefined;
              const [a, b, c] = receiveLength(hidden) as unknown as [number, number, number];
              expected = a | (b << 8) | (c << 16);
              if (expected > MAX_CONTENTS) return 'v2_too_large';
            }
            const sealed = queue.take(expected + HEADER_BYTES + TAG_BYTES);
            if (sealed === undefined) return undefined;
            expected = undefined;
            const plain = receiver.decrypt(theirGarbage, sealed);
            if (plain === undefined) return 'v2_decryption';
            theirGarbage = NOTHING;
            // A decoy, made to be ignored.
            if ((plain[0]! & IGNORE_BIT) !== 0) break;
            if (state === 'version') {
              state = 'open';
              break;
            }
            const named = decodeV2Contents(plain.subarray(1));
            if (!named.ok) return 'v2_malformed';
            if (named.value.payload.length > maxPayload(named.value.command)) return 'v2_too_large';
            out.message(named.value.command, named.value.payload);
            break;
          }
        }
      }
    },
  };
}

/** The first 16 bytes that a node of the first transport sends: BIP324 "Initiator and responder". */
function isV1Version(bytes: Uint8Array, magic: Uint8Array): boolean {
  return find(bytes, concat(magic, Buffer.from('version\0\0\0\0\0'))) === 0;
}

function find(bytes: Uint8Array, part: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(part);
}
