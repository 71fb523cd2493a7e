import { expect, it } from 'vitest';
import type { StoredRecord } from '@keepwatch/journal';
import { readKeysAhead } from './sealed-keys.ts';
import { memoryStore } from './test-vault.fixture.ts';

function filled(count: number) {
  const store = memoryStore();
  const keys = Array.from({ length: count }, (_, i) => String(i).padStart(8, '0'));
  void store.commit(
    [],
    keys.map((key) => ({ op: 'put' as const, space: 'wallet-key', key, value: Uint8Array.of(1) })),
  );
  return { store, keys };
}

async function all(reader: ReturnType<typeof readKeysAhead>): Promise<string[]> {
  const keys: string[] = [];
  for (let page: readonly StoredRecord[]; (page = await reader.next()).length > 0;)
    keys.push(...page.map(({ key }) => key));
  return keys;
}

it.each([0, 1, 999, 1_000, 1_001, 2_500])(
  'gives %i keys once and in order, wherever reading ahead stopped',
  async (count) => {
    const { store, keys } = filled(count);
    for (let steps = 0; steps < 5; steps++) {
      const waiting: (() => void)[] = [];
      const reader = readKeysAhead(store, (run) => waiting.push(run));
      for (let i = 0; i < steps; i++) waiting.shift()?.();
      reader.stop();
      for (const run of waiting) run();
      expect(await all(reader)).toEqual(keys);
      expect(await reader.next()).toEqual([]);
    }
  },
);

it('leaves a failure of the store to whoever asks', async () => {
  const waiting: (() => void)[] = [];
  const failing = () => {
    throw new Error('the disk is gone');
  };
  const reader = readKeysAhead({ list: failing }, (run) => waiting.push(run));
  waiting[0]!();
  expect(() => reader.next()).toThrow('the disk is gone');
});
