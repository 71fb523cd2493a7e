import { expect, it } from 'vitest';
import { hasRoomForAnswer, MAX_ANSWERS, MAX_ANSWERS_OF_CLIENT, rememberAnswer } from './answers.ts';
import type { VaultEvent } from './events.ts';
import { emptyState, fold } from './fold.ts';
import { REQUEST_RETENTION_MS, type Answered } from './state.ts';

function created() {
  const state = emptyState();
  let seq = 0;
  return {
    state,
    answer(key: string, at: number) {
      const facts = { client: 'bot', wallet: 'w', chain: 'eip155:1', form: 'transaction', nonce: null, payload: null };
      const words = { request: '', digest: '', asks: '', reasons: [], sentences: [] };
      const denied = { type: 'request.denied', ...facts, ...words, key } as unknown as VaultEvent;
      fold(state, ++seq, { ...denied, at, salt: '' });
    },
  };
}

it('remembers an answer as long as its key can come again, and forgets it within a minute after that', () => {
  const { state, answer } = created();
  answer('first', 0);
  for (let at = 1_000; at <= REQUEST_RETENTION_MS; at += 1_000) answer(`${at}`, at);
  expect([...state.answered.keys()][0]).toBe('bot/first');
  expect(state.answered.size).toBe(REQUEST_RETENTION_MS / 1_000 + 1);

  for (let i = 1; i <= 60; i++) answer(`late ${i}`, REQUEST_RETENTION_MS + i * 1_000);
  // The minute's last entry was written a minute after the first one had to be forgotten.
  expect([...state.answered.keys()][0]).toBe('bot/60000');
  expect(state.answered.size).toBe(REQUEST_RETENTION_MS / 1_000 + 1);
  expect(state.answersOf).toEqual(new Map([['bot', state.answered.size]]));

  answer('much later', 3 * REQUEST_RETENTION_MS);
  expect([...state.answered.keys()]).toEqual(['bot/much later']);
  expect(state.answersOf).toEqual(new Map([['bot', 1]]));
});

it('has room for so many of one client and so many in all, and takes the first of a minute whatever there is', () => {
  const { state } = created();
  const fill = (client: string, count: number) => {
    for (let i = 0; i < count; i++) rememberAnswer(state, `${client}/${i}`, { at: 0 } as Answered);
  };
  fill('bot', MAX_ANSWERS_OF_CLIENT - 1);
  expect(hasRoomForAnswer(state, 'bot', 0)).toBe(true);
  fill('bot', MAX_ANSWERS_OF_CLIENT);
  expect(state.answersOf.get('bot')).toBe(MAX_ANSWERS_OF_CLIENT);
  expect(hasRoomForAnswer(state, 'bot', 59_999)).toBe(false);
  // Without it nothing would let time pass in the state where only this client asks, and nothing would be forgotten.
  expect(hasRoomForAnswer(state, 'bot', 60_000)).toBe(true);

  for (let i = 1; state.answered.size < MAX_ANSWERS; i++) {
    expect(hasRoomForAnswer(state, 'other', 0)).toBe(true);
    fill(`bot ${i}`, MAX_ANSWERS_OF_CLIENT);
  }
  expect(hasRoomForAnswer(state, 'other', 0)).toBe(false);
});
