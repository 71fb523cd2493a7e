import {
  replyContract,
  startHttpService,
  startMatrixHomeserver,
  startNostrRelay,
  startNtfyServer,
  startSignalRest,
  startTelegramBots,
} from '@keepwatch/testkit';
import { generateSecretKey, getPublicKey, type Event } from 'nostr-tools';
import { wrapEvent } from 'nostr-tools/nip17';
import { describe, expect, it } from 'vitest';
import type { Channel, Replies } from '../channel.ts';
import { createMatrix } from './matrix.ts';
import { createNostr } from './nostr.ts';
import { createNtfy } from './ntfy.ts';
import { createSignal } from './signal.ts';
import { createTelegram } from './telegram.ts';

const TOKEN = 'tk_secret_of_the_channel';

replyContract('matrix', async () => {
  const roomId = '!room:channel.test';
  const service = await startMatrixHomeserver({ accessToken: TOKEN, user: '@keepwatch:channel.test', roomId });
  const route = { proxy: null, ca: service.ca };
  return {
    open: () =>
      createMatrix({
        ...{ name: 'chat', homeserver: service.url, accessToken: TOKEN, roomId, route },
        answersBy: ['@ada:channel.test', '@bo:channel.test'],
      }),
    say: (who, text) => service.say(who === 'owner' ? '@ada:channel.test' : '@mallory:channel.test', text),
    ...{ service, knowsPeople: true },
  };
});

replyContract('telegram', async () => {
  const service = await startTelegramBots({ token: TOKEN, chatId: '7' });
  const route = { proxy: null, ca: service.ca };
  return {
    open: () => createTelegram({ name: 'chat', url: service.url, token: TOKEN, chatId: '7', route }),
    say: (who, text) =>
      service.say({ chat: who === 'owner' ? 7 : 8, user: who === 'owner' ? 7 : 8, name: 'Ada' }, text),
    ...{ service, knowsPeople: true },
  };
});

replyContract('ntfy', async () => {
  const topic = 'topic_nobody_guesses';
  const service = await startNtfyServer({ topic, token: TOKEN });
  const route = { proxy: null, ca: service.ca };
  return {
    open: () => createNtfy({ name: 'chat', url: service.url, topic, token: TOKEN, route }),
    say: (_, text) => service.say(text),
    ...{ service, knowsPeople: false },
  };
});

replyContract('signal', async () => {
  const service = await startSignalRest({ number: '+15550100' });
  const route = { proxy: null, ca: service.ca };
  const [ada, mallory] = [
    { number: '+15550199', uuid: 'a1f7c0de-0000-4000-8000-000000000001', name: 'Ada' },
    { number: '+15550666', uuid: 'a1f7c0de-0000-4000-8000-000000000002', name: 'Ada' },
  ];
  return {
    open: () => createSignal({ name: 'chat', url: service.url, from: '+15550100', to: '+15550199', route }),
    say: (who, text) => service.say(who === 'owner' ? ada : mallory, text),
    ...{ service, knowsPeople: true },
  };
});

for (const asksWho of [false, true]) {
  replyContract(`nostr${asksWho ? ' at a relay that asks who reads' : ''}`, async () => {
    const [monitor, ada, mallory] = [generateSecretKey(), generateSecretKey(), generateSecretKey()];
    const service = await startNostrRelay({ asksWho });
    const route = { proxy: null, ca: service.ca };
    const to = { publicKey: getPublicKey(monitor) };
    const hex = (key: Uint8Array) => Buffer.from(key).toString('hex');
    return {
      open: () =>
        createNostr({ name: 'chat', relays: [service.url], secretKey: hex(monitor), to: getPublicKey(ada), route }),
      // Another implementation writes what is read here.
      say: (who, text) => service.put(wrapEvent(who === 'owner' ? ada : mallory, to, text) as Event),
      ...{ service, knowsPeople: true },
    };
  });
}

const soon = () => AbortSignal.timeout(60_000);
const textsOf = async (channel: Channel, cursor: string | null) => {
  const found = await channel.replies!(cursor, soon());
  return found?.replies.map(({ text }) => text);
};
const DAY = 86_400_000;

