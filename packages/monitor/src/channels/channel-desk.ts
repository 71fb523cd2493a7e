import { randomBytes } from 'node:crypto';
import { CodedError } from '@keepwatch/base';
import {
  checkMessage,
  createDispatcher,
  deadChannels,
  type Channel,
  type Dispatcher,
  type SignMessage,
  type VerifyMessage,
} from '@keepwatch/notify';
import { compareSeverity, type Finding } from '@keepwatch/watch';
import type { z } from 'zod';
import type { Methods } from '../api/server.ts';
import { notAllowed } from '../access/rights.ts';
import { channelNamed, channelVerify, none, type channelPut } from '../api/shapes.ts';
import type { Engine, Recorded, Routed, Routing } from '../engine/engine.ts';
import type { MonitorState } from '../engine/state.ts';
import { ownedWallet } from '../evm/owned-wallet.ts';
import { climbsBy } from '../ladder/ladder-desk.ts';
import type { Author, Changes } from '../orders/order-desk.ts';
import type { RuleDesk } from '../rules/rule-desk.ts';
import { openChannel, readChannel, shownChannel, targetOf, type ChannelSettings } from './settings.ts';
import { postOf } from './words.ts';

/** What the monitor tells, by which channels, and how it stands with them. */
export interface ChannelDesk {
  /** Whom a finding is told, and what the rules remember of it: journaled in one batch with it. */
  route(finding: Finding, state: MonitorState): Pick<Routing, 'posts' | 'notes'>;
  /** After each append. */
  hear(events: readonly Recorded[]): void;
  /** From here on messages are sent; before, and without it, they wait. */
  start(): void;
  /** The adapters that are open, by name. */
  readonly open: ReadonlyMap<string, Channel>;
  /** Asks a channel whether it can be reached, and journals what that says of it. */
  probe(channel: string): Promise<unknown>;
  readonly methods: Methods;
  readonly changes: Changes;
  close(): Promise<void>;
}

/** Signs messages, and checks them. */
export interface MessageKey {
  readonly publicKey: string;
  readonly sign: SignMessage;
  readonly verify: VerifyMessage;
}

const TIMEOUT_MS = 30_000;

export interface ChannelDeskDeps {
  readonly engine: Engine;
  /** The owner's rules; where there are none, each channel's least severity decides. */
  readonly rules: Pick<RuleDesk, 'tellings' | 'ruleThatTells'>;
  /** Whether the heartbeat goes to a channel. */
  readonly beatsTo: (channel: string) => boolean;
  /** Of the monitor: readers check messages by it. */
  readonly signing: MessageKey;
}

