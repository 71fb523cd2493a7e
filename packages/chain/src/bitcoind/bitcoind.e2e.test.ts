import { join } from 'node:path';
import { createServer, type Socket } from 'node:net';
import { findBitcoind, startBitcoind, type BitcoindNode } from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createNodeRpc, rpcErrorCode, type NodeRpc } from './rpc.ts';
import { subscribeZmq } from './zmq.ts';

const found = await findBitcoind();

describe.skipIf('missing' in found)(
  `a node's RPC and ZMQ${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    let node: BitcoindNode;
    let rpc: NodeRpc;
    beforeAll(async () => {
      node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!, { zmq: true });
      rpc = createNodeRpc({ url: `http://127.0.0.1:${node.rpcPort}`, auth: { cookieFile: node.cookieFile } });
    });
    afterAll(async () => {
      rpc?.close();
      await node?.stop();
    });

    it('answers calls, and batches in their order', async () => {
      await node.mine(3);
      const best = await rpc.call<string>('getbestblockhash');
      const hashes = await rpc.batch<string>([3, 0, 1].map((height) => ['getblockhash', [height]]));
      expect(hashes[0]).toBe(best);
      expect(hashes[1]).toBe('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206');
      expect(hashes).toHaveLength(3);
    });

    it('says what the node refused, by its number', async () => {
      const refused = await rpc.call('getblockhash', [10_000_000]).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'node_refused', details: { method: 'getblockhash', code: -8 } });
      expect(rpcErrorCode(refused)).toBe(-8);
      await expect(rpc.batch([['nosuchmethod', []]])).rejects.toMatchObject({ code: 'node_refused' });
    });

    it('gives a block as bytes by REST, and nothing where there is nothing', async () => {
      const best = await rpc.call<string>('getbestblockhash');
      const hex = await rpc.call<string>('getblock', [best, 0]);
      expect(Buffer.from((await rpc.rest(`/rest/block/${best}.bin`))!).toString('hex')).toBe(hex);
      expect(await rpc.rest(`/rest/block/${'00'.repeat(32)}.bin`)).toBeUndefined();
    });

    it('refuses a wrong password, and names a cookie file that is not there', async () => {
      const url = `http://127.0.0.1:${node.rpcPort}`;
      const stranger = createNodeRpc({ url, auth: { user: 'nobody', password: 'nothing' } });
      await expect(stranger.call('getblockcount')).rejects.toMatchObject({ code: 'node_auth_refused' });
      stranger.close();
      const lost = createNodeRpc({ url, auth: { cookieFile: join(node.dataDir, 'no-cookie') } });
      await expect(lost.call('getblockcount')).rejects.toMatchObject({ code: 'node_unreachable' });
      lost.close();
    });

    it('tells of each block, numbered without a gap', async () => {
      const seen: [topic: string, hash: string, sequence: number][] = [];
      const subscription = subscribeZmq(node.zmqEndpoint!, ['hashblock', 'rawblock'], {
        message: (topic, body, sequence) =>
          seen.push([topic, Buffer.from(body.subarray(0, 32)).toString('hex'), sequence]),
        closed: (why) => seen.push(['closed', why, -1]),
      });
      const blocks = () => seen.filter(([topic]) => topic === 'hashblock');
      // A subscription takes effect some time after it was sent: the first blocks may be missed. From the first block that
      // was told of on, each is: and the last that was mined is waited for, so that none of them comes later.
      let last: string | undefined;
      await vi.waitFor(
        async () => {
          [last] = await node.mine(1);
          expect(blocks().length).toBeGreaterThan(0);
        },
        { timeout: 30_000, interval: 200 },
      );
      const told = (hash: string | undefined) => blocks().some(([, each]) => each === hash);
      await vi.waitFor(() => expect(told(last)).toBe(true), { timeout: 30_000 });
      const before = blocks().length;
      const hashes = await node.mine(5);
      await vi.waitFor(() => expect(told(hashes.at(-1))).toBe(true), { timeout: 30_000 });
      expect(
        blocks()
          .slice(before)
          .map(([, hash]) => hash),
      ).toEqual(hashes);
      const numbers = blocks().map(([, , sequence]) => sequence);
      expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
      subscription.close();
    });
  },
);

describe('a ZMQ subscription to something else', () => {
  async function against(answer: (socket: Socket) => void): Promise<string> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      answer(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const why = await new Promise<string>((resolve) =>
      subscribeZmq(`tcp://127.0.0.1:${port}`, ['rawtx'], { message: () => undefined, closed: resolve }),
    );
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    return why;
  }
  const greeting = () => {
    const bytes = Buffer.alloc(64);
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    return bytes;
  };

  it('ends with a reason', async () => {
    expect(await against((socket) => socket.end())).toContain('closed');
    expect(await against((socket) => socket.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n'.repeat(4))))).toContain(
      'ZMTP',
    );
    expect(
      await against((socket) =>
        socket.write(
          Buffer.concat([greeting(), Buffer.from('0205574f524b', 'hex'), Buffer.from([2, 0x7f, 0, 0, 0, 0, 0, 0, 0])]),
        ),
      ),
    ).toContain('too large');
    expect(
      await against((socket) =>
        socket.write(Buffer.concat([greeting(), Buffer.from([4, 6]), Buffer.from('\x05ERROR')])),
      ),
    ).toContain('refused');
  });
});
