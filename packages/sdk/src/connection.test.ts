import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError, type Json } from '@keepwatch/base';
import { CLOSE_CODES, parseConnectionString, formatConnectionString } from '@keepwatch/protocol';
import type { JsonObject, RpcMessage } from '@keepwatch/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateTlsKey } from '../../gate/src/certificate.ts';
import { connect, type Connection, type ConnectOptions } from './connection.ts';
import { startTinyKeep, type TinyKeep, type TinyKeepOptions } from './fixtures/tiny-keep.ts';
import { signerFromSeed } from './identity.ts';
import { createMemory, fileMemory } from './memory.ts';

const tls = generateTlsKey();
const otherTls = generateTlsKey();
const identity = signerFromSeed('EdDSA', new Uint8Array(32).fill(1));
const running: { close(): Promise<unknown> }[] = [];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sdk-'));
});
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.close();
  rmSync(dir, { recursive: true });
});

async function keepOf(options: Partial<TinyKeepOptions> = {}): Promise<TinyKeep> {
  const keep = await startTinyKeep({ tls, ...options });
  running.push(keep);
  return keep;
}

async function connectTo(keep: TinyKeep, options: Partial<ConnectOptions> = {}): Promise<Connection> {
  const connection = await connect({ connectionString: keep.connectionString, identity, role: 'client', ...options });
  running.push(connection);
  return connection;
}

/** The connection string with other parts. */
function variant(keep: TinyKeep, change: object): string {
  const parts = parseConnectionString(keep.connectionString);
  if (!parts.ok) throw new Error(parts.error.what);
  return formatConnectionString({ ...parts.value, ...change });
}

const code = (expected: string) => expect.objectContaining({ code: expected }) as CodedError;
/** A reply to whatever was asked: the tiny keep puts the request's id in the place of 0. */
const result = (value: Json): RpcMessage => ({ kind: 'result', id: 0, result: value });

describe('connecting', () => {
  it.each(['EdDSA', 'ML-DSA-65'] as const)('proves both ends and calls, with a key of %s', async (alg) => {
    const keep = await keepOf();
    const connection = await connectTo(keep, { identity: signerFromSeed(alg, new Uint8Array(32).fill(2)) });
    expect(connection.info).toMatchObject({ vault: keep.identity, role: 'client' });
    expect(Buffer.from(connection.sessionId)).toEqual(Buffer.from(keep.sessions[0]!.id));
    const status = await connection.call('vault.status', {});
    expect(status).toMatchObject({ phase: 'unsealed', identity: keep.identity });
  });

  it('sends nothing at all to a server with another key', async () => {
    const keep = await keepOf();
    const wrong = variant(keep, { tls: otherTls.fingerprint });
    await expect(connect({ connectionString: wrong, identity, role: 'client' })).rejects.toEqual(
      code('tls_pin_mismatch'),
    );
    // It asked for statements, over a connection that it then threw away, and never spoke of itself.
    expect(keep.requests).toEqual(['/.well-known/keepwatch/tls']);
    expect(keep.sessions).toEqual([]);
  });

  it('refuses a vault of another identity behind the right TLS key', async () => {
    const keep = await keepOf();
    const wrong = variant(keep, { id: otherTls.fingerprint });
    await expect(connect({ connectionString: wrong, identity, role: 'client' })).rejects.toEqual(
      code('identity_mismatch'),
    );
  });

  it('is refused where the keep knows that its edge serves another key', async () => {
    const keep = await keepOf({ believedTls: otherTls.fingerprint });
    await expect(connectTo(keep)).rejects.toEqual(code('tls_pin_mismatch'));
  });

  it('names why the vault refuses a peer', async () => {
    const keep = await keepOf({ admission: { admit: false, code: 'peer_unknown' } });
    await expect(connectTo(keep)).rejects.toEqual(code('peer_unknown'));
  });

  it('proves the token when it registers, and leaves it alone otherwise', async () => {
    const token = new Uint8Array(32).fill(7);
    const keep = await keepOf({ admission: { admit: true, token } });
    const connectionString = variant(keep, { token: Buffer.from(token).toString('base64url') });
    await connectTo(keep, { connectionString, wish: 'register', role: 'operator' });
    await expect(connectTo(keep, { connectionString })).rejects.toEqual(code('token_invalid'));
  });

  it('says where the vault cannot be reached', async () => {
    const keep = await keepOf();
    await keep.close();
    running.length = 0;
    await expect(connectTo(keep)).rejects.toEqual(code('connection_failed'));
    await expect(connectTo(keep, { connectionString: 'keepwatch://nowhere' })).rejects.toEqual(
      code('connection_string_invalid'),
    );
  });

  it('gives up on a server that says nothing, before and after TLS', async () => {
    const mute = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    running.push({ close: () => new Promise((resolve) => mute.close(resolve)) });
    const silent = await keepOf({ onHello: () => true });
    const { port } = mute.address() as AddressInfo;
    for (const connectionString of [variant(silent, { port }), silent.connectionString]) {
      const started = performance.now();
      await expect(connectTo(silent, { connectionString, connectTimeoutMs: 300 })).rejects.toEqual(
        code('connection_timeout'),
      );
      // The default is 15 s.
      expect(performance.now() - started).toBeLessThan(10_000);
    }
  });

  it('takes a close for what the edge says it is', async () => {
    const unavailable = await keepOf({
      onHello: (socket) => (socket.close(CLOSE_CODES.keepUnavailable, 'keep unavailable'), true),
    });
    await expect(connectTo(unavailable)).rejects.toEqual(code('keep_unavailable'));
  });

  it.each<[string, (ready: JsonObject) => RpcMessage]>([
    ['of another name', (params) => ({ kind: 'notification', method: 'receipt', params })],
    ['of another form', () => ({ kind: 'notification', method: 'ready', params: {} })],
    ['of another kind', () => ({ kind: 'result', id: 1, result: null })],
  ])('does not take a first frame %s for the confirmation', async (_name, ready) => {
    await expect(connectTo(await keepOf({ ready }))).rejects.toEqual(code('handshake_unconfirmed'));
  });
});

