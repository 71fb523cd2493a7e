import { Socket } from 'node:net';
import { createLinkDecoder, createLinkWriter } from '@keepwatch/protocol';

/** A process in keep's place: sends every frame back as it came, after `work`. */
export function answerFrames(work: () => void): void {
  const link = new Socket({ fd: 3, readable: true, writable: true });
  const control = new Socket({ fd: 4, readable: true, writable: true });
  const writer = createLinkWriter({
    write: (bytes) => void link.write(bytes),
    schedule: (flush) => void setImmediate(flush),
  });
  const decoder = createLinkDecoder();
  link.on('data', (chunk: Uint8Array) => {
    const pushed = decoder.push(chunk, ({ type, connection, payload }) => {
      if (type === 'open') writer.send('authenticated', connection);
      if (type !== 'data') return;
      work();
      writer.send('data', connection, payload.slice());
    });
    if (!pushed.ok) process.exit(1);
  });
  link.on('end', () => process.exit(0));
  control.on('data', (text) => {
    if (String(text).includes('"seal"')) control.write('{"event":"sealed"}\n');
  });
  control.on('end', () => process.exit(0));
  control.write('{"event":"ready"}\n');
}
