import { describe, expect, it } from 'vitest';
import { charge, createUsage, type Usage } from './budget/usage.ts';
import type { Constraint } from './constraint.ts';
import type { Decision, PermissionRequest } from './decision.ts';
import {
  BOB,
  etherGrant,
  etherRequest,
  EVE,
  outflow,
  PLAIN_ZONES,
  tokenGrant,
  tokenRequest,
  USDT_ASSET,
  volume,
  WALLET,
} from './engine.fixture.ts';
import { evaluate } from './evaluate.ts';
import type { DenyRule, Grant } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function judge(request: PermissionRequest, grants: readonly Grant[], usage = createUsage(), now = 0): Decision {
  return evaluate(request, createGrantIndex(grants), usage, now, PLAIN_ZONES);
}

/** Judges and charges, as the keep does. */
function take(request: PermissionRequest, grants: readonly Grant[], usage: Usage, now: number): Decision['verdict'] {
  const decision = judge(request, grants, usage, now);
  if (decision.verdict === 'permit') charge(usage, decision.charges, now, String(now));
  return decision.verdict;
}

const codes = (decision: Decision) =>
  decision.verdict === 'deny' ? decision.reasons.map(({ code }) => code) : [decision.verdict];

describe('evaluate', () => {
  it('charges the value and the maximum fee', () => {
    const constraints: Constraint[] = [
      volume(100n),
      { type: 'count', limit: 3, window: { seconds: 60 } },
      { type: 'max-fee', limit: 10n },
    ];
    expect(judge(etherRequest(), [etherGrant({ constraints })])).toEqual({
      verdict: 'permit',
      grant: 'g1',
      charges: [
        { grant: 'g1', budget: 'volume native 3600s', amount: 70n },
        { grant: 'g1', budget: 'count 60s', amount: 1n },
      ],
      budgets: [
        ...[
          {
            grant: 'g1',
            rule: 'volume',
            asset: 'native',
            window: '3600s',
            limit: 100n,
            spentBefore: 0n,
            spentAfter: 70n,
          },
        ],
        ...[{ grant: 'g1', rule: 'count', window: '60s', limit: 3n, spentBefore: 0n, spentAfter: 1n }],
        ...[{ grant: 'g1', rule: 'max-fee', limit: 10n, spentBefore: 0n, spentAfter: 10n }],
      ],
    });
  });

  it.each<[string, Grant[]]>([
    ['no grants', []],
    ['another client', [etherGrant({ client: 'Bot' })]],
    ['a group that it is not in', [etherGrant({ client: { group: 'bot' } })]],
    ['another wallet', [etherGrant({ wallet: 'cold' })]],
    ['another chain', [etherGrant({ chain: 'eip155:10' })]],
    ['another kind', [tokenGrant()]],
    [
      'what only restricts',
      [{ id: 'c', createdSeq: 1, kind: 'cap', wallet: 'hot', chain: 'eip155:1', constraints: [] }],
    ],
  ])('denies with %s', (_, grants) => {
    expect(judge(etherRequest(), grants)).toEqual({
      verdict: 'deny',
      reasons: [
        { code: 'no_grant', grant: null, client: 'bot', wallet: 'hot', chain: 'eip155:1', kind: 'ether-transfer' },
      ],
    });
  });

  it('charges the oldest that permits, and names the reasons of all where none does', () => {
    const young = etherGrant({ id: 'young', createdSeq: 9, recipients: 'any' });
    const old = etherGrant({ id: 'old', createdSeq: 2, constraints: [volume(69n)] });
    const usage = createUsage();
    expect(judge(etherRequest(), [young, old], usage)).toMatchObject({ verdict: 'permit', grant: 'young' });
    expect(judge(etherRequest({ value: 59n }), [young, old], usage)).toMatchObject({ verdict: 'permit', grant: 'old' });
    const denied = judge(etherRequest({ value: 600n }), [young, old], usage);
    expect(denied).toMatchObject({ verdict: 'deny', reasons: [{ grant: 'old' }, { grant: 'young' }] });
  });

  it('denies what names nobody of the list, and says how many it names', () => {
    expect(judge(etherRequest({ to: EVE }), [etherGrant()])).toEqual({
      verdict: 'deny',
      reasons: [{ code: 'recipient_not_permitted', grant: 'g1', asked: EVE, permitted: 1 }],
    });
    expect(codes(judge(etherRequest(), [etherGrant({ recipients: [] })]))).toEqual(['recipient_not_permitted']);
  });

  it('needs a limit for everything that leaves, fees included', () => {
    expect(codes(judge(etherRequest(), [etherGrant({ constraints: [] })]))).toEqual(['no_volume_limit']);
    const noFee = tokenGrant({ constraints: [volume(1000n, 3600, USDT_ASSET)] });
    expect(codes(judge(tokenRequest(), [noFee]))).toEqual(['no_fee_limit']);
    expect(codes(judge(tokenRequest({}, {}, { fee: null }), [noFee]))).toEqual(['permit']);
    expect(codes(judge(etherRequest(), [etherGrant({ constraints: [], unlimited: ['native'] })]))).toEqual(['permit']);
  });

  it('takes unlimited allowances only where they are granted by name, and no limit holds them', () => {
    const ask = tokenRequest({ route: 'approve', amount: 'unlimited' });
    const open = { spenders: [BOB], constraints: [{ type: 'max-fee', limit: 100n }] as const };
    expect(codes(judge(ask, [tokenGrant({ spenders: [BOB] })]))).toEqual(['unlimited_not_granted', 'volume_exceeded']);
    expect(codes(judge(ask, [tokenGrant(open)]))).toEqual(['unlimited_not_granted']);
    expect(codes(judge(ask, [tokenGrant({ ...open, unlimited: [USDT_ASSET] })]))).toEqual(['permit']);
    const capped = { ...open, unlimited: [USDT_ASSET], constraints: [...open.constraints, volume(5n, 60, USDT_ASSET)] };
    expect(codes(judge(ask, [tokenGrant(capped)]))).toEqual(['volume_exceeded']);
  });

  it('spends one budget by every route', () => {
    const grant = tokenGrant({
      spenders: [BOB],
      constraints: [volume(250n, 3600, USDT_ASSET), { type: 'max-fee', limit: 10n }],
    });
    const usage = createUsage();
    expect(take(tokenRequest(), [grant], usage, 1)).toBe('permit');
    expect(take(tokenRequest({ route: 'approve' }), [grant], usage, 2)).toBe('permit');
    expect(take(tokenRequest({ route: 'permit' }, {}, { fee: null }), [grant], usage, 3)).toBe('deny');
    expect(take(tokenRequest({ route: 'permit', amount: 50n }, {}, { fee: null }), [grant], usage, 3)).toBe('permit');
  });

  it('covers every action and every outflow, or none', () => {
    const both = {
      actions: [...etherRequest().intent.actions, ...tokenRequest().intent.actions],
      outflows: [...etherRequest().intent.outflows, ...tokenRequest().intent.outflows],
    };
    const request = { ...etherRequest(), intent: { ...etherRequest().intent, ...both } };
    const all = [etherGrant({ unlimited: [USDT_ASSET] }), tokenGrant({ unlimited: ['native'] })];
    expect(codes(judge(request, all))).toEqual(['kind_not_granted']);
    const hidden = tokenRequest({}, {}, { outflows: [outflow(USDT_ASSET, 100n, EVE)] });
    expect(codes(judge(hidden, [tokenGrant()]))).toEqual(['recipient_not_permitted']);
    const twice = tokenRequest({}, {}, { outflows: [outflow(USDT_ASSET, 600n, BOB), outflow(USDT_ASSET, 600n, BOB)] });
    expect(codes(judge(twice, [tokenGrant()]))).toEqual(['volume_exceeded']);
  });

  it('acts for the wallet alone, but for accounts that the grant names', () => {
    const safe = '0x5afe000000000000000000000000000000000000';
    expect(codes(judge(tokenRequest({ sender: safe }), [tokenGrant()]))).toEqual(['account_not_granted']);
    expect(codes(judge(tokenRequest({ from: safe }), [tokenGrant()]))).toEqual(['account_not_granted']);
    expect(codes(judge(tokenRequest({ from: safe, sender: safe }), [tokenGrant({ accounts: [safe] })]))).toEqual([
      'permit',
    ]);
    expect(codes(judge(tokenRequest({ from: WALLET }), [tokenGrant()]))).toEqual(['permit']);
  });

  it('throws at amounts below zero, which would give budget back', () => {
    for (const value of [-1n, -100n]) expect(() => judge(etherRequest({ value }), [etherGrant()])).toThrow(RangeError);
    expect(() => judge(etherRequest({ fee: -1n }), [etherGrant()])).toThrow(RangeError);
  });
});

