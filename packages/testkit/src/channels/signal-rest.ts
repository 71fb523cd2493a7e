import { startHttpService, type HttpCall, type HttpService } from '@keepwatch/devnet';

/** As much of signal-cli-rest-api as a channel uses: what was received is given once, and never again. */
export interface SignalRest extends HttpService {
  say(
    from: { readonly number: string | null; readonly uuid: string; readonly name?: string },
    text: string,
    more?: SaidBySignal,
  ): void;
  readonly written: readonly string[];
  /** Anything that lies in the queue, such as a receipt. */
  put(envelope: unknown): void;
}

export interface SaidBySignal {
  /** The id that a group has inside Signal, in base64. */
  readonly groupId?: string;
  readonly atMs?: number;
}

export async function startSignalRest(of: { readonly number: string }): Promise<SignalRest> {
  const queue: unknown[] = [];
  const written: string[] = [];
  const service = await startHttpService(({ method, path, body }: HttpCall) => {
    const { pathname, searchParams } = new URL(path, 'https://signal.test');
    if (method === 'GET' && pathname === '/v1/health') return { status: 204 };
    if (method === 'POST' && pathname === '/v2/send') {
      const { number, message } = JSON.parse(body) as { number: string; message: string };
      if (number !== of.number) return { status: 400, body: JSON.stringify({ error: 'unknown number' }) };
      written.push(message);
      return { status: 201, body: JSON.stringify({ timestamp: String(Date.now()) }) };
    }
    if (method === 'GET' && pathname === `/v1/receive/${encodeURIComponent(of.number)}`) {
      const most = Number(searchParams.get('max_messages') ?? queue.length);
      return { status: 200, body: JSON.stringify(queue.splice(0, most)) };
    }
    return { status: 404 };
  });
  return {
    ...service,
    written,
    put: (envelope) => void queue.push(envelope),
    say({ number, uuid, name = '' }, text, { groupId, atMs = Date.now() } = {}) {
      const groupInfo = groupId === undefined ? {} : { groupInfo: { groupId, type: 'DELIVER' } };
      queue.push({
        envelope: {
          ...{ source: number ?? uuid, sourceNumber: number, sourceUuid: uuid, sourceName: name, sourceDevice: 1 },
          timestamp: atMs,
          dataMessage: { timestamp: atMs, message: text, expiresInSeconds: 0, viewOnce: false, ...groupInfo },
        },
        account: of.number,
      });
    },
  };
}
