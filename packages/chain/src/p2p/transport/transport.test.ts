import { randomBytes } from 'node:crypto';
import { encodeV1Frame, networkMagic } from '@keepwatch/bitcoin/p2p';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transport, TransportFault } from './transport.ts';
import { createV1Transport } from './v1.ts';
import { createV2Transport } from './v2.ts';

const magic = networkMagic('regtest');
const entropy = (length: number) => new Uint8Array(randomBytes(length));

interface Heard {
  readonly messages: [string, Uint8Array][];
  fault: TransportFault | undefined;
}

/** Feeds bytes in pieces of the given sizes, over and over. */
function feed(to: Transport, bytes: Uint8Array, sizes: readonly number[], back: (bytes: Uint8Array) => void): Heard {
  const heard: Heard = { messages: [], fault: undefined };
  for (let at = 0, i = 0; at < bytes.length && heard.fault === undefined; i++) {
    const size = sizes[i % sizes.length]!;
    heard.fault = to.receive(bytes.slice(at, at + size), {
      message: (command, payload) => heard.messages.push([command, new Uint8Array(payload)]),
      send: back,
    });
    at += size;
  }
  return heard;
}

const sizesArbitrary = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });
const messagesArbitrary = fc.array(
  fc.tuple(fc.constantFrom('tx', 'inv', 'addrv2', 'wtxidrelay', 'unheardof'), fc.uint8Array({ maxLength: 900 })),
  { maxLength: 8 },
);

describe('a transport', () => {
  it('v1 carries messages whatever pieces the bytes come in', () => {
    fc.assert(
      fc.property(messagesArbitrary, sizesArbitrary, (sent, sizes) => {
        const messages = sent.filter(([command]) => command !== 'wtxidrelay');
        const sender = createV1Transport(magic);
        const bytes = Buffer.concat(messages.map(([command, payload]) => sender.encode(command, payload)));
        const heard = feed(createV1Transport(magic), bytes, sizes, () => {});
        expect(heard.messages).toEqual(messages);
        expect(heard.fault).toBe(undefined);
      }),
    );
  });

  it('v2 does so too, with garbage of any length, both ways', () => {
    fc.assert(
      fc.property(messagesArbitrary, sizesArbitrary, (sent, sizes) => {
        const messages = sent.filter(([command]) => command !== 'wtxidrelay');
        const initiator = createV2Transport({ magic, initiating: true, entropy });
        const responder = createV2Transport({ magic, initiating: false, entropy });
        const toInitiator: Uint8Array[] = [];
        const toResponder: Uint8Array[] = [];
        feed(responder, initiator.opening, sizes, (bytes) => toInitiator.push(bytes));
        feed(initiator, Buffer.concat(toInitiator), sizes, (bytes) => toResponder.push(bytes));
        expect(initiator.ready() && responder.ready()).toBe(true);
        const forth = messages.map(([command, payload]) => initiator.encode(command, payload));
        expect(feed(responder, Buffer.concat([...toResponder, ...forth]), sizes, () => {}).messages).toEqual(messages);
        const back = messages.map(([command, payload]) => responder.encode(command, payload));
        expect(feed(initiator, Buffer.concat(back), sizes, () => {}).messages).toEqual(messages);
      }),
      { numRuns: 20 },
    );
  });

  it('v2 carries a block of 4 million bytes and refuses a bit that was turned on the way', () => {
    const initiator = createV2Transport({ magic, initiating: true, entropy });
    const responder = createV2Transport({ magic, initiating: false, entropy });
    const replies: Uint8Array[] = [];
    feed(responder, initiator.opening, [4096], (bytes) => replies.push(bytes));
    const rest: Uint8Array[] = [];
    feed(initiator, Buffer.concat(replies), [4096], (bytes) => rest.push(bytes));
    const block = entropy(4_000_000);
    const sent = Buffer.concat([...rest, initiator.encode('block', block)]);
    const heard = feed(responder, sent, [65_536], () => {});
    expect(Buffer.compare(heard.messages[0]![1], block)).toBe(0);
    const spoiled = initiator.encode('ping', new Uint8Array(8));
    spoiled[10]! ^= 4;
    expect(feed(responder, spoiled, [65_536], () => {}).fault).toBe('v2_decryption');
  });

  it('v1 refuses another network, a wrong checksum, a torn name, and what announces too much before it comes', () => {
    const fault = (bytes: Uint8Array) => feed(createV1Transport(magic), bytes, [1_000], () => {}).fault;
    const ping = () => encodeV1Frame(magic, 'ping', new Uint8Array(8));
    expect(fault(encodeV1Frame(networkMagic('main'), 'ping', new Uint8Array(8)))).toBe('frame_magic');
    const checksum = ping();
    checksum[20]! ^= 1;
    expect(fault(checksum)).toBe('frame_checksum');
    const name = ping();
    name[14] = 65;
    expect(fault(name)).toBe('frame_command');
    const huge = encodeV1Frame(magic, 'block', new Uint8Array(0));
    new DataView(huge.buffer, huge.byteOffset).setUint32(16, 4_000_001, true);
    expect(fault(huge)).toBe('frame_too_large');
    const longPing = encodeV1Frame(magic, 'ping', new Uint8Array(0));
    new DataView(longPing.buffer, longPing.byteOffset).setUint32(16, 1_025, true);
    expect(fault(longPing)).toBe('frame_too_large');
  });

  it('v2 notices a node of the first transport, and garbage without an end', () => {
    const initiator = createV2Transport({ magic, initiating: true, entropy });
    const v1 = encodeV1Frame(magic, 'version', new Uint8Array(90));
    expect(feed(initiator, v1, [24], () => {}).fault).toBe('v2_is_v1');
    const other = createV2Transport({ magic, initiating: true, entropy });
    expect(feed(other, entropy(64 + 4_095 + 16), [1_000], () => {}).fault).toBe('v2_no_terminator');
  });
});
