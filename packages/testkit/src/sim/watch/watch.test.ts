import { expect, it } from 'vitest';
import { simulateWatch } from './watch.ts';

it('misses, doubles and disorders no finding in 150 random histories with crashes', () => {
  const sum = { findings: 0, crashes: 0, reorgs: 0, settled: 0 };
  for (let seed = 1; seed <= 150; seed++) {
    const { fault, findings, crashes, reorgs, settled } = simulateWatch(seed);
    expect(fault && `seed ${seed}: ${fault}`).toBeNull();
    sum.findings += findings;
    sum.crashes += crashes;
    sum.reorgs += reorgs;
    sum.settled += settled;
  }
  // It went where it has to go.
  expect(sum.findings).toBeGreaterThan(3_000);
  expect(sum.crashes).toBeGreaterThan(150);
  expect(sum.reorgs).toBeGreaterThan(150);
  expect(sum.settled).toBeGreaterThan(100);
});
