import { randomBytes } from 'node:crypto';
import { CodedError } from '@keepwatch/base';
import type { MonitorApi } from '@keepwatch/monitor';
import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { readJsonFile, readTextFile } from '../json-file.ts';
import { nextCommand } from '../next-command.ts';
import { readSecret } from '../secret-input.ts';
import { table } from '../table.ts';
import { showCount, showTime } from '../values.ts';
import { samePlace, type MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';

export interface ChannelAddOptions extends MonitorPlace {
  readonly webhook: string | undefined;
  readonly 'secret-file': string | undefined;
  readonly email: string | undefined;
  readonly smtp: string | undefined;
  readonly sender: string | undefined;
  readonly user: string | undefined;
  readonly 'password-file': string | undefined;
  readonly starttls: boolean;
  readonly 'pgp-key': string | undefined;
  readonly 'age-recipient': readonly string[];
  readonly ca: string | undefined;
  readonly proxy: string | undefined;
  readonly file: string | undefined;
  readonly from: string | undefined;
  readonly privacy: string | undefined;
  readonly untested: boolean;
  readonly replace: boolean;
}

interface Shown {
  readonly name: string;
  readonly kind: string;
  readonly from: string;
  readonly privacy: string;
  readonly target: string;
  readonly waiting: number;
  readonly sent: number;
  readonly dead: { readonly sinceMs: number; readonly words: string } | null;
  readonly failing: { readonly tries: number; readonly sinceMs: number; readonly nextMs: number } | null;
}

type Delivery =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'later' | 'refused' | 'broken'; readonly code: string; readonly words: string };

/** 32 random bytes, as Standard Webhooks writes them. */
const freshSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

export async function channelAdd(context: Context, name: string, options: ChannelAddOptions): Promise<Answer> {
  const { webhook, email, file, from, privacy } = options;
  if ([webhook, email, file].filter((each) => each !== undefined).length !== 1) {
    throw usageError('option_missing', 'Name one channel.', 'Give --webhook URL, --email ADDRESS or --file FILE.');
  }
  const about = {
    name,
    ...(from === undefined ? {} : { from }),
    ...(privacy === undefined ? {} : { privacy }),
    ...(options.ca === undefined ? {} : { ca: await readTextFile(options.ca) }),
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
  };
  const made = webhook !== undefined && options['secret-file'] === undefined ? freshSecret() : undefined;
  const channel = { ...(await channelOf(context, options, made)), ...about };
  return withMonitor(context, options, async (api) => {
    const put = { channel, ...(options.replace ? { replace: true } : {}) };
    const { replaced, ...shown } = (await api.call('channel.put', put)) as Shown & {
      readonly replaced: Pick<Shown, 'kind' | 'target'> | null;
    };
    const tested = options.untested ? null : await test(api, name);
    const { paint } = context.terminal;
    const lines = [
      `${paint.strong(name)} is a channel: ${shown.kind} to ${shown.target}, from ${shown.from} on.`,
      ...(replaced ? [`It takes the place of ${replaced.kind} to ${replaced.target}.`] : []),
      ...(made === undefined ? [] : [`Its secret, shown this once; the receiver checks signatures by it:  ${made}`]),
      ...(tested === null ? [] : [testWords(context, tested)]),
    ];
    return {
      json: { channel: shown, replaced, ...(made === undefined ? {} : { secret: made }), test: tested },
      text: lines.join('\n'),
    };
  });
}

async function channelOf(context: Context, options: ChannelAddOptions, made: string | undefined): Promise<object> {
  const { webhook, email, file, smtp, sender, user } = options;
  if (webhook !== undefined) {
    const secret = made ?? (await readTextFile(options['secret-file']!)).trim();
    return { kind: 'webhook', url: webhook, secrets: [secret] };
  }
  if (email === undefined) return (await readJsonFile(file!)) as object;
  if (smtp === undefined)
    throw usageError('option_missing', '--smtp is missing.', 'Name the mail server as HOST:PORT.');
  const password =
    user === undefined
      ? null
      : Buffer.from(
          await readSecret(context.terminal, {
            ...{ prompt: 'Password at the mail server', option: '--password-file', file: options['password-file'] },
          }),
        ).toString('utf8');
  return {
    ...{ kind: 'email', to: email, sender: sender ?? email, server: smtp, user: user ?? null, password },
    security: options.starttls ? 'starttls' : 'tls',
    ...(options['pgp-key'] === undefined ? {} : { openPgpKey: await readTextFile(options['pgp-key']) }),
    ...(options['age-recipient'].length === 0 ? {} : { ageRecipients: options['age-recipient'] }),
  };
}

const test = async (api: MonitorApi, name: string) => (await api.call('channel.test', { name })) as Delivery;

const testWords = ({ terminal: { paint } }: Context, delivery: Delivery): string =>
  delivery.kind === 'delivered'
    ? paint.good('A test message was delivered: look whether it is there.')
    : paint.bad(`The test message was not delivered: ${delivery.words} (${delivery.code})`);

export function channelTest(context: Context, name: string, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const delivery = await test(api, name);
    if (delivery.kind === 'delivered') return { json: delivery, text: testWords(context, delivery) };
    throw new CodedError(
      'channel_test_failed',
      `The test message was not delivered: ${delivery.words} (${delivery.code})`,
      {
        remedy: 'Check the address and the secret of the channel, and whether this machine reaches it.',
        details: { ...delivery },
      },
    );
  });
}

export function channelList(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const channels = (await api.call('channel.list')) as readonly Shown[];
    const { paint } = context.terminal;
    if (channels.length === 0) {
      return {
        json: { channels },
        text: `No channel: what is found is told to nobody.\nNext: ${nextCommand('channel add NAME --webhook URL', samePlace(place))}`,
      };
    }
    const standing = ({ dead, failing }: Shown) => {
      if (dead) return paint.bad(`cannot deliver since ${showTime(dead.sinceMs)}: ${dead.words}`);
      if (!failing) return paint.good('alive');
      return paint.bad(
        `${showCount(failing.tries, 'try', 'tries')} failed since ${showTime(failing.sinceMs)}; the next one at ${showTime(failing.nextMs)}`,
      );
    };
    const rows = channels.map((each) => {
      const { name, kind, target, from, privacy, waiting, sent } = each;
      return [name, kind, target, from, privacy, String(sent), String(waiting), standing(each)];
    });
    const head = ['CHANNEL', 'KIND', 'TO', 'FROM', 'PRIVACY', 'DELIVERED', 'WAITING', ''];
    return { json: { channels }, text: table([head, ...rows], paint.title) };
  });
}

export async function channelVerify(context: Context, file: string, place: MonitorPlace): Promise<Answer> {
  const message = await readTextFile(file === '-' ? '/dev/stdin' : file);
  return withMonitor(context, place, async (api) => {
    const json = (await api.call('channel.verify', { text: message })) as {
      readonly channel: string;
      readonly number: number;
      readonly words: string;
      readonly sent: number;
    };
    const { channel, number, words, sent } = json;
    const { paint } = context.terminal;
    return {
      json,
      text: [
        paint.good(`Written by this monitor: message ${number} of ${sent} on ${channel}.`),
        'What it signed, and nothing above it:',
        '',
        words,
      ].join('\n'),
    };
  });
}

export function channelRemove(context: Context, name: string, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const json = await api.call('channel.remove', { name });
    return { json, text: `Nothing more is told by ${name}.` };
  });
}
