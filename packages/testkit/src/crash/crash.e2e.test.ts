import { expect, it } from 'vitest';
import { runCrashTest } from './crash-test.ts';
import { runDiskFullTest } from './disk-full.ts';

it('loses, doubles and overspends nothing while keep is killed under load', { timeout: 180_000 }, async () => {
  const lines: string[] = [];
  const result = await runCrashTest({ rounds: 5, say: (line) => void lines.push(line) });
  expect(result.violations, lines.join('\n')).toEqual([]);
  // The test has to have met what it is about.
  expect(result.kills).toBeGreaterThanOrEqual(5);
  expect(result.signatures).toBeGreaterThan(0);
  expect(result.retried).toBeGreaterThan(0);
});

it('signs nothing on a full disk, and still revokes and seals', { timeout: 120_000 }, async (context) => {
  const result = await runDiskFullTest(() => undefined);
  context.skip(result.skipped, 'no tmpfs can be mounted here (it needs root)');
  expect(result.violations).toEqual([]);
});
