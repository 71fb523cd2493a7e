import { CodedError, fromUtf8 } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { createOutbox } from './outbox.ts';
import { decodeRpc, MAX_BATCH, rpcText, type RpcMessage } from './rpc.ts';
import { DEFAULT_SESSION_LIMITS } from './session.ts';

const { maxPayload } = DEFAULT_SESSION_LIMITS;
const note = (text: string): RpcMessage => ({ kind: 'notification', method: 'note', params: { text } });

function open(seal?: () => never) {
  const frames: Uint8Array[] = [];
  const failures: string[] = [];
  let turn: (() => void)[] = [];
  const outbox = createOutbox({
    session: {
      seal: (payload) => {
        if (seal) return seal();
        if (payload.length > maxPayload) throw new CodedError('frame_too_large', 'too large');
        return payload;
      },
    },
    send: (frame) => void frames.push(frame),
    soon: (flush) => void turn.push(flush),
    failed: (error) => void failures.push(error.code),
  });
  return {
    outbox,
    frames,
    failures,
    push: (...messages: RpcMessage[]) => {
      for (const message of messages) outbox.push(rpcText(message));
    },
    endTurn() {
      const ended = turn;
      turn = [];
      for (const flush of ended) flush();
    },
    messages: () =>
      frames.flatMap((frame) => {
        const decoded = decodeRpc(frame);
        return decoded.ok ? decoded.value : [];
      }),
  };
}

describe('an outbox', () => {
  it('puts what one turn says into one frame, and one message alone as itself', () => {
    const { push, endTurn, frames, messages } = open();
    push(note('a'), note('b'));
    expect(frames).toHaveLength(0);
    endTurn();
    push(note('c'));
    endTurn();
    endTurn();
    expect(frames).toHaveLength(2);
    expect(messages()).toEqual([note('a'), note('b'), note('c')]);
    expect(fromUtf8(frames[1]!)).toBe(rpcText(note('c')));
  });

  it('keeps the order and the limits of a frame, whatever comes', () => {
    const { push, endTurn, frames, messages } = open();
    // Three bytes of UTF-8 for each UTF-16 unit is the most there is.
    const said = [
      ...Array.from({ length: 3 * MAX_BATCH }, (_, i) => note(String(i))),
      ...Array.from({ length: 9 }, (_, i) => note(`${i}${'ࠀ'.repeat(30_000)}`)),
      note('x'.repeat(150_000)),
      note('last'),
    ];
    push(...said);
    endTurn();
    expect(messages()).toEqual(said);
    for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(maxPayload);
  });

  it('refuses at once what no frame holds, and sends the rest', () => {
    const { push, endTurn, failures, messages } = open();
    push(note('before'));
    expect(() => push(note('x'.repeat(maxPayload)))).toThrow(expect.objectContaining({ code: 'frame_too_large' }));
    expect(() => push(note('ࠀ'.repeat(70_000)))).toThrow(expect.objectContaining({ code: 'frame_too_large' }));
    push(note('after'));
    endTurn();
    expect(messages()).toEqual([note('before'), note('after')]);
    expect(failures).toEqual([]);
  });

  it('says so when the session sends no more', () => {
    const { push, endTurn, failures } = open(() => {
      throw new CodedError('session_exhausted', 'exhausted');
    });
    push(note('a'));
    endTurn();
    push(note('x'.repeat(150_000)));
    expect(failures).toEqual(['session_exhausted', 'session_exhausted']);
  });
});
