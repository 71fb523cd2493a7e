import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLineChannel, readLines } from './line-channel.ts';

describe('the control channel', () => {
  it('reads one JSON object a line, however the stream is cut, and sets noise apart', async () => {
    const stream = new PassThrough();
    const messages: unknown[] = [];
    const noise: string[] = [];
    const channel = createLineChannel(
      stream,
      (message) => void messages.push(message),
      (line) => void noise.push(line),
    );
    channel.send({ event: 'ready' });
    for (const byte of '{"event":"ü"}\nnot json\n[1]\nnull\n{"a":1}\n') stream.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
    expect(messages).toEqual([{ event: 'ready' }, { event: 'ü' }, { a: 1 }]);
    expect(noise).toEqual(['not json', '[1]', 'null']);
  });

  it('does not gather an endless line', async () => {
    const stream = new PassThrough();
    const lines: number[] = [];
    readLines(stream, (line) => void lines.push(line.length));
    stream.write('x'.repeat(200_000));
    stream.end('y\nz');
    await new Promise((resolve) => stream.on('close', resolve));
    expect(lines).toEqual([65536, 65536, 65536, 200_001 - 3 * 65536, 1]);
  });
});
