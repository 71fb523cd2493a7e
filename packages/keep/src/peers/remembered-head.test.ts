import { canonicalBytes, type MaybePromise } from '@keepwatch/base';
import {
  createJournal,
  createMemoryStore,
  type Journal,
  type JournalStore,
  type StoredBatch,
} from '@keepwatch/journal';
import { createJournalKeys, ed25519Verify, sha256 } from '@keepwatch/testkit';
import { headToJson, type SignedHead } from '@keepwatch/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { judgeRememberedHead } from './remembered-head.ts';

const TIME = 1_790_000_000_000;
let keys = createJournalKeys();
let store: JournalStore;
let journal: Journal;

beforeEach(() => {
  keys = createJournalKeys();
  store = createMemoryStore();
  journal = open(store);
});

function now<T>(value: MaybePromise<T>): T {
  if (value instanceof Promise) throw new Error('a promise where a value was expected');
  return value;
}

function open(of: JournalStore): Journal {
  const { vault, signHead, cipher } = keys;
  const opened = now(createJournal({ store: of, sha256, signHead, cipher }, { vault }));
  if (!opened.ok) throw new Error(opened.error.code);
  return opened.value;
}

function append(to: Journal, count: number, word: string): SignedHead {
  const first = (to.head()?.lastSeq ?? 0) + 1;
  const entries = Array.from({ length: count }, (_, i) => canonicalBytes({ n: first + i, word }));
  return now(to.append(entries, [], TIME)).head;
}

function judge(head: unknown, of = store, as: Pick<typeof keys, 'vault' | 'receiptPublicKey'> = keys) {
  const own = {
    vault: as.vault,
    receiptPublicKey: as.receiptPublicKey,
    last: of.lastBatch() as StoredBatch | undefined,
    batchEndingAt: (seq: number) => of.batchEndingAt(seq) as StoredBatch | undefined,
  };
  return judgeRememberedHead(head, own, { sha256, ed25519Verify });
}

/** The journal as it was up to an entry. */
function copyUpTo(seq: number): JournalStore {
  const copy = createMemoryStore();
  const batches = [...(store.batches(1) as Iterable<StoredBatch>)].filter(({ lastSeq }) => lastSeq <= seq);
  now(copy.commit(batches, []));
  return copy;
}

describe('a head that a peer remembers', () => {
  it('agrees with the journal that went on from it', () => {
    const heads = [3, 3, 3].map((count) => headToJson(append(journal, count, 'first')));
    expect(heads.map((head) => judge(head))).toEqual(['agrees', 'agrees', 'agrees']);
    journal.startEpoch(2);
    append(journal, 3, 'second');
    expect(heads.map((head) => judge(head))).toEqual(['agrees', 'agrees', 'agrees']);
    expect(judge(null)).toBe('none');
  });

  it('shows that an older copy was put back, and that it went on by itself', () => {
    const heads = [3, 3, 3].map((count) => headToJson(append(journal, count, 'first')));
    expect(heads.map((head) => judge(head, createMemoryStore()))).toEqual(['behind', 'behind', 'behind']);
    const back = copyUpTo(3);
    const forked = open(back);
    const verdicts = () => heads.map((head) => judge(head, back));
    expect(verdicts()).toEqual(['agrees', 'behind', 'behind']);
    append(forked, 3, 'another history');
    expect(verdicts()).toEqual(['agrees', 'beside', 'behind']);
    append(forked, 4, 'another history');
    expect(verdicts()).toEqual(['agrees', 'beside', 'beside']);
    expect(judge(headToJson(forked.head()!))).toBe('behind');
  });

  it('of a history that an operator gave up by a new epoch is superseded', () => {
    const kept = headToJson(append(journal, 3, 'first'));
    const lost = [3, 3, 9].map((count) => headToJson(append(journal, count, 'first')));
    const back = copyUpTo(3);
    const resumed = open(back);
    resumed.startEpoch(2);
    append(resumed, 6, 'resumed');
    expect(judge(kept, back)).toBe('agrees');
    expect(lost.map((head) => judge(head, back))).toEqual(['superseded', 'superseded', 'superseded']);
    // A copy from before the resume is older than what this peer saw.
    expect(judge(headToJson(resumed.head()!))).toBe('behind');
  });

  it('counts only where the vault’s own key signed just that', () => {
    const head = headToJson(append(journal, 3, 'first'));
    const ahead = { ...head, lastSeq: 9 };
    const others = createJournalKeys();
    const forgeries: unknown[] = [
      ahead,
      { ...head, epoch: 7 },
      { ...head, timeMs: head.timeMs + 1 },
      { ...head, vault: others.vault },
      { ...head, more: 1 },
      { ...head, lastSeq: '3' },
      { ...head, lastSeq: 2 ** 53 },
      { ...head, signature: 'A'.repeat(86) },
      [head],
      'head',
      7,
      {},
    ];
    for (const forged of forgeries) expect(judge(forged)).toBe('none');
    expect(judge(head, createMemoryStore(), { ...keys, receiptPublicKey: others.receiptPublicKey })).toBe('none');
    expect(judge(head, createMemoryStore(), { ...others, receiptPublicKey: keys.receiptPublicKey })).toBe('none');
  });

  it('is compared with what stands in the journal, not with a hash beside it', () => {
    const [, second] = [append(journal, 3, 'first'), append(journal, 3, 'first')];
    const head = headToJson(second);
    const altered: JournalStore = {
      ...store,
      batchEndingAt(seq) {
        const batch = now(store.batchEndingAt(seq));
        return batch && { ...batch, timeMs: batch.timeMs + 1 };
      },
    };
    expect(judge(head, altered)).toBe('beside');
  });
});
