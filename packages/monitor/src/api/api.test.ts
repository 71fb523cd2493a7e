import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectApi } from './client.ts';
import { linesOf } from './lines.ts';
import { serveApi, type ApiServer, type Methods } from './server.ts';

let dir: string;
let path: string;
let server: ApiServer | undefined;
const troubles: unknown[] = [];
const methods: Methods = {
  double: {
    params: z.strictObject({ n: z.int().max(1_000) }),
    call: ({ n }: { n: number }) => Promise.resolve({ twice: 2 * n }),
  },
  refuse: {
    params: z.strictObject({}),
    call: () => Promise.reject(new CodedError('monitor_locked', 'It is locked.', { remedy: 'Unlock it.' })),
  },
  any: { params: z.strictObject({ any: z.json() }), call: () => Promise.resolve(true) },
  break: { params: z.strictObject({}), call: () => Promise.reject(new Error('a secret')) },
  count: {
    params: z.strictObject({ to: z.int() }),
    call: () => Promise.resolve(null),
    async *stream({ to }: { to: number }, signal: AbortSignal) {
      for (let i = 1; i <= to && !signal.aborted; i++) {
        yield i;
        await Promise.resolve();
      }
    },
  },
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keepwatch-api-'));
  path = join(dir, 'monitor.sock');
  server = await serveApi(
    path,
    () => methods,
    (error) => troubles.push(error),
  );
});
afterEach(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** What the server says to a line that no client of ours would write. */
async function raw(...lines: readonly string[]): Promise<unknown[]> {
  const socket = connect(path);
  for (const line of lines) socket.write(`${line}\n`);
  const replies: unknown[] = [];
  for await (const line of linesOf(socket)) {
    replies.push(JSON.parse(line));
    if (replies.length === lines.length) break;
  }
  socket.destroy();
  return replies;
}

describe('the socket of a monitor', () => {
  it('is for its own user alone, and answers', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const client = (await connectApi(path))!;
    expect(await Promise.all([client.call('double', { n: 4 }), client.call('double', { n: 5 })])).toEqual([
      { twice: 8 },
      { twice: 10 },
    ]);
    await expect(client.call('refuse')).rejects.toMatchObject({ code: 'monitor_locked', remedy: 'Unlock it.' });
    const refused = (remedy: string) => ({
      code: 'monitor_refused',
      remedy: expect.stringContaining(remedy) as string,
    });
    await expect(client.call('double', { n: 1, m: 2 })).rejects.toMatchObject(refused('different versions'));
    await expect(client.call('double', {})).rejects.toMatchObject(refused('different versions'));
    await expect(client.call('double', { n: 1_000_000 })).rejects.toMatchObject({
      ...refused('Correct what was given.'),
      message: expect.stringContaining('n: ') as string,
    });
    await expect(client.call('toString')).rejects.toMatchObject({ code: 'monitor_refused' });
    client.close();
  });

  it('answers what is nested beyond all measure, and goes on', async () => {
    const client = (await connectApi(path))!;
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const request = (id: number, params: string) =>
      `{"jsonrpc":"2.0","id":${id},"method":"any","params":{"any":${params}}}`;
    expect(await raw(request(1, deep), request(2, '1'))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 1, error: expect.objectContaining({ code: -32_603 }) as unknown }),
        { jsonrpc: '2.0', id: 2, result: true },
      ]),
    );
    client.close();
  });

  it('tells nobody why something unforeseen failed', async () => {
    const client = (await connectApi(path))!;
    await expect(client.call('break')).rejects.toThrow('Something unforeseen failed.');
    expect(troubles.at(-1)).toMatchObject({ message: 'a secret' });
    client.close();
  });

  it('gives subscriptions in order until they are left', async () => {
    const client = (await connectApi(path))!;
    const all: unknown[] = [];
    for await (const n of client.subscribe('count', { to: 1_000 }, new AbortController().signal)) all.push(n);
    expect(all).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
    const stop = new AbortController();
    for await (const n of client.subscribe('count', { to: 1e9 }, stop.signal)) if (n === 10) stop.abort();
    client.close();
  });

  it('says that the monitor has gone', async () => {
    const client = (await connectApi(path))!;
    const endless = client.subscribe('count', { to: 1e9 }, new AbortController().signal);
    await endless.next();
    await server!.close();
    await expect(
      (async () => {
        for await (const _ of endless);
      })(),
    ).rejects.toMatchObject({ code: 'monitor_gone' });
    expect(await connectApi(path)).toBeUndefined();
  });

  it('answers nonsense with an error, and goes on', async () => {
    const ask = (more: object) =>
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'double', params: { n: 1 }, ...more });
    const replies = await raw(
      '{',
      '[]',
      '7',
      ask({ extra: 1 }),
      ask({ id: null }),
      ask({ method: '__proto__' }),
      ask({}),
    );
    expect(replies).toMatchObject([
      { error: { code: -32_700 } },
      ...Array.from({ length: 4 }, () => ({ error: { code: -32_600 } })),
      { error: { code: -32_601 } },
      { result: { twice: 2 } },
    ]);
  });

  it('takes over the socket of a monitor that was killed, and no other file', async () => {
    const other = join(dir, 'other');
    writeFileSync(other, 'mine');
    await expect(
      serveApi(
        other,
        () => methods,
        () => undefined,
      ),
    ).rejects.toMatchObject({ code: 'monitor_socket_taken' });
  });

  it('says that the path of its socket is too long for the system', async () => {
    const serve = (where: string) =>
      serveApi(
        where,
        () => methods,
        () => undefined,
      );
    const long = join(dir, 'd'.repeat(108 - dir.length), 'monitor.sock');
    mkdirSync(dirname(long));
    await expect(serve(long)).rejects.toMatchObject({ code: 'monitor_directory_unusable' });
  });
});
