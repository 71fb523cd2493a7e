import type { Txid } from '@keepwatch/bitcoin';
import type { FetchedTransaction } from '@keepwatch/chain';
import { expect, it } from 'vitest';
import { MAX_TRANSACTION_BYTES } from '../api/shapes.ts';
import { readTransaction } from './transaction.ts';

const txid = 'ab'.repeat(32) as Txid;
const signal = new AbortController().signal;
const read = (fetched: FetchedTransaction) => readTransaction(() => Promise.resolve(fetched), txid, signal);
type Missing = Extract<FetchedTransaction, { kind: 'missing' }>['answers'][number];
const no = (source: string, kind: Missing['kind'], why: string) => ({ source, kind, why });

it('gives what was found, up to what can be watched', async () => {
  const found = (length: number) => read({ kind: 'found', stripped: new Uint8Array(length), source: 'own' });
  expect(await found(MAX_TRANSACTION_BYTES)).toHaveLength(MAX_TRANSACTION_BYTES);
  await expect(found(MAX_TRANSACTION_BYTES + 1)).rejects.toMatchObject({ code: 'watched_transaction_too_large' });
});

it.each<[string, Missing[], string, RegExp]>([
  ['nobody has it', [no('own', 'unknown', 'it has none'), no('b', 'unknown', 'nor has it')], 'unknown', /own: .*; b: /],
  ['there is no source', [], 'unknown', /no source of bitcoin/],
  [
    'one could not be asked',
    [no('own', 'unknown', 'none'), no('b', 'failed', 'It is off.')],
    'unread',
    /b: It is off\.$/,
  ],
  ['one lied', [no('own', 'lied', 'something else')], 'unread', /own: something else/],
])('says what each source said: %s', async (_, answers, code, words) => {
  await expect(read({ kind: 'missing', answers })).rejects.toMatchObject({
    code: `watched_transaction_${code}`,
    message: expect.stringMatching(words) as string,
  });
});

it('needs a monitor that follows the chain', async () => {
  await expect(readTransaction(null, txid, signal)).rejects.toMatchObject({
    code: 'monitor_not_running',
    remedy: expect.stringContaining('monitor run') as string,
  });
});
