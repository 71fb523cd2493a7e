import { channelContract, startHttpService, type HttpCall } from '@keepwatch/testkit';
import { describe, expect, it } from 'vitest';
import type { Channel } from '../channel.ts';
import { sampleMessage } from '../message.fixture.ts';
import type { Route } from '../net/dial.ts';
import { fitted } from './http-channel.ts';
import { createMatrix } from './matrix.ts';
import { createNtfy } from './ntfy.ts';
import { createSignal } from './signal.ts';
import { createSms, type SmsOptions } from './sms.ts';
import { createTelegram } from './telegram.ts';

const json = ({ body }: HttpCall) => JSON.parse(body) as Record<string, unknown>;
const TOKEN = 'tk_secret_of_the_channel';

/** How each service is spoken to, by its documentation: what is a message, what its reader sees, and a right probe. */
interface Spoken {
  readonly make: (url: string, route: Route) => Channel;
  readonly isMessage: (call: HttpCall) => boolean;
  readonly text: (call: HttpCall) => string;
  readonly allowed: (call: HttpCall) => boolean;
}

const SERVICES: Readonly<Record<string, Spoken>> = {
  ntfy: {
    make: (url, route) => createNtfy({ name: 'ntfy', url, topic: 'topic_nobody_guesses', token: TOKEN, route }),
    isMessage: ({ method, path }) => method === 'POST' && path === '/',
    text: (call) =>
      json(call)['topic'] === 'topic_nobody_guesses' ? `${json(call)['title']}\n${json(call)['message']}` : '',
    allowed: ({ path, headers }) =>
      (path === '/' || path === '/topic_nobody_guesses/auth') && headers.authorization === `Bearer ${TOKEN}`,
  },
  telegram: {
    make: (url, route) => createTelegram({ name: 'telegram', url, token: TOKEN, chatId: '-100123', route }),
    isMessage: ({ path }) => path.endsWith('/sendMessage'),
    text: (call) => (json(call)['chat_id'] === '-100123' ? String(json(call)['text']) : ''),
    allowed: ({ method, path }) =>
      method === 'POST' && [`/bot${TOKEN}/sendMessage`, `/bot${TOKEN}/getChat`].includes(path),
  },
  matrix: {
    make: (homeserver, route) =>
      createMatrix({ name: 'matrix', homeserver, accessToken: TOKEN, roomId: '!room:channel.test', route }),
    isMessage: ({ method }) => method === 'PUT',
    text: (call) => String(json(call)['body']),
    allowed: ({ path, headers }) =>
      /^\/_matrix\/client\/v3\/rooms\/!room%3Achannel\.test\/(joined_members$|send\/m\.room\.message\/contract-matrix-\d+$)/.test(
        path,
      ) && headers.authorization === `Bearer ${TOKEN}`,
  },
  signal: {
    make: (url, route) => createSignal({ name: 'signal', url, from: '+15550100', to: '+15550199', route }),
    isMessage: ({ method }) => method === 'POST',
    text: (call) => String(json(call)['message']),
    allowed: ({ path }) => path === '/v2/send' || path === '/v1/health',
  },
  sms: {
    make: (url, route) =>
      createSms({
        ...{ name: 'sms', to: '+15550199', method: 'POST', url: `${url}/send`, route, most: 400 },
        ...{
          headers: { 'x-key': TOKEN },
          body: '{"to":"{to}","text":"{text}"}',
          bodyType: 'json',
          probeUrl: `${url}/balance`,
        },
      }),
    isMessage: ({ method }) => method === 'POST',
    // It has room for the subject only.
    text: (call) => String(json(call)['text']).replace(/Subject (key \d+)/, 'Body of $1: 0.00012345 BTC €'),
    allowed: ({ path, headers }) => (path === '/send' || path === '/balance') && headers['x-key'] === TOKEN,
  },
};

for (const [name, { make, isMessage, text, allowed }] of Object.entries(SERVICES)) {
  channelContract(name, async () => {
    const service = await startHttpService((call) => ({ status: allowed(call) ? 200 : 403 }));
    const taken = () => service.calls.filter((call) => isMessage(call) && allowed(call)).map(text);
    const channel = make(service.url, { proxy: null, ca: service.ca });
    return { channel, service, taken, secrets: [TOKEN, 'topic_nobody_guesses', '+15550199'] };
  });
}

async function answered(status: number, body: string, make: Spoken['make']) {
  const service = await startHttpService(() => ({ status, body }));
  const channel = make(service.url, { proxy: null, ca: service.ca });
  const delivery = await channel.send(sampleMessage(), AbortSignal.timeout(60_000));
  await channel.close();
  await service.stop();
  return { delivery, call: service.calls[0]! };
}

