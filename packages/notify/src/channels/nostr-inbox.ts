import { schnorr } from '@noble/curves/secp256k1.js';
import { parseJsonBytes, toHex, utf8, type Entropy } from '@keepwatch/base';
import { WebSocket, type Dispatcher } from 'undici';
import { z } from 'zod';
import type { Replies } from '../channel.ts';
import { signed, unwrap } from './gift-wrap.ts';
import { isRecent } from './http-channel.ts';

/** What its reader sends back to the monitor (NIP-17), read at the relays where the monitor writes. */
export interface NostrInbox {
  /** As `Channel.replies`. Connections are kept from one question to the next, and closed some time after the last. */
  read(cursor: string | null, signal: AbortSignal): Promise<Replies | undefined>;
  close(): void;
}

export interface NostrInboxOptions {
  readonly relays: readonly string[];
  readonly secretKey: Uint8Array;
  /** The only one whose messages count, in hex. */
  readonly author: string;
  readonly dispatcher: Dispatcher;
  readonly nowMs: () => number;
  readonly entropy: Entropy;
}

/** A connection to one relay, with its subscription. */
interface Line {
  readonly socket: WebSocket;
  /** All that it had of before was shown. */
  isReady: boolean;
  /** When it was asked last, by a clock that nobody sets. */
  askedAtMs: number;
  subscribe(): void;
}

/** Wraps carry a time of up to two days ago (NIP-59), and clocks differ. */
const BACK_SECONDS = 3 * 86_400;
const AT_FIRST = 500;
/** Opening a wrap takes about a millisecond, and anybody can send them: so many wait, and so many are opened at a time. */
const MOST_WAITING = 1_000;
const AT_ONCE = 100;
const MOST_KNOWN = 4_096;
const IDLE_MS = 60_000;
/** A relay that shows nothing for so long is left and asked anew; one that is well is asked again, for it may be gone unheard. */
const SILENT_MS = 20_000;
const ASK_AGAIN_MS = 120_000;
const MOST_CHARACTERS = 200_000;
const SUBSCRIPTION = 'answers';

