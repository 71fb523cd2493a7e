import { describe, expect, it } from 'vitest';
import {
  createLinkDecoder,
  createLinkWriter,
  decodeLinkClose,
  decodeLinkControl,
  decodeLinkOpen,
  encodeLinkClose,
  encodeLinkControl,
  encodeLinkFrames,
  encodeLinkOpen,
  type LinkControl,
  type LinkFrame,
} from './link.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function decodeAll(stream: Uint8Array, maxPayload?: number) {
  const frames: LinkFrame[] = [];
  const decoder = createLinkDecoder(maxPayload === undefined ? {} : { maxPayload });
  const result = decoder.push(stream, (frame) => frames.push(frame));
  return { frames, result, midFrame: decoder.midFrame() };
}

describe('link frames', () => {
  it('has one fixed form on the wire', () => {
    const stream = encodeLinkFrames([
      { type: 'open', connection: 1, payload: encodeLinkOpen({ remote: 'loopback', crowd: 'a' }) },
      { type: 'data', connection: 0xfffffffe, payload: bytes('hi') },
      { type: 'authenticated', connection: 1, payload: new Uint8Array(0) },
    ]);
    const open = Buffer.from('{"remote":"loopback","crowd":"a"}').toString('hex');
    expect(stream).toEqual(hex(`00000021 01 00000001 ${open} 00000002 02 fffffffe 6869 00000000 05 00000001`));
  });

  it('hands out whole frames as views of the chunk, without a copy', () => {
    const stream = encodeLinkFrames([
      { type: 'data', connection: 7, payload: bytes('first') },
      { type: 'data', connection: 8, payload: bytes('second') },
    ]);
    const { frames } = decodeAll(stream);
    expect(frames.map((frame) => Buffer.from(frame.payload).toString())).toEqual(['first', 'second']);
    for (const frame of frames) expect(frame.payload.buffer).toBe(stream.buffer);
  });

  it('refuses an oversize frame by its header alone, before the payload is there or allocated', () => {
    const { frames, result } = decodeAll(hex('00000101 02 00000001'), 256);
    expect(result).toEqual({ ok: false, error: 'link_frame_too_large' });
    expect(frames).toEqual([]);
    expect(decodeAll(hex('ffffffff 02 00000001')).result).toEqual({ ok: false, error: 'link_frame_too_large' });
  });

  it('takes a frame of exactly the limit', () => {
    const payload = new Uint8Array(256).fill(9);
    const { frames, result } = decodeAll(encodeLinkFrames([{ type: 'data', connection: 1, payload }]), 256);
    expect(result.ok).toBe(true);
    expect(frames[0]?.payload).toEqual(payload);
  });

  it.each([
    ['an unknown type', '00000000 06 00000001'],
    ['type 0', '00000000 00 00000001'],
    ['control on a connection', '00000000 04 00000001'],
    ['data on connection 0', '00000000 02 00000000'],
  ])('refuses %s', (_name, stream) => {
    expect(decodeAll(hex(stream)).result).toEqual({ ok: false, error: 'link_frame_unknown' });
  });

  it('stays in error: what follows a broken frame has no meaning', () => {
    const decoder = createLinkDecoder();
    const seen: LinkFrame[] = [];
    const take = (frame: LinkFrame) => void seen.push(frame);
    expect(decoder.push(hex('00000000 09 00000001'), take).ok).toBe(false);
    const good = encodeLinkFrames([{ type: 'data', connection: 1, payload: bytes('x') }]);
    expect(decoder.push(good, take)).toEqual({ ok: false, error: 'link_frame_unknown' });
    expect(seen).toEqual([]);
  });

  it('knows a torn frame from a clean end', () => {
    const stream = encodeLinkFrames([{ type: 'data', connection: 1, payload: bytes('abc') }]);
    expect(decodeAll(stream).midFrame).toBe(false);
    for (let cut = 1; cut < stream.length; cut++) expect(decodeAll(stream.subarray(0, cut)).midFrame).toBe(true);
  });

  it('refuses to send what the other side must refuse', () => {
    const payload = new Uint8Array(0);
    for (const connection of [-1, 2 ** 32, 1.5, 0]) {
      expect(() => encodeLinkFrames([{ type: 'data', connection, payload }])).toThrow(RangeError);
    }
    expect(() => encodeLinkFrames([{ type: 'control', connection: 1, payload }])).toThrow(RangeError);
  });
});

