import { setTimeout as sleep } from 'node:timers/promises';
import { toBase64url } from '@keepwatch/base';
import type { SignedHeadJson } from '@keepwatch/protocol';
import { encodeHead, headToJson, type Head } from '@keepwatch/wire';
import { describe, expect, it } from 'vitest';
import { createHeadKeeper } from './head-keeper.ts';
import { signerFromSeed } from './identity.ts';

const receiptKey = signerFromSeed('EdDSA', new Uint8Array(32).fill(1));
const vault = toBase64url(new Uint8Array(32).fill(2));

function head(lastSeq: number, of = vault): SignedHeadJson {
  const bytes = (value: number) => new Uint8Array(32).fill(value);
  const plain: Head = {
    version: 1,
    vault: of,
    epoch: 1,
    firstSeq: 1,
    lastSeq,
    root: bytes(1),
    prev: bytes(0),
    timeMs: 1,
  };
  return headToJson({ ...plain, signature: receiptKey.sign(encodeHead(plain)) as Uint8Array });
}

function keeperWith(store: (head: SignedHeadJson) => Promise<void>) {
  const events: string[] = [];
  const keeper = createHeadKeeper({
    vault,
    receiptPublicKey: receiptKey.publicKey,
    store,
    onForged: () => events.push('forged'),
    onError: (error) => events.push(`error ${(error as Error).message}`),
  });
  return { keeper, events };
}

describe('the keeper of heads', () => {
  it('stores the newest of many, once, by itself', async () => {
    const stored: number[] = [];
    const { keeper } = keeperWith(async ({ lastSeq }) => void stored.push(lastSeq));
    for (const seq of [3, 9, 5, 9, 1]) keeper.offer(head(seq));
    expect(stored).toEqual([]);
    await expect.poll(() => stored).toEqual([9]);
    await keeper.flush();
    expect(stored).toEqual([9]);
  });

  it('has stored everything when a flush is over, the write under way included', async () => {
    const stored: number[] = [];
    const { keeper } = keeperWith(async ({ lastSeq }) => {
      await sleep(50);
      stored.push(lastSeq);
    });
    keeper.offer(head(1));
    const first = keeper.flush();
    await keeper.flush();
    expect(stored).toEqual([1]);
    keeper.offer(head(2));
    await Promise.all([first, keeper.flush()]);
    expect(stored).toEqual([1, 2]);
  });

  it.each([
    ['that was changed', { ...head(4), timeMs: 2 }],
    ['of another vault', head(4, toBase64url(new Uint8Array(32).fill(3)))],
    ['that is none', { ...head(4), root: '' }],
  ])('tells of a head %s, and does not store it', async (_name, forged) => {
    const { keeper, events } = keeperWith(() => expect.unreachable());
    keeper.offer(forged);
    await keeper.flush();
    expect(events).toEqual(['forged']);
  });

  it('tells of a failure to store', async () => {
    const { keeper, events } = keeperWith(() => Promise.reject(new Error('full')));
    keeper.offer(head(1));
    await keeper.flush();
    expect(events).toEqual(['error full']);
  });
});
