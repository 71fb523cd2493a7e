import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectClient, httpsGet } from './fixtures/client.ts';
import { serveEcho, type Echo } from './fixtures/echo-link.ts';
import type { GateLimits } from './limits.ts';
import { createGate, type Gate } from './server.ts';

/** Machines are slow at times: what comes soon may take a while. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 60_000 });

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const listen = { host: '127.0.0.1', port: 0 };

let dir: string;
let gate: Gate | undefined;
let unix: Server | undefined;
const keepEnds: Socket[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gate-'));
});
afterEach(async () => {
  await gate?.close();
  gate = undefined;
  for (const socket of keepEnds.splice(0)) socket.destroy();
  unix?.close();
  unix = undefined;
  rmSync(dir, { recursive: true });
});

async function startGate(limits: Partial<GateLimits> = {}): Promise<Gate> {
  gate = await createGate({ log: silent }, { dataDir: dir, listen, metrics: listen, limits });
  return gate;
}

/** A connected pair of real sockets, one end for gate, the other echoing. */
async function attachEcho(to: Gate): Promise<Echo & { socket: Socket }> {
  const path = join(dir, 'keep.sock');
  const server = unix ?? createServer();
  if (!unix) {
    unix = server;
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  to.attachKeep(connectTcp({ path }));
  const socket = await accepted;
  keepEnds.push(socket);
  return { ...serveEcho(socket), socket };
}

const client = (to: Gate) => connectClient(to.address.port, to.tlsFingerprint());
const metricsOf = async (to: Gate) => (await fetch(`http://127.0.0.1:${to.metricsAddress!.port}/metrics`)).text();

describe('the edge', () => {
  it('speaks TLS 1.3 with the pinned key, and nothing older', async () => {
    const { address, tlsFingerprint } = await startGate();
    const { pin, protocol } = await httpsGet(address.port, '/health');
    expect(protocol).toBe('TLSv1.3');
    expect(pin).toBe(tlsFingerprint());
    await expect(
      new Promise((resolve, reject) => {
        const options = { port: address.port, host: '127.0.0.1', maxVersion: 'TLSv1.2', rejectUnauthorized: false };
        connectTls({ ...options, maxVersion: 'TLSv1.2' }, () => resolve('connected')).on('error', reject);
      }),
    ).rejects.toThrow(/protocol version|EPROTO|ECONNRESET/);
  });

  it('keeps its key over restarts, for itself alone', async () => {
    const first = (await startGate()).tlsFingerprint();
    await gate!.close();
    expect((await startGate()).tlsFingerprint()).toBe(first);
    expect(statSync(join(dir, 'tls.json')).mode & 0o777).toBe(0o600);
  });

  it('refuses to start over a damaged key file instead of making a new key', async () => {
    writeFileSync(join(dir, 'tls.json'), '{"version":1,"current":"garbage","statements":[]}');
    await expect(startGate()).rejects.toMatchObject({ code: 'gate_tls_unreadable' });
  });

  it('answers health, and only what it knows', async () => {
    const { address } = await startGate();
    const health = await httpsGet(address.port, '/health');
    expect([health.status, health.body]).toEqual([200, '{"keep":"unavailable"}']);
    await attachEcho(gate!);
    expect((await httpsGet(address.port, '/health?x=1')).body).toBe('{"keep":"available"}');
    expect((await httpsGet(address.port, '/metrics')).status).toBe(404);
    expect((await httpsGet(address.port, '/')).status).toBe(426);
    expect((await httpsGet(address.port, '/health', 'POST')).status).toBe(405);
    await expect(connectClient(address.port, '').then((c) => c.ask('x'))).rejects.toThrow('pinned');
  });

  it('shows metrics on this machine alone', async () => {
    await expect(
      createGate({ log: silent }, { dataDir: dir, listen, metrics: { host: '0.0.0.0', port: 0 } }),
    ).rejects.toMatchObject({ code: 'gate_metrics_not_loopback' });
  });

  it('says when an address is taken', async () => {
    const { address } = await startGate();
    await expect(createGate({ log: silent }, { dataDir: dir, listen: address })).rejects.toMatchObject({
      code: 'gate_listen_failed',
    });
  });
});

describe('messages', () => {
  it('carries each message to the keep and its answer back to its own peer, unchanged', async () => {
    const echo = await attachEcho(await startGate());
    const [a, b] = [await client(gate!), await client(gate!)];
    const large = 'x'.repeat(200 * 1024);
    expect(await Promise.all([a.ask('from a'), b.ask('from b'), a.ask('ümlaut'), b.ask(large)])).toEqual([
      'from a',
      'from b',
      'ümlaut',
      large,
    ]);
    expect(echo.seen.opened.map(({ remote }) => remote)).toEqual(['loopback', 'loopback']);
    expect(echo.seen.controls).toEqual([{ type: 'gate_ready', tls: gate!.tlsFingerprint() }]);
  });

  it('tells the keep of a peer by its first message, and of its end', async () => {
    const echo = await attachEcho(await startGate());
    const mute = await client(gate!);
    const a = await client(gate!);
    await a.ask('hello');
    expect(echo.seen.opened.length).toBe(1);
    a.ws.close();
    mute.ws.close();
    await soon(() => expect(echo.seen.closed.length).toBe(1));
    expect(echo.seen.closed[0]!.connection).toBe(echo.seen.opened[0]!.connection);
  });

  it('gathers many messages into few operations on the link', async () => {
    await attachEcho(await startGate());
    const a = await client(gate!);
    await a.ask('auth');
    const answers = Array.from({ length: 500 }, (_, i) => a.ask(String(i)));
    expect((await Promise.all(answers)).at(-1)).toBe('499');
    const writes = Number(/link_operations_total\{direction="in"\} (\d+)/.exec(await metricsOf(gate!))![1]);
    expect(writes).toBeLessThan(100);
  });

  it('ends a connection when the keep says so, in its words', async () => {
    await attachEcho(await startGate());
    const a = await client(gate!);
    a.send('close');
    expect(await a.closed).toEqual({ code: 4001, reason: 'bye' });
  });
});

describe('limits', () => {
  it('closes who sends too large a message; others go on', async () => {
    await attachEcho(await startGate({ messageBytes: 1000 }));
    const [bad, good] = [await client(gate!), await client(gate!)];
    expect((await bad.ask('y'.repeat(1000))).length).toBe(1000);
    bad.send('y'.repeat(1001));
    expect((await bad.closed).code).toBe(1009);
    expect(await good.ask('still here')).toBe('still here');
    expect(await metricsOf(gate!)).toContain('ended_total{reason="message_too_large"} 1');
  });

  it('closes who sends too many; others go on', async () => {
    const echo = await attachEcho(await startGate({ messagesPerSecond: 0.01, messageBurst: 20 }));
    const [bad, good] = [await client(gate!), await client(gate!)];
    for (let i = 0; i < 40; i++) bad.send('z');
    expect(await bad.closed).toEqual({ code: 4029, reason: 'too many messages' });
    expect(await good.ask('still here')).toBe('still here');
    expect(echo.seen.frames).toBeLessThanOrEqual(22);
  });

  it.each([
    ['sends no first message', { firstMessageMs: 2_000 }, undefined, 'first_message_timeout'],
    ['does not authenticate', { authenticationMs: 2_000 }, 'hello', 'authentication_timeout'],
  ])('closes who %s in time', async (_name, limits, first, reason) => {
    await attachEcho(await startGate(limits));
    const [slow, good] = [await client(gate!), await client(gate!)];
    await good.ask('auth');
    if (first) await slow.ask(first);
    expect((await slow.closed).code).toBe(4008);
    expect(await metricsOf(gate!)).toContain(`ended_total{reason="${reason}"} 1`);
    expect(await good.ask('still here')).toBe('still here');
  });

  it.each([
    ['in the TLS handshake', 'tcp', { handshakeMs: 200 }, 'handshake_timeout'],
    ['within its request', 'tls', { requestMs: 200 }, 'request_timeout'],
  ])('drops who stops %s', async (_name, layer, limits, reason) => {
    const { address } = await startGate(limits);
    const options = { port: address.port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket = layer === 'tcp' ? connectTcp(options) : connectTls(options);
    if (layer === 'tls') socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
    expect(await metricsOf(gate!)).toContain(`ended_total{reason="${reason}"} 1`);
  });

  it('never puts a known peer out for a newcomer, and refuses when there are only known ones', async () => {
    await attachEcho(await startGate({ connections: 2 }));
    const [a, b] = [await client(gate!), await client(gate!)];
    await Promise.all([a.ask('auth'), b.ask('auth')]);
    await expect(client(gate!)).rejects.toThrow();
    expect(await a.ask('a')).toBe('a');
    expect(await metricsOf(gate!)).toContain('ended_total{reason="table_full"} 1');
    b.ws.close();
    await soon(async () => expect(await metricsOf(gate!)).toContain('gate_connections 1\n'));
    expect(await (await client(gate!)).ask('in')).toBe('in');
  });

  it('drops who does not read, and frees what waited; others go on', async () => {
    const echo = await attachEcho(await startGate({ bufferedBytes: 1024 * 1024 }));
    const [slow, good] = [await client(gate!), await client(gate!)];
    await slow.ask('auth');
    slow.ws.pause();
    slow.send('flood 400');
    await soon(() => expect(echo.seen.closed[0]).toMatchObject({ code: 4009 }));
    expect(await good.ask('still here')).toBe('still here');
    expect(await metricsOf(gate!)).toMatch(/buffered_bytes\{by="peers"\} \d{1,5}\n/);
    slow.ws.terminate();
  });

  it('bounds what waits for all peers together, and takes it from the slowest', async () => {
    const echo = await attachEcho(await startGate({ bufferedBytesTotal: 4 * 1024 * 1024 }));
    const slow = await Promise.all(Array.from({ length: 4 }, () => client(gate!)));
    const good = await client(gate!);
    for (const each of slow) {
      await each.ask('auth');
      each.ws.pause();
      each.send('flood 110');
    }
    await soon(() => expect(echo.seen.closed.length).toBeGreaterThan(0));
    expect(await good.ask('still here')).toBe('still here');
    for (const each of slow) each.ws.terminate();
  });

  it('stops reading peers when the keep does not read, and loses nothing', async () => {
    await attachEcho(await startGate({ linkBufferBytes: 64 * 1024, messagesPerSecond: 1e6, messageBurst: 1e6 }));
    const a = await client(gate!);
    await a.ask('auth');
    a.send('stall 1000');
    const body = 'w'.repeat(60_000);
    for (let i = 0; i < 300; i++) a.send(`${i} ${body}`);
    const buffered: number[] = [];
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      buffered.push(Number(/buffered_bytes\{by="keep"\} (\d+)/.exec(await metricsOf(gate!))![1]));
    }
    // What was in the air when reading stopped may come on top of the bound; 18 MB were sent.
    expect(Math.max(...buffered)).toBeGreaterThan(64 * 1024);
    expect(Math.max(...buffered)).toBeLessThan(2 * 1024 * 1024);
    expect(await a.next()).toBe('stall 1000');
    for (let i = 0; i < 300; i++) expect(await a.next()).toBe(`${i} ${body}`);
  });
});

describe('without a keep', () => {
  it('closes with the reason, answers newcomers so, and works again with the next keep', async () => {
    const echo = await attachEcho(await startGate());
    const a = await client(gate!);
    await a.ask('auth');
    echo.socket.destroy();
    expect(await a.closed).toEqual({ code: 1013, reason: 'keep unavailable' });
    expect(gate!.keepAvailable()).toBe(false);
    expect(await (await client(gate!)).closed).toEqual({ code: 1013, reason: 'keep unavailable' });
    await attachEcho(gate!);
    expect(await (await client(gate!)).ask('again')).toBe('again');
  });

  it('drops a keep that breaks the link protocol', async () => {
    const echo = await attachEcho(await startGate());
    const a = await client(gate!);
    await a.ask('x');
    echo.socket.write(Buffer.from('00000000ff00000001', 'hex'));
    expect((await a.closed).code).toBe(1013);
  });

  it('drops a keep that sends what only gate may send', async () => {
    const echo = await attachEcho(await startGate());
    const a = await client(gate!);
    await a.ask('x');
    echo.control({ type: 'gate_ready', tls: 'x' });
    expect((await a.closed).code).toBe(1013);
  });
});

describe('TLS rotation', () => {
  const statements = async (port: number) =>
    JSON.parse((await httpsGet(port, '/.well-known/keepwatch/tls')).body) as { tls: string; statements: string[] };

  it('shows the new key to new connections once the keep signed it, and serves the statement', async () => {
    const echo = await attachEcho(await startGate());
    const old = gate!.tlsFingerprint();
    const before = await client(gate!);
    echo.control({ type: 'tls_rotate' });
    await soon(() => expect(echo.seen.controls.at(-1)).toMatchObject({ type: 'tls_rotated' }));
    const { tls } = echo.seen.controls.at(-1) as { tls: string };
    expect(tls).not.toBe(old);
    expect((await httpsGet(gate!.address.port, '/health')).pin).toBe(old);

    echo.control({ type: 'tls_statement', tls: 'A'.repeat(43), jws: 'a.b.c' });
    await soon(() => expect(echo.seen.controls.at(-1)).toEqual({ type: 'tls_refused', reason: 'other_next_key' }));
    echo.control({ type: 'tls_statement', tls, jws: 'not a JWS' });
    await soon(() => expect(echo.seen.controls.at(-1)).toMatchObject({ reason: 'not_a_statement' }));

    echo.control({ type: 'tls_statement', tls, jws: 'a.b.c' });
    await soon(() => expect(echo.seen.controls.at(-1)).toEqual({ type: 'tls_commit', tls }));
    expect((await httpsGet(gate!.address.port, '/health')).pin).toBe(tls);
    expect(await statements(gate!.address.port)).toEqual({ tls, statements: ['a.b.c'] });
    expect(await before.ask('old connections live on')).toBe('old connections live on');
    // A keep that crashed before it saw the commit says the last step again.
    echo.control({ type: 'tls_statement', tls, jws: 'a.b.c' });
    await soon(() => expect(echo.seen.controls.filter(({ type }) => type === 'tls_commit').length).toBe(2));

    await gate!.close();
    expect((await startGate()).tlsFingerprint()).toBe(tls);
    expect((await statements(gate!.address.port)).statements).toEqual(['a.b.c']);
  });

  it('remembers a rotation that was cut short and names the waiting key to the next keep', async () => {
    const echo = await attachEcho(await startGate());
    const old = gate!.tlsFingerprint();
    echo.control({ type: 'tls_rotate' });
    await soon(() => expect(echo.seen.controls.length).toBe(2));
    const next = (echo.seen.controls[1] as { tls: string }).tls;
    await gate!.close();
    const again = await attachEcho(await startGate());
    await soon(() => expect(again.seen.controls).toEqual([{ type: 'gate_ready', tls: old, next }]));
    again.control({ type: 'tls_rotate' });
    await soon(() => expect(again.seen.controls.at(-1)).toEqual({ type: 'tls_rotated', tls: next }));
  });
});
