import { startHttpService, type HttpCall, type HttpService } from '@keepwatch/devnet';

/** As much of the Bot API as a bot in a chat uses. An offset says that everything before it was seen, and it is given no more. */
export interface TelegramBots extends HttpService {
  say(from: { readonly chat: number; readonly user: number; readonly name: string }, text: string): void;
  /** Any update at the end of the queue. */
  put(update: object): void;
  readonly written: readonly string[];
}

export async function startTelegramBots(of: {
  readonly token: string;
  readonly chatId: string;
}): Promise<TelegramBots> {
  const updates: (object & { readonly update_id: number })[] = [];
  const written: string[] = [];
  let next = 1;
  const ok = (result: unknown) => ({ status: 200, body: JSON.stringify({ ok: true, result }) });
  const put = (update: object) => void updates.push({ update_id: next++, ...update });

  const service = await startHttpService(({ path, body }: HttpCall) => {
    if (!path.startsWith(`/bot${of.token}/`)) return { status: 401, body: '{"ok":false}' };
    const given = JSON.parse(body) as { chat_id?: string; text?: string; offset?: number; limit?: number };
    switch (path.slice(path.lastIndexOf('/') + 1)) {
      case 'getChat':
        return given.chat_id === of.chatId ? ok({ id: Number(of.chatId) }) : { status: 400, body: '{"ok":false}' };
      case 'sendMessage':
        written.push(given.text ?? '');
        return ok({ message_id: written.length });
      case 'getUpdates': {
        const { offset = 0, limit = 100 } = given;
        while (updates.length > 0 && updates[0]!.update_id < offset) updates.shift();
        return ok(updates.slice(0, limit));
      }
      default:
        return { status: 404, body: '{"ok":false}' };
    }
  });
  return {
    ...{ ...service, put, written },
    say: ({ chat, user, name }, text) =>
      put({ message: { chat: { id: chat }, from: { id: user, first_name: name }, text } }),
  };
}
