import type { AcknowledgeAnswer, Channel, GivenCode, LadderState } from '@keepwatch/notify';

/** Reads what people send back on channels that can be read, while something waits for an answer there. */
export interface ReplyReader {
  start(): void;
  stop(): Promise<void>;
}

export interface ReplyReaderDeps {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly ladder: () => LadderState;
  readonly answer: (given: GivenCode) => Promise<AcknowledgeAnswer>;
  readonly onTrouble: (error: unknown) => void;
}

const EVERY_MS = 5_000;
const TIMEOUT_MS = 30_000;
/** Strangers may write to a bot as much as they like. */
const MOST_READS = 50;
/** A message is a code where it is nothing else: words of a conversation, and what we sent ourselves, are none. */
const CODE = /^\s*([0-9A-Za-z]{4}[\s-]?[0-9A-Za-z]{4})\s*$/;

export function createReplyReader({ channels, ladder, answer, onTrouble }: ReplyReaderDeps): ReplyReader {
  const cursors = new Map<string, string>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;

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
    const limit = AbortSignal.any([stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    for (let reads = 0; reads < MOST_READS; reads++) {
      const cursor = cursors.get(name) ?? null;
      const found = await channel.replies!(cursor, limit);
      if (!found) return;
      for (const { text, by } of found.replies) {
        const code = CODE.exec(text)?.[1];
        if (code !== undefined) await answer({ code, by, way: 'reply', from: `reply ${name}` });
      }
      if (found.cursor === null || found.cursor === cursor) return;
      // Only now: what a kill cut off is read again, and then counts as answered already.
      cursors.set(name, found.cursor);
    }
  }

  return {
    start() {
      timer = setInterval(() => {
        reading ??= Promise.all(awaited().map(read))
          .then(() => undefined, onTrouble)
          .finally(() => (reading = undefined));
      }, EVERY_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await reading;
    },
  };
}
