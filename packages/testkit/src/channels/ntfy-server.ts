import { startHttpService, type HttpCall, type HttpService } from '@keepwatch/devnet';

/** As much of ntfy as a channel uses: a topic that keeps what is published, and shows what came since a message. */
export interface NtfyServer extends HttpService {
  say(text: string): void;
}

export async function startNtfyServer(of: { readonly topic: string; readonly token: string }): Promise<NtfyServer> {
  const kept: { readonly id: string; readonly time: number; readonly message: string }[] = [];
  const add = (message: string) => {
    const each = {
      id: `m${kept.length}`,
      time: Math.floor(Date.now() / 1_000),
      event: 'message',
      topic: of.topic,
      message,
    };
    kept.push(each);
    return each;
  };
  const service = await startHttpService(({ method, path, headers, body }: HttpCall) => {
    if (headers.authorization !== `Bearer ${of.token}`) return { status: 403 };
    const { pathname, searchParams } = new URL(path, 'https://ntfy.test');
    if (method === 'POST' && pathname === '/') {
      const { message } = JSON.parse(body) as { message: string };
      return { status: 200, body: JSON.stringify(add(message)) };
    }
    if (pathname === `/${of.topic}/auth`) return { status: 200, body: '{"success":true}' };
    if (pathname !== `/${of.topic}/json`) return { status: 404 };
    const since = searchParams.get('since') ?? '';
    const at = kept.findIndex(({ id }) => id === since);
    const shown = kept.slice(at + 1).filter(({ id }) => (searchParams.get('id') ?? id) === id);
    return { status: 200, body: shown.map((each) => JSON.stringify(each)).join('\n') };
  });
  return { ...service, say: (text) => void add(text) };
}
