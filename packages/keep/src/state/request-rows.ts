import { rememberAnswer } from './answers.ts';
import { hasSameFees, type NonceBook, type SignedFees, type SignedNonce } from './nonces.ts';
import { sharedNonce } from './shared.ts';
import type { Answered, State } from './state.ts';

/**
 * Answers and signed nonces as they stand in a snapshot, page after page: row after row in one flat list, without the names of
 * members, and names of peers, wallets, chains and grants as places in the page's own list. As objects they take two to
 * three times as long, and as much room.
 *
 * There may be a million of each. What is to be written is held at once, for the records of answers and nonces do not
 * change; a page is made when it is asked for, so that other work goes on between two of them.
 */
export interface Rows {
  readonly names: readonly string[];
  readonly flat: readonly unknown[];
}

/** A page of so many is half a megabyte, and is made in a few milliseconds. */
const ROWS_OF_PAGE = 4_000;

const VERDICTS: readonly Answered['verdict'][] = ['permit', 'deny', 'void'];
const ANSWER_WIDTH = 10;

/** `rowsOfPage`: for tests. */
export function answerRows({ answered }: Pick<State, 'answered'>, rowsOfPage = ROWS_OF_PAGE): Iterable<Rows> {
  const clients: string[] = [];
  const keys: string[] = [];
  const answers: Answered[] = [];
  for (const [client, ofClient] of answered) {
    for (const [key, answer] of ofClient) {
      clients.push(client);
      keys.push(key);
      answers.push(answer);
    }
  }
  return pagesOf(keys.length, rowsOfPage, ({ flat, place }, i) => {
    const { request, seq, at, verdict, wallet, chain, nonce, grant } = answers[i]!;
    flat.push(place(clients[i]!), keys[i], request, seq, at, VERDICTS.indexOf(verdict));
    flat.push(place(wallet), place(chain), nonce, grant === null ? null : place(grant));
  });
}

/** One page, into a state that remembers those before it and no others. */
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

const BOOK_WIDTH = 4;
const NONE: readonly number[] = [];

/** The books of nonces without what was signed. */
export function bookRows({ nonces }: Pick<State, 'nonces'>, rowsOfPage = ROWS_OF_PAGE): Iterable<Rows> {
  const held: { key: string; floor: number; epoch: number; stale: readonly number[] }[] = [];
  for (const [key, { floor, epoch, stale }] of nonces) {
    held.push({ key, floor, epoch, stale: stale.length > 0 ? stale.slice() : NONE });
  }
  return pagesOf(held.length, rowsOfPage, ({ flat }, i) => {
    const { key, floor, epoch, stale } = held[i]!;
    flat.push(key, floor, epoch, stale);
  });
}

/** One page, into a state that has the books before it and no others. */
export function restoreBooks({ flat }: Rows, { nonces }: Pick<State, 'nonces'>): void {
  for (let i = 0; i < flat.length; i += BOOK_WIDTH) {
    nonces.set(flat[i] as string, {
      floor: flat[i + 1] as number,
      epoch: flat[i + 2] as number,
      stale: flat[i + 3] as number[],
      signed: new Map(),
    });
  }
}

const NONCE_WIDTH = 8;
/** Stands for what is the same as in the row before. */
const SAME = 0;

/** Book after book: where it stands among them, and so forth. Of a nonce of which the use alone is remembered, no more. */
export function nonceRows(books: Iterable<Pick<NonceBook, 'signed'>>, rowsOfPage = ROWS_OF_PAGE): Iterable<Rows> {
  const places: number[] = [];
  const nonces: number[] = [];
  const values: (SignedNonce | null)[] = [];
  let book = 0;
  for (const { signed } of books) {
    for (const [nonce, known] of signed) {
      places.push(book);
      nonces.push(nonce);
      values.push(known);
    }
    book++;
  }
  let core: string | null = null;
  let fees: SignedFees | null = null;
  return pagesOf(places.length, rowsOfPage, ({ flat, place }, i) => {
    if (flat.length === 0) core = fees = null;
    const known = values[i]!;
    if (known === null) {
      flat.push(places[i], nonces[i], null, null, null, null, null, null);
      return;
    }
    const { digest, answer, client, grant } = known;
    flat.push(places[i], nonces[i], digest, answer, place(client), place(grant));
    const sameFees = fees !== null && (known.fees === fees || hasSameFees(known.fees, fees));
    flat.push(known.core === core ? SAME : known.core, sameFees ? SAME : listOf(known.fees));
    ({ core, fees } = known);
  });
}

/** One page, into the books, in the order in which they were given. `wallets`: whose each book is. */
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
    if (flat[i + 7] !== SAME) fees = feesFrom(flat[i + 7] as FeeList);
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

type FeeList = readonly [charged: string, perGas: string, priority: string, perBlobGas: string | null];

const listOf = (fees: SignedFees): FeeList => [
  fees.charged,
  fees.maxFeePerGas,
  fees.maxPriorityFeePerGas,
  fees.maxFeePerBlobGas,
];

function feesFrom([charged, maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas]: FeeList): SignedFees {
  return { charged, maxFeePerBlobGas, maxFeePerGas, maxPriorityFeePerGas };
}

interface Page {
  readonly flat: unknown[];
  /** Where a text that recurs stands among the names. */
  place(name: string): number;
}

function* pagesOf(rows: number, rowsOfPage: number, write: (page: Page, row: number) => void): Generator<Rows> {
  for (let from = 0; from < rows; from += rowsOfPage) {
    const names: string[] = [];
    const places = new Map<string, number>();
    const flat: unknown[] = [];
    const place = (name: string) => {
      let found = places.get(name);
      if (found === undefined) {
        places.set(name, (found = names.length));
        names.push(name);
      }
      return found;
    };
    const until = Math.min(rows, from + rowsOfPage);
    for (let row = from; row < until; row++) write({ flat, place }, row);
    yield { names, flat };
  }
}
