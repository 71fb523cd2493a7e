import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

/** An answer of bitcoind that is an error (the codes of its `rpc/protocol.h`). */
export class RpcError extends Error {
  readonly code: number;
  constructor(method: string, code: number, message: string) {
    super(`${method}: ${message} (${code})`);
    this.name = 'RpcError';
    this.code = code;
  }
}

export type Rpc = <T = unknown>(method: string, ...params: readonly unknown[]) => Promise<T>;

/** JSON-RPC by cookie; the cookie is read at each call, because each start of the node writes a new one. */
export function createRpc(port: number, cookieFile: string, path = '/'): Rpc {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const ask = (body: string, auth: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', auth, headers, agent }, (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        response.on('end', () => resolve(received));
        response.on('error', reject);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The node closes what was idle for 30 s: a question that crossed with it was not read, and is asked anew.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(ask(body, auth));
        else reject(error);
      });
      sent.end(body);
    });
  return async <T>(method: string, ...params: readonly unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '1.0', id: 1, method, params });
    const auth = readFileSync(cookieFile, 'utf8').trim();
    const text = await ask(body, auth);
    const answer = JSON.parse(text) as { result: T; error: { code: number; message: string } | null };
    if (answer.error) throw new RpcError(method, answer.error.code, answer.error.message);
    return answer.result;
  };
}
