import { forgetAnswer } from './nonces.ts';
import { nonceKey, REQUEST_RETENTION_MS, type Answered, type State } from './state.ts';

/** What was answered to each request, for as long as the same request can come again. */

/**
 * So many are remembered, in all and of one client. Each takes 500 to 700 bytes of memory (with what its nonce was used
 * for), and a client that signs as fast as it can must not fill the vault: after two hours of that, no machine could fold the
 * journal any more. A quarter of it is 33 requests a second, without an end.
 */
export const MAX_ANSWERS = 1_000_000;
export const MAX_ANSWERS_OF_CLIENT = 250_000;

/** Whether one more can be remembered of this client, in an entry of `now` (ms). */
export function hasRoomForAnswer(state: State, client: string, now: number): boolean {
  const isFull = state.answered.size >= MAX_ANSWERS || (state.answersOf.get(client) ?? 0) >= MAX_ANSWERS_OF_CLIENT;
  // Only an entry lets time pass: the first of a minute always comes through, and what is old goes with it.
  return !isFull || minuteOf(now) > minuteOf(state.time);
}

/** `key`: see `answerKey`. */
export function rememberAnswer(state: State, key: string, answered: Answered): void {
  const before = state.answered.size;
  state.answered.set(key, answered);
  if (state.answered.size === before) return;
  const client = clientIn(key);
  state.answersOf.set(client, (state.answersOf.get(client) ?? 0) + 1);
}

/**
 * At `state.time`, where the entry before was of `beforeMs`. Entries are in the order of their time, so the oldest answers
 * stand first. Once a minute and not with each entry: a Map keeps the places of what was deleted, and goes past all of
 * them to its first member.
 */
export function forgetOldAnswers(state: State, beforeMs: number): void {
  if (minuteOf(state.time) === minuteOf(beforeMs)) return;
  for (const [key, answered] of state.answered) {
    if (answered.at >= state.time - REQUEST_RETENTION_MS) return;
    state.answered.delete(key);
    forgetOne(state, clientIn(key));
    if (answered.verdict !== 'deny') forgetNonceOf(state, answered, key);
  }
}

function forgetOne(state: State, client: string): void {
  const left = (state.answersOf.get(client) ?? 0) - 1;
  if (left > 0) state.answersOf.set(client, left);
  else state.answersOf.delete(client);
}

function forgetNonceOf(state: State, answered: Answered, key: string): void {
  const book = state.nonces.get(nonceKey(answered.wallet, answered.chain));
  if (book && answered.nonce !== null) forgetAnswer(book, answered.nonce, key);
}

const minuteOf = (timeMs: number) => Math.floor(timeMs / 60_000);

/** Ids hold no slash. */
const clientIn = (key: string) => key.slice(0, key.indexOf('/'));
