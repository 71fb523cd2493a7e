import type { Channel } from '../channel.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import { createHttpChannel, fitted, JSON_TYPE } from './http-channel.ts';

export interface SignalOptions {
  readonly name: string;
  /** Of a signal-cli-rest-api of one's own. */
  readonly url: string;
  /** The number that sends, and whom it writes to: international form, or the id of a group. */
  readonly from: string;
  readonly to: string;
  readonly route?: Route;
}

const MOST = 2_000;

/** Signal through signal-cli-rest-api (POST /v2/send). End-to-end encryption begins there: it sees the words. */
export function createSignal({ name, url, from, to, route = DIRECT }: SignalOptions): Channel {
  const base = url.replace(/\/+$/, '');
  return createHttpChannel({
    ...{ name, kind: 'signal', route },
    request: ({ subject, body }) => ({
      ...{ method: 'POST', url: `${base}/v2/send`, headers: JSON_TYPE },
      body: JSON.stringify({ number: from, recipients: [to], message: fitted(`${subject}\n\n${body}`, MOST) }),
    }),
    probe: { method: 'GET', url: `${base}/v1/health` },
  });
}
