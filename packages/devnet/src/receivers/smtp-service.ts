import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { TEST_CA, TEST_SERVER, UNTRUSTED_SERVER } from './certificates.ts';
import type { ChannelFault, FaultyService } from './fault.ts';

/** A real SMTP receiver on loopback that can be made to fail. */
export interface SmtpService extends FaultyService {
  readonly port: number;
  readonly ca: string;
  /** Mails as they were taken, with their headers. */
  readonly mails: readonly string[];
}

interface SmtpAccount {
  readonly user: string;
  readonly password: string;
}

const SLOW_MS = 300;
/**
 * How long sessions have to end by themselves when the server closes. It is left to the server to end them then: a socket
 * that is destroyed below its TLS makes Node crash when somebody asks the TLS for its version afterwards.
 */
const CLOSE_MS = 1;

export async function startSmtpService(
  security: 'tls' | 'starttls',
  account: SmtpAccount,
  taken: (mail: string) => void = () => undefined,
): Promise<SmtpService> {
  const mails: string[] = [];
  let fault: ChannelFault | null = null;
  const fail = (code: number) => Object.assign(new Error('the inside of the service'), { responseCode: code });

  const create = (certificate: { key: string; cert: string }) => {
    const server = new SMTPServer({
      ...{ secure: security === 'tls', ...certificate, authOptional: false, disableReverseLookup: true },
      closeTimeout: CLOSE_MS,
      onAuth({ username, password }, _session, callback) {
        if (username === account.user && password === account.password) callback(null, { user: username });
        else callback(fail(535));
      },
      onData(stream, _session, callback) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const take = () => {
            const mail = Buffer.concat(chunks).toString();
            mails.push(mail);
            callback(null);
            taken(mail);
          };
          switch (fault) {
            case 'hung':
              return;
            case 'error':
              return callback(fail(451));
            case 'busy':
              return callback(fail(450));
            case 'slow':
              return setTimeout(take, SLOW_MS);
            default:
              return take();
          }
        });
      },
    });
    server.on('error', () => undefined);
    return server;
  };

  let server = create(TEST_SERVER);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const close = async () => {
    if (!server.server.listening) return;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };

  return {
    ...{ port, ca: TEST_CA, mails },
    async fail(next) {
      fault = next;
      await close();
      if (next === 'refused') return;
      server = create(next === 'tls' ? UNTRUSTED_SERVER : TEST_SERVER);
      server.listen(port, '127.0.0.1');
      await once(server.server, 'listening');
    },
    stop: close,
  };
}
