import { randomBytes } from 'node:crypto';
import { bech32 } from '@scure/base';
import { CodedError, fromHex, toHex, type Entropy } from '@keepwatch/base';
import { Agent, WebSocket } from 'undici';
import type { Channel, Delivery, Message } from '../channel.ts';
import { broken, delivered, later, notTaken } from '../delivery.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import { connectorOf } from '../net/http.ts';
import { giftWrap, type NostrEvent } from './gift-wrap.ts';
import { createNostrInbox } from './nostr-inbox.ts';

export interface NostrOptions {
  readonly name: string;
  /** Of the reader's kind 10050 list: those that their client looks at for private messages. */
  readonly relays: readonly string[];
  /** Key of the monitor, made for this alone: `nsec1…` or 64 hex digits. */
  readonly secretKey: string;
  /** The reader: `npub1…` or 64 hex digits. */
  readonly to: string;
  readonly route?: Route;
  readonly nowMs?: () => number;
  readonly entropy?: Entropy;
}

/**
 * A private message over nostr (NIP-17). It goes to all relays at once and is delivered when one of them took it. A
 * second try of the same message is the same event; after a new start of the process it is another wrap around a rumor
 * of the same id.
 *
 * Throws `nostr_key_malformed`.
 */
export function createNostr(options: NostrOptions): Channel {
  const { name, relays, route = DIRECT, nowMs = Date.now, entropy = (length) => randomBytes(length) } = options;
  const secretKey = keyOf(options.secretKey, 'nsec');
  const to = keyOf(options.to, 'npub');
  const closing = new AbortController();
  const agent = new Agent({ connect: connectorOf(route, closing.signal) });
  const made = new Map<string, NostrEvent>();
  const inbox = createNostrInbox({ relays, secretKey, author: toHex(to), dispatcher: agent, nowMs, entropy });

  const eventOf = ({ id, subject, body, atMs }: Message) => {
    const event =
      made.get(id) ??
      giftWrap({ ...{ text: `${subject}\n\n${body}`, subject, secretKey, to, atMs, entropy }, nowMs: nowMs() });
    made.set(id, event);
    for (const [oldest] of made) if (made.size > 64) made.delete(oldest);
    return event;
  };

  /** One relay: says something and waits for what counts as its answer, or for the end of the connection. */
  function talk(
    relay: string,
    say: readonly unknown[],
    answerOf: (said: readonly unknown[]) => Delivery | undefined,
    signal: AbortSignal,
  ): Promise<Delivery> {
    return new Promise((resolve) => {
      const socket = new WebSocket(relay, { dispatcher: agent });
      const end = (delivery: Delivery) => {
        signal.removeEventListener('abort', abort);
        resolve(delivery);
        socket.close();
      };
      const abort = () => end(later('timeout', 'The relay did not answer within the time.'));
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      socket.addEventListener('open', () => socket.send(JSON.stringify(say)));
      socket.addEventListener('message', ({ data }) => {
        const answer = answerOf(listOf(data));
        if (answer) end(answer);
      });
      socket.addEventListener('error', () => end(later('unreachable', 'The relay cannot be reached.')));
      socket.addEventListener('close', () => end(later('service_error', 'The relay ended the connection.')));
    });
  }

  /** The first relay that takes it is enough; without one, the answer that leaves most hope. */
  async function anyRelay(ask: (relay: string, signal: AbortSignal) => Promise<Delivery>, signal: AbortSignal) {
    const enough = new AbortController();
    const both = AbortSignal.any([signal, enough.signal]);
    const answers: Delivery[] = [];
    await new Promise<void>((resolve) => {
      if (relays.length === 0) resolve();
      for (const relay of relays) {
        void ask(relay, both).then((answer) => {
          answers.push(answer);
          if (answer.kind === 'delivered' || answers.length === relays.length) resolve();
        });
      }
    });
    // The others get it too, if they take it soon: a reader may look at any of them.
    setTimeout(() => enough.abort(), OTHERS_MS).unref();
    const found = (['delivered', 'later', 'refused', 'broken'] as const).flatMap((kind) =>
      answers.filter((each) => each.kind === kind),
    );
    return found[0] ?? broken('not_there', 'No relay is configured.');
  }

  return {
    ...{ name, kind: 'nostr' },
    send(message, signal) {
      const event = eventOf(message);
      return anyRelay((relay, each) => talk(relay, ['EVENT', event], (said) => okOf(said, event.id), each), signal);
    },
    probe: (signal) =>
      anyRelay(
        (relay, each) =>
          // Asking for nothing that exists: a relay that lives says that this is the end of what it has.
          talk(relay, ['REQ', 'probe', { ids: ['0'.repeat(64)], limit: 1 }], probeOf, each),
        signal,
      ),
    replies: (cursor, signal) => inbox.read(cursor, signal),
    async close() {
      inbox.close();
      closing.abort();
      await agent.destroy();
    },
  };
}

const OTHERS_MS = 10_000;

/** `["OK", id, taken, words]` (NIP-01); the word before the colon says why not. */
function okOf(said: readonly unknown[], id: string): Delivery | undefined {
  if (said[0] !== 'OK' || said[1] !== id) return undefined;
  const why = String(said[3] ?? '').split(':')[0];
  if (said[2] === true || why === 'duplicate') return delivered(id);
  switch (why) {
    case 'rate-limited':
      return later('busy', 'The relay asks for less.');
    case 'auth-required':
    case 'blocked':
    case 'restricted':
      return broken('denied', 'The relay does not take messages from us.');
    case 'invalid':
    case 'pow':
      return notTaken('not_taken', 'The relay will not take this message.');
    default:
      return later('service_error', 'The relay did not take the message.');
  }
}

function probeOf([kind]: readonly unknown[]): Delivery | undefined {
  if (kind === 'EOSE') return delivered();
  return kind === 'CLOSED' ? broken('denied', 'The relay does not answer us.') : undefined;
}

function listOf(data: unknown): readonly unknown[] {
  try {
    const value = JSON.parse(String(data)) as unknown;
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** NIP-19. */
function keyOf(text: string, prefix: 'nsec' | 'npub'): Uint8Array {
  const hex = /^[0-9a-f]{64}$/i.test(text) ? fromHex(text) : undefined;
  if (hex) return hex;
  try {
    const decoded = bech32.decodeToBytes(text);
    if (decoded.prefix === prefix && decoded.bytes.length === 32) return decoded.bytes;
  } catch {
    // What is wrong with it stays untold: it may be a secret with one letter missing.
  }
  throw new CodedError(
    'nostr_key_malformed',
    `A nostr key cannot be read: ${prefix}1… or 64 hex digits are expected.`,
    {
      remedy: 'Give nsec1… for the key of the monitor and npub1… for the reader.',
    },
  );
}
