import type { MaybePromise } from '@keepwatch/base';
import type { JournalStore, StoredRecord } from '@keepwatch/journal';
import { WALLET_KEY_SPACE } from './wallet-room.ts';

/** The sealed keys of all wallets, page by page in the order of their ids. */
export interface SealedKeys {
  /** The next page; an empty one at the end. */
  next(): MaybePromise<readonly StoredRecord[]>;
}

export interface ReadAhead extends SealedKeys {
  /** Reads nothing more before it is asked to. */
  stop(): void;
}

/** Few enough that what is made of a page on the way is soon forgotten, and that reading one holds up nobody. */
const PAGE = 1_000;

/**
 * Reads ahead whenever nothing else is to be done, until `stop`: hashing a password takes another thread some hundred
 * milliseconds, in which this one would wait. What was read is ciphertext, and nobody writes to it while the vault is
 * sealed.
 */
export function readKeysAhead(store: Pick<JournalStore, 'list'>, soon: (run: () => void) => void): ReadAhead {
  const ahead: (() => readonly StoredRecord[])[] = [];
  let after = '';
  let ended = false;
  let stopped = false;

  function note(page: readonly StoredRecord[]): readonly StoredRecord[] {
    ended = page.length < PAGE;
    after = page.at(-1)?.key ?? after;
    return page;
  }

  function read(): MaybePromise<readonly StoredRecord[]> {
    if (ended) return [];
    const listed = store.list(WALLET_KEY_SPACE, { after, limit: PAGE });
    return listed instanceof Promise ? listed.then(note) : note(listed);
  }

  function step(): void {
    if (stopped || ended) return;
    let page: MaybePromise<readonly StoredRecord[]>;
    try {
      page = read();
    } catch {
      // Whoever asks for this page meets the failure, and is there to be told of it.
      return;
    }
    // A store that answers later gains nothing by it.
    if (page instanceof Promise) throw new TypeError('the store of a keep reads synchronously');
    ahead.push(packed(page));
    soon(step);
  }

  soon(step);
  return {
    next: () => ahead.shift()?.() ?? read(),
    stop() {
      stopped = true;
    },
  };
}

/** The page to be had again, its values in one piece: a hundred thousand small ones would keep the collector busy. */
function packed(page: readonly StoredRecord[]): () => readonly StoredRecord[] {
  const keys = page.map(({ key }) => key);
  const ends: number[] = [];
  let length = 0;
  for (const { value } of page) ends.push((length += value.length));
  const bytes = new Uint8Array(length);
  for (const [i, { value }] of page.entries()) bytes.set(value, ends[i]! - value.length);
  return () =>
    keys.map((key, i) => {
      const start = i === 0 ? 0 : ends[i - 1]!;
      return { key, value: new Uint8Array(bytes.buffer, start, ends[i]! - start) };
    });
}
