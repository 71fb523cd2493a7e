import { describe, expect, it } from 'vitest';
import { fillUsage } from './fill-usage.ts';
import type { Grant } from './grant.ts';
import { usageReport } from './usage-report.ts';
import { charge, createUsage, spent } from './usage.ts';

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

describe('fillUsage', () => {
  it('spends everything where nothing is said to remain', () => {
    const usage = createUsage();
    charge(usage, 'g1', [{ ...HOUR, amount: 30n }], 1000);
    expect(fillUsage(GRANT, usage, 2000)).toEqual([
      { ...HOUR, amount: 70n },
      { ...MINUTE, amount: 4n },
    ]);
    expect(usageReport(GRANT, usage, 2000).map((line) => 'remaining' in line && line.remaining)).toEqual([
      0n,
      false,
      0n,
    ]);
    expect(fillUsage(GRANT, usage, 2000)).toEqual([]);
  });

  it('leaves what an operator says remains, and gives nothing back', () => {
    const usage = createUsage();
    charge(usage, 'g1', [{ ...HOUR, amount: 30n }], 1000);
    fillUsage(GRANT, usage, 2000, { 'volume/3600': 25n, 'count/60': 9n });
    expect(spent(usage, 'g1', HOUR, 2000)).toBe(75n);
    expect(spent(usage, 'g1', MINUTE, 2000)).toBe(0n);
    fillUsage(GRANT, usage, 2000, { 'volume/3600': 80n, 'count/60': 4n });
    expect(spent(usage, 'g1', HOUR, 2000)).toBe(75n);
  });

  it('takes no answer about a window that is not there', () => {
    const usage = createUsage();
    expect(() => fillUsage(GRANT, usage, 0, { 'volume/60': 1n })).toThrow(RangeError);
    expect(() => fillUsage(GRANT, usage, 0, { 'volume/3600': -1n })).toThrow(RangeError);
    expect(usage).toEqual(createUsage());
  });
});
