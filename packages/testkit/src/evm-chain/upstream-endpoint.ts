import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What an upstream does with a request: nothing, an answer of its own, or what the node says, perhaps changed. */
export type Manners =
  | { readonly kind: 'honest' }
  | { readonly kind: 'hangs' }
  | { readonly kind: 'slow'; readonly ms: number }
  /** Requests with such a question are never answered. */
  | { readonly kind: 'holds'; readonly held: (call: Call) => boolean }
  /** Only questions for blocks and states hang; heads are answered. */
  | { readonly kind: 'hangs-on-blocks' }
  | {
      readonly kind: 'answers';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  | { readonly kind: 'floods' }
  | { readonly kind: 'no-batches'; readonly most: number }
  /** An `Error` is what the upstream says in place of a result. `ask`: what the node is asked in place of a question. */
  | {
      readonly kind: 'twists';
      readonly twist: (call: Call, result: unknown) => unknown;
      readonly ask?: (call: Call) => Call;
    };

/** An upstream in front of a real node, on loopback, whose manners can be changed while it runs. */
export interface UpstreamEndpoint {
  readonly url: string;
  manners: Manners;
  /** Requests, those that are open and were at once, and the questions in them by method. */
  readonly asked: { requests: number; open: number; mostOpen: number; readonly methods: Map<string, number> };
  stop(): Promise<void>;
}

export async function startUpstream(node: string): Promise<UpstreamEndpoint> {
  const asked = { requests: 0, open: 0, mostOpen: 0, methods: new Map<string, number>() };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void serve(Buffer.concat(chunks).toString(), response).catch(() => response.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function serve(text: string, response: ServerResponse): Promise<void> {
    const { manners } = endpoint;
    const given = JSON.parse(text) as Call | readonly Call[];
    const calls = Array.isArray(given) ? (given as readonly Call[]) : [given as Call];
    asked.requests++;
    asked.mostOpen = Math.max(asked.mostOpen, ++asked.open);
    response.on('close', () => asked.open--);
    for (const { method } of calls) asked.methods.set(method, (asked.methods.get(method) ?? 0) + 1);
    switch (manners.kind) {
      case 'hangs':
        return;
      case 'slow':
        await setTimeout(manners.ms);
        break;
      case 'holds':
        if (calls.some(manners.held)) return;
        break;
      case 'hangs-on-blocks':
        if (!calls.some(({ method }) => method === 'eth_chainId')) return;
        break;
      case 'answers':
        response.writeHead(manners.status, manners.headers).end(manners.body ?? '');
        return;
      case 'floods': {
        const more = () => {
          while (!response.destroyed) if (!response.write(Buffer.alloc(65_536, 0x20))) return;
        };
        response.on('drain', more);
        more();
        return;
      }
      case 'no-batches':
        if (calls.length > manners.most) {
          const error = { code: -32_600, message: 'batch too large' };
          response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
          return;
        }
        break;
      case 'honest':
      case 'twists':
        break;
    }
    const headers = { 'content-type': 'application/json' };
    const ask = manners.kind === 'twists' ? manners.ask : undefined;
    const body = ask ? JSON.stringify(Array.isArray(given) ? calls.map(ask) : ask(calls[0]!)) : text;
    const answer = (await (await fetch(node, { method: 'POST', headers, body })).json()) as unknown;
    if (manners.kind !== 'twists') {
      response.end(JSON.stringify(answer));
      return;
    }
    const twist = (each: { id: number; result?: unknown }) => {
      const call = calls.find(({ id }) => id === each.id)!;
      if (!('result' in each)) return each;
      const result = manners.twist(call, each.result);
      const { id } = each;
      return result instanceof Error
        ? { jsonrpc: '2.0', id, error: { code: -32_000, message: result.message } }
        : { ...each, result };
    };
    const answers = Array.isArray(answer) ? answer.map(twist) : twist(answer as { id: number });
    response.end(JSON.stringify(answers));
  }

  const endpoint: UpstreamEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    manners: { kind: 'honest' },
    asked,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return endpoint;
}
