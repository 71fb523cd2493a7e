import { expect, it } from 'vitest';
import { hasRoomForAnswer, MAX_ANSWERS, MAX_ANSWERS_OF_CLIENT, rememberAnswer } from './answers.ts';
import type { VaultEvent } from './events.ts';
import { emptyState, fold } from './fold.ts';
import { REPLACEABLE } from './nonces.ts';
import { REQUEST_RETENTION_MS, type Answered } from './state.ts';

function created() {
  const state = emptyState();
  let seq = 0;
  return {
    state,
    answer(key: string, at: number, client = 'bot') {
      const facts = { client, wallet: 'w', chain: 'eip155:1', form: 'transaction', nonce: null, payload: null };
      const words = { request: '', digest: '', asks: '', reasons: [], sentences: [] };
      const denied = { type: 'request.denied', ...facts, ...words, key } as unknown as VaultEvent;
      fold(state, ++seq, { ...denied, at, salt: '' });
    },
    permit(nonce: number, at: number, client: string) {
      const fees = { maxFeePerGas: '1', maxPriorityFeePerGas: '1', maxFeePerBlobGas: null, charged: '1' };
      const facts = {
        client,
        wallet: 'w',
        chain: 'eip155:1',
        form: 'transaction',
        nonce,
        payload: null,
        core: '',
        fees,
      };
      const words = {
        request: '',
        digest: `${nonce}`,
        asks: '',
        key: `${nonce}`,
        grant: 'g',
        approval: null,
        replaces: null,
      };
      const permitted = {
        type: 'request.permitted',
        ...facts,
        ...words,
        prior: 0,
        version: 1,
        charges: [],
        budgets: [],
      };
      fold(state, ++seq, { ...(permitted as unknown as VaultEvent), at, salt: '' });
    },
  };
}

it('remembers an answer as long as its key can come again, and forgets it within a second after that', () => {
  const { state, answer } = created();
  answer('first', 0);
  for (let at = 1_000; at <= REQUEST_RETENTION_MS; at += 1_000) answer(`${at}`, at);
  const keys = () => [...state.answered.get('bot')!.keys()];
  expect(keys()[0]).toBe('first');
  expect(state.answerCount).toBe(REQUEST_RETENTION_MS / 1_000 + 1);

  answer('late', REQUEST_RETENTION_MS + 999);
  expect(keys()[0]).toBe('first');
  answer('later', REQUEST_RETENTION_MS + 1_000);
  expect(keys()[0]).toBe('1000');
  answer('late again', REQUEST_RETENTION_MS + 1_999);
  expect(keys()[0]).toBe('1000');
  for (let i = 2; i <= 60; i++) answer(`late ${i}`, REQUEST_RETENTION_MS + i * 1_000);
  expect(keys()[0]).toBe('60000');
  expect(keys()).toHaveLength(state.answerCount);

  answer('of another', 3 * REQUEST_RETENTION_MS, 'other');
  expect(state.answered.has('bot')).toBe(false);
  expect(state.answerCount).toBe(1);
});

it('forgets the nonces of a wallet in the order in which they were signed, whoever asked', () => {
  const { state, permit } = created();
  const signed = REPLACEABLE + 10;
  // Two take turns, so that neither of them signed all that is forgotten first.
  for (let nonce = 0; nonce < signed; nonce++) permit(nonce, 1_000 + nonce, nonce % 3 === 0 ? 'bot' : 'other');
  permit(signed, 2 * REQUEST_RETENTION_MS, 'other');
  const book = state.nonces.get('w/eip155:1')!;
  expect(book.floor).toBe(10);
  expect(book.stale).toEqual(Array.from({ length: REPLACEABLE }, (_, i) => 10 + i));
});

it('has room for so many of one client and so many in all, and takes the first of a second whatever there is', () => {
  const { state } = created();
  const fill = (client: string, count: number) => {
    for (let i = 0; i < count; i++) rememberAnswer(state, client, `${i}`, { at: 0 } as Answered);
  };
  fill('bot', MAX_ANSWERS_OF_CLIENT - 1);
  expect(hasRoomForAnswer(state, 'bot', 0)).toBe(true);
  fill('bot', MAX_ANSWERS_OF_CLIENT);
  expect(state.answered.get('bot')!.size).toBe(MAX_ANSWERS_OF_CLIENT);
  expect(hasRoomForAnswer(state, 'bot', 999)).toBe(false);
  // Without it nothing would let time pass in the state where only this client asks, and nothing would be forgotten.
  expect(hasRoomForAnswer(state, 'bot', 1_000)).toBe(true);

  for (let i = 1; state.answerCount < MAX_ANSWERS; i++) {
    expect(hasRoomForAnswer(state, 'other', 0)).toBe(true);
    fill(`bot ${i}`, MAX_ANSWERS_OF_CLIENT);
  }
  expect(hasRoomForAnswer(state, 'other', 0)).toBe(false);
});
