import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withAccess, withReadable, withScratch, withWritable } from './access.ts';
import { lockedBytes } from './locked-memory.ts';
import { createSecureMemory, MAX_SLOT_BYTES } from './memory.ts';
import { reveal, secretOf } from './secrets.fixture.ts';
import type { Slot } from './memory.ts';

const create = () => createSecureMemory({ allowUnlockedMemory: true });

describe('slots', () => {
  it('are zero when they are new, whatever libsodium fills fresh memory with', () => {
    const memory = create();
    for (const size of [1, 32, 33, 64, 300, 5000]) expect(reveal(memory.alloc(size))).toEqual(new Uint8Array(size));
  });

  it('are zeroed when they are freed, and the place is used again', () => {
    const memory = create();
    const first = secretOf(memory, new Uint8Array(32).fill(7));
    memory.free(first);
    expect(reveal(memory.alloc(32))).toEqual(new Uint8Array(32));
    expect(memory.stats()).toMatchObject({ slabs: 1, liveSlots: 1 });
  });

  it('die for good: an old handle never reads what lives there now', () => {
    const memory = create();
    const old = secretOf(memory, new Uint8Array(32).fill(1));
    memory.free(old);
    secretOf(memory, new Uint8Array(32).fill(2));
    const freed = expect.objectContaining({ code: 'slot_freed' });
    expect(() => reveal(old)).toThrow(freed);
    expect(() => memory.free(old)).toThrow(freed);
    expect(() => reveal({ ...old })).toThrow(freed);
  });

  it.each([0, -1, 1.5, Number.NaN, MAX_SLOT_BYTES + 1])('refuse a size of %s', (size) => {
    expect(() => create().alloc(size)).toThrow(expect.objectContaining({ code: 'slot_size' }));
  });

  it('tell nothing of the bytes', () => {
    const slot = secretOf(create(), new Uint8Array(32).fill(0xab));
    const buffers: unknown[] = [];
    const seen = new Set<unknown>();
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || seen.has(value)) return;
      seen.add(value);
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) buffers.push(value);
      for (const key of Reflect.ownKeys(value)) walk((value as Record<PropertyKey, unknown>)[key]);
    };
    walk(slot);
    expect(seen.size).toBeGreaterThan(1);
    expect(buffers).toEqual([]);
  });

  it('pack 100,000 keys into few slabs', () => {
    const memory = create();
    const slots = Array.from({ length: 100_000 }, () => memory.alloc(32));
    const { slabs, allocatedBytes } = memory.stats();
    expect(slabs).toBeLessThanOrEqual(14);
    expect(allocatedBytes).toBeLessThan(100_000 * 32 * 1.08);
    withAccess([], slots, (_, views) =>
      views.forEach((view, i) => new DataView(view.buffer, view.byteOffset).setUint32(0, i)),
    );
    const last = withReadable(slots.at(-1)!, (view) => new DataView(view.buffer, view.byteOffset).getUint32(0));
    expect(last).toBe(99_999);
    memory.wipeAll();
    expect(memory.stats()).toMatchObject({ slabs, liveSlots: 0, openSlabs: 0 });
    expect(() => reveal(slots[5]!)).toThrow(expect.objectContaining({ code: 'slot_freed' }));
    const again = Array.from({ length: 100_000 }, () => memory.alloc(32));
    expect(memory.stats().slabs).toBe(slabs);
    expect(reveal(again[77]!)).toEqual(new Uint8Array(32));
  });
});

