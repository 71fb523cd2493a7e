import { forgetAnswer } from './nonces.ts';
import { sharedText } from './shared.ts';
import { nonceKey, REQUEST_RETENTION_MS, type Answered, type State } from './state.ts';

/** What was answered to each request, for as long as the same request can come again. */

/**
 * So many are remembered, in all and of one client. Each takes 500 to 700 bytes of memory (with what its nonce was used
 * for), and a client that signs as fast as it can must not fill the vault: after two hours of that, no machine could fold the
 * journal any more. A quarter of it is 33 requests a second, without an end.
 */
export const MAX_ANSWERS = 1_000_000;
export const MAX_ANSWERS_OF_CLIENT = 250_000;

/** What was answered to the request that came with this key. */
export function answerTo(state: State, client: string, key: string): Answered | undefined {
  return state.answered.get(client)?.get(key);
}

/** Whether one more can be remembered of this client, in an entry of `now` (ms). */
export function hasRoomForAnswer(state: State, client: string, now: number): boolean {
  const ofClient = state.answered.get(client)?.size ?? 0;
  const isFull = state.answerCount >= MAX_ANSWERS || ofClient >= MAX_ANSWERS_OF_CLIENT;
  // Only an entry lets time pass: the first of a second always comes through, and what is old goes with it.
  return !isFull || secondOf(now) > secondOf(state.time);
}

export function rememberAnswer(state: State, client: string, key: string, answered: Answered): void {
  let ofClient = state.answered.get(client);
  if (ofClient === undefined) state.answered.set(client, (ofClient = new Map()));
  const before = ofClient.size;
  const { request, seq, at, verdict, nonce, grant } = answered;
  const wallet = sharedText(answered.wallet);
  const chain = sharedText(answered.chain);
  ofClient.set(key, {
    request,
    seq,
    at,
    verdict,
    wallet,
    chain,
    nonce,
    grant: grant === null ? null : sharedText(grant),
  });
  state.answerCount += ofClient.size - before;
}

/**
 * At `state.time`, where the entry before was of `beforeMs`. Entries are in the order of their time, so the oldest answers
 * of a client stand first. Once a second and not with each entry: a Map keeps the places of what was deleted, and goes past
 * all of them to its first member. Not more seldom either: the vault waits for all that is forgotten at once.
 */
export function forgetOldAnswers(state: State, beforeMs: number): void {
  if (secondOf(state.time) === secondOf(beforeMs)) return;
  const gone: Forgotten[] = [];
  for (const [client, ofClient] of state.answered) {
    for (const [key, answered] of ofClient) {
      if (answered.at >= state.time - REQUEST_RETENTION_MS) break;
      ofClient.delete(key);
      state.answerCount--;
      if (answered.verdict !== 'deny') gone.push({ client, key, answered });
    }
    if (ofClient.size === 0) state.answered.delete(client);
  }
  // In the order in which they were signed, whoever asked: of the nonces of a wallet those forgotten last are kept longest.
  gone.sort((a, b) => a.answered.seq - b.answered.seq);
  for (const forgotten of gone) forgetNonceOf(state, forgotten);
}

interface Forgotten {
  readonly client: string;
  readonly key: string;
  readonly answered: Answered;
}

function forgetNonceOf(state: State, { client, key, answered }: Forgotten): void {
  const book = state.nonces.get(nonceKey(answered.wallet, answered.chain));
  if (book && answered.nonce !== null) forgetAnswer(book, answered.nonce, client, key);
}

const secondOf = (timeMs: number) => Math.floor(timeMs / 1_000);
