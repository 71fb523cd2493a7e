import { rememberAnswer } from './answers.ts';
import type { NonceBook, SignedFees, SignedNonce } from './nonces.ts';
import { sharedNonce } from './shared.ts';
import type { Answered, State } from './state.ts';

/**
 * Answers and signed nonces as they stand in a snapshot. There may be a million of each, and all waits for it: row after row
 * in one flat list, without the names of members, and names of peers, wallets, chains and grants as places in a list of
 * their own. As objects they take two to three times as long, and as much room.
 */
export interface Rows {
  readonly names: readonly string[];
  readonly flat: readonly unknown[];
}

const VERDICTS: readonly Answered['verdict'][] = ['permit', 'deny', 'void'];
const ANSWER_WIDTH = 10;

export function answerRows({ answered }: Pick<State, 'answered'>): Rows {
  const names = createNames();
  const flat: unknown[] = [];
  for (const [client, ofClient] of answered) {
    const owner = names.place(client);
    for (const [key, answer] of ofClient) {
      const { request, seq, at, verdict, wallet, chain, nonce, grant } = answer;
      flat.push(owner, key, request, seq, at, VERDICTS.indexOf(verdict));
      flat.push(names.place(wallet), names.place(chain), nonce, grant === null ? null : names.place(grant));
    }
  }
  return { names: names.all, flat };
}

/** Into a state that remembers none. */
export function restoreAnswers({ names, flat }: Rows, state: State): void {
  for (let i = 0; i < flat.length; i += ANSWER_WIDTH) {
    const grant = flat[i + 9] as number | null;
    rememberAnswer(state, names[flat[i] as number]!, flat[i + 1] as string, {
      request: flat[i + 2] as string,
      seq: flat[i + 3] as number,
      at: flat[i + 4] as number,
      verdict: VERDICTS[flat[i + 5] as number]!,
      wallet: names[flat[i + 6] as number]!,
      chain: names[flat[i + 7] as number]!,
      nonce: flat[i + 8] as number | null,
      grant: grant === null ? null : names[grant]!,
    });
  }
}

const NONCE_WIDTH = 8;
/** Stands for the same text or object as in the row before. */
const SAME = 0;

/** Book after book: where it stands among them, and so forth. Of a nonce of which the use alone is remembered, no more. */
export function nonceRows(books: Iterable<Pick<NonceBook, 'signed'>>): Rows {
  const names = createNames();
  const flat: unknown[] = [];
  let book = 0;
  let core: string | null = null;
  let fees: SignedFees | null = null;
  for (const { signed } of books) {
    for (const [nonce, known] of signed) {
      if (known === null) {
        flat.push(book, nonce, null, null, null, null, null, null);
        continue;
      }
      flat.push(book, nonce, known.digest, known.answer, names.place(known.client), names.place(known.grant));
      flat.push(known.core === core ? SAME : known.core, known.fees === fees ? SAME : known.fees);
      ({ core, fees } = known);
    }
    book++;
  }
  return { names: names.all, flat };
}

/** Into the books, in the order in which they were given. `wallets`: whose each book is. */
export function restoreNonces(
  { names, flat }: Rows,
  books: readonly Pick<NonceBook, 'signed'>[],
  wallets: readonly string[],
): void {
  let core = '';
  let fees: SignedFees | null = null;
  for (let i = 0; i < flat.length; i += NONCE_WIDTH) {
    const book = flat[i] as number;
    const nonce = flat[i + 1] as number;
    const digest = flat[i + 2] as string | null;
    if (digest === null) {
      books[book]!.signed.set(nonce, null);
      continue;
    }
    if (flat[i + 6] !== SAME) core = flat[i + 6] as string;
    if (flat[i + 7] !== SAME) fees = flat[i + 7] as SignedFees;
    const signed: SignedNonce = {
      digest,
      answer: flat[i + 3] as string | null,
      client: names[flat[i + 4] as number]!,
      grant: names[flat[i + 5] as number]!,
      core,
      fees: fees!,
    };
    books[book]!.signed.set(nonce, sharedNonce(wallets[book]!, signed));
  }
}

/** Texts that recur, each once, and where they stand. */
function createNames(): { readonly all: readonly string[]; place(name: string): number } {
  const all: string[] = [];
  const places = new Map<string, number>();
  return {
    all,
    place(name) {
      let place = places.get(name);
      if (place === undefined) {
        places.set(name, (place = all.length));
        all.push(name);
      }
      return place;
    },
  };
}
