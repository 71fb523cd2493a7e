import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { once } from 'node:events';
import type { BitcoindNode } from '@keepwatch/devnet';
import { RpcError } from '@keepwatch/devnet';
import { noLies, spoilHeader, type Lies } from './lies.ts';
import { branchOf } from './proof.ts';
import { createScriptIndex } from './script-index.ts';

/**
 * The Electrum protocol (1.4 and 1.6, as documented) over a real node. It is none of the servers that people run: what it
 * shows is that our client speaks the protocol as it is written, and what it does when a server lies.
 */
export interface ElectrumEndpoint {
  readonly port: number;
  readonly lies: Lies;
  /** What clients have asked, by method. */
  readonly asked: ReadonlyMap<string, number>;
  /** Ends all connections; new ones are taken. */
  disconnect(): void;
  stop(): Promise<void>;
}

export interface ElectrumEndpointOptions {
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  readonly protocol?: '1.4' | '1.6';
}

export async function startElectrumEndpoint(
  node: BitcoindNode,
  options: ElectrumEndpointOptions = {},
): Promise<ElectrumEndpoint> {
  const protocol = options.protocol ?? '1.4';
  const index = createScriptIndex(node);
  const lies = noLies();
  const asked = new Map<string, number>();
  const clients = new Map<Socket, { headers: boolean; readonly scripts: Map<string, string> }>();
  await index.refresh();

  const plainHash = (electrumHash: string) => Buffer.from(electrumHash, 'hex').reverse().toString('hex');
  const history = (electrumHash: string) =>
    index.history(plainHash(electrumHash)).filter(({ txid }) => !lies.withheld.has(txid));
  const status = (hash: string) =>
    history(hash)
      .map(({ txid, height }) => `${txid}:${height}:`)
      .join('') || null;
  const header = (height: number) =>
    lies.falseHeaders ? spoilHeader(index.blocks[height]!.header) : index.blocks[height]!.header;
  const tip = () => ({ height: index.blocks.length - 1, hex: header(index.blocks.length - 1) });
  const blockAt = (height: number) => index.blocks[height] ?? refuse(`no block at ${height}`);

  async function answer(socket: Socket, method: string, params: readonly unknown[]): Promise<unknown> {
    const client = clients.get(socket)!;
    const [first, second, third] = params as [never, never, never];
    switch (method) {
      case 'server.version':
        return ['endpoint of the tests', protocol];
      case 'server.ping':
        return null;
      case 'blockchain.headers.subscribe':
        client.headers = true;
        return tip();
      case 'blockchain.block.headers': {
        const start = Number(first);
        const count = Math.min(Number(second), 2016, Math.max(0, index.blocks.length - start));
        const headers = Array.from({ length: count }, (_, i) => header(start + i));
        return protocol === '1.6' ? { count, headers, max: 2016 } : { count, hex: headers.join(''), max: 2016 };
      }
      case 'blockchain.scripthash.subscribe':
        client.scripts.set(first, status(first) ?? '');
        return status(first);
      case 'blockchain.scripthash.get_history':
        return history(first).map(({ txid, height }) => ({ tx_hash: txid, height }));
      case 'blockchain.transaction.get': {
        if (lies.otherTransaction) return node.rpc('getrawtransaction', index.blocks[1]!.txids[0]);
        return node.rpc('getrawtransaction', first);
      }
      case 'blockchain.transaction.get_merkle': {
        const { txids } = blockAt(second);
        const pos = txids.indexOf(first);
        if (pos < 0) refuse('not in that block');
        return { block_height: second, merkle: branchOf(txids, pos, lies), pos };
      }
      case 'blockchain.transaction.id_from_pos': {
        const { txids } = blockAt(first);
        const txid = txids[second] ?? refuse('no such position');
        return third ? { tx_hash: txid, merkle: branchOf(txids, second, lies) } : txid;
      }
      case 'blockchain.transaction.broadcast':
        return node.rpc('sendrawtransaction', first);
      case 'blockchain.transaction.broadcast_package': {
        if (protocol !== '1.6') return refuse('unknown method');
        const result = await node.rpc<{ package_msg: string }>('submitpackage', first);
        return { success: result.package_msg === 'success', errors: [{ error: result.package_msg }] };
      }
      case 'blockchain.estimatefee': {
        const { feerate } = await node.rpc<{ feerate?: number }>('estimatesmartfee', first);
        return feerate ?? -1;
      }
      default:
        return refuse(`unknown method ${method}`);
    }
  }

  function serve(socket: Socket): void {
    clients.set(socket, { headers: false, scripts: new Map() });
    let held = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clients.delete(socket));
    socket.on('data', (chunk: string) => {
      const lines = (held + chunk).split('\n');
      held = lines.pop()!;
      for (const line of lines) void handle(socket, line);
    });
  }

  async function handle(socket: Socket, line: string): Promise<void> {
    const { id, method, params } = JSON.parse(line) as { id: number; method: string; params: unknown[] };
    asked.set(method, (asked.get(method) ?? 0) + 1);
    let message: object;
    try {
      message = { jsonrpc: '2.0', id, result: await answer(socket, method, params) };
    } catch (error) {
      const words = error instanceof RpcError ? error.message : String((error as Error).message);
      message = { jsonrpc: '2.0', id, error: { code: 1, message: words } };
    }
    if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
  }

  let seen = index.version;
  let told = index.blocks.at(-1)?.hash;
  const look = setInterval(() => void notify().catch(() => undefined), 100);
  async function notify(): Promise<void> {
    await index.refresh();
    if (index.version === seen) return;
    seen = index.version;
    // Looks may overlap: compared with what was told last, not with what stood there when this one began.
    const moved = index.blocks.at(-1)?.hash !== told;
    told = index.blocks.at(-1)?.hash;
    for (const [socket, client] of clients) {
      const tell = (method: string, params: unknown) =>
        socket.write(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`);
      if (client.headers && moved) tell('blockchain.headers.subscribe', [tip()]);
      for (const [hash, old] of client.scripts) {
        const now = status(hash) ?? '';
        if (now !== old) tell('blockchain.scripthash.subscribe', [hash, now]);
        client.scripts.set(hash, now);
      }
    }
  }

  const server: Server = options.tls ? createTls(options.tls, serve) : createTcp(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const disconnect = () => {
    for (const socket of clients.keys()) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    lies,
    asked,
    disconnect,
    stop: async () => {
      clearInterval(look);
      server.close();
      disconnect();
      await once(server, 'close');
    },
  };
}

function refuse(words: string): never {
  throw new Error(words);
}
