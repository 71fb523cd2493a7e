import { utf8 } from '@keepwatch/base';

/** Messages between who hears them and who reads them one by one, no more than so many bytes. */
export interface TextQueue {
  readonly texts: AsyncIterable<string>;
  /** Aborts when it is closed. */
  readonly signal: AbortSignal;
  /** False: there is no room, and nothing was taken. */
  push(text: string): boolean;
  close(): void;
}

export function createTextQueue(maxBytes: number): TextQueue {
  const stop = new AbortController();
  const held: { readonly text: string; readonly bytes: number }[] = [];
  let bytes = 0;
  let wake = () => {};
  return {
    signal: stop.signal,
    push(text) {
      const length = utf8(text).length;
      if (bytes + length > maxBytes && held.length > 0) return false;
      bytes += length;
      held.push({ text, bytes: length });
      wake();
      return true;
    },
    close() {
      stop.abort();
      wake();
    },
    texts: {
      async *[Symbol.asyncIterator]() {
        while (!stop.signal.aborted) {
          const next = held.shift();
          if (next) {
            bytes -= next.bytes;
            yield next.text;
          } else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    },
  };
}