describe('what services answer', () => {
  it.each([
    ['telegram', 429, '{"ok":false,"parameters":{"retry_after":35}}', { kind: 'later', retryAfterMs: 35_000 }],
    [
      'telegram',
      400,
      '{"ok":false,"description":"Bad Request: chat not found"}',
      { kind: 'broken', code: 'chat_unknown' },
    ],
    ['telegram', 400, '{"ok":false,"description":"Bad Request: message is too long"}', { kind: 'refused' }],
    ['telegram', 403, '{"ok":false,"description":"Forbidden: bot was blocked by the user"}', { kind: 'broken' }],
    ['telegram', 401, 'no json', { kind: 'broken', code: 'denied' }],
    ['matrix', 429, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}', { kind: 'later', retryAfterMs: 2_000 }],
    ['matrix', 401, '{"errcode":"M_UNKNOWN_TOKEN"}', { kind: 'broken', code: 'denied' }],
    ['matrix', 404, '{"errcode":"M_NOT_FOUND"}', { kind: 'broken', code: 'chat_unknown' }],
    ['ntfy', 403, '', { kind: 'broken', code: 'denied' }],
    ['ntfy', 413, '', { kind: 'refused' }],
    ['signal', 400, '{"error":"unregistered user"}', { kind: 'refused' }],
  ])('%s %i %s', async (name, status, body, expected) => {
    expect((await answered(status, body, SERVICES[name]!.make)).delivery).toMatchObject(expected);
  });
});

describe('an SMS template', () => {
  const base: SmsOptions = {
    ...{ name: 'sms', to: '+15550199', headers: {}, probeUrl: null, bodyType: 'json', method: 'POST' },
    ...{ url: 'https://gateway.example/send', body: '{"text":"{text}"}' },
  };
  const evil = sampleMessage({ subject: '","to":"+1666","x":"&to=+1666\r\n{to}' });

  it.each([
    ['json', '{"to":"{to}","text":"{text}"}', (body: string) => (JSON.parse(body) as { to: string }).to],
    ['form', 'to={to}&text={text}', (body: string) => new URLSearchParams(body).getAll('to').join()],
  ] as const)('escapes what is put into a body of %s', async (bodyType, body, toOf) => {
    const service = await startHttpService(() => ({ status: 200 }));
    const channel = createSms({ ...base, url: service.url, body, bodyType, route: { proxy: null, ca: service.ca } });
    await channel.send(evil, AbortSignal.timeout(60_000));
    expect(toOf(service.calls[0]!.body)).toBe('+15550199');
    await channel.close();
    await service.stop();
  });

  it('escapes what is put into the address, and keeps code and number within the length', async () => {
    const service = await startHttpService(() => ({ status: 200 }));
    const url = `${service.url}/send?to={to}&text={text}`;
    const channel = createSms({ ...base, method: 'GET', url, body: null, route: { proxy: null, ca: service.ca } });
    const acknowledgement = { code: 'ABCD1234', url: null };
    await channel.send(
      { ...evil, subject: `${evil.subject}${'long '.repeat(99)}`, acknowledgement },
      AbortSignal.timeout(60_000),
    );
    const query = new URL(service.calls[0]!.path, service.url).searchParams;
    expect(query.getAll('to')).toEqual(['+15550199']);
    expect(query.get('text')).toMatch(/ Code ABCD1234\. Message 1\.$/);
    expect(query.get('text')!.length).toBeLessThanOrEqual(160);
    await channel.close();
    await service.stop();
  });

  it('has the link as well where there is room for it, and the whole subject', async () => {
    const service = await startHttpService(() => ({ status: 200 }));
    const acknowledgement = { code: 'ABCD1234', url: `https://watch.example/a/${'t'.repeat(32)}` };
    const channel = createSms({ ...base, url: service.url, route: { proxy: null, ca: service.ca } });
    for (const subject of ['Keepwatch: something happened', 'x'.repeat(120)]) {
      await channel.send(sampleMessage({ subject, acknowledgement }), AbortSignal.timeout(60_000));
    }
    const [short, long] = service.calls.map((call) => String(json(call)['text']));
    expect(short).toBe(`Keepwatch: something happened. Code ABCD1234. Message 1. Or open ${acknowledgement.url}`);
    expect(long).toBe(`${'x'.repeat(120)}. Code ABCD1234. Message 1.`);
    await channel.close();
    await service.stop();
  });

  it('is in the GSM alphabet where the words allow it, and cut in the middle', async () => {
    const service = await startHttpService(() => ({ status: 200 }));
    const channel = createSms({ ...base, url: service.url, route: { proxy: null, ca: service.ca } });
    const texts = ['The vault’s “Safe” – 0x12…34', `Begin ${'long '.repeat(60)}end`];
    for (const subject of texts) await channel.send(sampleMessage({ subject }), AbortSignal.timeout(60_000));
    const [short, long] = service.calls.map((call) => String(json(call)['text']));
    expect(short).toBe(`The vault's "Safe" - 0x12...34. Message 1.`);
    expect(long).toMatch(/^Begin long [a-z ]+ \.\.\. [a-z ]+ end\. Message 1\.$/);
    expect(long!.length).toBeLessThanOrEqual(160);
    await channel.close();
    await service.stop();
  });

  it.each([
    [{ body: '{"text":"hello"}' }],
    [{ url: 'https://{to}.example/send' }],
    [{ url: 'file:///etc/passwd' }],
    [{ body: '{"text":{text}' }],
    [{ to: '+1555&to=666' }],
  ])('is refused with %j', (over) => {
    expect(() => createSms({ ...base, ...over })).toThrow(
      expect.objectContaining({ code: 'sms_template_malformed' }) as Error,
    );
  });
});

