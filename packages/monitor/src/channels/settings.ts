import { assertNever, err, ok, type Json, type Result } from '@keepwatch/base';
import {
  createCommand,
  createEmail,
  createMatrix,
  createNostr,
  createNtfy,
  createSignal,
  createSms,
  createTelegram,
  createWebhook,
  type Channel,
  type Lane,
  type OutboxState,
  type Route,
} from '@keepwatch/notify';
import { SEVERITIES } from '@keepwatch/watch';
import { z } from 'zod';

/** A channel as its owner writes it down. Secrets stand in it: it is kept in the encrypted journal and shown without them. */
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name has a–z, 0–9 and dashes');
const common = {
  name,
  /** What is less severe is not told here. */
  from: z.enum(SEVERITIES).default('notice'),
  privacy: z.enum(['full', 'amounts-hidden', 'look']).default('full'),
  /** What else it needs to reach its reader, in the owner's words: what two channels name counts as shared. */
  relies: z.array(z.string().min(1).max(100)).max(16).default([]),
};
const place = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):[0-9]{1,5}$/, 'host:port is expected');
const route = {
  /** A certificate in PEM that is trusted instead of the usual authorities: of a server of one's own. */
  ca: z.string().max(100_000).optional(),
  /** A SOCKS5 proxy (Tor), which also resolves names. */
  proxy: place.optional(),
};
const mailbox = z.string().regex(/^[^\s@<>]+@[^\s@<>]+$/, 'a mail address is expected');
const url = z.url({ protocol: /^https?$/ });
const secret = z.string().min(1).max(1_000);
/** Whose messages count as answers, as the service names them. */
const answersBy = z.array(z.string().min(1).max(300)).max(16);
const schema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('webhook'), ...common, ...route },
    ...{ url, secrets: z.array(z.string().max(200)).min(1).max(8) },
  }),
  z.strictObject({
    ...{ kind: z.literal('email'), ...common, ...route },
    server: place,
    security: z.enum(['tls', 'starttls']).default('tls'),
    user: z.string().min(1).max(200).nullable().default(null),
    password: z.string().max(1_000).nullable().default(null),
    ...{ sender: mailbox, to: mailbox },
    /** OpenPGP public key of the reader, armored: mails are encrypted to it. */
    openPgpKey: z.string().max(100_000).optional(),
    /** Or recipients of age, each of whom can open them. */
    ageRecipients: z.array(z.string().max(1_000)).min(1).max(16).optional(),
  }),
  z.strictObject({
    ...{ kind: z.literal('ntfy'), ...common, ...route },
    ...{ url, topic: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), token: secret.nullable().default(null) },
  }),
  z.strictObject({
    ...{ kind: z.literal('telegram'), ...common, ...route },
    ...{ token: secret, chatId: z.string().min(1).max(64), url: url.optional() },
    /** Ids of users; left out: whoever may write to the chat. */
    answersBy: answersBy.optional(),
  }),
  z.strictObject({
    ...{ kind: z.literal('nostr'), ...common, ...route },
    relays: z
      .array(z.url({ protocol: /^wss?$/ }))
      .min(1)
      .max(16),
    ...{ secretKey: secret, to: z.string().max(100) },
  }),
  z.strictObject({
    ...{ kind: z.literal('matrix'), ...common, ...route },
    /** What is written to a room in clear is read by its server. */
    privacy: z
      .literal(
        'look',
        'matrix is not encrypted here, and every homeserver of the room reads it: only the level look is for it',
      )
      .default('look'),
    ...{ url, accessToken: secret, roomId: z.string().min(1).max(300) },
    /** Users such as `@ada:example.org`; left out: nothing is read in the room. */
    answersBy: answersBy.optional(),
  }),
  z.strictObject({
    ...{ kind: z.literal('signal'), ...common, ...route },
    /** Of a signal-cli-rest-api of one's own; the number that sends, and whom it writes to. */
    ...{ url, number: z.string().min(1).max(64), to: z.string().min(1).max(200) },
    /** Numbers or account ids; left out: the receiver, and in a group nobody. */
    answersBy: answersBy.optional(),
  }),
  z.strictObject({
    ...{ kind: z.literal('sms'), ...common, ...route },
    ...{ to: z.string().min(1).max(64), method: z.enum(['GET', 'POST', 'PUT']).default('POST') },
    url: z.string().max(2_000),
    headers: z.record(z.string(), z.string().max(2_000)).default({}),
    body: z.string().max(10_000).nullable().default(null),
    bodyType: z.enum(['json', 'form', 'text']).default('json'),
    ...{ most: z.int().min(20).max(2_000).optional(), probeUrl: url.nullable().default(null) },
  }),
  z.strictObject({
    ...{ kind: z.literal('command'), ...common },
    program: z.string().regex(/^\//, 'an absolute path is expected'),
    args: z.array(z.string().max(10_000)).max(100).default([]),
  }),
]);

export type ChannelSettings = z.infer<typeof schema>;

/** The error is in words, and repeats nothing of what was given. */
export function readChannel(value: Json): Result<ChannelSettings, string> {
  const read = schema.safeParse(value);
  if (read.success) {
    const isTwice = read.data.kind === 'email' && read.data.openPgpKey !== undefined && read.data.ageRecipients;
    if (isTwice) return err('ageRecipients: a mail is encrypted by OpenPGP or by age, not by both.');
    return ok(read.data);
  }
  const { path, message } = read.error.issues[0]!;
  return err(`${path.join('.') || 'channel'}: ${message}.`);
}