export function createNostrInbox(options: NostrInboxOptions): NostrInbox {
  const { relays, secretKey, author, dispatcher, nowMs, entropy } = options;
  const us = toHex(schnorr.getPublicKey(secretKey));
  const lines = new Map<string, Line>();
  /** Wraps that wait to be opened, by their ids: several relays show the same. */
  const waiting = new Map<string, unknown>();
  const known = new Set<string>();
  const announced = new Set<string>();
  const watchers = new Set<() => void>();
  let idle: NodeJS.Timeout | undefined;

  const own = (kind: number, tags: string[][]) =>
    signed({ created_at: Math.floor(nowMs() / 1_000), kind, tags, content: '' }, secretKey, entropy);
  const changed = () => {
    for (const each of [...watchers]) each();
  };

  function open(relay: string): void {
    const socket = new WebSocket(relay, { dispatcher });
    const say = (...words: unknown[]) => socket.send(JSON.stringify(words));
    const line: Line = {
      ...{ socket, isReady: false, askedAtMs: performance.now() },
      subscribe() {
        line.isReady = false;
        line.askedAtMs = performance.now();
        const since = Math.floor(nowMs() / 1_000) - BACK_SECONDS;
        say('REQ', SUBSCRIPTION, { kinds: [1_059], '#p': [us], since, limit: AT_FIRST });
      },
    };
    lines.set(relay, line);
    const drop = () => {
      if (lines.get(relay) === line) lines.delete(relay);
      changed();
    };
    socket.addEventListener('open', () => {
      // Where the monitor reads: clients write to nobody of whom they do not know this (NIP-17, kind 10050).
      if (!announced.has(relay)) {
        say(
          'EVENT',
          own(
            10_050,
            relays.map((each) => ['relay', each]),
          ),
        );
        announced.add(relay);
      }
      line.subscribe();
    });
    socket.addEventListener('message', ({ data }) => {
      const said = parseJsonBytes(utf8(String(data).slice(0, MOST_CHARACTERS)));
      if (!Array.isArray(said)) return;
      const [kind, given, more] = said as unknown[];
      switch (kind) {
        case 'EVENT':
          if (given === SUBSCRIPTION) take(more);
          return;
        case 'EOSE':
          if (given !== SUBSCRIPTION) return;
          line.isReady = true;
          changed();
          return;
        case 'CLOSED':
          // Who we are is asked for besides; everything else is for another time.
          if (given !== SUBSCRIPTION || /^auth-required/.test(String(more))) return;
          socket.close();
          drop();
          return;
        case 'AUTH':
          // NIP-42: a relay that shows private messages to their readers alone asks who we are.
          if (typeof given !== 'string' || given.length > 1_000) return;
          say(
            'AUTH',
            own(22_242, [
              ['relay', relay],
              ['challenge', given],
            ]),
          );
          line.subscribe();
          return;
        default:
      }
    });
    socket.addEventListener('error', drop);
    socket.addEventListener('close', drop);
  }

  function tend(relay: string): void {
    const line = lines.get(relay);
    const sinceMs = line ? performance.now() - line.askedAtMs : 0;
    if (line?.isReady && sinceMs > ASK_AGAIN_MS) line.subscribe();
    if (line && !line.isReady && sinceMs > SILENT_MS) {
      lines.delete(relay);
      line.socket.close();
    }
    if (!lines.has(relay)) open(relay);
  }

  function take(event: unknown): void {
    const read = NAMED.safeParse(event);
    if (!read.success || known.has(read.data.id) || waiting.size >= MOST_WAITING) return;
    waiting.set(read.data.id, event);
  }

  function close(): void {
    clearTimeout(idle);
    for (const { socket } of lines.values()) socket.close();
    lines.clear();
  }

  /** Resolves once a relay has shown what it has, or none will. */
  async function shown(signal: AbortSignal): Promise<boolean> {
    const isReady = () => [...lines.values()].some((line) => line.isReady);
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!isReady() && lines.size > 0 && !signal.aborted) return;
        watchers.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      watchers.add(look);
      signal.addEventListener('abort', look);
      look();
    });
    return isReady();
  }

  return {
    async read(cursor, signal) {
      clearTimeout(idle);
      idle = setTimeout(close, IDLE_MS);
      idle.unref();
      for (const relay of relays) tend(relay);
      if (!(await shown(signal))) return undefined;
      const seen = new Map(seenOf(cursor).filter(([, seconds]) => isRecent(seconds * 1_000, nowMs())));
      const replies: { text: string; by: null }[] = [];
      for (const [id, event] of [...waiting].slice(0, AT_ONCE)) {
        waiting.delete(id);
        known.add(id);
        const rumor = unwrap(event, secretKey, author);
        // A relay, or whoever kept an old message, can show it again at any time.
        if (!rumor || !isRecent(rumor.createdAt * 1_000, nowMs()) || seen.has(rumor.id.slice(0, 16))) continue;
        seen.set(rumor.id.slice(0, 16), rumor.createdAt);
        replies.push({ text: rumor.text, by: null });
      }
      for (const oldest of known) if (known.size > MOST_KNOWN) known.delete(oldest);
      return { replies, cursor: JSON.stringify([...seen].slice(-MOST_SEEN)), more: false };
    },
    close,
  };
}

const NAMED = z.looseObject({ id: z.string().regex(/^[0-9a-f]{64}$/) });

/** The cursor: what the reader said within the last days, and when (seconds). Nobody else can make it longer. */
const SEEN = z.array(z.tuple([z.string().length(16), z.int()])).max(1_000);
const MOST_SEEN = 256;

function seenOf(cursor: string | null): [string, number][] {
  const read = SEEN.safeParse(cursor === null ? [] : parseJsonBytes(utf8(cursor)));
  return read.success ? read.data : [];
}
