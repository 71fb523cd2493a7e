import { expect, it } from 'vitest';
import { measureHeaderSync } from './header-sync.ts';

it('a synchronisation of headers that is killed half-way goes on where it was', async () => {
  const report = await measureHeaderSync(40_000);
  expect(report.reached).toBe(40_000);
  expect(report.killedAt).toBeGreaterThanOrEqual(20_000);
  // What was told was on disk; a batch may have been written and not yet told.
  expect(report.resumedAt).toBeGreaterThanOrEqual(report.killedAt);
});
