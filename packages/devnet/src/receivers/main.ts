import { createHmac, timingSafeEqual } from 'node:crypto';
import { createInterface } from 'node:readline';
import { startHttpService, type HttpCall } from './http-service.ts';
import type { ReceiverLine, ReceiverOrder } from './receiver-process.ts';
import { startSmtpService } from './smtp-service.ts';

/**
 * Two receivers as a process, as an owner may have them: one takes webhooks over HTTPS and checks their signature, one takes
 * mail over TLS. The first line of input is the order, then each line of output is what one of them took.
 */
const say = (line: ReceiverLine) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const order = JSON.parse((await lines.next()).value as string) as ReceiverOrder;

const hook = await startHttpService((call) => {
  if (call.method !== 'POST') return { status: 405 };
  if (!isSigned(call, order.secret)) return { status: 401 };
  const { data } = JSON.parse(call.body) as { data: { subject: string; finding: { id: string } | null } };
  say({ by: 'webhook', subject: data.subject, finding: data.finding?.id ?? null });
  return { status: 204, body: '' };
});
const mail = await startSmtpService('tls', order.account, (text) => {
  say({ by: 'mail', subject: subjectOf(text), finding: null });
});
say({ by: 'both', webhook: `${hook.url}/hook`, smtp: `127.0.0.1:${mail.port}`, ca: hook.ca });
// Until the input ends.
for await (const line of { [Symbol.asyncIterator]: () => lines }) void line;
await Promise.all([hook.stop(), mail.stop()]);

/** Standard Webhooks 1.0: HMAC-SHA256 over id, time and body. */
function isSigned({ headers, body }: HttpCall, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const text = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = createHmac('sha256', key).update(text).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .map((each) => Buffer.from(each.replace('v1,', ''), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

/** Unfolded (RFC 5322 §2.2.3), and encoded words of UTF-8 read (RFC 2047). */
function subjectOf(mail: string): string {
  const [, text = ''] = /^Subject: (.*(?:\r?\n[ \t].*)*)/m.exec(mail) ?? [];
  return text
    .replaceAll(/\r?\n[ \t]/g, ' ')
    .replaceAll(/\?= =\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, kind: string, encoded: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(encoded, 'base64').toString()
        : Buffer.from(
            encoded
              .replaceAll('_', ' ')
              .replaceAll(/=([0-9A-F]{2})/gi, (__, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
            'latin1',
          ).toString(),
    );
}
