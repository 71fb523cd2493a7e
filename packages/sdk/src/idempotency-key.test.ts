import { expect, it } from 'vitest';
import { timeOfUuidV7 } from '@keepwatch/wire';
import { newKey } from './idempotency-key.ts';

it('is a new UUID of version 7 each time, of the present', () => {
  const before = Date.now();
  const keys = Array.from({ length: 2_000 }, newKey);
  expect(new Set(keys.map((key) => key.slice(13))).size).toBe(keys.length);
  for (const key of keys) {
    expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(timeOfUuidV7(key)).toBeGreaterThanOrEqual(before);
    expect(timeOfUuidV7(key)).toBeLessThanOrEqual(Date.now());
  }
});