describe('a TLS key that was rotated', () => {
  async function rotated(statementOf: (keep: TinyKeep) => string[]) {
    const before = await keepOf();
    const seed = new Uint8Array(32).fill(9);
    const signer = await keepOf({ seed });
    const after = await keepOf({ seed, tls: otherTls, statements: statementOf(signer) });
    await before.close();
    return variant(after, { tls: tls.fingerprint });
  }

  it('is taken over from a statement of the vault, and remembered', async () => {
    const connectionString = await rotated((keep) => [keep.statement(tls.fingerprint, otherTls.fingerprint, 4)]);
    const memory = createMemory();
    const connection = await connect({ connectionString, identity, role: 'client', memory });
    running.push(connection);
    expect(memory.get(connection.info.vault)).toEqual({ tls: otherTls.fingerprint, tlsCounter: 4, head: null });
    // The next time, the remembered pin fits at once.
    const again = await connect({ connectionString, identity, role: 'client', memory });
    await again.close();
  });

  it.each<[string, (keep: TinyKeep) => string[], number]>([
    ['for another key', (keep) => [keep.statement(tls.fingerprint, tls.fingerprint, 4)], 0],
    ['put back from earlier', (keep) => [keep.statement(tls.fingerprint, otherTls.fingerprint, 4)], 4],
    ['that is none', () => ['a.b.c', ''], 0],
  ])('is not taken over from a statement %s', async (_name, statements, counter) => {
    const connectionString = await rotated(statements);
    const id = /id=([^&]+)/.exec(connectionString)![1]!;
    const memory = createMemory();
    await memory.set(id, { tls: tls.fingerprint, tlsCounter: counter, head: null });
    await expect(connect({ connectionString, identity, role: 'client', memory })).rejects.toEqual(
      code('tls_pin_mismatch'),
    );
    expect(await memory.get(id)).toMatchObject({ tls: tls.fingerprint, tlsCounter: counter });
  });

  it('told over the session is remembered for the next connection', async () => {
    const keep = await keepOf();
    const memory = createMemory();
    const connection = await connectTo(keep, { memory });
    const told = new Promise((resolve) => connection.on('tls.rotated', resolve));
    const statement = keep.statement(tls.fingerprint, otherTls.fingerprint, 2);
    keep.sessions[0]!.send({ kind: 'notification', method: 'tls.rotated', params: { statement } });
    await told;
    expect(memory.get(keep.identity)).toMatchObject({ tls: otherTls.fingerprint, tlsCounter: 2 });
  });
});

