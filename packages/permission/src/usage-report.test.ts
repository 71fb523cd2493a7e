import { describe, expect, it } from 'vitest';
import type { Grant } from './grant.ts';
import { usageReport } from './usage-report.ts';
import { charge, createUsage } from './usage.ts';

const GRANT: Grant = {
  id: 'g1',
  createdSeq: 1,
  client: 'bot',
  wallet: 'hot',
  chain: 'eip155:1',
  kind: 'ether-transfer',
  recipients: 'any',
  constraints: [
    { type: 'volume', limit: 100n, windowSeconds: 3600 },
    { type: 'max-fee', limit: 3n },
    { type: 'count', limit: 4, windowSeconds: 60 },
  ],
};
const HOUR = { rule: 'volume', windowSeconds: 3600 } as const;
const MINUTE = { rule: 'count', windowSeconds: 60 } as const;

describe('usageReport', () => {
  it('says what is left, and when all of it is back', () => {
    const usage = createUsage();
    expect(usageReport(GRANT, usage, 500)[0]).toEqual({
      ...HOUR,
      limit: 100n,
      spent: 0n,
      remaining: 100n,
      allFreeAtMs: 500,
    });
    charge(
      usage,
      'g1',
      [
        { ...HOUR, amount: 30n },
        { ...MINUTE, amount: 1n },
      ],
      1000,
    );
    charge(
      usage,
      'g1',
      [
        { ...HOUR, amount: 20n },
        { ...MINUTE, amount: 1n },
      ],
      2000,
    );
    expect(usageReport(GRANT, usage, 61_000)).toEqual([
      { ...HOUR, limit: 100n, spent: 50n, remaining: 50n, allFreeAtMs: 3_602_000 },
      { rule: 'max-fee', limit: 3n },
      { ...MINUTE, limit: 4n, spent: 1n, remaining: 3n, allFreeAtMs: 62_000 },
    ]);
  });
});
