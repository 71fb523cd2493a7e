import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createEvmNode } from './evm-node.ts';

/** What a node says where things go wrong. That they go right with a real one, the story shows. */

const HASH = `0x${'ab'.repeat(32)}`;
const RAW = new Uint8Array([2, 1]);

type Answers = Record<string, object | string>;

let server: Server | undefined;
let asked: string[] = [];
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  asked = [];
});

async function start(answers: Answers) {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { method } = JSON.parse(text) as { method: string };
      asked.push(method);
      const answer = answers[method] ?? { error: { code: -32601, message: 'no such method' } };
      response.end(typeof answer === 'string' ? answer : JSON.stringify({ jsonrpc: '2.0', id: 1, ...answer }));
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return createEvmNode(`http://127.0.0.1:${port}/v3/access-key`);
}

const refused = { error: { code: -32000, message: 'nonce too low' } };

describe('fees', () => {
  it('are twice the base fee and the usual tip', async () => {
    const node = await start({
      eth_getBlockByNumber: { result: { baseFeePerGas: '0x3b9aca00' } },
      eth_maxPriorityFeePerGas: { result: '0x5f5e100' },
    });
    expect(await node.fees()).toEqual({ maxPriorityFeePerGas: 100_000_000n, maxFeePerGas: 2_100_000_000n });
  });

  it('are none where the chain has no base fee', async () => {
    const node = await start({ eth_getBlockByNumber: { result: {} }, eth_maxPriorityFeePerGas: { result: '0x1' } });
    await expect(node.fees()).rejects.toMatchObject({ code: 'node_refused' });
  });
});

describe('a broadcast', () => {
  it('is no error where the node has the transaction already', async () => {
    const node = await start({ eth_sendRawTransaction: refused, eth_getTransactionByHash: { result: { hash: HASH } } });
    expect(await node.broadcast(RAW, HASH)).toBe(HASH);
  });

  it('takes bytes and no text', async () => {
    const node = await start({ eth_sendRawTransaction: { result: HASH } });
    await expect(node.broadcast('0x0201' as never, HASH)).rejects.toMatchObject({ code: 'params_invalid' });
    expect(asked).toEqual([]);
  });

  it('is one where the node does not want it', async () => {
    const node = await start({ eth_sendRawTransaction: refused, eth_getTransactionByHash: { result: null } });
    await expect(node.broadcast(RAW, HASH)).rejects.toMatchObject({
      code: 'node_refused',
      message: 'The node refused eth_sendRawTransaction: nonce too low.',
    });
  });
});

describe('a receipt', () => {
  it('is waited for, but not for ever', async () => {
    const node = await start({ eth_getTransactionReceipt: { result: null } });
    await expect(node.mined(HASH, 2_000)).rejects.toMatchObject({ code: 'transaction_not_mined' });
    expect(asked.length).toBeGreaterThan(1);
  });

  it('tells a transfer that failed from one that succeeded', async () => {
    const node = await start({ eth_getTransactionReceipt: { result: { blockNumber: '0x10', status: '0x0' } } });
    expect(await node.mined(HASH)).toEqual({ block: 16, succeeded: false });
  });
});

describe('a node that is none', () => {
  it.each([
    ['answers something else than JSON', '<html>', 'node_unreachable'],
    ['answers something that is no number', { result: 'twelve' }, 'node_refused'],
  ])('%s', async (_, answer, code) => {
    const node = await start({ eth_chainId: answer });
    await expect(node.chainId()).rejects.toMatchObject({ code });
  });

  it('or does not answer is named without its address, which may carry a key', async () => {
    const node = createEvmNode('http://127.0.0.1:1/v3/access-key');
    const error: Error = await node.chainId().then(
      () => new Error('it answered'),
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: 'node_unreachable' });
    expect(`${error.message}`).not.toContain('access-key');
  });
});
