import type { Readable, Writable } from 'node:stream';

/**
 * The control channel between supervisor and keep: one JSON object a line, both ways. A line that is none, or is longer
 * than `MAX_LINE`, is handed to `onNoise` (shortened) and nothing more.
 */
export interface LineChannel {
  send(message: Readonly<Record<string, unknown>>): void;
}

const MAX_LINE = 64 * 1024;

export function createLineChannel(
  stream: Readable & Writable,
  onMessage: (message: Record<string, unknown>) => void,
  onNoise: (line: string) => void,
): LineChannel {
  readLines(stream, (line) => {
    const message = parseObject(line);
    if (message) onMessage(message);
    else onNoise(line.slice(0, 200));
  });
  // The other process may be gone already: its exit is reported by other means.
  stream.on('error', () => undefined);
  return {
    send(message) {
      if (stream.writable) stream.write(`${JSON.stringify(message)}\n`);
    },
  };
}

/** Each line of a stream; what exceeds `MAX_LINE` is cut into pieces of that size, so that no output fills the memory. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    rest += chunk;
    let from = 0;
    for (;;) {
      const end = rest.indexOf('\n', from);
      if (end < 0 && rest.length - from < MAX_LINE) break;
      const to = end < 0 || end - from > MAX_LINE ? from + MAX_LINE : end;
      if (to > from) onLine(rest.slice(from, to));
      from = to === end ? to + 1 : to;
    }
    rest = rest.slice(from);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Not JSON: noise.
  }
  return undefined;
}
