import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer, getCACertificates, setDefaultCACertificates, type Server } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from '../../../chain/src/net/certificate.fixture.ts';
import { startTestProxy, type TestProxy } from '../../../chain/src/net/socks.fixture.ts';
import { startAnvil, type Anvil } from '../../../cli/src/story/anvil.ts';
import { startFollower, type Follower } from './follower.ts';

// An upstream behind TLS with a certificate of its own, and over a SOCKS5 proxy: a real node answers through both.

const ACCOUNT = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const NAME = 'electrum.test';
const PIN = createHash('sha256').update(new X509Certificate(TEST_CERTIFICATE.cert).raw).digest('hex');

let anvil: Anvil;
let door: Server;
let port: number;
let proxy: TestProxy;
let running: Follower | undefined;
let received = 0;
const sockets = new Set<Socket>();

beforeAll(async () => {
  anvil = await startAnvil(process.env);
  const node = new URL(anvil.url);
  door = createServer(TEST_CERTIFICATE, (socket) => {
    const onward = connect(Number(node.port), node.hostname);
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => {
        socket.destroy();
        onward.destroy();
      });
    }
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    socket.pipe(onward).pipe(socket);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  ({ port } = door.address() as AddressInfo);
  proxy = await startTestProxy();
}, 120_000);
afterEach(async () => {
  await running?.stop();
  running = undefined;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  door?.close();
  await proxy?.stop();
  await anvil?.process.stop();
}, 60_000);

interface Way {
  readonly host?: string;
  readonly certificate?: string;
  readonly proxied?: boolean;
}

function follow({ host = NAME, certificate, proxied = true }: Way): Follower {
  const upstream = {
    ...{ name: 'far', url: `https://${host}:${port}/?key=secret` },
    ...(certificate === undefined ? {} : { certificate }),
    ...(proxied ? { proxy: { host: '127.0.0.1', port: proxy.port, isolation: 'evm-31337-far' } } : {}),
  };
  running = startFollower({ upstreams: [upstream], agree: 1 }, { hot: { address: ACCOUNT } });
  return running;
}

async function refusal(way: Way): Promise<string> {
  // Of who was there before nothing is on its way any more.
  for (const socket of sockets) socket.destroy();
  const before = received;
  const event = await follow(way).event((each) => each.kind === 'health' && each.health.problem !== null);
  // Not a byte of a question has gone out: the address may hold a key.
  expect(received).toBe(before);
  const problem = event.kind === 'health' ? event.health.problem : null;
  expect(problem?.code).toBe('upstream_certificate_refused');
  return problem!.words;
}

const mined = async () => {
  await anvil.call('anvil_mine', ['0x1']);
  return Number(await anvil.call('eth_blockNumber', []));
};

describe('an upstream behind TLS and a proxy', { timeout: 120_000 }, () => {
  it('is followed by its name through the proxy, with a login of its own, where its certificate is pinned', async () => {
    const follower = follow({ certificate: PIN });
    await follower.reached(await mined());
    await follower.reached(await mined());
    expect(proxy.asked.at(-1)).toEqual({ user: 'evm-31337-far', host: NAME, port });
  });

  it('is followed without the proxy too, by an address that the certificate does not name', async () => {
    const follower = follow({ host: '127.0.0.1', certificate: PIN.toUpperCase(), proxied: false });
    await follower.reached(await mined());
  });

  it('is refused where nobody vouches for its certificate, and what was seen is said', async () => {
    const words = await refusal({ proxied: false, host: 'localhost' });
    expect(words).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(words).toContain(PIN);
    expect(words).not.toContain('secret');
    expect(await refusal({})).toContain(PIN);
  });

  it('is refused where it shows another certificate than the pinned one', async () => {
    const words = await refusal({ certificate: PIN.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) });
    expect(words).toContain('not the one that is pinned');
    expect(words).toContain(PIN);
  });

  it('is taken where an authority of the system vouches for it, by its own name alone', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, TEST_CERTIFICATE.cert]);
    try {
      const follower = follow({});
      await follower.reached(await mined());
      await follower.stop();
      running = undefined;
      expect(await refusal({ host: 'other.test' })).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    } finally {
      setDefaultCACertificates(before);
    }
  });
});
