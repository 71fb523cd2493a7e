import { CodedError } from '@keepwatch/base';
import type { Channel, Message } from '../channel.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import { createHttpChannel, fitted } from './http-channel.ts';

/**
 * A gateway as its manual describes it. In `url` and `body`, `{text}`, `{to}`, `{id}` and `{number}` are put in, escaped
 * for where they stand: the url as a part of an URL, the body by its type. Nothing else is replaced.
 */
export interface SmsOptions {
  readonly name: string;
  readonly to: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly bodyType: 'json' | 'form' | 'text';
  /** Characters that are sent at most: 160 are one message in the GSM alphabet. */
  readonly most?: number;
  /** What is asked to see whether the gateway is there, such as its page of the balance; null: it is not asked. */
  readonly probeUrl: string | null;
  readonly route?: Route;
}

const TYPES = {
  ...{ json: 'application/json', form: 'application/x-www-form-urlencoded', text: 'text/plain; charset=utf-8' },
} as const;
/** What stands inside the quotes of a JSON string. */
const ESCAPES = {
  json: (value: string) => JSON.stringify(value).slice(1, -1),
  form: (value: string) => encodeURIComponent(value),
  text: (value: string) => value,
} as const;

/** Short messages by any HTTP gateway. Throws `sms_template_malformed`. */
export function createSms(options: SmsOptions): Channel {
  const { name, to, method, url, headers, body, bodyType, most = 160, probeUrl, route = DIRECT } = options;
  check(options);
  const fill = (template: string, message: Message, escape: (value: string) => string) =>
    template.replace(/\{(text|to|id|number)\}/g, (_, place: 'text' | 'to' | 'id' | 'number') => {
      const values = { text: shortText(message, most), to, id: message.id, number: String(message.number) };
      return escape(values[place]);
    });
  const channel = createHttpChannel({
    ...{ name, kind: 'sms', route },
    request: (message) => ({
      ...{ method, url: fill(url, message, encodeURIComponent) },
      headers: { 'content-type': TYPES[bodyType], ...headers },
      ...(body === null ? {} : { body: fill(body, message, ESCAPES[bodyType]) }),
    }),
    probe: { method: 'GET', url: probeUrl ?? url, headers },
  });
  if (probeUrl !== null) return channel;
  // A gateway without such a page cannot be asked without paying for a message.
  return { ...channel, probe: async () => ({ kind: 'delivered', reference: null }) };
}

/**
 * The subject, how to answer, and the number. Nobody reads what is sent back by SMS: where the whole subject leaves room for
 * it, the link stands beside the code.
 */
function shortText({ subject, acknowledgement, number }: Message, most: number): string {
  const code = `.${acknowledgement ? ` Code ${acknowledgement.code}.` : ''} Message ${number}.`;
  const link = acknowledgement?.url ? `${code} Or open ${acknowledgement.url}` : code;
  const tail = plain(subject).length + link.length <= most ? link : code;
  return `${fitted(plain(subject), Math.max(20, most - tail.length)).replace(/\s+(\[…\]\s+)?/g, (_, cut) => (cut ? ' ... ' : ' '))}${tail}`;
}

/** Marks of good printing are not in the GSM alphabet (3GPP TS 23.038): one of them leaves 70 characters of 160. */
const plain = (text: string) =>
  text.replace(/[‘’‚]/g, "'").replace(/[“”„]/g, '"').replace(/[–—]/g, '-').replace(/…/g, '...');

function check({ url, body, bodyType, to }: SmsOptions): void {
  const wrong = (what: string): never => {
    throw new CodedError('sms_template_malformed', `The template of the SMS gateway cannot be used: ${what}.`, {
      remedy: 'See docs/channels.md for examples; {text} must stand in the address or in the body.',
    });
  };
  if (!`${url}${body ?? ''}`.includes('{text}')) wrong('{text} stands nowhere');
  if (!/^https?:\/\/[^/{}]+\//.test(`${url}/`)) wrong('the address must begin with a fixed host');
  if (!/^\+?[0-9A-Za-z]{3,20}$/.test(to)) wrong('the receiver is no number');
  if (body === null || bodyType !== 'json') return;
  try {
    JSON.parse(body.replace(/\{(text|to|id|number)\}/g, '0'));
  } catch {
    wrong('its body is no JSON');
  }
}
