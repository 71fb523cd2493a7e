import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RpcError, type BitcoindNode } from '@keepwatch/devnet';
import { noLies, spoilHeader, type Lies } from './lies.ts';
import { branchOf } from './proof.ts';
import { createScriptIndex, type IndexedBlock } from './script-index.ts';

/** The HTTP interface of Esplora, as documented, over a real node; pages as it has them (10 blocks, 25 transactions). */
export interface EsploraEndpoint {
  readonly url: string;
  readonly lies: Lies;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

class Missing extends Error {}

export async function startEsploraEndpoint(node: BitcoindNode): Promise<EsploraEndpoint> {
  const index = createScriptIndex(node);
  const lies = noLies();
  const asked: string[] = [];
  await index.refresh();

  const blockJson = (block: IndexedBlock, height: number) => {
    const bytes = Buffer.from(lies.falseHeaders ? spoilHeader(block.header) : block.header, 'hex');
    const hash = (at: number) =>
      Buffer.from(bytes.subarray(at, at + 32))
        .reverse()
        .toString('hex');
    return {
      id: block.hash,
      height,
      version: bytes.readInt32LE(0),
      timestamp: bytes.readUInt32LE(68),
      tx_count: block.txids.length,
      merkle_root: hash(36),
      previousblockhash: height === 0 ? null : hash(4),
      nonce: bytes.readUInt32LE(76),
      bits: bytes.readUInt32LE(72),
    };
  };
  const place = (txid: string) => {
    const height = index.blocks.findIndex(({ txids }) => txids.includes(txid));
    return height < 0 ? missing() : { height, pos: index.blocks[height]!.txids.indexOf(txid) };
  };
  const history = (hash: string) => index.history(hash).filter(({ txid }) => !lies.withheld.has(txid));

  async function get(path: string): Promise<object | string | Uint8Array> {
    await index.refresh();
    const [first, second, third, fourth, fifth] = path.split('/').slice(1) as [string, string, string, string, string];
    if (path === '/blocks/tip/height') return String(index.blocks.length - 1);
    if (first === 'blocks') {
      const top = Math.min(Number(second), index.blocks.length - 1);
      const heights = Array.from({ length: Math.min(10, top + 1) }, (_, i) => top - i);
      return heights.map((height) => blockJson(index.blocks[height]!, height));
    }
    if (first === 'block' && third === 'txid') {
      return index.blocks.find(({ hash }) => hash === second)?.txids[Number(fourth)] ?? missing();
    }
    if (first === 'scripthash' && third === 'txs') {
      const all = history(second).map(({ txid, height }) => ({
        txid,
        status: height > 0 ? { confirmed: true, block_height: height } : { confirmed: false },
      }));
      if (fourth === 'mempool') return all.filter(({ status }) => !status.confirmed);
      const confirmed = all.filter(({ status }) => status.confirmed).reverse();
      const from = fifth ? confirmed.findIndex(({ txid }) => txid === fifth) + 1 : 0;
      return confirmed.slice(from, from + 25);
    }
    if (first === 'tx' && third === 'raw') {
      const txid = lies.otherTransaction ? index.blocks[1]!.txids[0] : second;
      return Buffer.from(await node.rpc<string>('getrawtransaction', txid), 'hex');
    }
    if (first === 'tx' && third === 'merkle-proof') {
      const { height, pos } = place(second);
      return { block_height: height, merkle: branchOf(index.blocks[height]!.txids, pos, lies), pos };
    }
    if (path === '/fee-estimates') {
      const { feerate } = await node.rpc<{ feerate?: number }>('estimatesmartfee', 2);
      return feerate === undefined ? {} : { 2: feerate * 1e5 };
    }
    return missing();
  }

  async function post(path: string, body: string): Promise<object | string> {
    if (path === '/tx') return node.rpc<string>('sendrawtransaction', body);
    if (path === '/txs/package') return node.rpc<object>('submitpackage', JSON.parse(body));
    return missing();
  }

  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    asked.push(path);
    const work = request.method === 'POST' ? bodyOf(request).then((body) => post(path, body)) : get(path);
    work.then(
      (answer) => {
        const bytes = answer instanceof Uint8Array;
        response.setHeader('content-type', bytes ? 'application/octet-stream' : 'text/plain');
        response.end(bytes || typeof answer === 'string' ? answer : JSON.stringify(answer));
      },
      (error: Error) => {
        // bitcoind says -5 where it does not know a transaction.
        const unknown = error instanceof Missing || (error instanceof RpcError && error.code === -5);
        response.statusCode = unknown ? 404 : 400;
        response.end(error.message);
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lies,
    asked,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function missing(): never {
  throw new Missing('not found');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
