import { fileURLToPath } from 'node:url';
import { CodedError } from '@keepwatch/base';
import { startChild, type Child } from '../child.ts';

export interface ReceiverOrder {
  /** Of the webhook: `whsec_…`. */
  readonly secret: string;
  readonly account: { readonly user: string; readonly password: string };
}

/** What one of them took. Mail names no finding. */
export interface Taken {
  readonly by: 'webhook' | 'mail';
  readonly subject: string;
  readonly finding: string | null;
}

interface Ready {
  readonly by: 'both';
  readonly webhook: string;
  /** HOST:PORT, with TLS. */
  readonly smtp: string;
  /** PEM of the certificate that both show. */
  readonly ca: string;
}

export type ReceiverLine = Taken | Ready;

/** A process that takes webhooks and mail on loopback. */
export interface Receivers extends Omit<Ready, 'by'> {
  readonly process: Child;
  /** All that was taken so far. */
  readonly taken: readonly Taken[];
  /** Resolves when more was taken, or it has ended. */
  more(): Promise<void>;
}

export async function startReceivers(
  order: ReceiverOrder,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Receivers> {
  const child = startChild(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], environment);
  child.send(JSON.stringify(order));
  const line = await child.nextLine();
  if (line === undefined) {
    throw new CodedError('receivers_failed', `The receivers did not start.\n${child.lastErrors()}`);
  }
  const { webhook, smtp, ca } = JSON.parse(line) as Ready;
  const taken: Taken[] = [];
  let wake = Promise.withResolvers<void>();
  void (async () => {
    for (let next = await child.nextLine(); next !== undefined; next = await child.nextLine()) {
      taken.push(JSON.parse(next) as Taken);
      wake.resolve();
      wake = Promise.withResolvers<void>();
    }
    wake.resolve();
  })();
  return { process: child, webhook, smtp, ca, taken, more: () => wake.promise };
}