describe('calls', () => {
  // Ids count from 1, as `from` does here.
  it('come back to those who made them, in any order', async () => {
    const held: (() => void)[] = [];
    const keep: TinyKeep = await keepOf({
      onCall(_method, params, session) {
        const from = params['from'] as number;
        held.push(() => session.send({ kind: 'result', id: from, result: { entries: [], head: keep.head(from) } }));
        if (held.length === 50) for (const answer of held.reverse()) answer();
        return undefined;
      },
    });
    const connection = await connectTo(keep);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => connection.call('journal.read', { from: i + 1 })),
    );
    expect(answers.map((answer) => answer.head.lastSeq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('throw the vault’s own error, whole', async () => {
    const data = { code: 'denied', remedy: 'Ask for a grant.', details: { left: '0' } };
    const keep = await keepOf({
      onCall: () => ({ kind: 'error', id: 0, error: { code: -32000, message: 'No grant permits this.', data } }),
    });
    const error = await (await connectTo(keep)).call('vault.status', {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ ...data, message: 'No grant permits this.' });
  });

  it('do not take an answer of another form than was agreed', async () => {
    const keep = await keepOf({ onCall: () => result({ phase: 'open' }) });
    await expect((await connectTo(keep)).call('vault.status', {})).rejects.toEqual(code('message_malformed'));
  });

  it('time out alone, and a late answer harms nobody', async () => {
    let late: (() => void) | undefined;
    const keep = await keepOf({
      onCall(method, _params, session) {
        if (method === 'vault.status') {
          late = () => session.send({ kind: 'result', id: 1, result: null });
          return undefined;
        }
        late?.();
        return result({ peers: [], next: null });
      },
    });
    const connection = await connectTo(keep, { callTimeoutMs: 2_000 });
    await expect(connection.call('vault.status', {})).rejects.toEqual(code('request_timeout'));
    expect(await connection.call('peer.list', {})).toEqual({ peers: [], next: null });
  });

  it('all fail when the connection breaks, and so do later ones', async () => {
    const keep = await keepOf({ onCall: (_m, _p, session) => void session.close(CLOSE_CODES.refused, 'peer_unknown') });
    const connection = await connectTo(keep);
    const calls = await Promise.allSettled([connection.call('vault.status', {}), connection.call('peer.list', {})]);
    for (const call of calls) expect(call).toMatchObject({ status: 'rejected', reason: { code: 'peer_unknown' } });
    expect(await connection.closed).toEqual(code('peer_unknown'));
    await expect(connection.call('vault.status', {})).rejects.toEqual(code('peer_unknown'));
  });

  it('too large for a frame fail alone', async () => {
    const connection = await connectTo(await keepOf());
    const huge = { offset: 0, total: 1, bytes: 'A'.repeat(200_000) };
    await expect(connection.call('backup.write', huge)).rejects.toEqual(code('frame_too_large'));
    expect(await connection.call('vault.status', {})).toMatchObject({ phase: 'unsealed' });
  });

  it('end with the connection when this end closes it', async () => {
    const keep = await keepOf({ onCall: () => undefined });
    const connection = await connectTo(keep);
    const call = connection.call('vault.status', {});
    const failed = expect(call).rejects.toEqual(code('connection_closed'));
    await connection.close();
    await failed;
    expect(await connection.closed).toBe(undefined);
  });
});

describe('frames that were tampered with', () => {
  const flip = (frame: Uint8Array) => {
    const changed = Uint8Array.from(frame);
    changed[changed.length - 40]! ^= 1;
    return changed;
  };
  it.each<[string, TinyKeepOptions['onFrame'], string]>([
    ['repeated', (frame, count) => (count === 1 ? [frame, frame] : [frame]), 'frame_out_of_order'],
    ['dropped', (frame, count) => (count === 1 ? [] : [frame]), 'frame_out_of_order'],
    ['changed', (frame, count) => (count === 1 ? [flip(frame)] : [frame]), 'frame_'],
  ])('%s end the session', async (_name, onFrame, expected) => {
    const keep = await keepOf({ onFrame: onFrame! });
    const connection = await connectTo(keep);
    const calls = [connection.call('vault.status', {}), connection.call('vault.status', {})].map((call) =>
      call.catch(() => {}),
    );
    await Promise.all(calls);
    const reason = await connection.closed;
    expect(reason?.code).toContain(expected);
  });
});

describe('what the vault says and asks by itself', () => {
  it('reaches its handlers until they are taken off', async () => {
    const keep = await keepOf();
    const connection = await connectTo(keep);
    const seen: string[] = [];
    const off = connection.on('vault.phase', ({ reason }) => seen.push(`a ${reason}`));
    connection.on('vault.phase', ({ reason }) => seen.push(`b ${reason}`));
    const tell = async (reason: string) => {
      const params = { phase: 'sealed', reason };
      keep.sessions[0]!.send({ kind: 'notification', method: 'vault.phase', params });
      keep.sessions[0]!.send({ kind: 'notification', method: 'of.the.future', params });
      await connection.call('vault.status', {});
    };
    await tell('one');
    off();
    await tell('two');
    expect(seen).toEqual(['a one', 'b one', 'b two']);
  });

  it('ends the session where a notification is not of its agreed form', async () => {
    const keep = await keepOf();
    const connection = await connectTo(keep);
    keep.sessions[0]!.send({ kind: 'notification', method: 'vault.phase', params: { phase: 1 } });
    expect(await connection.closed).toEqual(code('message_malformed'));
  });

  it('is answered by the program, or by a refusal', async () => {
    const keep = await keepOf();
    const answering = await connectTo(keep, {
      onRequest: async (method, params) => {
        if (method === 'fail') throw new CodedError('denied', 'No.', { remedy: 'Ask.' });
        if (method === 'crash') throw new Error('a secret detail');
        return { method, ...params };
      },
    });
    const mute = await connectTo(keep);
    const [first, second] = keep.sessions as [TinyKeep['sessions'][0], TinyKeep['sessions'][0]];
    first.send({ kind: 'request', id: 'q1', method: 'ask', params: { a: 1 } });
    first.send({ kind: 'request', id: 'q2', method: 'fail', params: {} });
    first.send({ kind: 'request', id: 'q3', method: 'crash', params: {} });
    second.send({ kind: 'request', id: 'q4', method: 'ask', params: {} });
    await expect.poll(() => first.received.length + second.received.length).toBe(4);
    expect(first.received).toMatchObject([
      { kind: 'result', id: 'q1', result: { method: 'ask', a: 1 } },
      { kind: 'error', id: 'q2', error: { code: -32000, data: { code: 'denied', remedy: 'Ask.' } } },
      { kind: 'error', id: 'q3', error: { code: -32000, data: { code: 'internal_error' } } },
    ]);
    expect(JSON.stringify(first.received)).not.toContain('secret');
    expect(second.received).toMatchObject([{ kind: 'error', id: 'q4', error: { code: -32601 } }]);
    await Promise.all([answering.close(), mute.close()]);
  });
});

describe('memory', () => {
  it('keeps the newest signed head over connections, and brings it to the next handshake', async () => {
    const seqs = [5, 9, 7];
    const keep: TinyKeep = await keepOf({ onCall: () => result({ entries: [], head: keep.head(seqs.shift()!) }) });
    const path = join(dir, 'memory.json');
    const first = await connectTo(keep, { memory: fileMemory(path) });
    for (let i = 0; i < 3; i++) await first.call('journal.read', { from: 1 });
    await first.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await fileMemory(path).get(keep.identity)).toMatchObject({ head: { lastSeq: 9 }, tls: tls.fingerprint });

    await connectTo(keep, { memory: fileMemory(path) });
    expect(keep.sessions[1]!.rememberedHead).toEqual(keep.head(9));
  });

  it('ends the session over a head that the vault has not signed, and forgets nothing', async () => {
    const keep: TinyKeep = await keepOf({
      onCall: () => result({ entries: [], head: { ...keep.head(6), lastSeq: 60 } }),
    });
    const memory = createMemory();
    const connection = await connectTo(keep, { memory });
    await connection.call('journal.read', { from: 1 });
    expect(await connection.closed).toEqual(code('head_forged'));
    expect(memory.get(keep.identity)).toMatchObject({ head: null });
  });

  it('takes the higher epoch for newer, and never goes back', async () => {
    const keep = await keepOf();
    const memory = createMemory();
    const remember = (tlsCounter: number, seq: number, epoch: number) =>
      memory.set('v', { tls: `pin ${tlsCounter}`, tlsCounter, head: keep.head(seq, epoch) });
    await remember(2, 100, 1);
    await remember(1, 3, 2);
    await remember(0, 200, 1);
    expect(memory.get('v')).toEqual({ tls: 'pin 2', tlsCounter: 2, head: keep.head(3, 2) });
  });

  it('in a file keeps what many connections write at once, and refuses a damaged file', async () => {
    const keep = await keepOf();
    const path = join(dir, 'memory.json');
    const memory = fileMemory(path);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        memory.set(`vault-${i % 4}`, { tls: 'pin', tlsCounter: 0, head: keep.head(i + 1) }),
      ),
    );
    for (let i = 0; i < 4; i++) expect((await memory.get(`vault-${i}`))!.head!.lastSeq).toBe(17 + i);
    const text = readFileSync(path, 'utf8');
    for (const damaged of [text.slice(0, 50), '{}', text.replace('"lastSeq": 17', '"lastSeq": -1')]) {
      writeFileSync(path, damaged);
      await expect(memory.get('vault-0')).rejects.toEqual(code('memory_malformed'));
      await expect(memory.set('vault-0', { tls: 'x', tlsCounter: 0, head: null })).rejects.toEqual(
        code('memory_malformed'),
      );
      expect(readFileSync(path, 'utf8')).toBe(damaged);
    }
    await expect(
      fileMemory(join(dir, 'none', 'm.json')).set('v', { tls: 'x', tlsCounter: 0, head: null }),
    ).rejects.toEqual(code('memory_unwritable'));
  });
});
