import type { Channel } from '../channel.ts';
import type { AcknowledgeAnswer, GivenCode } from './acknowledge.ts';
import type { LadderState } from './state.ts';

/** Reads what people send back on channels that can be read, while something waits for an answer there. */
export interface ReplyReader {
  start(): void;
  stop(): Promise<void>;
}

export interface ReplyReaderDeps {
  /** By name. One whose settings changed is another one. */
  readonly channels: ReadonlyMap<string, Channel>;
  ladder(): LadderState;
  answer(given: GivenCode): Promise<AcknowledgeAnswer>;
  /** Behind what was read of a channel before this process began, as it was kept. */
  kept(channel: string): string | null;
  /** Resolves once it is durable. */
  keep(channel: string, cursor: string | null): Promise<void>;
  onTrouble(error: unknown): void;
}

export interface ReplyReaderOptions {
  readonly everyMs: number;
  /** How long one channel may take; the others do not wait for it. */
  readonly timeoutMs: number;
}

const DEFAULTS: ReplyReaderOptions = { everyMs: 5_000, timeoutMs: 30_000 };
/** Strangers may write to a bot as much as they like. */
const MOST_READS = 50;
/** A message is a code where it is nothing else: words of a conversation, and what we sent ourselves, are none. */
const CODE = /^\s*([0-9A-Za-z]{4}[\s-]?[0-9A-Za-z]{4})\s*$/;

export function createReplyReader(deps: ReplyReaderDeps, options: ReplyReaderOptions = DEFAULTS): ReplyReader {
  const { channels, ladder, onTrouble } = deps;
  const cursors = new WeakMap<Channel, string | null>();
  const stopping = new AbortController();
  const reading = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  function awaited(): readonly Channel[] {
    const names = new Set(
      [...ladder().escalations.values()].flatMap(({ over, codes }) => {
        return over?.how === 'acknowledged' ? [] : codes.map(({ channel }) => channel);
      }),
    );
    return [...names].flatMap((name) => {
      const channel = channels.get(name);
      return channel?.replies ? [channel] : [];
    });
  }

  async function read(channel: Channel): Promise<void> {
    const { name } = channel;
    const limit = AbortSignal.any([stopping.signal, AbortSignal.timeout(options.timeoutMs)]);
    for (let reads = 0; reads < MOST_READS; reads++) {
      const cursor = cursors.get(channel) ?? deps.kept(name);
      const found = await channel.replies!(cursor, limit);
      if (!found) return;
      let counted = false;
      for (const { text, by } of found.replies) {
        const code = CODE.exec(text)?.[1];
        if (code === undefined) continue;
        const answer = await deps.answer({ code, by, way: 'reply', from: `reply ${name}` });
        counted ||= answer === 'acknowledged' || answer === 'unknown';
      }
      // Only now: what a kill cut off is read again, and then counts as answered already. What changed nothing is read again
      // without harm, so that nobody makes us write by sending much.
      const isSame = channels.get(name) === channel;
      if (isSame && (counted || (found.cursor === null && cursor !== null))) await deps.keep(name, found.cursor);
      cursors.set(channel, found.cursor);
      if (!found.more) return;
    }
  }

  return {
    start() {
      timer = setInterval(() => {
        for (const channel of awaited()) {
          const { name } = channel;
          if (reading.has(name)) continue;
          const done = read(channel)
            .catch(onTrouble)
            .finally(() => reading.delete(name));
          reading.set(name, done);
        }
      }, options.everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await Promise.all(reading.values());
    },
  };
}
