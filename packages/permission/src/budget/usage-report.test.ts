import { expect, it } from 'vitest';
import { etherGrant, PLAIN_ZONES, volume } from '../engine.fixture.ts';
import { charge, createUsage } from './usage.ts';
import { usageReport } from './usage-report.ts';

it('says of each constraint what is left, and when all of it is free again', () => {
  const grant = etherGrant({
    constraints: [
      volume(100n),
      { type: 'volume', asset: 'native', limit: 50n, window: { calendar: 'day', zone: 'UTC' } },
      { type: 'count', limit: 3, window: { ever: true } },
      { type: 'outstanding', asset: 'native', limit: 20n },
      { type: 'min-interval', seconds: 60 },
      { type: 'max-fee', limit: 5n },
      { type: 'validity', fromMs: 5, untilMs: null },
      { type: 'count', limit: 3, window: { calendar: 'day', zone: 'No/Where' } },
      { type: 'max-value', asset: 'native', limit: 6n },
      { type: 'gas-limit', limit: 7n },
      { type: 'max-fee-per-gas', limit: 8n },
      { type: 'max-priority-fee', limit: 9n },
      { type: 'weekly', zone: 'UTC', spans: [] },
      { type: 'quorum', above: { asset: 'native', amount: 1n }, approvals: 2 },
    ],
  });
  const usage = createUsage();
  const at = (budget: string, amount: bigint) => ({ grant: 'g1', budget, amount });
  const charges = [
    at('volume native 3600s', 30n),
    at('count ever', 4n),
    at('outstanding native', 7n),
    at('min-interval', 0n),
  ];
  charge(usage, [...charges, { ...at('volume native day UTC', 30n), fromMs: 0, untilMs: 86_400_000 }], 1000, '1');
  const nothing = { asset: null, window: null, limit: null, spent: null, remaining: null, allFreeAtMs: null };
  expect(usageReport(grant, usage, 2000, PLAIN_ZONES)).toEqual([
    {
      rule: 'volume',
      asset: 'native',
      window: '3600s',
      limit: 100n,
      spent: 30n,
      remaining: 70n,
      allFreeAtMs: 3_601_000,
    },
    {
      rule: 'volume',
      asset: 'native',
      window: 'day UTC',
      limit: 50n,
      spent: 30n,
      remaining: 20n,
      allFreeAtMs: 86_400_000,
    },
    { rule: 'count', asset: null, window: 'ever', limit: 3n, spent: 4n, remaining: 0n, allFreeAtMs: null },
    { rule: 'outstanding', asset: 'native', window: null, limit: 20n, spent: 7n, remaining: 13n, allFreeAtMs: null },
    { ...nothing, rule: 'min-interval', allFreeAtMs: 61_000 },
    { ...nothing, rule: 'max-fee', limit: 5n },
    { ...nothing, rule: 'validity' },
    { ...nothing, rule: 'count', limit: 3n },
    { ...nothing, rule: 'max-value', asset: 'native', limit: 6n },
    { ...nothing, rule: 'gas-limit', limit: 7n },
    { ...nothing, rule: 'max-fee-per-gas', limit: 8n },
    { ...nothing, rule: 'max-priority-fee', limit: 9n },
    { ...nothing, rule: 'weekly' },
    { ...nothing, rule: 'quorum' },
  ]);
});

it('says that all is free where nothing was charged, and nothing is left of a limit that is reached', () => {
  const grant = etherGrant({ constraints: [volume(30n), { type: 'min-interval', seconds: 60 }] });
  const usage = createUsage();
  expect(usageReport(grant, usage, 2000, PLAIN_ZONES)).toMatchObject([
    { spent: 0n, remaining: 30n },
    { rule: 'min-interval', allFreeAtMs: 2000 },
  ]);
  charge(usage, [{ grant: 'g1', budget: 'volume native 3600s', amount: 30n }], 2000, '1');
  expect(usageReport(grant, usage, 2000, PLAIN_ZONES)[0]).toMatchObject({ spent: 30n, remaining: 0n });
});