describe('what is read in a room of matrix', () => {
  const roomId = '!room:channel.test';
  const open = async (answersBy = ['@ada:channel.test']) => {
    const server = await startMatrixHomeserver({ accessToken: TOKEN, user: '@keepwatch:channel.test', roomId });
    const route = { proxy: null, ca: server.ca };
    const channel = createMatrix({
      ...{ name: 'chat', homeserver: server.url, accessToken: TOKEN, roomId, route, answersBy },
    });
    return { server, channel, close: async () => (await channel.close(), await server.stop()) };
  };

  it('is what the owner wrote lately, without what it replies to, however much others write', async () => {
    const { server, channel, close } = await open();
    server.say('@ada:channel.test', 'ABCD1234');
    server.say('@ada:channel.test', '> <@keepwatch:channel.test> Something happened\n> look\n\nEFGH5678', {
      content: { 'm.relates_to': { 'm.in_reply_to': { event_id: '$event0' } } },
    });
    server.say('@ada:channel.test', '> a quote\n\nof her own', { content: { 'm.relates_to': {} } });
    server.say('@ada:channel.test', 'OLD00000', { atMs: Date.now() - 3 * DAY });
    server.say('@ada:channel.test', 'picture', { content: { msgtype: 'm.image' } });
    for (let i = 0; i < 500; i++) server.say('@mallory:channel.test', `SPAM${1_000 + i}`);
    const first = (await channel.replies!(null, soon()))!;
    expect(first.replies).toEqual(
      ['ABCD1234', 'EFGH5678', '> a quote\n\nof her own'].map((text) => ({ text, by: '@ada:channel.test' })),
    );
    expect(await textsOf(channel, first.cursor)).toEqual([]);
    server.say('@ada:channel.test', 'IJKL9012');
    expect(await textsOf(channel, first.cursor)).toEqual(['IJKL9012']);
    // A server that forgot its tokens is asked from the start.
    server.forget();
    expect(await channel.replies!(first.cursor, soon())).toEqual({ replies: [], cursor: null, more: true });
    expect(await textsOf(channel, null)).toContain('IJKL9012');
    await close();
  });

  it('is nothing where nobody may answer, nor from a server that answers nonsense', async () => {
    const { channel, close } = await open([]);
    expect(channel.replies).toBe(undefined);
    await close();
    const server = await startHttpService(() => ({ status: 200, body: answers.shift() ?? '' }));
    const event = {
      type: 'm.room.message',
      sender: '@mallory:x',
      origin_server_ts: Date.now(),
      content: { msgtype: 'm.text', body: 'ABCD1234' },
    };
    const room = (id: string, each: unknown) =>
      JSON.stringify({ next_batch: 's', rooms: { join: { [id]: { timeline: { events: [each] } } } } });
    const ours = { ...event, sender: '@ada:channel.test' };
    const answers = [
      '',
      '[]',
      '{}',
      '{"next_batch":7}',
      room(roomId, event),
      room('!other:x', ours),
      room(roomId, null),
      room(roomId, ours),
    ];
    const route = { proxy: null, ca: server.ca };
    const other = createMatrix({
      ...{ name: 'chat', homeserver: server.url, accessToken: TOKEN, roomId, route, answersBy: ['@ada:channel.test'] },
    });
    for (const expected of [undefined, undefined, undefined, undefined, [], [], [], ['ABCD1234']]) {
      expect(await textsOf(other, 's')).toEqual(expected);
    }
    await other.close();
    await server.stop();
  });
});

describe('what is read of signal', () => {
  const ada = { number: null, uuid: 'a1f7c0de-0000-4000-8000-000000000001' };
  const groupId = Buffer.alloc(32, 7).toString('base64');
  const group = `group.${Buffer.from(groupId).toString('base64')}`;

  it('is of a group what those wrote there who may answer, and nothing that was written elsewhere', async () => {
    const server = await startSignalRest({ number: '+15550100' });
    const route = { proxy: null, ca: server.ca };
    const options = { ...{ name: 'chat', url: server.url, from: '+15550100', to: group, route } };
    expect(createSignal(options).replies).toBe(undefined);
    const channel = createSignal({ ...options, answersBy: [ada.uuid] });
    server.say(ada, 'directly');
    server.say(ada, 'elsewhere', { groupId: Buffer.alloc(32, 8).toString('base64') });
    server.say(ada, 'long ago', { groupId, atMs: Date.now() - 3 * DAY });
    server.say({ number: '+15550666', uuid: 'b' }, 'by a stranger', { groupId });
    server.put({ envelope: { source: '+15550199', timestamp: Date.now(), receiptMessage: { isDelivery: true } } });
    for (const junk of [null, 7, 'text', {}, { envelope: null }, { envelope: { dataMessage: { message: 7 } } }]) {
      server.put(junk);
    }
    server.say(ada, 'there', { groupId });
    expect(await channel.replies!(null, soon())).toEqual({ replies: [], cursor: null, more: true });
    expect(await channel.replies!(null, soon())).toEqual({
      ...{ replies: [{ text: 'there', by: null }], cursor: null, more: true },
    });
    expect(await channel.replies!(null, soon())).toEqual({ replies: [], cursor: null, more: false });
    await channel.close();
    await server.stop();
  });
});

describe('what is read of a chat of telegram', () => {
  it('is of a group what those wrote who may answer, and stops at no update that is not understood', async () => {
    const server = await startTelegramBots({ token: TOKEN, chatId: '-100' });
    const route = { proxy: null, ca: server.ca };
    const channel = createTelegram({
      ...{ name: 'chat', url: server.url, token: TOKEN, chatId: '-100', route, answersBy: ['7'] },
    });
    server.put({ message: { chat: 'none' } });
    server.put({ message: { chat: { id: -100 }, text: 'by a channel' } });
    server.say({ chat: -100, user: 8, name: 'Ada' }, 'by a stranger');
    server.say({ chat: -100, user: 7, name: 'Ada' }, 'by Ada');
    const texts: string[] = [];
    let found: Replies = { replies: [], cursor: null, more: true };
    while (found.more) {
      found = (await channel.replies!(found.cursor, soon()))!;
      texts.push(...found.replies.map(({ text }) => text));
    }
    expect(texts).toEqual(['by Ada']);
    await channel.close();
    await server.stop();
  });
});