describe('access', () => {
  it('is open during a use alone, and as wide as the widest use', () => {
    const memory = create();
    const [a, b] = [memory.alloc(32), memory.alloc(32)];
    withReadable(a, () => {
      withWritable(b, (view) => view.fill(9));
      expect(memory.stats().openSlabs).toBe(1);
      withReadable(b, (view) => expect(view[0]).toBe(9));
    });
    expect(memory.stats().openSlabs).toBe(0);
  });

  it('closes when the use throws', () => {
    const memory = create();
    const slot = memory.alloc(32);
    expect(() =>
      withReadable(slot, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(memory.stats().openSlabs).toBe(0);
  });

  it('opens nothing where one slot of the batch is dead', () => {
    const memory = create();
    const [live, dead] = [memory.alloc(32), memory.alloc(64)];
    memory.free(dead);
    expect(() => withAccess([live, dead], [], () => 0)).toThrow(expect.objectContaining({ code: 'slot_freed' }));
    expect(memory.stats().openSlabs).toBe(0);
  });

  it('lasts until a promise settles; what is wiped meanwhile is wiped again afterwards', async () => {
    const memory = create();
    const slot = memory.alloc(32);
    let finish = () => {};
    const use = withWritable(slot, async (view) => {
      await new Promise<void>((resolve) => (finish = resolve));
      view.fill(0xee);
    });
    expect(memory.stats().openSlabs).toBe(1);
    memory.wipeAll();
    const other = memory.alloc(32);
    finish();
    await use;
    expect(memory.stats().openSlabs).toBe(0);
    expect(reveal(other)).toEqual(new Uint8Array(32));
    const rest = Array.from({ length: 2047 }, () => memory.alloc(32));
    for (const next of rest) expect(reveal(next)).toEqual(new Uint8Array(32));
    expect(memory.stats().slabs).toBe(1);
  });

  it('lends scratch memory that is empty before and after, nested too', () => {
    const memory = create();
    let leaked: Uint8Array | undefined;
    withScratch(memory, 40, (outer) => {
      outer.fill(1);
      withScratch(memory, 40, (inner) => {
        expect(inner).toEqual(new Uint8Array(40));
        inner.fill(2);
        leaked = inner;
      });
      expect(outer).toEqual(new Uint8Array(40).fill(1));
    });
    expect(leaked).toEqual(new Uint8Array(40));
    expect(() => withScratch(memory, 1 << 20, () => 0)).toThrow(RangeError);
  });

  it('kills the process that touches a view after its use', () => {
    const touch = (after: string) => `
      const { createSecureMemory } = await import(${JSON.stringify(new URL('./memory.ts', import.meta.url).href)});
      const { withReadable } = await import(${JSON.stringify(new URL('./access.ts', import.meta.url).href)});
      const slot = createSecureMemory({ allowUnlockedMemory: true }).allocRandom(32);
      const view = withReadable(slot, (bytes) => bytes);
      ${after}
    `;
    const command = 'ulimit -c 0; exec "$0" --no-warnings --input-type=module -e "$1"';
    const run = (script: string) => spawnSync('/bin/sh', ['-c', command, process.execPath, script]);
    expect(run(touch('')).status).toBe(0);
    expect(run(touch('view[0];')).signal).toBe('SIGSEGV');
  });
});

describe.skipIf(!existsSync('/proc/self/status'))('locking', () => {
  it('is counted as the kernel counts it', () => {
    const before = lockedBytes()!;
    const memory = createSecureMemory();
    const slots: Slot[] = [];
    for (let i = 0; i < 3000; i++) slots.push(memory.alloc(64));
    memory.checkLocked();
    expect(lockedBytes()! - before).toBe(memory.stats().allocatedBytes);
    expect(slots).toHaveLength(3000);
  });

  /** Root has CAP_IPC_LOCK and no limit, so the limit is tried as an ordinary user. */
  function underLimit(kilobytes: number, options: string) {
    const script = `
      const { createSecureMemory } = await import(${JSON.stringify(new URL('./memory.ts', import.meta.url).href)});
      const memory = createSecureMemory(${options});
      try {
        for (let i = 0; i < 20_000; i++) memory.alloc(32);
        memory.checkLocked();
        console.log('allocated');
      } catch (error) {
        console.log(error.code + ' ' + error.remedy + ' slots=' + memory.stats().liveSlots);
      }
    `;
    const command = `ulimit -l ${kilobytes}; exec "$0" --no-warnings --input-type=module -e "$1"`;
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const result = spawnSync('/bin/sh', ['-c', command, process.execPath, script], { ...user, env: {} });
    if (result.status !== 0) throw new Error(`the child failed: ${result.stderr.toString()}`);
    return result.stdout.toString();
  }

  it('fails before a key is put into memory that the kernel did not lock', () => {
    const output = underLimit(128, '{}');
    expect(output).toMatch(/^memory_not_locked /);
    for (const way of ['ulimit -l', 'CAP_IPC_LOCK', 'LimitMEMLOCK']) expect(output).toContain(way);
    // The first slab of 64 KiB fits the limit, the next of 256 KiB does not.
    expect(output).toContain('slots=2048');
  });

  it('goes on without when it was told to', () => {
    expect(underLimit(128, '{ allowUnlockedMemory: true }')).toBe('allocated\n');
  });
});