describe('constraints', () => {
  const within = (...constraints: Constraint[]) => [etherGrant({ constraints: [volume(10_000n, 60), ...constraints] })];
  const verdict = (constraint: Constraint, request = etherRequest(), now = 0) =>
    codes(judge(request, within(constraint), createUsage(), now));

  it.each<[string, Constraint, string[]]>([
    ['max-value at its limit', { type: 'max-value', asset: 'native', limit: 60n }, ['permit']],
    ['max-value', { type: 'max-value', asset: 'native', limit: 59n }, ['max_value_exceeded']],
    ['max-value of something else', { type: 'max-value', asset: USDT_ASSET, limit: 1n }, ['permit']],
    ['gas-limit', { type: 'gas-limit', limit: 20_999n }, ['gas_limit_exceeded']],
    ['gas-limit at its limit', { type: 'gas-limit', limit: 21_000n }, ['permit']],
    ['max-fee-per-gas', { type: 'max-fee-per-gas', limit: 29n }, ['max_fee_per_gas_exceeded']],
    ['max-fee-per-gas at its limit', { type: 'max-fee-per-gas', limit: 30n }, ['permit']],
    ['max-priority-fee', { type: 'max-priority-fee', limit: 1n }, ['max_priority_fee_exceeded']],
    ['max-priority-fee at its limit', { type: 'max-priority-fee', limit: 2n }, ['permit']],
    ['max-fee', { type: 'max-fee', limit: 9n }, ['max_fee_exceeded']],
    ['outstanding', { type: 'outstanding', asset: 'native', limit: 69n }, ['outstanding_exceeded']],
    [
      'a quorum that is not reached',
      { type: 'quorum', above: { asset: 'native', amount: 60n }, approvals: 2 },
      ['permit'],
    ],
    ['a quorum', { type: 'quorum', above: { asset: 'native', amount: 59n }, approvals: 2 }, ['needs-approval']],
    [
      'a zone that is not known',
      { type: 'count', limit: 5, window: { calendar: 'day', zone: 'No/Where' } },
      ['unknown_zone'],
    ],
    ['hours in a zone that is not known', { type: 'weekly', zone: 'No/Where', spans: [] }, ['unknown_zone']],
    ['what this version does not know', { type: 'lunar' } as unknown as Constraint, ['unknown_constraint']],
  ])('%s', (_, constraint, expected) => {
    expect(verdict(constraint)).toEqual(expected);
  });

  it('asks for approvals, and is content when there are enough', () => {
    const grants = within({ type: 'quorum', above: { asset: 'native', amount: 0n }, approvals: 2 });
    expect(judge(etherRequest({}, { approvals: 1 }), grants)).toMatchObject({
      verdict: 'needs-approval',
      needed: 2,
      given: 1,
    });
    expect(judge(etherRequest({}, { approvals: 2 }), grants)).toMatchObject({ verdict: 'permit' });
    // What needs no approval is charged first, whatever its age.
    const free = etherGrant({ id: 'free', createdSeq: 9 });
    expect(judge(etherRequest(), [...grants, free])).toMatchObject({ verdict: 'permit', grant: 'free' });
  });

  it('holds for ever, and for calendar periods', () => {
    const usage = createUsage();
    const ever = within({ type: 'count', limit: 2, window: { ever: true } });
    expect([0, DAY_MS, 900 * DAY_MS].map((now) => take(etherRequest(), ever, usage, now))).toEqual([
      'permit',
      'permit',
      'deny',
    ]);
    const east: Constraint = {
      type: 'volume',
      asset: 'native',
      limit: 70n,
      window: { calendar: 'day', zone: 'Fixed/East' },
    };
    const days = createUsage();
    const times = [24, 46, 47, 70, 71].map((hours) => hours * HOUR_MS);
    expect(times.map((now) => take(etherRequest(), within(east), days, now))).toEqual([
      'permit',
      'deny',
      'permit',
      'deny',
      'permit',
    ]);
  });

  it('tells when a calendar budget is free again', () => {
    const usage = createUsage();
    const day: Constraint = { type: 'count', limit: 1, window: { calendar: 'day', zone: 'UTC' } };
    take(etherRequest(), within(day), usage, 5);
    expect(judge(etherRequest(), within(day), usage, 6)).toMatchObject({
      reasons: [{ code: 'count_exceeded', freeAtMs: DAY_MS, remaining: 0n }],
    });
  });

  it('keeps within its validity', () => {
    const valid: Constraint = { type: 'validity', fromMs: 10, untilMs: 20 };
    expect([9, 10, 19, 20].map((now) => verdict(valid, etherRequest(), now)[0])).toEqual([
      'outside_validity',
      'permit',
      'permit',
      'outside_validity',
    ]);
    expect(verdict({ type: 'validity', fromMs: null, untilMs: 20 }, etherRequest(), 0)).toEqual(['permit']);
    expect(verdict({ type: 'validity', fromMs: 10, untilMs: null }, etherRequest(), DAY_MS)).toEqual(['permit']);
  });

  it('keeps to hours of the week, over midnight too', () => {
    // 1 January 1970 was a Thursday.
    const at = (day: number, hour: number, minute = 0) => day * DAY_MS + hour * HOUR_MS + minute * 60_000;
    const days = (from: string, to: string): Constraint => ({
      type: 'weekly',
      zone: 'UTC',
      spans: [{ days: ['mon', 'thu'], from, to }],
    });
    const open = (constraint: Constraint, ...times: number[]) =>
      times.map((now) => verdict(constraint, etherRequest(), now)[0] === 'permit');
    expect(
      open(days('08:00', '20:00'), at(0, 7, 59), at(0, 8), at(0, 19, 59), at(0, 20), at(1, 12), at(4, 12)),
    ).toEqual([false, true, true, false, false, true]);
    expect(open(days('22:00', '06:30'), at(0, 5), at(0, 22), at(1, 6, 29), at(1, 6, 30), at(1, 22), at(5, 0))).toEqual([
      false,
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(open(days('22:00', '24:00'), at(0, 23, 59), at(1, 0))).toEqual([true, false]);
  });

  it('keeps requests apart', () => {
    const usage = createUsage();
    const grants = within({ type: 'min-interval', seconds: 60 });
    expect([0, 59_999, 60_000].map((now) => take(etherRequest(), grants, usage, now))).toEqual([
      'permit',
      'deny',
      'permit',
    ]);
    expect(judge(etherRequest(), grants, usage, 60_001)).toMatchObject({
      reasons: [{ code: 'too_soon', freeAtMs: 120_000 }],
    });
  });

  it('holds an allowance as outstanding until an hour after its own end', () => {
    const usage = createUsage();
    const limits: Constraint[] = [
      { type: 'outstanding', asset: USDT_ASSET, limit: 150n },
      { type: 'max-fee', limit: 10n },
    ];
    const grants = [tokenGrant({ spenders: [BOB], constraints: [volume(10_000n, 60, USDT_ASSET), ...limits] })];
    const permit2 = tokenRequest({ route: 'permit2', untilMs: DAY_MS });
    expect([0, DAY_MS, DAY_MS + HOUR_MS - 1, DAY_MS + HOUR_MS].map((now) => take(permit2, grants, usage, now))).toEqual(
      ['permit', 'deny', 'deny', 'permit'],
    );
  });
});

describe('caps', () => {
  const cap = (...constraints: Constraint[]): Grant => ({
    id: 'cap',
    createdSeq: 5,
    kind: 'cap',
    wallet: 'hot',
    chain: 'eip155:1',
    constraints,
  });

  it('limit a wallet over all its clients', () => {
    const grants = [etherGrant(), etherGrant({ id: 'g2', client: 'other' }), cap(volume(100n))];
    const usage = createUsage();
    expect(take(etherRequest(), grants, usage, 0)).toBe('permit');
    expect(judge(etherRequest({}, { client: 'other' }), grants, usage, 1)).toMatchObject({
      reasons: [{ code: 'volume_exceeded', grant: 'cap', remaining: 30n }],
    });
    expect(take(etherRequest({ value: 20n }, { client: 'other' }), grants, usage, 1)).toBe('permit');
  });

  it('are charged besides the grant, and can ask for approvals', () => {
    const quorum: Constraint = { type: 'quorum', above: { asset: 'native', amount: 0n }, approvals: 3 };
    expect(judge(etherRequest(), [etherGrant(), cap(volume(100n), quorum)])).toMatchObject({
      verdict: 'needs-approval',
      needed: 3,
    });
    const decision = judge(etherRequest({}, { approvals: 3 }), [etherGrant(), cap(volume(100n), quorum)]);
    expect(decision).toMatchObject({
      verdict: 'permit',
      charges: [
        { grant: 'g1', amount: 70n },
        { grant: 'cap', amount: 70n },
      ],
    });
  });

  it('count fees, which somebody else’s grant may leave open', () => {
    const grants = [tokenGrant(), cap(volume(15n))];
    const usage = createUsage();
    expect(take(tokenRequest(), grants, usage, 0)).toBe('permit');
    expect(codes(judge(tokenRequest(), grants, usage, 1))).toEqual(['volume_exceeded']);
  });
});

describe('replacements', () => {
  const replacing = (maxFeeWei: bigint, patch: Partial<NonNullable<PermissionRequest['replaces']>> = {}) => ({
    replaces: { by: 'same-intent' as const, grant: 'g1', maxFeeWei, ...patch },
  });

  it('are charged what they add to the highest fee so far, and are not counted again', () => {
    const limits: Constraint[] = [
      volume(100n),
      { type: 'count', limit: 1, window: { ever: true } },
      { type: 'min-interval', seconds: 60 },
    ];
    const grants = [etherGrant({ constraints: limits })];
    const usage = createUsage();
    expect(take(etherRequest(), grants, usage, 0)).toBe('permit');
    const faster = judge(etherRequest({ fee: 25n }, replacing(10n)), grants, usage, 1);
    expect(faster).toMatchObject({ verdict: 'permit', charges: [{ budget: 'volume native 3600s', amount: 15n }] });
    expect(judge(etherRequest({ fee: 10n }, replacing(10n)), grants, usage, 1)).toMatchObject({
      verdict: 'permit',
      charges: [],
    });
    expect(codes(judge(etherRequest({ fee: 41n }, replacing(10n)), grants, usage, 1))).toEqual(['volume_exceeded']);
  });

  it('belong to the grant that was charged, and to no other', () => {
    const grants = [etherGrant(), etherGrant({ id: 'g2' })];
    expect(judge(etherRequest({}, replacing(5n, { grant: 'g2' })), grants)).toMatchObject({ grant: 'g2' });
    expect(codes(judge(etherRequest({}, replacing(5n, { grant: 'gone' })), grants))).toContain(
      'replacement_of_other_grant',
    );
  });

  it('are paid whole by any grant that covers them where the one that was charged has ended', () => {
    const orphan = { grant: null, maxFeeWei: 0n };
    const counted: Constraint[] = [volume(100n), { type: 'count', limit: 1, window: { ever: true } }];
    const grants = [etherGrant({ recipients: [WALLET] }), etherGrant({ id: 'g2', constraints: counted })];
    const usage = createUsage();
    const whole = { verdict: 'permit', grant: 'g2', charges: [{ amount: 85n }, { budget: 'count ever' }] };
    expect(judge(etherRequest({ fee: 25n }, replacing(0n, orphan)), grants, usage, 1)).toMatchObject(whole);
    expect(take(etherRequest({ fee: 25n }, replacing(0n, orphan)), grants, usage, 1)).toBe('permit');
    expect(codes(judge(etherRequest({ fee: 25n }, replacing(0n, orphan)), grants, usage, 2))).toContain(
      'count_exceeded',
    );
    const cancel = etherRequest({ to: WALLET, value: 0n }, replacing(0n, { ...orphan, by: 'cancellation' }));
    expect(judge(cancel, [etherGrant({ id: 'g3' })])).toMatchObject({ verdict: 'permit', grant: 'g3' });
  });

  it('may cancel without being listed, but for fees within the limits', () => {
    const cancel = (fee: bigint) =>
      etherRequest({ to: WALLET, value: 0n, fee }, replacing(10n, { by: 'cancellation' }));
    expect(codes(judge(etherRequest({ to: WALLET, value: 0n }), [etherGrant()]))).toEqual(['recipient_not_permitted']);
    expect(codes(judge(cancel(20n), [etherGrant()]))).toEqual(['permit']);
    expect(codes(judge(cancel(111n), [etherGrant()]))).toEqual(['volume_exceeded']);
    const capped = etherGrant({ constraints: [volume(100n), { type: 'max-fee', limit: 15n }] });
    expect(codes(judge(cancel(20n), [capped]))).toEqual(['max_fee_exceeded']);
  });
});

describe('deny rules', () => {
  const deny = (patch: Partial<DenyRule>): DenyRule => ({
    id: 'd',
    createdSeq: 9,
    kind: 'deny',
    client: 'any',
    wallet: 'any',
    chain: 'any',
    ...patch,
  });

  it.each<[string, Partial<DenyRule>, boolean]>([
    ['everything', {}, true],
    ['a recipient', { addresses: [EVE, BOB] }, true],
    ['another recipient', { addresses: [EVE] }, false],
    ['an asset', { assets: ['native'] }, true],
    ['a kind to a recipient', { actions: ['ether-transfer'], addresses: [BOB] }, true],
    ['another kind to that recipient', { actions: ['token-transfer'], addresses: [BOB] }, false],
    ['a route', { routes: ['value'] }, true],
    ['a function', { functions: ['deposit()'] }, false],
    ['another client', { client: 'other' }, false],
    ['another wallet', { wallet: 'cold' }, false],
    ['another chain', { chain: 'eip155:5' }, false],
  ])('win over every grant: %s', (_, patch, forbidden) => {
    const decision = judge(etherRequest(), [etherGrant(), deny(patch)]);
    expect(codes(decision)).toEqual([forbidden ? 'forbidden' : 'permit']);
  });
});
