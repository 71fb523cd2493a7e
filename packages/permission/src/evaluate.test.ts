import { describe, expect, it } from 'vitest';
import type { PermissionRequest } from './decision.ts';
import { chargesOf, evaluate } from './evaluate.ts';
import type { Constraint, Grant } from './grant.ts';
import { charge, createUsage } from './usage.ts';

const BOB = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const EVE = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const HOUR = { rule: 'volume', windowSeconds: 3600 } as const;
const VOLUME: Constraint = { type: 'volume', limit: 100n, windowSeconds: 3600 };

function grant(patch: Partial<Grant> = {}): Grant {
  return {
    id: 'g1',
    createdSeq: 1,
    client: 'bot',
    wallet: 'hot',
    chain: 'eip155:1',
    kind: 'ether-transfer',
    recipients: [BOB],
    constraints: [VOLUME],
    ...patch,
  };
}

function request(patch: Partial<PermissionRequest['intent']> = {}, client = 'bot', wallet = 'hot'): PermissionRequest {
  const intent = { chain: 'eip155:1', nonce: 0, recipient: BOB, valueWei: 60n, maxFeeWei: 10n } as const;
  return { client, wallet, intent: { kind: 'ether-transfer', ...intent, ...patch } };
}

describe('evaluate', () => {
  it('charges the value and the maximum fee', () => {
    const constraints: Constraint[] = [
      VOLUME,
      { type: 'count', limit: 3, windowSeconds: 60 },
      { type: 'max-fee', limit: 10n },
    ];
    expect(evaluate(request(), [grant({ constraints })], createUsage(), 1000)).toEqual({
      verdict: 'permit',
      grant: 'g1',
      charges: [
        { ...HOUR, amount: 70n },
        { rule: 'count', windowSeconds: 60, amount: 1n },
      ],
      budgets: [
        { ...HOUR, limit: 100n, spentBefore: 0n, spentAfter: 70n },
        { rule: 'count', windowSeconds: 60, limit: 3n, spentBefore: 0n, spentAfter: 1n },
        { rule: 'max-fee', windowSeconds: null, limit: 10n, spentBefore: 0n, spentAfter: 10n },
      ],
    });
    expect(chargesOf(grant(), request().intent)).toEqual([{ ...HOUR, amount: 70n }]);
  });

  it.each<[string, Grant[]]>([
    ['no grants', []],
    ['another client', [grant({ client: 'Bot' })]],
    ['another wallet', [grant({ wallet: 'cold' })]],
    ['another chain', [grant({ chain: 'eip155:10' })]],
    ['another kind', [grant({ kind: 'token-transfer' as Grant['kind'] })]],
  ])('denies with %s', (_, grants) => {
    expect(evaluate(request(), grants, createUsage(), 0)).toEqual({
      verdict: 'deny',
      reasons: [
        { code: 'no_grant', grant: null, client: 'bot', wallet: 'hot', chain: 'eip155:1', kind: 'ether-transfer' },
      ],
    });
  });

  it('knows nobody by an empty list, everybody by "any" alone', () => {
    const judge = (recipients: Grant['recipients']) =>
      evaluate(request({ recipient: EVE }), [grant({ recipients })], createUsage(), 0);
    const reason = { code: 'recipient_not_permitted', grant: 'g1', rule: 'recipients', asked: EVE };
    expect(judge([])).toEqual({ verdict: 'deny', reasons: [{ ...reason, permitted: 0 }] });
    expect(judge([BOB])).toEqual({ verdict: 'deny', reasons: [{ ...reason, permitted: 1 }] });
    expect(judge('any').verdict).toBe('permit');
    expect(judge([BOB, EVE]).verdict).toBe('permit');
  });

  it('frees a charge at exactly the end of its window', () => {
    const usage = createUsage();
    charge(usage, 'g1', [{ ...HOUR, amount: 70n }], 5000);
    const denied = evaluate(request(), [grant()], usage, 3_604_999);
    expect(denied).toEqual({
      verdict: 'deny',
      reasons: [
        {
          ...HOUR,
          code: 'volume_exceeded',
          grant: 'g1',
          limit: 100n,
          asked: 70n,
          remaining: 30n,
          freeAtMs: 3_605_000,
        },
      ],
    });
    expect(evaluate(request(), [grant()], usage, 3_605_000).verdict).toBe('permit');
  });

  it('lets the limit itself through and one wei more not', () => {
    const judge = (valueWei: bigint) => evaluate(request({ valueWei }), [grant()], createUsage(), 0);
    expect(judge(90n).verdict).toBe('permit');
    expect(judge(91n)).toMatchObject({ verdict: 'deny', reasons: [{ asked: 101n, remaining: 100n, freeAtMs: null }] });
  });

  it('names every rule that refuses, of every grant, oldest grant first', () => {
    const constraints: Constraint[] = [
      { type: 'max-fee', limit: 9n },
      { type: 'volume', limit: 69n, windowSeconds: 60 },
      { type: 'count', limit: 1, windowSeconds: 60 },
    ];
    const usage = createUsage();
    charge(usage, 'old', [{ rule: 'count', windowSeconds: 60, amount: 1n }], 0);
    const grants = [grant({ id: 'young', createdSeq: 2, recipients: [] }), grant({ id: 'old', constraints })];
    expect(evaluate(request(), grants, usage, 0)).toEqual({
      verdict: 'deny',
      reasons: [
        { code: 'max_fee_exceeded', grant: 'old', rule: 'max-fee', limit: 9n, asked: 10n },
        {
          code: 'volume_exceeded',
          grant: 'old',
          rule: 'volume',
          windowSeconds: 60,
          limit: 69n,
          asked: 70n,
          remaining: 69n,
          freeAtMs: null,
        },
        {
          code: 'count_exceeded',
          grant: 'old',
          rule: 'count',
          windowSeconds: 60,
          limit: 1n,
          asked: 1n,
          remaining: 0n,
          freeAtMs: 60_000,
        },
        { code: 'recipient_not_permitted', grant: 'young', rule: 'recipients', asked: BOB, permitted: 0 },
      ],
    });
  });

  it('charges the oldest grant that permits, and by id among equals', () => {
    const usage = createUsage();
    const grants = [grant({ id: 'c', createdSeq: 2 }), grant({ id: 'b' }), grant({ id: 'a' })];
    const order: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const decision = evaluate(request(), grants, usage, i);
      order.push(decision.verdict === 'permit' && decision.grant);
      if (decision.verdict === 'permit') charge(usage, decision.grant, decision.charges, i);
    }
    expect(order).toEqual(['a', 'b', 'c', false]);
    expect(grants.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });

  it('denies by a constraint that it does not know', () => {
    for (const type of ['quorum', 'constructor', '__proto__']) {
      const constraints = [VOLUME, { type } as unknown as Constraint];
      expect(evaluate(request(), [grant({ constraints })], createUsage(), 0)).toEqual({
        verdict: 'deny',
        reasons: [{ code: 'unknown_constraint', grant: 'g1', rule: type }],
      });
    }
  });

  it('denies where nothing limits what may leave', () => {
    for (const constraints of [[], [{ type: 'max-fee', limit: 10n }] as const]) {
      expect(evaluate(request(), [grant({ constraints })], createUsage(), 0)).toEqual({
        verdict: 'deny',
        reasons: [{ code: 'no_volume_limit', grant: 'g1' }],
      });
    }
  });

  it('throws for amounts that no decoder yields, rather than give budget back', () => {
    const judge = (patch: Partial<PermissionRequest['intent']>) => () =>
      evaluate(request(patch), [grant()], createUsage(), 0);
    expect(judge({ valueWei: -1n })).toThrow(RangeError);
    expect(judge({ maxFeeWei: -1n })).toThrow(RangeError);
    expect(judge({ valueWei: -10n, maxFeeWei: 10n })).toThrow(RangeError);
  });
});
