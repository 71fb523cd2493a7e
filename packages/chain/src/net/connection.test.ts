import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from './certificate.fixture.ts';
import { ConnectionFault, openConnection, type CertificateTrust, type Way } from './connection.ts';
import { startTestProxy } from './socks.fixture.ts';

const SHA256 = createHash('sha256').update(new X509Certificate(TEST_CERTIFICATE.cert).raw).digest('hex');
const OTHER = 'ab'.repeat(32);
const WITHIN: Way = { tls: null, withinMs: 20_000 };

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** A server on loopback; `heard` counts what was said to it beneath TLS. */
async function listening(server: Server) {
  const at = { host: '127.0.0.1', port: 0, heard: 0 };
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  const said = (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      at.heard += chunk.length;
      socket.write(chunk);
    });
  };
  server.on('secureConnection', said);
  server.listen(0, at.host);
  await once(server, 'listening');
  at.port = (server.address() as AddressInfo).port;
  endings.push(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  return at;
}

const tlsServer = () => listening(createTlsServer(TEST_CERTIFICATE));
const silentServer = () => listening(createPlainServer());

async function proxy() {
  const started = await startTestProxy();
  endings.push(() => started.stop());
  return started;
}

/** Says a word and waits for it to come back. */
async function echo(socket: Socket): Promise<string> {
  socket.write('word');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString();
}

async function faultOf(opening: Promise<Socket>): Promise<ConnectionFault> {
  const fault = await opening.then(
    (socket) => socket.destroy(),
    (error: unknown) => error,
  );
  if (fault instanceof ConnectionFault) return fault;
  throw new Error('it was opened, or failed in another way', { cause: fault });
}

describe('a connection by TLS', () => {
  const firstUse = (known: string | null, seen: string[] = []): CertificateTrust => ({
    ...{ kind: 'first-use', known },
    remember: (sha256) => void seen.push(sha256),
  });

  it('is opened to whoever has the known certificate, however its hash is written', async () => {
    const server = await tlsServer();
    const written = [SHA256, SHA256.toUpperCase(), SHA256.replace(/..(?=.)/g, '$&:')];
    for (const sha256 of written) {
      const socket = await openConnection(server, { ...WITHIN, tls: { kind: 'pinned', sha256 } });
      expect(await echo(socket)).toBe('word');
    }
    expect(await echo(await openConnection(server, { ...WITHIN, tls: firstUse(SHA256) }))).toBe('word');
  });

  it('tells the certificate of the first meeting, that alone', async () => {
    const server = await tlsServer();
    const seen: string[] = [];
    await echo(await openConnection(server, { ...WITHIN, tls: firstUse(null, seen) }));
    await echo(await openConnection(server, { ...WITHIN, tls: firstUse(SHA256, seen) }));
    expect(seen).toEqual([SHA256]);
  });

  it.each<[string, CertificateTrust, string, string]>([
    ['another one is pinned', { kind: 'pinned', sha256: OTHER }, 'other-certificate', 'pinned'],
    ['what is pinned is no hash', { kind: 'pinned', sha256: 'abc' }, 'other-certificate', 'pinned'],
    ['another one was seen at first', firstUse(OTHER), 'other-certificate', 'at first'],
    ['no authority vouches for it', { kind: 'authorities' }, 'not-vouched', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('is refused where %s, and what was seen is said', async (_, tls, kind, words) => {
    const server = await tlsServer();
    const fault = await faultOf(openConnection(server, { ...WITHIN, tls }));
    expect(fault.kind).toBe(kind);
    expect(fault.message).toContain(words);
    expect(fault.message).toContain(SHA256);
    expect(server.heard).toBe(0);
  });

  it('is opened through a proxy, to a name that only the proxy knows', async () => {
    const server = await tlsServer();
    const { port, asked } = await proxy();
    const way = { ...WITHIN, proxy: { host: '127.0.0.1', port, isolation: 'circuit' } };
    const to = { host: 'far.onion', port: server.port };
    expect(await echo(await openConnection(to, { ...way, tls: { kind: 'pinned', sha256: SHA256 } }))).toBe('word');
    expect(asked).toEqual([{ user: 'circuit', host: 'far.onion', port: server.port }]);
    expect((await faultOf(openConnection(to, { ...way, tls: firstUse(OTHER) }))).kind).toBe('other-certificate');
    expect(server.heard).toBe('word'.length);
  });
});

describe('a connection that cannot be had', () => {
  const pinned: CertificateTrust = { kind: 'pinned', sha256: SHA256 };

  it('says so without the place, whoever is not there', async () => {
    const gone = await proxy();
    await gone.stop();
    endings.length = 0;
    const dead = { host: '127.0.0.1', port: gone.port };
    const direct = await faultOf(openConnection(dead, WITHIN));
    expect([direct.kind, direct.message]).toEqual(['unreachable', 'ECONNREFUSED']);
    const far = { host: 'far.onion', port: 1 };
    const noProxy = await faultOf(openConnection(far, { ...WITHIN, proxy: { ...dead, isolation: null } }));
    expect([noProxy.kind, noProxy.message]).toEqual(['unreachable', 'ECONNREFUSED']);
    const { port } = await proxy();
    const beyond = { host: '127.0.0.1', port, isolation: 'circuit' };
    const noWay = await faultOf(openConnection({ host: 'far.onion', port: dead.port }, { ...WITHIN, proxy: beyond }));
    expect(noWay.kind).toBe('unreachable');
    expect(noWay.message).toContain('proxy');
    expect(noWay.message).not.toContain('far.onion');
  });

  it.each<[string, (port: number) => Partial<Way>]>([
    ['TLS', () => ({ tls: pinned })],
    ['a proxy', (port) => ({ proxy: { host: '127.0.0.1', port, isolation: null } })],
  ])('is not waited for longer than it may take, nor after it was given up: %s', async (_, more) => {
    const server = await silentServer();
    const late = await faultOf(openConnection(server, { ...WITHIN, ...more(server.port), withinMs: 100 }));
    expect(late.kind).toBe('unreachable');
    const asking = new AbortController();
    const opening = faultOf(openConnection(server, { ...WITHIN, ...more(server.port), signal: asking.signal }));
    setTimeout(() => asking.abort(), 50);
    expect((await opening).message).toBe('given up');
    const after = await faultOf(openConnection(server, { ...WITHIN, ...more(server.port), signal: asking.signal }));
    expect(after.message).toBe('given up');
  });
});