describe('a text that is too long', () => {
  it('is cut in its middle, between characters', () => {
    const text = `${'🚀'.repeat(3_000)}\n\nMessage 7; the one before was 6.`;
    const short = fitted(text, 1_000);
    expect(short.length).toBeLessThanOrEqual(1_000);
    expect(short).toMatch(/^🚀+\n\[…\]\n🚀+\n\nMessage 7; the one before was 6\.$/u);
  });
});

describe('what a service took', () => {
  it.each(['ntfy', 'matrix'])('is looked for at %s, and missed where it is not', async (name) => {
    const member = name === 'ntfy' ? 'id' : 'event_id';
    let kept: string | null = null;
    const service = await startHttpService(({ method, path }) => {
      if (method !== 'GET') return { status: 200, body: JSON.stringify({ [member]: (kept = '$abc1') }) };
      const asks = kept !== null && path.includes(encodeURIComponent(kept));
      return asks ? { status: 200, body: JSON.stringify({ [member]: kept }) } : { status: 404 };
    });
    const channel = SERVICES[name]!.make(service.url, { proxy: null, ca: service.ca });
    const signal = AbortSignal.timeout(60_000);
    const sent = await channel.send(sampleMessage(), signal);
    expect(sent).toEqual({ kind: 'delivered', reference: '$abc1' });
    expect(await channel.readBack!('$abc1', signal)).toMatchObject({ kind: 'delivered' });
    kept = null;
    expect(await channel.readBack!('$abc1', signal)).toMatchObject({ kind: 'refused', code: 'not_there' });
    await service.fail('error');
    expect(await channel.readBack!('$abc1', signal)).toMatchObject({ kind: 'later' });
    expect(await channel.readBack!(null, signal)).toMatchObject({ kind: 'later', code: 'not_looked_for' });
    await channel.close();
    await service.stop();
  });
});

describe('what people send back', () => {
  it('is read at telegram from the chat alone, and nothing of it twice', async () => {
    const message = (id: number, chat: number, text: string) => ({
      ...{ update_id: id, message: { chat: { id: chat }, from: { id: 7, first_name: 'Ada' }, text } },
    });
    const long = `{"ok":true,"result":[{"update_id":4,"message":{"text":"${'x'.repeat(70_000)}`;
    const updates = [
      message(1, -100123, 'ABCD 1234'),
      message(2, 7, 'EFGH 5678'),
      { update_id: 3 },
      long,
      message(5, -100123, 'no'),
    ];
    const service = await startHttpService((call) => {
      const offset = Number(json(call)['offset'] ?? 0);
      const next = updates[Math.max(0, offset - 1)];
      const body = typeof next === 'string' ? next : JSON.stringify({ ok: true, result: next ? [next] : [] });
      return { status: call.path.endsWith('/getUpdates') ? 200 : 404, body };
    });
    const channel = SERVICES['telegram']!.make(service.url, { proxy: null, ca: service.ca });
    const found: unknown[] = [];
    let cursor: string | null = null;
    for (let i = 0; i < 7; i++) {
      const read = await channel.replies!(cursor, AbortSignal.timeout(60_000));
      found.push(...read!.replies);
      cursor = read!.cursor;
    }
    expect(found).toEqual([
      { text: 'ABCD 1234', by: 'Ada' },
      { text: 'no', by: 'Ada' },
    ]);
    expect(cursor).toBe('6');
    await service.fail('error');
    expect(await channel.replies!(cursor, AbortSignal.timeout(60_000))).toBe(undefined);
    await channel.close();
    await service.stop();
  });

  it('is read at ntfy from behind the last one, whatever else stands in the topic', async () => {
    const line = (id: string, text: string) => JSON.stringify({ id, event: 'message', message: text });
    const service = await startHttpService(({ path }) => {
      const since = new URL(path, 'https://x.test').searchParams.get('since');
      const lines =
        since === '10m' ? ['{"event":"open","id":"o"}', 'nonsense', line('a', 'ABCD1234'), line('b', 'hi')] : [];
      return { status: 200, body: lines.join('\n') };
    });
    const channel = SERVICES['ntfy']!.make(service.url, { proxy: null, ca: service.ca });
    const first = await channel.replies!(null, AbortSignal.timeout(60_000));
    expect(first).toEqual({
      replies: [
        { text: 'ABCD1234', by: null },
        { text: 'hi', by: null },
      ],
      ...{ cursor: 'b', more: false },
    });
    expect(await channel.replies!('b', AbortSignal.timeout(60_000))).toEqual({ replies: [], cursor: 'b', more: false });
    await channel.close();
    await service.stop();
  });
});
