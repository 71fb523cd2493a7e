import { assertNever, err, ok, type Json, type Result } from '@keepwatch/base';
import { createWebhook, type Channel, type OutboxState } from '@keepwatch/notify';
import { z } from 'zod';

/** A channel as its owner writes it down. Secrets stand in it: it is kept in the encrypted journal and shown without them. */
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name has a–z, 0–9 and dashes');
const common = {
  name,
  /** What is less severe is not told here. */
  from: z.enum(['info', 'notice', 'warning', 'critical']).default('notice'),
  privacy: z.enum(['full', 'no-amounts', 'look']).default('full'),
};
const schema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('webhook'), ...common },
    url: z.url({ protocol: /^https?$/ }),
    secrets: z.array(z.string().max(200)).min(1).max(8),
  }),
]);

export type ChannelSettings = z.infer<typeof schema>;
export type Privacy = ChannelSettings['privacy'];

/** The error is in words, and repeats nothing of what was given. */
export function readChannel(value: Json): Result<ChannelSettings, string> {
  const read = schema.safeParse(value);
  if (read.success) return ok(read.data);
  const { path, message } = read.error.issues[0]!;
  return err(`${path.join('.') || 'channel'}: ${message}.`);
}

export function openChannel(settings: ChannelSettings): Channel {
  switch (settings.kind) {
    case 'webhook':
      return createWebhook(settings);
    default:
      return assertNever(settings.kind);
  }
}

/** Without its secrets. */
export function shownChannel(settings: ChannelSettings, outbox: OutboxState) {
  const { kind, from, privacy } = settings;
  const lane = outbox.lanes.get(settings.name);
  return {
    ...{ name: settings.name, kind, from, privacy },
    target: new URL(settings.url).host,
    waiting: lane?.waiting.length ?? 0,
    sent: (lane?.nextNumber ?? 1) - 1,
    dead: lane?.dead ?? null,
  };
}
