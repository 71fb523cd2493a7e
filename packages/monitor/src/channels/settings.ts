import { assertNever, err, ok, type Json, type Result } from '@keepwatch/base';
import { createEmail, createWebhook, type Channel, type OutboxState, type Route } from '@keepwatch/notify';
import { z } from 'zod';

/** A channel as its owner writes it down. Secrets stand in it: it is kept in the encrypted journal and shown without them. */
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name has a–z, 0–9 and dashes');
const common = {
  name,
  /** What is less severe is not told here. */
  from: z.enum(['info', 'notice', 'warning', 'critical']).default('notice'),
  privacy: z.enum(['full', 'amounts-hidden', 'look']).default('full'),
};
const place = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):[0-9]{1,5}$/, 'host:port is expected');
const route = {
  /** A certificate in PEM that is trusted instead of the usual authorities: of a server of one's own. */
  ca: z.string().max(100_000).optional(),
  /** A SOCKS5 proxy (Tor), which also resolves names. */
  proxy: place.optional(),
};
const mailbox = z.string().regex(/^[^\s@<>]+@[^\s@<>]+$/, 'a mail address is expected');
const schema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('webhook'), ...common, ...route },
    url: z.url({ protocol: /^https?$/ }),
    secrets: z.array(z.string().max(200)).min(1).max(8),
  }),
  z.strictObject({
    ...{ kind: z.literal('email'), ...common, ...route },
    server: place,
    security: z.enum(['tls', 'starttls']).default('tls'),
    user: z.string().min(1).max(200).nullable().default(null),
    password: z.string().max(1_000).nullable().default(null),
    sender: mailbox,
    to: mailbox,
    /** OpenPGP public key of the reader, armored: mails are encrypted to it. */
    openPgpKey: z.string().max(100_000).optional(),
  }),
]);

export type ChannelSettings = z.infer<typeof schema>;

/** The error is in words, and repeats nothing of what was given. */
export function readChannel(value: Json): Result<ChannelSettings, string> {
  const read = schema.safeParse(value);
  if (read.success) return ok(read.data);
  const { path, message } = read.error.issues[0]!;
  return err(`${path.join('.') || 'channel'}: ${message}.`);
}

/** Throws what the adapter itself refuses: `webhook_secret_malformed`, `openpgp_key_malformed`. */
export async function openChannel(settings: ChannelSettings): Promise<Channel> {
  const { name } = settings;
  switch (settings.kind) {
    case 'webhook':
      return createWebhook({ name, url: settings.url, secrets: settings.secrets, route: routeOf(settings) });
    case 'email': {
      const { server, security, user, password, sender, to, openPgpKey } = settings;
      return createEmail({
        ...{ name, ...placeOf(server), security, user, password, from: sender, to, route: routeOf(settings) },
        ...(openPgpKey === undefined ? {} : { openPgpKey }),
      });
    }
    default:
      return assertNever(settings);
  }
}

/** Each channel has circuits of its own: an exit that sees two of them cannot tell that they are one owner's. */
const routeOf = ({ name, ca, proxy }: ChannelSettings): Route => {
  return { ca: ca ?? null, proxy: proxy === undefined ? null : { ...placeOf(proxy), isolation: `keepwatch-${name}` } };
};

function placeOf(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}

/** Without its secrets. */
export function shownChannel(settings: ChannelSettings, outbox: OutboxState) {
  const { kind, from, privacy } = settings;
  const lane = outbox.lanes.get(settings.name);
  return {
    ...{ name: settings.name, kind, from, privacy },
    target: settings.kind === 'webhook' ? new URL(settings.url).host : settings.to,
    waiting: lane?.waiting.length ?? 0,
    sent: (lane?.nextNumber ?? 1) - 1,
    dead: lane?.dead ?? null,
  };
}
