import { createTransport, type Transporter } from 'nodemailer';
import type { Channel, Delivery, Message } from '../channel.ts';
import { broken, delivered, later, notTaken } from '../delivery.ts';
import { dial, DIRECT, secure, type Route } from '../net/dial.ts';
import { troubleOf } from '../net/trouble.ts';
import { encryptedMail, sealerOf, type MailKeys } from './encrypted-mail.ts';

export interface EmailOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `tls`: from the first byte (RFC 8314, port 465). `starttls`: required, never skipped (RFC 3207, port 587). */
  readonly security: 'tls' | 'starttls';
  readonly user: string | null;
  readonly password: string | null;
  readonly from: string;
  readonly to: string;
  /** Of the readers: subject and body are then encrypted to them. */
  readonly keys?: MailKeys;
  readonly route?: Route;
}

/**
 * Mail by SMTP, always over TLS. The Message-ID stays the same from try to try; most mailboxes drop the second. A mail
 * that the server took can still be lost behind it: nothing at this end can see that.
 *
 * Throws `openpgp_key_malformed`, `age_recipient_malformed`, `age_recipient_unsupported`.
 */
export async function createEmail(options: EmailOptions): Promise<Channel> {
  const { name, host, port, security, user, password, from, to, route = DIRECT } = options;
  const seal = options.keys === undefined ? null : await sealerOf(options.keys);
  const domain = from.slice(from.lastIndexOf('@') + 1);

  /** One connection for one mail: hours lie between them, and a held one would be dead when it is needed. */
  async function withServer(work: (server: Transporter) => Promise<unknown>, signal: AbortSignal): Promise<Delivery> {
    try {
      const socket = await dial(host, port, route, signal);
      const connection = security === 'tls' ? await secure(socket, host, route, signal) : socket;
      const abort = () => socket.destroy();
      signal.addEventListener('abort', abort);
      try {
        const server = createTransport({
          ...{ host, port, connection, name: 'keepwatch', disableFileAccess: true, disableUrlAccess: true },
          ...(security === 'tls' ? { secure: true, secured: true } : { secure: false, requireTLS: true }),
          tls: { ...(route.ca === null ? {} : { ca: route.ca }), minVersion: 'TLSv1.2' },
          ...(user === null ? {} : { auth: { user, pass: password ?? '' } }),
        });
        await work(server);
        return delivered();
      } finally {
        signal.removeEventListener('abort', abort);
        socket.destroy();
      }
    } catch (error) {
      return signal.aborted ? later('timeout', 'There was no answer within the time.') : meaningOf(error);
    }
  }

  return {
    ...{ name, kind: 'email' },
    async send(message, signal) {
      const messageId = `<${message.id}@${domain}>`;
      const envelope = { from, to };
      const mail = seal
        ? { envelope, raw: await encryptedMail({ seal, from, to, messageId, message }) }
        : { ...{ from, to, messageId, subject: message.subject, text: message.body }, headers: headersOf(message) };
      return withServer((server) => server.sendMail(mail), signal);
    },
    probe: (signal) => withServer((server) => server.verify(), signal),
    close: async () => undefined,
  };
}

/** RFC 3834: no automatic answer is wanted. Mail programs show what is critical by X-Priority. */
function headersOf({ severity, number }: Message): Record<string, string> {
  return {
    'Auto-Submitted': 'auto-generated',
    'X-Keepwatch-Number': String(number),
    ...(severity === 'critical' ? { 'X-Priority': '1' } : {}),
  };
}

/** Reply codes of RFC 5321 §4.2.1: 4 for another time, 5 for never. */
function meaningOf(error: unknown): Delivery {
  const { code, responseCode = 0 } = error as { code?: string; responseCode?: number };
  if (responseCode >= 400 && responseCode < 500) return later('busy', `The mail server answered ${responseCode}.`);
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return broken('denied', 'The mail server does not accept user and password.');
    case 'EENVELOPE':
      return broken('address_refused', `The mail server does not accept sender or receiver (${responseCode}).`);
    case 'EMESSAGE':
      if (responseCode >= 500)
        return notTaken('not_taken', `The mail server will not take this mail (${responseCode}).`);
      return later('service_error', 'The mail server did not take the mail.');
    case 'ETLS':
      return later('tls_failed', 'The mail server did not prove who it is, or does not speak TLS.');
    case 'EPROTOCOL':
      return later('service_error', 'The mail server answers something else than SMTP.');
    default:
      return troubleOf(error);
  }
}
