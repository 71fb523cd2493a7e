import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Channel, Replies } from '../channel.ts';
import type { AcknowledgeAnswer, GivenCode } from './acknowledge.ts';
import { createReplyReader, type ReplyReader } from './replies.ts';
import { createLadderState, LADDER_DEFAULTS } from './state.ts';

let given: GivenCode[];
let asked: (string | null)[];
let pages: (Replies | undefined)[];
let reader: ReplyReader;
let answers: AcknowledgeAnswer[];
let kept: (string | null)[];
let channels: Map<string, Channel>;
const state = createLadderState(LADDER_DEFAULTS);
const trouble: unknown[] = [];

function phone(): Channel {
  return {
    ...{ name: 'phone', kind: 'telegram', close: async () => undefined },
    send: () => Promise.reject(new Error('it sends nothing')),
    probe: () => Promise.reject(new Error('it asks nothing')),
    async replies(cursor) {
      asked.push(cursor);
      return pages.length > 0 ? pages.shift() : { replies: [], cursor, more: false };
    },
  };
}
beforeEach(() => {
  vi.useFakeTimers();
  [given, asked, pages, answers, kept] = [[], [], [], [], []];
  channels = new Map([['phone', phone()]]);
  reader = createReplyReader({
    ...{ channels, ladder: () => state, onTrouble: (error) => trouble.push(error) },
    answer: async (code) => (given.push(code), answers.shift() ?? 'acknowledged'),
    kept: () => kept.at(-1) ?? null,
    keep: async (_, cursor) => void kept.push(cursor),
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
    { replies: [reply('who is awake?'), reply(' abcd-1234 ')], cursor: '2', more: true },
    { replies: [reply('send back the code ABCD1234, or open https://x'), reply('ABCD12345')], cursor: '4', more: true },
  ];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(given).toEqual([{ code: 'abcd-1234', by: 'Ada', way: 'reply', from: 'reply phone' }]);
  expect(asked).toEqual([null, '2', '4']);
  pages = [undefined];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.slice(3)).toEqual(['4', '4']);
});

it('keeps where it was only where something counted, so that nobody makes it write by sending much', async () => {
  awaitOn('phone');
  answers = ['busy', 'already', 'expired', 'unknown'];
  pages = ['1', '2', '3', '4'].map((cursor) => ({ replies: [reply('ABCD1234')], cursor, more: true }));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(kept).toEqual(['4']);
  expect(asked).toEqual([null, '1', '2', '3', '4']);
  // Set anew, it is another channel: what was kept of it is where it begins.
  channels.set('phone', phone());
  kept.push('9');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked.at(-1)).toBe('9');
  // A service that does not know the place any more is asked from the start.
  pages = [{ replies: [], cursor: null, more: true }];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(kept.at(-1)).toBe(null);
  expect(asked.slice(-2)).toEqual(['9', null]);
});

it('lets no channel wait for another', async () => {
  let isAsked = 0;
  const never: Channel['replies'] = (_, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  channels.set('slow', { ...phone(), name: 'slow', replies: never });
  channels.set('phone', { ...phone(), replies: async () => (isAsked++, { replies: [], cursor: null, more: false }) });
  awaitOn('slow');
  state.escalations.set('g', {
    ...state.escalations.get('f')!,
    id: 'g',
    codes: [{ ...state.escalations.get('f')!.codes[0]!, channel: 'phone' }],
  });
  await vi.advanceTimersByTimeAsync(15_000);
  expect(isAsked).toBe(3);
});