describe('the link writer', () => {
  it('makes one write of a turn’s frames, in order, and none of an empty turn', () => {
    const writes: Uint8Array[] = [];
    const turns: (() => void)[] = [];
    const writer = createLinkWriter({
      write: (chunk) => void writes.push(chunk),
      schedule: (flush) => void turns.push(flush),
    });
    writer.send('data', 1, bytes('a'));
    writer.send('data', 2, bytes('b'));
    writer.control({ type: 'tls_rotate' });
    expect(turns.length).toBe(1);
    expect(writes.length).toBe(0);
    turns[0]!();
    expect(writes.length).toBe(1);
    expect(decodeAll(writes[0]!).frames.map((frame) => [frame.type, frame.connection])).toEqual([
      ['data', 1],
      ['data', 2],
      ['control', 0],
    ]);
    writer.send('data', 3, bytes('c'));
    expect(turns.length).toBe(2);
    writer.flush();
    turns[1]!();
    expect(writes.length).toBe(2);
  });
});

describe('payloads', () => {
  const controls: LinkControl[] = [
    { type: 'gate_ready', tls: 'a' },
    { type: 'gate_ready', tls: 'a', next: 'b' },
    { type: 'tls_rotate' },
    { type: 'tls_rotated', tls: 'b' },
    { type: 'tls_statement', tls: 'b', jws: 'x.y.z' },
    { type: 'tls_commit', tls: 'b' },
    { type: 'tls_refused', reason: 'no key is waiting' },
  ];
  it.each(controls)('carries $type', (message) => {
    expect(decodeLinkControl(encodeLinkControl(message))).toEqual(message);
  });

  it.each([
    '',
    'null',
    '[]',
    '"tls_rotate"',
    '{}',
    '{"type":"TLS_ROTATE"}',
    '{"type":"toString"}',
    '{"type":"__proto__"}',
    '{"type":["tls_rotate"]}',
    '{"type":"gate_ready"}',
    '{"type":"gate_ready","tls":5}',
    '{"type":"tls_statement","tls":"b"}',
    '{"type":"tls_statement","jws":"b"}',
    '{"type":"tls_refused"}',
    '{"type":"tls_rotate"',
  ])('refuses the control message %s', (text) => {
    expect(decodeLinkControl(bytes(text))).toBe(undefined);
  });

  it('keeps only the members it knows', () => {
    expect(decodeLinkControl(bytes('{"type":"tls_rotate","tls":"x","__proto__":{"a":1}}'))).toEqual({
      type: 'tls_rotate',
    });
  });

  it('carries where a peer comes from, and only that', () => {
    const open = decodeLinkOpen(bytes('{"remote":"remote","crowd":"a-1_Z","address":"10.0.0.1"}'));
    expect(open).toEqual({ remote: 'remote', crowd: 'a-1_Z' });
    expect(decodeLinkOpen(bytes('{"remote":"elsewhere","crowd":"a"}'))).toBe(undefined);
    for (const crowd of ['', 'ü', 'a b', 'a'.repeat(33), 7, null, undefined]) {
      expect(decodeLinkOpen(bytes(JSON.stringify({ remote: 'remote', crowd })))).toBe(undefined);
    }
    expect(decodeLinkOpen(hex('ff'))).toBe(undefined);
  });

  it('carries a close, cut to what WebSocket can say (RFC 6455 §5.5)', () => {
    const close = { code: 1013, reason: 'keep unavailable' };
    expect(decodeLinkClose(encodeLinkClose(close))).toEqual(close);
    const long = encodeLinkClose({ code: 4001, reason: 'ü'.repeat(100) });
    expect(long.length).toBe(2 + 122);
    expect(decodeLinkClose(long)).toEqual({ code: 4001, reason: 'ü'.repeat(61) });
    expect(decodeLinkClose(hex('03'))).toBe(undefined);
    expect(decodeLinkClose(hex('03e8ff'))).toBe(undefined);
    expect(decodeLinkClose(new Uint8Array(126))).toBe(undefined);
  });
});
