import { command } from '../command.ts';
import { MONITOR_OPTIONS, ORDER_OPTIONS } from '../monitor/options.ts';

const add = command({
  name: 'channel add',
  summary: 'Add a way by which the monitor tells what it finds, and try it',
  positionals: ['NAME'],
  options: {
    webhook: { value: 'URL', words: 'POST there, signed (Standard Webhooks)' },
    'secret-file': { value: 'FILE', words: 'its whsec_… or whsk_… secret; left out: one is made, and shown once' },
    email: { value: 'ADDRESS', words: 'mail there, over TLS' },
    smtp: { value: 'HOST:PORT', words: 'by this mail server' },
    starttls: { words: 'which speaks STARTTLS (port 587), and not TLS from the first byte (465)' },
    user: { value: 'NAME', words: 'under this name' },
    'password-file': { value: 'FILE', words: 'with this password; - for standard input' },
    sender: { value: 'ADDRESS', words: 'as this sender (default: the receiver)' },
    'pgp-key': { value: 'FILE', words: 'encrypted to this OpenPGP public key' },
    'age-recipient': { value: 'AGE1…', many: true, words: 'encrypted to this recipient of age' },
    ca: { value: 'FILE', words: 'trust this certificate (PEM) alone: of a server of your own' },
    proxy: { value: 'HOST:PORT', words: 'through a SOCKS5 proxy such as Tor' },
    file: { value: 'FILE', words: 'any kind of channel, as JSON; docs/watch.md shows them' },
    from: { value: 'LEVEL', words: 'tell what is at least so severe: info, notice (default), warning or critical' },
    privacy: { value: 'LEVEL', words: 'full (default), amounts-hidden, or look: that something happened and no more' },
    replace: { words: 'in place of the channel of this name: what waits, rules and ladder go to the new address' },
    untested: { words: 'send no test message' },
    ...ORDER_OPTIONS,
  },
  more: [
    'Secrets of a channel are kept in the encrypted journal, and never shown again. A test message is sent; where it does',
    'not arrive, the channel is kept all the same, and the answer says what the service said.',
  ].join('\n'),
  run: async (context, options, [name]) => (await import('../monitor/channels.ts')).channelAdd(context, name!, options),
});

const test = command({
  name: 'channel test',
  summary: 'Send a test message by a channel, and say what became of it',
  positionals: ['NAME'],
  options: MONITOR_OPTIONS,
  run: async (context, options, [name]) =>
    (await import('../monitor/channels.ts')).channelTest(context, name!, options),
});

const list = command({
  name: 'channel list',
  summary: 'The channels, what they delivered, what waits for them, and which of them cannot deliver',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/channels.ts')).channelList(context, options),
});

const remove = command({
  name: 'channel remove',
  summary: 'Tell nothing more by a channel, and give up what waits for it',
  positionals: ['NAME'],
  options: ORDER_OPTIONS,
  run: async (context, options, [name]) =>
    (await import('../monitor/channels.ts')).channelRemove(context, name!, options),
});

const verify = command({
  name: 'channel verify',
  summary: 'Whether a message that you got was written by this monitor, and is all that came',
  positionals: ['FILE'],
  options: MONITOR_OPTIONS,
  more: 'FILE holds the message as you got it, with its last line; - for standard input.',
  run: async (context, options, [file]) =>
    (await import('../monitor/channels.ts')).channelVerify(context, file!, options),
});

export const CHANNEL_COMMANDS = [add, test, list, verify, remove];
