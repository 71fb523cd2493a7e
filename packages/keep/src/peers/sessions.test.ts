import { CodedError, fromUtf8, ok, utf8, type Json } from '@keepwatch/base';
import type { LinkFrameType } from '@keepwatch/protocol';
import { encodeRpc, type KeepHandshake, type Session } from '@keepwatch/wire';
import { describe, expect, it } from 'vitest';
import { jsonText } from './json-text.ts';
import { createSessions, type SessionHost } from './sessions.ts';

const LARGEST = 192_000;

/** A session without its encryption: what is looked at here is what a message does, not how it travels. */
const session = (): Session => ({
  id: new Uint8Array(32),
  seal(payload) {
    if (payload.length > LARGEST) throw new CodedError('frame_too_large', 'too large');
    return payload;
  },
  open: (frame) => ok(frame),
  close() {},
});

const key = { alg: 'EdDSA', publicKey: new Uint8Array(32) } as const;

function connect(change: Partial<SessionHost> = {}, handshake: Partial<KeepHandshake> = {}) {
  const sent: { type: LinkFrameType; text: string }[] = [];
  const host: SessionHost = {
    now: () => 0,
    handshake: () => ({
      receiveHello: () => ok(new Uint8Array()),
      receiveProof: () =>
        ok({
          claim: { role: 'client', wish: 'session', key },
          nonce: 1,
          head: null,
          tokenProved: false,
          session: session(),
        }),
      ...handshake,
    }),
    accept: () => ({ peer: 'bot', caller: 'client' }),
    ready: () => ({}),
    call: () => null,
    sealed: () => null,
    ended() {},
    soon: (run) => run(),
    log() {},
    ...change,
  };
  const sessions = createSessions(host, {
    send: (type, _connection, payload) => void sent.push({ type, text: fromUtf8(payload ?? new Uint8Array()) ?? '' }),
    control() {},
    flush() {},
  });
  const frame = (type: LinkFrameType, payload: Uint8Array = new Uint8Array()) =>
    sessions.frame({ type, connection: 1, payload });
  frame('open');
  return {
    sessions,
    sent,
    data: (payload: Uint8Array) => frame('data', payload),
    prove() {
      frame('data');
      frame('data');
    },
  };
}

const answers = (sent: readonly { type: string; text: string }[]) =>
  sent.filter(({ type }) => type === 'data').map(({ text }) => (text === '' ? null : (JSON.parse(text) as Json)));
const status = encodeRpc({ kind: 'request', id: 1, method: 'vault.status', params: {} });

describe('what does not fit a frame', () => {
  const denied = new CodedError('denied', 'x'.repeat(LARGEST), { details: { reasons: ['y'.repeat(LARGEST)] } });

  it('is an error without its details, whether it was thrown or awaited', async () => {
    const ways = [
      () => {
        throw denied;
      },
      () => Promise.reject(denied),
    ];
    for (const call of ways) {
      const { sent, data, prove } = connect({ call });
      prove();
      data(status);
      await new Promise((resolve) => setImmediate(resolve));
      const error = answers(sent).at(-1);
      expect(error).toMatchObject({ id: 1, error: { data: { code: 'denied' } } });
      expect(error).not.toMatchObject({ error: { data: { details: expect.anything() } } });
    }
  });

  it('is passed over as a notification, and the next one arrives', () => {
    const { sent, sessions, prove } = connect();
    prove();
    sessions.notify(() => true, 'receipt', { wallet: 'x'.repeat(LARGEST) });
    sessions.notify(() => true, 'receipt', { wallet: 'w' });
    expect(answers(sent).at(-1)).toMatchObject({ method: 'receipt', params: { wallet: 'w' } });
  });
});

describe('receipts in answers', () => {
  const receipt = (index: number, head = '{"root":"r"}') => ({
    ...{ seq: 5 + index, index, path: [`leaf ${index}`, 'node'], head },
    entry: { form: ['{"nonce":', '}'], fill: [`${index}`] },
  });
  const signed = (index: number, head?: string) => jsonText('"hash":"0x"', receipt(index, head));
  const asked = encodeRpc({ kind: 'request', id: 1, method: 'vault.status', params: {} });

  it('leave out what the one before in their session had as well, and nothing after another answer', () => {
    const results: unknown[] = [signed(0), signed(1), signed(0, '{"root":"s"}'), null, signed(1, '{"root":"s"}')];
    const { sent, data, prove } = connect({ call: () => results.shift() });
    prove();
    const before = answers(sent).length;
    for (let i = 0; i < 5; i++) data(asked);
    const found = answers(sent).slice(before) as { result: { receipt: Json } | null }[];
    const form = ['{"nonce":', '}'];
    expect(found.map(({ result }) => result?.receipt)).toEqual([
      { form, fill: ['0'], seq: 5, index: 0, path: ['leaf 0', 'node'], head: { root: 'r' } },
      { fill: ['1'], seq: 6, index: 1, path: ['leaf 1'], above: 1 },
      { fill: ['0'], seq: 5, index: 0, path: ['leaf 0', 'node'], head: { root: 's' } },
      undefined,
      { form, fill: ['1'], seq: 6, index: 1, path: ['leaf 1', 'node'], head: { root: 's' } },
    ]);
  });

  it('refer to none that did not fit a frame', () => {
    const results = [signed(0), jsonText(`"hash":"${'x'.repeat(LARGEST)}"`, receipt(1)), signed(2)];
    const { sent, data, prove } = connect({ call: () => results.shift() });
    prove();
    for (let i = 0; i < 3; i++) data(asked);
    expect(answers(sent).at(-2)).toMatchObject({ error: { data: { code: 'frame_too_large' } } });
    expect(answers(sent).at(-1)).toMatchObject({ result: { receipt: { index: 2, path: ['leaf 2'], above: 1 } } });
  });
});

describe('a store that takes nothing more', () => {
  const full = () => {
    throw new CodedError('storage_full', 'full');
  };

  it('ends the handshake that needed it, and not the keep', () => {
    const early = connect({}, { receiveHello: full });
    early.data(utf8('hello'));
    expect(early.sent.map(({ type }) => type)).toEqual(['close']);
    const late = connect({ accept: full });
    late.prove();
    expect(late.sent.map(({ type }) => type)).toEqual(['data', 'close']);
  });
});

describe('who fills the table of the edge', () => {
  it('is never a candidate: to gate it stays a stranger', () => {
    const candidate = connect({ accept: () => ({ peer: 'new', caller: 'candidate' }) });
    candidate.prove();
    expect(candidate.sent.map(({ type }) => type)).toEqual(['data', 'data']);
    const client = connect();
    client.prove();
    expect(client.sent.map(({ type }) => type)).toEqual(['data', 'authenticated', 'data']);
  });

  it('is no single peer: its newest session ends its oldest one', () => {
    const names = ['bot', 'other'];
    const { sessions, sent, prove } = connect({ accept: () => ({ peer: names.at(-1)!, caller: 'client' }) });
    const open = (connection: number) => {
      sessions.frame({ type: 'open', connection, payload: new Uint8Array() });
      for (let i = 0; i < 2; i++) sessions.frame({ type: 'data', connection, payload: new Uint8Array() });
    };
    prove();
    names.pop();
    for (let connection = 2; connection <= 129; connection++) open(connection);
    expect(sent.filter(({ type }) => type === 'close')).toEqual([]);
    open(130);
    expect(sent.filter(({ type }) => type === 'close')).toHaveLength(1);
    open(131);
    expect(sent.filter(({ type }) => type === 'close')).toHaveLength(2);
    expect([...sessions.connected()].sort()).toEqual(['bot', 'other']);
  });
});
