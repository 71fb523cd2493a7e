import { startHttpService, type HttpCall, type HttpService } from '@keepwatch/devnet';

/**
 * As much of a homeserver as a bot in one room uses (Matrix client-server API, v3): it takes messages, and shows by /sync
 * what came since a token, through the filter that is given. It forgets tokens when it is told to.
 */
export interface MatrixHomeserver extends HttpService {
  /** Somebody writes into the room. `content`: more members than `msgtype` and `body`. */
  say(sender: string, body: string, more?: { readonly content?: object; readonly atMs?: number }): void;
  /** What the bot wrote. */
  readonly written: readonly string[];
  /** Tokens that were given before are unknown from now on. */
  forget(): void;
}

interface Event {
  readonly type: string;
  readonly event_id: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: object;
}
interface Filter {
  readonly room?: {
    readonly rooms?: readonly string[];
    readonly timeline?: { readonly limit?: number; readonly types?: string[]; readonly senders?: string[] };
  };
}

export async function startMatrixHomeserver(of: {
  readonly accessToken: string;
  readonly user: string;
  readonly roomId: string;
}): Promise<MatrixHomeserver> {
  const { accessToken, user, roomId } = of;
  const events: Event[] = [];
  const written: string[] = [];
  const transactions = new Map<string, string>();
  let era = 0;
  const room = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;
  const add = (sender: string, content: object, atMs: number) => {
    const event_id = `$event${events.length}`;
    events.push({ ...{ type: 'm.room.message', event_id, sender, origin_server_ts: atMs, content } });
    return event_id;
  };
  const fail = (status: number, errcode: string) => ({ status, body: JSON.stringify({ errcode, error: errcode }) });
  const give = (value: object) => ({ status: 200, body: JSON.stringify(value) });

  function answer({ method, path, headers, body }: HttpCall): { status: number; body: string } {
    if (headers.authorization !== `Bearer ${accessToken}`) return fail(401, 'M_UNKNOWN_TOKEN');
    const { pathname, searchParams } = new URL(path, 'https://homeserver.test');
    if (method === 'PUT' && pathname.startsWith(`${room}/send/m.room.message/`)) {
      const known = transactions.get(pathname);
      const content = JSON.parse(body) as { body: string };
      if (known === undefined) written.push(content.body);
      const event_id = known ?? add(user, content, Date.now());
      transactions.set(pathname, event_id);
      return give({ event_id });
    }
    if (method === 'GET' && pathname === `${room}/joined_members`) return give({ joined: { [user]: {} } });
    if (method === 'GET' && pathname === '/_matrix/client/v3/sync') return sync(searchParams);
    const event = events.find(({ event_id }) => pathname === `${room}/event/${encodeURIComponent(event_id)}`);
    return method === 'GET' && event ? give(event) : fail(404, 'M_NOT_FOUND');
  }

  function sync(query: URLSearchParams): { status: number; body: string } {
    const since = /^s(\d+)_(\d+)$/.exec(query.get('since') ?? `s${era}_0`);
    if (!since || Number(since[1]) !== era) return fail(400, 'M_UNKNOWN');
    const filter = JSON.parse(query.get('filter') ?? '{}') as Filter;
    const { limit = 10, types, senders } = filter.room?.timeline ?? {};
    const fresh = events
      .slice(Number(since[2]))
      .filter(({ type, sender }) => (types?.includes(type) ?? true) && (senders?.includes(sender) ?? true));
    const timeline = { events: fresh.slice(-limit), limited: fresh.length > limit, prev_batch: 'p' };
    const isWanted = filter.room?.rooms?.includes(roomId) ?? true;
    return give({
      next_batch: `s${era}_${events.length}`,
      ...(fresh.length > 0 && isWanted ? { rooms: { join: { [roomId]: { timeline } } } } : {}),
    });
  }

  const service = await startHttpService(answer);
  return {
    ...service,
    written,
    say(sender, body, { content = {}, atMs = Date.now() } = {}) {
      add(sender, { msgtype: 'm.text', body, ...content }, atMs);
    },
    forget: () => void era++,
  };
}
