import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSecureMemory, type SecureMemory } from './memory.ts';
import { generatePrivateKey, signApprovedDigests, type ApprovedDigest } from './secp256k1.ts';
import { MAX_JOBS } from './signing-jobs.ts';
import { startSigningThread, type SigningThread } from './signing-thread.ts';

/** A thread with a memory whose first slab it sees. */
async function start(): Promise<{ thread: SigningThread; memory: SecureMemory }> {
  const thread = await startSigningThread();
  if (!thread) throw new Error('no second thread');
  return { thread, memory: createSecureMemory({ allowUnlockedMemory: true, shared: thread }) };
}

let next = 0;
const digest = () => new Uint8Array(createHash('sha256').update(String(next++)).digest());
const batchOf = (memory: SecureMemory, count: number): ApprovedDigest[] => {
  const keys = Array.from({ length: 5 }, () => generatePrivateKey(memory));
  return Array.from({ length: count }, (_, i) => ({ key: keys[i % keys.length]!, digest: digest() }));
};

describe('a second thread that signs', () => {
  let thread: SigningThread;
  let memory: SecureMemory;
  beforeAll(async () => ({ thread, memory } = await start()));
  afterAll(() => thread.end());

  it('gives the signatures that the first thread gives, several batches at a time', async () => {
    for (let round = 0; round < 20; round++) {
      const batches = [32, 8, 17, 32].map((count) => batchOf(memory, count));
      const signed = await Promise.all(batches.map((batch) => thread.sign(batch)!));
      expect(signed).toEqual(batches.map(signApprovedDigests));
    }
  });

  it.skipIf(process.platform !== 'linux')('asks for less of a core than the thread that decides', () => {
    const niceness = (stat: string) => Number(stat.slice(stat.lastIndexOf(')')).split(' ')[17]);
    const ofThread = (id: string | number) => niceness(readFileSync(`/proc/self/task/${id}/stat`, 'utf8'));
    const decides = ofThread(process.pid);
    expect(readdirSync('/proc/self/task').map(ofThread)).toContain(Math.min(decides + 5, 19));
  });

  it('holds the memory open for reading while it signs, and no longer', async () => {
    expect(memory.stats().openSlabs).toBe(0);
    const signing = thread.sign(batchOf(memory, 32))!;
    expect(memory.stats().openSlabs).toBe(1);
    await signing;
    expect(memory.stats().openSlabs).toBe(0);
  });

  it('leaves to the first thread what is too little, too much, or lies elsewhere', () => {
    expect(thread.sign(batchOf(memory, 7))).toBeUndefined();
    expect(thread.sign(batchOf(memory, 33))).toBeUndefined();
    const elsewhere = createSecureMemory({ allowUnlockedMemory: true });
    expect(thread.sign([...batchOf(memory, 10), ...batchOf(elsewhere, 1)])).toBeUndefined();
  });

  it('takes so many batches at a time, and then leaves the next to the first thread', async () => {
    const batches = Array.from({ length: MAX_JOBS }, () => batchOf(memory, 8));
    const asked = batches.map((batch) => thread.sign(batch)!);
    const further = batchOf(memory, 8);
    expect(thread.sign(further)).toBeUndefined();
    expect(await Promise.all(asked)).toEqual(batches.map(signApprovedDigests));
    expect(await thread.sign(further)).toEqual(signApprovedDigests(further));
  });

  it('says whether there are signatures that neither thread has begun', async () => {
    expect(thread.hasUnclaimed()).toBe(false);
    const keys = batchOf(memory, 32);
    let seen = false;
    // Again where the other thread was faster: this one may lose its core for as long as that takes.
    for (let round = 0; round < 100 && !seen; round++) {
      const batches = Array.from({ length: MAX_JOBS }, () => keys.map(({ key }) => ({ key, digest: digest() })));
      const asked = batches.map((batch) => thread.sign(batch)!);
      seen = thread.hasUnclaimed();
      await Promise.all(asked);
      expect(thread.hasUnclaimed()).toBe(false);
    }
    expect(seen).toBe(true);
  });

  it('has its places used again and again while it may still look at what stood there before', async () => {
    // The same keys each time: thousands of new ones would not fit the slab.
    const keys = batchOf(memory, 32);
    for (let round = 0; round < 100; round++) {
      const sizes = Array.from({ length: 1 + (round % MAX_JOBS) }, (_, i) => 8 + ((round + i) % 25));
      const batches = sizes.map((size) => keys.slice(0, size).map(({ key }) => ({ key, digest: digest() })));
      const signed = await Promise.all(batches.map((batch) => thread.sign(batch)!));
      expect(signed).toEqual(batches.map(signApprovedDigests));
    }
  });

  it('says of a key that is none what the first thread says', async () => {
    const zeros = memory.alloc(32);
    const batch = [...batchOf(memory, 10), { key: zeros, digest: digest() }];
    await expect(thread.sign(batch)).rejects.toThrow('private key was invalid');
    expect(memory.stats().openSlabs).toBe(0);
  });

  it('has signed before a key is freed, and after that signs with it no more', async () => {
    const batch = batchOf(memory, 32);
    const expected = signApprovedDigests(batch);
    const signing = thread.sign(batch)!;
    memory.free(batch[0]!.key);
    expect(await signing).toEqual(expected);
    expect(() => thread.sign(batch)).toThrow(expect.objectContaining({ code: 'slot_freed' }));
  });
});

describe('wiping the memory', () => {
  it('waits for the signatures that are under way: none is made with a key that is half gone', async () => {
    const { thread, memory } = await start();
    for (let round = 0; round < 50; round++) {
      const batches = [batchOf(memory, 32), batchOf(memory, 32), batchOf(memory, 32)];
      const expected = batches.map(signApprovedDigests);
      const signing = batches.map((batch) => thread.sign(batch)!);
      memory.wipeAll();
      expect(await Promise.all(signing)).toEqual(expected);
      expect(memory.stats()).toMatchObject({ liveSlots: 0, openSlabs: 0 });
    }
    await thread.end();
  });
});

describe('a thread that has ended', () => {
  it('leaves everything to the first one, what was under way as well', async () => {
    const { thread, memory } = await start();
    const batches = [batchOf(memory, 32), batchOf(memory, 32), batchOf(memory, 32)];
    const signing = batches.map((batch) => thread.sign(batch)!);
    await thread.end();
    expect(await Promise.all(signing)).toEqual(batches.map(signApprovedDigests));
    expect(thread.sign(batches[0]!)).toBeUndefined();
    expect(thread.hasUnclaimed()).toBe(false);
    thread.quiesce();
    expect(memory.stats().openSlabs).toBe(0);
  });
});
