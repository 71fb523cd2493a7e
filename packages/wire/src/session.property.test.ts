import { wireCrypto } from '@keepwatch/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameLength } from './jwe.ts';
import { createSession, DEFAULT_SESSION_LIMITS, type SessionLimits, type Side } from './session.ts';

function createPair(limits: SessionLimits = DEFAULT_SESSION_LIMITS, keep = 1, peer = 2) {
  const keys = () => ({
    id: new Uint8Array(32),
    keepToPeer: new Uint8Array(32).fill(keep),
    peerToKeep: new Uint8Array(32).fill(peer),
  });
  const make = (side: Side) => createSession(wireCrypto, keys(), side, limits);
  return { keep: make('keep'), peer: make('peer') };
}
const bytes = (...values: number[]) => Uint8Array.from(values);

describe('a session', () => {
  it('carries any payloads in both directions, in order', () => {
    const message = fc.record({ up: fc.boolean(), payload: fc.uint8Array({ maxLength: 600 }) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const { keep, peer } = createPair();
        for (const { up, payload } of messages) {
          const [from, to] = up ? [peer, keep] : [keep, peer];
          const frame = from.seal(payload);
          expect(frame.length).toBe(frameLength(payload.length));
          const opened = to.open(frame);
          expect(opened.ok && Buffer.from(opened.value).equals(Buffer.from(payload))).toBe(true);
        }
      }),
    );
  });

  it('opens no frame with a byte changed, cut or added, and is dead afterwards', () => {
    const { peer } = createPair();
    const frame = peer.seal(new Uint8Array(40).fill(7));
    for (let at = 0; at < frame.length; at++) {
      for (const change of [1, 0x20, 0x80]) {
        const { keep } = createPair();
        const damaged = Uint8Array.from(frame);
        damaged[at]! ^= change;
        expect(keep.open(damaged).ok, `byte ${at} ^ ${change}`).toBe(false);
        expect(keep.open(frame)).toEqual({ ok: false, error: 'session_closed' });
      }
    }
    fc.assert(
      fc.property(fc.nat({ max: frame.length - 1 }), fc.uint8Array({ maxLength: 4 }), (at, inserted) => {
        const damaged = Buffer.concat([frame.subarray(0, at), inserted, frame.subarray(at + inserted.length + 1)]);
        expect(createPair().keep.open(damaged).ok).toBe(false);
      }),
    );
  });

  it('opens a sequence exactly as far as it arrives in order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 8 }), (arrival) => {
        const { keep, peer } = createPair();
        const frames = Array.from({ length: 6 }, (_, i) => peer.seal(bytes(i)));
        let intact = true;
        arrival.forEach((which, position) => {
          intact &&= which === position;
          expect(keep.open(frames[which]!).ok).toBe(intact);
        });
      }),
    );
  });

  it('names what is wrong', () => {
    const pairs = () => createPair();
    const text = (frame: Uint8Array) => Buffer.from(frame).toString('latin1');
    const first = () => {
      const pair = pairs();
      return { ...pair, frame: pair.peer.seal(bytes(1, 2, 3)) };
    };
    const repeated = first();
    repeated.keep.open(repeated.frame);
    expect(repeated.keep.open(repeated.frame)).toEqual({ ok: false, error: 'frame_out_of_order' });

    const reflected = first();
    expect(reflected.peer.open(reflected.frame)).toEqual({ ok: false, error: 'frame_out_of_order' });

    const gap = first();
    expect(gap.keep.open(gap.peer.seal(bytes(4)))).toEqual({ ok: false, error: 'frame_out_of_order' });

    const foreign = first();
    expect(createPair(undefined, 3, 4).keep.open(foreign.frame)).toEqual({ ok: false, error: 'frame_forged' });

    const { frame } = first();
    const otherHeader = Buffer.from('{"typ":"keepwatch-frame","alg":"dir","enc":"A256GCM","zip":"DEF"}').toString(
      'base64url',
    );
    const parts = text(frame).split('.');
    for (const damaged of [
      [otherHeader, ...parts.slice(1)].join('.'),
      parts.slice(0, 4).join('.'),
      [parts[0], 'AA', ...parts.slice(2)].join('.'),
      `${text(frame)}=`,
      text(frame).replace(parts[3]!, `${parts[3]!.slice(0, -1)}=`),
      '',
    ]) {
      expect(pairs().keep.open(Buffer.from(damaged))).toEqual({ ok: false, error: 'frame_malformed' });
    }
  });

  it('refuses what is too large on both sides', () => {
    const { keep, peer } = createPair({ maxPayload: 10, maxBytes: 100 });
    expect(() => peer.seal(new Uint8Array(11))).toThrow(expect.objectContaining({ code: 'frame_too_large' }));
    expect(keep.open(peer.seal(new Uint8Array(10))).ok).toBe(true);
    const generous = createPair({ maxPayload: 20, maxBytes: 100 });
    expect(keep.open(generous.peer.seal(new Uint8Array(20)))).toEqual({ ok: false, error: 'frame_too_large' });
  });

  it('ends when its keys have protected all that they may', () => {
    const { keep, peer } = createPair({ maxPayload: 10, maxBytes: 25 });
    for (let i = 0; i < 2; i++) expect(keep.open(peer.seal(new Uint8Array(10))).ok).toBe(true);
    expect(() => peer.seal(new Uint8Array(10))).toThrow(expect.objectContaining({ code: 'session_exhausted' }));
    expect(() => peer.seal(new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'session_closed' }));
    const sender = createPair({ maxPayload: 10, maxBytes: 100 }).peer;
    const receiver = createPair({ maxPayload: 10, maxBytes: 15 }).keep;
    receiver.open(sender.seal(new Uint8Array(10)));
    expect(receiver.open(sender.seal(new Uint8Array(10)))).toEqual({ ok: false, error: 'session_exhausted' });
  });

  it('wipes the keys that it was given and forgets its own when closed', () => {
    const keys = {
      id: new Uint8Array(32),
      keepToPeer: new Uint8Array(32).fill(1),
      peerToKeep: new Uint8Array(32).fill(2),
    };
    const session = createSession(wireCrypto, keys, 'keep');
    expect([...keys.keepToPeer, ...keys.peerToKeep].every((byte) => byte === 0)).toBe(true);
    session.close();
    expect(session.open(new Uint8Array(200))).toEqual({ ok: false, error: 'session_closed' });
    expect(() => session.seal(bytes(1))).toThrow(expect.objectContaining({ code: 'session_closed' }));
  });
});
