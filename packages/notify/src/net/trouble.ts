import type { Delivery } from '../channel.ts';
import { later } from '../delivery.ts';

/** What a connection that failed means. Of the error only its code is looked at: its words may hold addresses. */
export function troubleOf(error: unknown): Delivery {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    const found = code === undefined ? undefined : wordsOf(code);
    if (found) return found;
    if (at.name === 'SocksClientError') return later('proxy_failed', 'The proxy could not connect to the service.');
  }
  return later('unreachable', 'The service cannot be reached.');
}

function wordsOf(code: string): Delivery | undefined {
  if (/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return later('tls_failed', 'The service did not prove who it is, or does not speak TLS.');
  }
  switch (code) {
    case 'ECONNREFUSED':
      return later('refused_connection', 'The service refuses the connection.');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return later('name_unknown', 'The name of the service cannot be resolved.');
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return later('timeout', 'There was no answer within the time.');
    default:
      return undefined;
  }
}