/**
 * Throws what the adapter itself refuses: `webhook_secret_malformed`, `openpgp_key_malformed`, `age_recipient_malformed`,
 * `age_recipient_unsupported`, `nostr_key_malformed`, `sms_template_malformed`.
 */
export async function openChannel(settings: ChannelSettings): Promise<Channel> {
  const { name } = settings;
  switch (settings.kind) {
    case 'webhook':
      return createWebhook({ name, url: settings.url, secrets: settings.secrets, route: routeOf(settings) });
    case 'email': {
      const { server, security, user, password, sender, to, openPgpKey, ageRecipients } = settings;
      return createEmail({
        ...{ name, ...placeOf(server), security, user, password, from: sender, to, route: routeOf(settings) },
        ...(openPgpKey === undefined ? {} : { keys: { kind: 'openpgp', armoredKey: openPgpKey } }),
        ...(ageRecipients === undefined ? {} : { keys: { kind: 'age', recipients: ageRecipients } }),
      });
    }
    case 'ntfy':
      return createNtfy({ ...pick(settings, 'url', 'topic', 'token'), name, route: routeOf(settings) });
    case 'telegram': {
      const { token, chatId, url: server } = settings;
      const at = server ? { url: server } : {};
      return createTelegram({ name, token, chatId, route: routeOf(settings), ...at, ...whoAnswers(settings) });
    }
    case 'nostr':
      return createNostr({ ...pick(settings, 'relays', 'secretKey', 'to'), name, route: routeOf(settings) });
    case 'matrix': {
      const { url: homeserver, accessToken, roomId } = settings;
      return createMatrix({ name, homeserver, accessToken, roomId, route: routeOf(settings), ...whoAnswers(settings) });
    }
    case 'signal': {
      const { url: server, number, to } = settings;
      return createSignal({ name, url: server, from: number, to, route: routeOf(settings), ...whoAnswers(settings) });
    }
    case 'sms': {
      const { most } = settings;
      const rest = pick(settings, 'to', 'method', 'url', 'headers', 'body', 'bodyType', 'probeUrl');
      return createSms({ ...rest, name, route: routeOf(settings), ...(most === undefined ? {} : { most }) });
    }
    case 'command':
      return createCommand(pick(settings, 'name', 'program', 'args'));
    default:
      return assertNever(settings);
  }
}

const whoAnswers = ({ answersBy: who }: { readonly answersBy?: readonly string[] | undefined }) =>
  who === undefined ? {} : { answersBy: who };

function pick<T extends object, K extends keyof T>(from: T, ...names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as unknown as Pick<T, K>;
}

/** Whether what its reader sends back is read: as the adapters do it. */
export function readsAnswers(settings: ChannelSettings): boolean {
  switch (settings.kind) {
    case 'telegram':
    case 'ntfy':
    case 'nostr':
      return true;
    case 'matrix':
      return (settings.answersBy ?? []).length > 0;
    case 'signal':
      return (settings.answersBy ?? (settings.to.startsWith('group.') ? [] : [settings.to])).length > 0;
    case 'webhook':
    case 'email':
    case 'sms':
    case 'command':
      return false;
    default:
      return assertNever(settings);
  }
}

/** Where it leads, without anything that opens it. */
export function targetOf(settings: ChannelSettings): string {
  switch (settings.kind) {
    case 'webhook':
    case 'ntfy':
    case 'matrix':
      return new URL(settings.url).host;
    case 'email':
    case 'signal':
    case 'sms':
    case 'nostr':
      return settings.to;
    case 'telegram':
      return `chat ${settings.chatId}`;
    case 'command':
      return settings.program;
    default:
      return assertNever(settings);
  }
}

/** Each channel has circuits of its own: an exit that sees two of them cannot tell that they are one owner's. */
const routeOf = ({ name, ca, proxy }: Exclude<ChannelSettings, { kind: 'command' }>): Route => {
  return { ca: ca ?? null, proxy: proxy === undefined ? null : { ...placeOf(proxy), isolation: `keepwatch-${name}` } };
};

function placeOf(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}

/** Tries that failed in a row, and when the next one is: a channel can be in trouble long before it is given up as dead. */
function failingOf({ failures, failingSinceMs, restUntilMs, heldUntilMs }: Lane) {
  if (failures === 0 || failingSinceMs === null) return null;
  return { tries: failures, sinceMs: failingSinceMs, nextMs: Math.max(restUntilMs, heldUntilMs) };
}

/** Without its secrets. */
export function shownChannel(settings: ChannelSettings, outbox: OutboxState) {
  const { kind, from, privacy } = settings;
  const lane = outbox.lanes.get(settings.name);
  return {
    ...{ name: settings.name, kind, from, privacy },
    target: targetOf(settings),
    waiting: lane?.waiting.length ?? 0,
    /** What its service took, and not what was tried. */
    sent: lane?.delivered ?? 0,
    dead: lane?.dead ?? null,
    failing: lane ? failingOf(lane) : null,
  };
}
