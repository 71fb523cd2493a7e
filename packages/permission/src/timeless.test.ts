import { describe, expect, it } from 'vitest';
import { createUsage } from './budget/usage.ts';
import type { Constraint } from './constraint.ts';
import { etherGrant, etherRequest, BOB, EVE, PLAIN_ZONES, volume } from './engine.fixture.ts';
import { evaluate } from './evaluate.ts';
import type { Grant } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';
import { evaluateTimeless } from './timeless.ts';

const NOW = 1_000_000;
const ever = (limit: bigint): Constraint => ({ type: 'volume', asset: 'native', limit, window: { ever: true } });
const judge = (grants: readonly Grant[], request = etherRequest()) =>
  evaluateTimeless(request, createGrantIndex(grants), createUsage(), NOW, PLAIN_ZONES);
const timeless = etherGrant({ id: 'always', createdSeq: 2, constraints: [ever(100n)] });

const TIMED: Readonly<Record<string, Constraint>> = {
  'a rolling window': volume(100n),
  'a calendar window': { type: 'count', limit: 5, window: { calendar: 'day', zone: 'UTC' } },
  'a validity': { type: 'validity', fromMs: 0, untilMs: null },
  'hours of the week': {
    ...{ type: 'weekly', zone: 'UTC' },
    spans: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' }],
  },
  'a pause': { type: 'min-interval', seconds: 1 },
  'what is outstanding': { type: 'outstanding', asset: 'native', limit: 100n },
  'approvals, which expire': { type: 'quorum', above: { asset: 'native', amount: 1_000n }, approvals: 1 },
  'a rule that is not known': { type: 'mood' } as unknown as Constraint,
};

const UNTIMED: readonly Constraint[] = [
  { type: 'count', limit: 5, window: { ever: true } },
  { type: 'max-value', asset: 'native', limit: 99n },
  { type: 'gas-limit', limit: 30_000n },
  { type: 'max-fee-per-gas', limit: 99n },
  { type: 'max-priority-fee', limit: 99n },
  { type: 'max-fee', limit: 99n },
];

describe('while the time is not known', () => {
  it.each(Object.entries(TIMED))('a grant with %s says nothing', (_, constraint) => {
    const grant = etherGrant({ constraints: [ever(100n), constraint] });
    expect(judge([grant])).toBe('depends-on-time');
    // Another one that does not depend on time permits what it permits.
    expect(judge([grant, timeless])).toMatchObject({ verdict: 'permit', grant: 'always' });
  });

  it('a grant without any of them decides as always', () => {
    const grant = etherGrant({ constraints: [ever(100n), ...UNTIMED] });
    expect(judge([grant])).toMatchObject({ verdict: 'permit', grant: 'g1' });
    expect(judge([grant])).toEqual(
      evaluate(etherRequest(), createGrantIndex([grant]), createUsage(), NOW, PLAIN_ZONES),
    );
    expect(judge([grant], etherRequest({ value: 95n }))).toMatchObject({
      verdict: 'deny',
      reasons: [{ code: 'volume_exceeded' }],
    });
  });

  it('what only a timed grant could permit waits for the time, and what nobody permits is denied', () => {
    const timed = etherGrant({ recipients: [EVE] });
    expect(judge([timed, timeless], etherRequest({ to: EVE }))).toBe('depends-on-time');
    expect(judge([timeless], etherRequest({ to: EVE }))).toMatchObject({ verdict: 'deny' });
    expect(judge([])).toMatchObject({ verdict: 'deny', reasons: [{ code: 'no_grant' }] });
  });

  it('a cap that depends on it holds back its wallet, and no other', () => {
    const cap = { ...{ id: 'c1', createdSeq: 3, kind: 'cap' as const, wallet: 'hot' }, chain: 'eip155:1' };
    expect(judge([timeless, { ...cap, constraints: [volume(1_000n)] }])).toBe('depends-on-time');
    expect(judge([timeless, { ...cap, constraints: [ever(1_000n)] }])).toMatchObject({ verdict: 'permit' });
    expect(judge([timeless, { ...cap, wallet: 'cold', constraints: [volume(1_000n)] }])).toMatchObject({
      verdict: 'permit',
    });
  });

  it('a deny rule forbids', () => {
    const rule: Grant = { id: 'd1', createdSeq: 4, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' };
    const denied = { verdict: 'deny', reasons: [expect.objectContaining({ code: 'forbidden' })] };
    expect(judge([timeless, { ...rule, addresses: [BOB] }])).toEqual(denied);
    expect(judge([timeless, etherGrant(), { ...rule, addresses: [BOB] }])).toEqual(denied);
    // One that does not match forbids nothing, and what a timed grant could permit waits for the time.
    expect(judge([etherGrant(), { ...rule, addresses: [EVE] }])).toBe('depends-on-time');
  });
});
