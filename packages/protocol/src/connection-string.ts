import { err, fromBase64url, ok, type Result } from '@keepwatch/base';

/**
 * Everything that a peer must know about a vault, in one line:
 * `keepwatch://HOST:PORT?tls=<spki-sha256>&id=<keep identity>[&token=<bootstrap>]`.
 */
export interface ConnectionString {
  /** Host name, IPv4 address, or IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the TLS key's SubjectPublicKeyInfo, base64url, 32 bytes (RFC 7469 §2.4 computes the same hash). */
  readonly tls: string;
  /** Keep identity: SHA-256 over boot key and receipt key, base64url, 32 bytes. */
  readonly id: string;
  /** One-time bootstrap token, base64url. It proves the first operator by a MAC and is itself never sent. */
  readonly token?: string;
}

const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]{2,45}\])$/;

function is32Bytes(text: string | undefined): text is string {
  return text !== undefined && fromBase64url(text)?.length === 32;
}

/** Error code: `connection_string_invalid`; `what` says which part is wrong and never repeats the token. */
export function parseConnectionString(
  text: string,
): Result<ConnectionString, { code: 'connection_string_invalid'; what: string }> {
  const bad = (what: string) => err({ code: 'connection_string_invalid' as const, what });
  const match = /^keepwatch:\/\/([^/?#]+):([0-9]{1,5})\/?\?([^#]*)$/.exec(text.trim());
  if (!match) return bad('it must look like keepwatch://HOST:PORT?tls=…&id=…');
  const [, host, portText, query] = match as unknown as [string, string, string, string];
  const port = Number(portText);
  if (!HOST.test(host)) return bad('the host is not a name, an IPv4 address or a bracketed IPv6 address');
  if (port < 1 || port > 65_535) return bad('the port is not between 1 and 65535');
  const members = new Map<string, string>();
  for (const part of query.split('&')) {
    const [name = '', value, ...rest] = part.split('=');
    if (!['tls', 'id', 'token'].includes(name) || value === undefined || rest.length > 0 || members.has(name)) {
      return bad('it must carry tls, id and at most one token, once each');
    }
    members.set(name, value);
  }
  const tls = members.get('tls');
  const id = members.get('id');
  const token = members.get('token');
  if (!is32Bytes(tls)) return bad('tls is not the base64url of 32 bytes');
  if (!is32Bytes(id)) return bad('id is not the base64url of 32 bytes');
  if (token !== undefined && !is32Bytes(token)) return bad('token is not the base64url of 32 bytes');
  return ok({ host: host.replace(/^\[|\]$/g, ''), port, tls, id, ...(token === undefined ? {} : { token }) });
}

export function formatConnectionString(parts: ConnectionString): string {
  const host = parts.host.includes(':') ? `[${parts.host}]` : parts.host;
  const token = parts.token === undefined ? '' : `&token=${parts.token}`;
  return `keepwatch://${host}:${parts.port}?tls=${parts.tls}&id=${parts.id}${token}`;
}