export function createChannelDesk({ engine, rules, beatsTo, signing }: ChannelDeskDeps): ChannelDesk {
  const open = new Map<string, Channel>();
  let dispatcher: Dispatcher | undefined;

  const settingsOf = (state: MonitorState): readonly ChannelSettings[] =>
    [...state.desk.channels.values()].flatMap((json) => {
      const read = readChannel(json);
      return read.ok ? [read.value] : [];
    });

  /** Channels that are being opened. */
  const opening = new Map<string, Promise<void>>();

  /** The adapters as they are set now. One whose settings changed is opened anew. */
  function reopen(name: string): void {
    const opened = openNow(name).catch(() => undefined);
    opening.set(name, opened);
    void opened.then(() => {
      if (opening.get(name) === opened) opening.delete(name);
    });
  }

  async function openNow(name: string): Promise<void> {
    const before = open.get(name);
    open.delete(name);
    await before?.close().catch(() => undefined);
    const json = engine.state.desk.channels.get(name);
    const read = json === undefined ? undefined : readChannel(json);
    if (!read?.ok) return;
    const opened = await openChannel(read.value);
    // Set once more meanwhile, or removed: that one is opened by itself.
    if (engine.state.desk.channels.get(name) === json) open.set(name, opened);
    else await opened.close();
    dispatcher?.wake();
  }

  const known = (name: string): ChannelSettings => {
    const read = readChannel(engine.state.desk.channels.get(name) ?? null);
    if (read.ok) return read.value;
    throw new CodedError('channel_unknown', `There is no channel “${name}”.`, {
      remedy: '`keepwatch channel list` shows those that there are.',
    });
  };

  /** Whom a channel of this name tells at present; null: there is none. */
  function presentOf(name: string): { readonly kind: string; readonly target: string } | null {
    const read = readChannel(engine.state.desk.channels.get(name) ?? null);
    return read.ok ? { kind: read.value.kind, target: targetOf(read.value) } : null;
  }

  function requireFree(name: string): void {
    const present = presentOf(name);
    if (present === null) return;
    const words = `There is a channel “${name}” already: ${present.kind} to ${present.target}.`;
    throw new CodedError('channel_exists', words, {
      remedy:
        'Choose another name, or set it anew by --replace: rules and ladder then tell the new address, and the old secret counts no more.',
    });
  }

  /** Throws where something still tells by it. */
  function mayGo(name: string): void {
    const rule = rules.ruleThatTells(name);
    if (rule !== undefined) {
      throw new CodedError('channel_in_rules', `The rule “${rule}” tells by the channel “${name}”.`, {
        remedy: 'Apply rules without it first, so that nobody is left out unnoticed.',
      });
    }
    if (beatsTo(name)) {
      throw new CodedError('channel_in_schedule', `The heartbeat goes to the channel “${name}”.`, {
        remedy: 'Apply a schedule without it first.',
      });
    }
    if (climbsBy(engine.state, name)) {
      const words = `The ladder tells by the channel “${name}”, or something climbs it.`;
      throw new CodedError('channel_in_ladder', words, {
        remedy: 'Apply a ladder without it first; acknowledge what waits for an answer.',
      });
    }
  }

  const submit = async (input: Parameters<Engine['submit']>[0]) => void (await engine.submit(input));

  function tellOfChannels(events: readonly Recorded[]): void {
    for (const { room, event } of events) {
      if (room === 'desk' && event.kind === 'channel-dropped') {
        const input = { kind: 'channel', channel: event.name, alive: true, words: 'It was taken out.' } as const;
        void submit({ room: 'watch', input }).catch(() => undefined);
      }
      if (room !== 'outbox' || (event.kind !== 'channel-died' && event.kind !== 'channel-revived')) continue;
      const alive = event.kind === 'channel-revived';
      const words = event.kind === 'channel-died' ? event.words : '';
      void submit({ room: 'watch', input: { kind: 'channel', channel: event.channel, alive, words } }).catch(
        () => undefined,
      );
    }
  }

  return {
    route(finding, state) {
      const wallet = finding.wallet === null ? undefined : (ownedWallet(state, finding.wallet) ?? undefined);
      const byRules = rules.tellings(finding, state);
      if (byRules) {
        const settings = new Map(settingsOf(state).map((each) => [each.name, each]));
        const posts = byRules.tellings.flatMap(({ to, severity, when, atMs }) => {
          const channel = settings.get(to);
          if (!channel) return [];
          const post = { ...postOf(finding, wallet, channel.privacy), severity };
          const hold = when === 'now' ? {} : { hold: { untilMs: atMs, summary: when === 'digest' } };
          return [{ channel: to, post, ...hold }];
        });
        return { posts, notes: byRules.notes };
      }
      const posts = settingsOf(state).flatMap((settings): Routed[] => {
        if (compareSeverity(finding.severity, settings.from) < 0) return [];
        // A channel is not told of its own death.
        if (finding.detail.kind === 'channel-dead' && finding.detail.channel === settings.name) return [];
        return [{ channel: settings.name, post: postOf(finding, wallet, settings.privacy) }];
      });
      return { posts, notes: [] };
    },
    hear(events) {
      for (const { room, event } of events) {
        if (room === 'desk' && (event.kind === 'channel-put' || event.kind === 'channel-dropped')) {
          reopen(event.name);
        }
      }
      if (!dispatcher) return;
      tellOfChannels(events);
      if (events.some(({ room }) => room === 'outbox' || room === 'desk')) dispatcher.wake();
    },
    start() {
      for (const name of engine.state.desk.channels.keys()) reopen(name);
      for (const { channel, words } of deadChannels(engine.state.outbox)) {
        if (!engine.state.desk.channels.has(channel)) continue;
        const input = { kind: 'channel', channel, alive: false, words } as const;
        void submit({ room: 'watch', input }).catch(() => undefined);
      }
      dispatcher = createDispatcher(
        {
          channels: open,
          state: () => engine.state.outbox,
          submit: (input) => submit({ room: 'outbox', input }),
          nowMs: engine.nowMs,
          entropy: () => randomBytes(4).readUInt32BE(),
          sign: signing.sign,
        },
        { timeoutMs: TIMEOUT_MS },
      );
      dispatcher.wake();
    },
    open,
    async probe(name) {
      await opening.get(name);
      return dispatcher?.probe(name);
    },
    methods: {
      /** Whether a text was written by this monitor, and what of it. */
      'channel.verify': {
        params: channelVerify,
        call({ text }: z.infer<typeof channelVerify>) {
          const checked = checkMessage(text, signing.verify);
          if (!checked) {
            throw new CodedError('message_unsigned', 'There is no signature in this text.', {
              remedy:
                'Copy the whole message, with its last line. Messages by SMS and shortened ones cannot be checked.',
            });
          }
          if (checked.words === null) {
            throw new CodedError('message_forged', 'The signature is not of this text.', {
              remedy:
                'Copy the whole message and nothing behind it. If that changes nothing, this monitor did not write it.',
            });
          }
          const sent = (engine.state.outbox.lanes.get(checked.channel)?.nextNumber ?? 1) - 1;
          return Promise.resolve({ ...checked, sent, key: signing.publicKey });
        },
      },
      'channel.list': {
        params: none,
        call: () => Promise.resolve(settingsOf(engine.state).map((each) => shownChannel(each, engine.state.outbox))),
      },
      /** Sends one message at once, past the outbox: the answer says what the service said. */
      'channel.test': {
        params: channelNamed,
        async call({ name }: z.infer<typeof channelNamed>, signal: AbortSignal) {
          const channel = await openChannel(known(name));
          try {
            const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
            return await channel.send(testMessage(name), limit);
          } finally {
            await channel.close();
          }
        },
      },
    },
    changes: {
      'channel.put': {
        async plan({ channel, replace = false }: z.infer<typeof channelPut>, author: Author) {
          const read = readChannel(channel);
          if (!read.ok) throw new CodedError('channel_refused', `The channel cannot be used: ${read.error}`);
          // A channel that starts a program would give whoever holds an operator's key the monitor's user.
          if (read.value.kind === 'command' && author.kind === 'peer') {
            throw notAllowed('A channel that starts a program', 'operator');
          }
          const { name } = read.value;
          if (!replace) requireFree(name);
          // What the adapter itself refuses is refused before it is kept.
          await (await openChannel(read.value)).close();
          return () => {
            if (!replace) requireFree(name);
            const replaced = presentOf(name);
            return {
              inputs: [{ room: 'desk', event: { kind: 'channel-put', name, channel } }],
              answer: () => ({ ...shownChannel(read.value, engine.state.outbox), replaced }),
            };
          };
        },
      },
      'channel.remove': {
        plan:
          ({ name }: z.infer<typeof channelNamed>) =>
          () => {
            known(name);
            mayGo(name);
            return {
              inputs: [
                { room: 'desk', event: { kind: 'channel-dropped', name } },
                { room: 'outbox', input: { kind: 'remove', channel: name } },
              ],
              answer: () => ({ removed: name }),
            };
          },
      },
    },
    async close() {
      await dispatcher?.stop();
      dispatcher = undefined;
      await Promise.all([...open.values()].map((channel) => channel.close().catch(() => undefined)));
    },
  };
}

function testMessage(name: string) {
  return {
    id: `test-${name}-${randomBytes(8).toString('hex')}`,
    subject: 'Keepwatch: a test of this channel',
    body: 'This is a test. If you can read it, what the monitor finds will reach you here.',
    ...({ severity: 'info', number: 0, acknowledgement: null, data: null } as const),
    atMs: Date.now(),
  };
}
