import { createLadderState, LADDER_DEFAULTS, type Channel, type GivenCode, type Replies } from '@keepwatch/notify';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createReplyReader, type ReplyReader } from './replies.ts';

let given: GivenCode[];
let asked: (string | null)[];
let pages: (Replies | undefined)[];
let reader: ReplyReader;
const state = createLadderState(LADDER_DEFAULTS);
const trouble: unknown[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  [given, asked, pages] = [[], [], []];
  const channel: Channel = {
    ...{ name: 'phone', kind: 'telegram', close: async () => undefined },
    send: () => Promise.reject(new Error('it sends nothing')),
    probe: () => Promise.reject(new Error('it asks nothing')),
    replies: async (cursor) => (asked.push(cursor), pages.length > 0 ? pages.shift() : { replies: [], cursor }),
  };
  reader = createReplyReader({
    ...{ channels: new Map([['phone', channel]]), ladder: () => state, onTrouble: (error) => trouble.push(error) },
    answer: async (code) => (given.push(code), 'acknowledged'),
  });
  reader.start();
});
afterEach(async () => {
  await reader.stop();
  state.escalations.clear();
  vi.useRealTimers();
  expect(trouble.splice(0)).toEqual([]);
});

function awaitOn(channel: string, isOver = false): void {
  const code = { hash: 'h', step: 0, who: 'Ada', channel, untilMs: 1 };
  state.escalations.set('f', {
    ...{ id: 'f', entry: 1, findings: ['f'], joined: 0, group: 'g', severity: 'critical', first: 0, step: 0 },
    ...{ ladder: { rungs: [], rounds: 1, pageUrl: null, codeMs: 1 }, sinceMs: 0, codes: [code], deliveries: [] },
    over: isOver ? { how: 'acknowledged', by: 'Ada', way: 'link', who: null, channel: null, atMs: 0 } : null,
  });
}
const reply = (text: string, by: string | null = 'Ada') => ({ text, by });

it('asks a channel only while something waits for an answer there', async () => {
  await vi.advanceTimersByTimeAsync(20_000);
  awaitOn('mail');
  await vi.advanceTimersByTimeAsync(20_000);
  awaitOn('phone', true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked).toEqual([]);
  awaitOn('phone');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toEqual([null]);
});

it('takes a message that is a code and nothing else, and goes on behind it', async () => {
  awaitOn('phone');
  pages = [
    { replies: [reply('who is awake?'), reply(' abcd-1234 ')], cursor: '2' },
    { replies: [reply('send back the code ABCD1234, or open https://x'), reply('ABCD12345')], cursor: '4' },
  ];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(given).toEqual([{ code: 'abcd-1234', by: 'Ada', way: 'reply', from: 'reply phone' }]);
  expect(asked).toEqual([null, '2', '4']);
  pages = [undefined];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.slice(3)).toEqual(['4', '4']);
});
