import { z } from 'zod';
import type { Channel, Delivery, Replies } from '../channel.ts';
import { broken, later, notTaken } from '../delivery.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import type { HttpAnswer } from '../net/http.ts';
import { createHttpChannel, fitted, JSON_TYPE, memberOf } from './http-channel.ts';

export interface TelegramOptions {
  readonly name: string;
  /** Of the bot, from BotFather. It stands in the path of every request. */
  readonly token: string;
  readonly chatId: string;
  /** Ids of users whose messages in the chat count as answers; left out: whoever may write there. */
  readonly answersBy?: readonly string[];
  /** For a Bot API server of one's own. */
  readonly url?: string;
  readonly route?: Route;
}

/** “Text of the message to be sent, 1–4096 characters after entities parsing” (Bot API, sendMessage). */
const MOST = 4_096;

/** A Telegram bot (core.telegram.org/bots/api: sendMessage, getChat). Plain text: nothing in it can become a link's mask. */
export function createTelegram(options: TelegramOptions): Channel {
  const { name, token, chatId, answersBy = [], url, route = DIRECT } = options;
  const base = `${(url ?? 'https://api.telegram.org').replace(/\/+$/, '')}/bot${token}`;
  const body = (value: object) => ({ method: 'POST', headers: JSON_TYPE, body: JSON.stringify(value) }) as const;
  return createHttpChannel({
    ...{ name, kind: 'telegram', route, meaning },
    request: (message) => ({
      url: `${base}/sendMessage`,
      ...body({
        ...{ chat_id: chatId, text: fitted(`${message.subject}\n\n${message.body}`, MOST) },
        ...{ link_preview_options: { is_disabled: true }, disable_notification: message.severity === 'info' },
      }),
    }),
    // Bot API, getUpdates: an offset says that everything before it was seen. One at a time, for an answer has a limit.
    replies: {
      request: (cursor) => ({
        url: `${base}/getUpdates`,
        ...body({ limit: 1, timeout: 0, allowed_updates: ['message'], ...(cursor && { offset: Number(cursor) }) }),
      }),
      read: (answer, cursor) =>
        answer.status === 200 ? repliesOf(answer, (each) => isAnswering(each, chatId, answersBy), cursor) : undefined,
    },
    probe: { url: `${base}/getChat`, ...body({ chat_id: chatId }) },
  });
}

type Written = z.infer<typeof WRITTEN>;

/** Only what was written in the chat itself: a bot can be written to by everybody. */
function isAnswering({ chat, from }: Written, chatId: string, answersBy: readonly string[]): boolean {
  return String(chat.id) === chatId && (answersBy.length === 0 || answersBy.includes(String(from?.id)));
}

function repliesOf(answer: HttpAnswer, isMeant: (written: Written) => boolean, before: string | null): Replies {
  const updates = memberOf(answer, 'result');
  const replies: { text: string; by: string | null }[] = [];
  // One that is too long to be read whole is no code, and holds nothing up.
  const unread = updates === undefined ? /"update_id":\s*(\d{1,15})/.exec(answer.text) : null;
  let cursor = unread ? String(Number(unread[1]) + 1) : before;
  for (const update of Array.isArray(updates) ? (updates as unknown[]) : []) {
    const read = UPDATE.safeParse(update);
    if (!read.success) continue;
    cursor = String(read.data.update_id + 1);
    // Of a form that we do not know: no code.
    const { success, data: message } = WRITTEN.safeParse(read.data.message);
    if (success && isMeant(message)) replies.push({ text: message.text, by: message.from?.first_name ?? null });
  }
  return { replies, cursor, more: cursor !== before };
}

const UPDATE = z.object({ update_id: z.int().nonnegative(), message: z.unknown().optional() });
const WRITTEN = z.object({
  chat: z.object({ id: z.int() }),
  from: z.object({ id: z.int(), first_name: z.string().max(200) }).optional(),
  text: z.string(),
});

function meaning(answer: HttpAnswer): Delivery | undefined {
  const description = memberOf(answer, 'description');
  switch (answer.status) {
    case 429: {
      const parameters = memberOf(answer, 'parameters') as { retry_after?: unknown } | undefined;
      const seconds = typeof parameters?.retry_after === 'number' ? parameters.retry_after : null;
      return later('busy', 'Telegram answered 429.', seconds === null ? answer.retryAfterMs : seconds * 1_000);
    }
    case 400:
      // The one place that tells a chat that is not there from words that are not taken.
      if (typeof description === 'string' && /chat not found|chat_id is empty|group chat was/i.test(description)) {
        return broken('chat_unknown', 'Telegram does not know this chat, or the bot was never started in it.');
      }
      return notTaken('not_taken', 'Telegram will not take this message.');
    case 401:
    case 404:
      return broken('denied', 'Telegram does not know the token of this bot.');
    case 403:
      return broken('denied', 'The bot may not write to this chat: it was blocked or removed.');
    default:
      return undefined;
  }
}
