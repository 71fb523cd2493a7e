import { describe, expect, it } from 'vitest';
import { charge, createUsage } from './budget/usage.ts';
import type { Constraint } from './constraint.ts';
import type { PermissionRequest } from './decision.ts';
import {
  BOB,
  etherGrant,
  etherRequest,
  EVE,
  outflow,
  PLAIN_ZONES,
  requestOf,
  tokenGrant,
  tokenRequest,
  USDT_ASSET,
  volume,
} from './engine.fixture.ts';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import type { DenyRule, Grant, WalletCap } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';

const look = (request: PermissionRequest, grants: readonly Grant[], usage = createUsage()) =>
  explain(request, createGrantIndex(grants), usage, 0, PLAIN_ZONES);
const reasons = (request: PermissionRequest, grants: readonly Grant[]) => {
  const decision = evaluate(request, createGrantIndex(grants), createUsage(), 0, PLAIN_ZONES);
  return decision.verdict === 'deny' ? decision.reasons : decision;
};
const cap = (...constraints: readonly Constraint[]): WalletCap => ({
  ...{ id: 'cap', createdSeq: 3, kind: 'cap', wallet: 'hot', chain: 'eip155:1', constraints },
});
const deny: DenyRule = { id: 'no', createdSeq: 9, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' };
const quorum = (approvals: number, amount = 0n): Constraint => ({
  ...{ type: 'quorum', above: { asset: 'native', amount }, approvals },
});
const replaces = (grant: string) => ({ by: 'same-intent' as const, grant, maxFeeWei: 0n });

describe('an explanation', () => {
  it('shows every rule of every grant in scope, whatever failed before it', () => {
    const limits: Constraint[] = [{ type: 'max-value', asset: 'native', limit: 5n }, volume(1_000n), quorum(2)];
    const grants = [
      etherGrant({ id: 'b', createdSeq: 2, constraints: limits }),
      tokenGrant({ id: 'a', createdSeq: 1 }),
      etherGrant({ id: 'other', client: 'somebody' }),
      cap(volume(500n)),
      deny,
    ];
    expect(look(etherRequest(), grants)).toEqual({
      decision: { verdict: 'deny', reasons: [{ code: 'forbidden', grant: 'no', asked: `ether to ${BOB}` }] },
      forbidden: [{ code: 'forbidden', grant: 'no', asked: `ether to ${BOB}` }],
      caps: [
        {
          grant: 'cap',
          verdict: 'pass',
          rules: [
            {
              rule: 'volume',
              verdict: {
                verdict: 'pass',
                line: {
                  ...{ grant: 'cap', rule: 'volume', asset: 'native', window: '3600s', limit: 500n },
                  ...{ spentBefore: 0n, spentAfter: 70n },
                },
                charges: [{ grant: 'cap', budget: 'volume native 3600s', amount: 70n }],
              },
            },
          ],
        },
      ],
      grants: [
        {
          grant: 'a',
          verdict: 'fail',
          rules: [
            {
              rule: 'coverage',
              verdict: { verdict: 'fail', reason: { code: 'kind_not_granted', grant: 'a', asked: 'ether-transfer' } },
            },
            {
              rule: 'limits',
              verdict: { verdict: 'fail', reason: { code: 'no_volume_limit', grant: 'a', asset: 'native' } },
            },
            { rule: 'volume', verdict: expect.objectContaining({ verdict: 'pass', charges: [] }) as unknown },
            { rule: 'max-fee', verdict: expect.objectContaining({ verdict: 'pass' }) as unknown },
          ],
        },
        {
          grant: 'b',
          verdict: 'fail',
          rules: [
            { rule: 'coverage', verdict: { verdict: 'pass' } },
            { rule: 'limits', verdict: { verdict: 'pass' } },
            {
              rule: 'max-value',
              verdict: {
                verdict: 'fail',
                reason: {
                  ...{ code: 'max_value_exceeded', grant: 'b', rule: 'max-value', asset: 'native' },
                  ...{ limit: 5n, asked: 60n },
                },
              },
            },
            { rule: 'volume', verdict: expect.objectContaining({ verdict: 'pass' }) as unknown },
            { rule: 'quorum', verdict: { verdict: 'needs-approval', needed: 2 } },
          ],
        },
      ],
    });
  });

  it('of a replacement shows whose nonce it is, and of a cancellation no coverage', () => {
    const rules = (request: PermissionRequest) => look(request, [etherGrant()]).grants[0]!.rules.slice(0, 3);
    const names = (request: PermissionRequest) => rules(request).map(({ rule }) => rule);
    expect(names(etherRequest({}, { replaces: replaces('g1') }))).toEqual(['replacement', 'coverage', 'limits']);
    expect(names(etherRequest({}, { replaces: { ...replaces('g1'), by: 'cancellation' } }))).toEqual([
      ...['replacement', 'limits', 'volume'],
    ]);
    expect(rules(etherRequest({}, { replaces: replaces('x') }))[0]).toEqual({
      rule: 'replacement',
      verdict: { verdict: 'fail', reason: { code: 'replacement_of_other_grant', grant: 'g1' } },
    });
  });

  it('waits where one rule waits, and fails where one fails, in any order', () => {
    const verdict = (...constraints: readonly Constraint[]) =>
      look(etherRequest(), [etherGrant({ constraints })]).grants[0]!.verdict;
    const wide = volume(1_000n);
    const tight: Constraint = { type: 'max-fee', limit: 1n };
    expect(verdict(wide)).toBe('pass');
    expect(verdict(wide, quorum(1))).toBe('needs-approval');
    expect(verdict(quorum(1), wide, tight)).toBe('fail');
    expect(verdict(tight, wide, quorum(1))).toBe('fail');
  });
});

it('who has no grant learns nothing of the wallet: not what is forbidden there, nor its caps', () => {
  const others = [etherGrant({ client: 'somebody' }), deny, cap(volume(1n))];
  const none = {
    code: 'no_grant',
    grant: null,
    client: 'bot',
    wallet: 'hot',
    chain: 'eip155:1',
    kind: 'ether-transfer',
  };
  expect(look(etherRequest(), others)).toEqual({
    decision: { verdict: 'deny', reasons: [none] },
    ...{ forbidden: [], caps: [], grants: [] },
  });
});

describe('the reasons of a denial', () => {
  it('of a grant that speaks of something else are that alone, and not how its budgets stand', () => {
    const spent = etherGrant({ constraints: [volume(1n), { type: 'max-fee', limit: 1n }] });
    expect(reasons(etherRequest({ to: EVE }), [spent])).toEqual([
      { code: 'recipient_not_permitted', grant: 'g1', asked: EVE, permitted: 1 },
    ]);
    expect(reasons(etherRequest(), [spent])).toMatchObject([{ code: 'volume_exceeded' }, { code: 'max_fee_exceeded' }]);
    const other = etherRequest({ fee: 50n }, { replaces: replaces('g2') });
    const grants = [etherGrant({ constraints: [volume(1n)] })];
    expect(reasons(other, grants)).toEqual([{ code: 'replacement_of_other_grant', grant: 'g1' }]);
  });

  it('are those of every grant that could have covered it, the oldest first', () => {
    const grants = [
      etherGrant({ id: 'y', createdSeq: 2, constraints: [volume(2n)] }),
      etherGrant({ id: 'x', constraints: [volume(1n)] }),
      tokenGrant(),
    ];
    expect(reasons(etherRequest(), grants)).toMatchObject([{ grant: 'x' }, { grant: 'y' }]);
  });

  it('of grants of the kind that name others are why, and without any the kind is not granted', () => {
    const grants = [etherGrant({ recipients: [EVE] }), tokenGrant()];
    expect(reasons(etherRequest(), grants)).toMatchObject([{ code: 'recipient_not_permitted', grant: 'g1' }]);
    expect(reasons(etherRequest(), [tokenGrant()])).toEqual([
      { code: 'no_grant', grant: null, client: 'bot', wallet: 'hot', chain: 'eip155:1', kind: 'ether-transfer' },
    ]);
    expect(reasons(requestOf({}), [tokenGrant()])).toMatchObject([{ code: 'no_grant', kind: 'transaction' }]);
  });

  it('are 32 at most', () => {
    const many = Array.from({ length: 40 }, (_, i) => etherGrant({ id: `g${i}`, constraints: [volume(1n)] }));
    expect(reasons(etherRequest(), many)).toHaveLength(32);
    const others = many.map((grant) => ({ ...grant, recipients: [EVE] }));
    expect(reasons(etherRequest(), others)).toHaveLength(32);
  });

  it('an intent without any action is covered by nothing', () => {
    const { grants } = look(requestOf({}), [etherGrant({ recipients: 'any' })]);
    expect(grants[0]!.rules[0]).toEqual({
      rule: 'coverage',
      verdict: { verdict: 'fail', reason: { code: 'kind_not_granted', grant: 'g1', asked: 'nothing' } },
    });
    // A cancellation is covered without: by the grant whose request it takes back.
    const cancel = requestOf({}, { replaces: { ...replaces('g1'), by: 'cancellation' } });
    expect(reasons(cancel, [etherGrant()])).toMatchObject({ verdict: 'permit', grant: 'g1' });
  });
});

describe('a decision', () => {
  it('needs as many operators as the strictest rule of grant and caps asks for', () => {
    const grants = [etherGrant({ constraints: [volume(1_000n), quorum(1), quorum(3), quorum(2)] }), cap(quorum(2))];
    const at = (approvals: number) => reasons(etherRequest({}, { approvals }), grants);
    expect(at(2)).toMatchObject({ verdict: 'needs-approval', needed: 3, given: 2, grant: 'g1' });
    expect(at(3)).toMatchObject({ verdict: 'permit' });
    const capped = [etherGrant(), cap(quorum(2), volume(500n))];
    expect(reasons(etherRequest(), capped)).toMatchObject({ verdict: 'needs-approval', needed: 2, given: 0 });
  });

  it('charges the grant and every cap, and shows a line of each limit', () => {
    const grants = [etherGrant(), cap(volume(500n), { type: 'min-interval', seconds: 1 })];
    expect(reasons(etherRequest(), grants)).toMatchObject({
      charges: [
        { grant: 'g1', budget: 'volume native 3600s', amount: 70n },
        { grant: 'cap', budget: 'volume native 3600s', amount: 70n },
        { grant: 'cap', budget: 'min-interval', amount: 0n },
      ],
      budgets: [
        { grant: 'g1', limit: 100n },
        { grant: 'cap', limit: 500n },
      ],
    });
  });

  it('takes an asset without a limit only where the grant names it, and its fees where something limits them', () => {
    const open = { unlimited: ['native'], constraints: [] };
    expect(reasons(etherRequest(), [etherGrant(open)])).toMatchObject({ verdict: 'permit' });
    expect(reasons(etherRequest(), [etherGrant({ constraints: [] })])).toEqual([
      { code: 'no_volume_limit', grant: 'g1', asset: 'native' },
    ]);
    const count: Constraint = { type: 'count', limit: 5, window: { ever: true } };
    const noFee = tokenGrant({ constraints: [volume(1_000n, 60, USDT_ASSET), count] });
    expect(reasons(tokenRequest(), [noFee])).toEqual([{ code: 'no_fee_limit', grant: 't1', asset: 'native' }]);
    // A limit of something else is none of this, and nothing needs none.
    const outstanding: Constraint = { type: 'outstanding', asset: 'native', limit: 500n };
    expect(reasons(etherRequest(), [etherGrant({ constraints: [outstanding] })])).toMatchObject([
      { code: 'no_volume_limit' },
    ]);
    const nothing = etherRequest({ value: 0n });
    const maxFee: Constraint = { type: 'max-fee', limit: 50n };
    expect(reasons(nothing, [etherGrant({ constraints: [maxFee] })])).toMatchObject({ verdict: 'permit' });
    const both = tokenRequest({}, {}, { outflows: [outflow(USDT_ASSET, 'unlimited', BOB), outflow('x', 1n, BOB)] });
    const wide = tokenGrant({ assets: [{ asset: USDT_ASSET }, { asset: 'x' }], unlimited: [USDT_ASSET] });
    expect(reasons(both, [wide])).toMatchObject([{ code: 'no_volume_limit', asset: 'x' }, { code: 'volume_exceeded' }]);
  });

  it('of a replacement is made by the grant that paid, even where an older one would', () => {
    const grants = [etherGrant({ id: 'old' }), etherGrant({ id: 'new', createdSeq: 5 })];
    const usage = createUsage();
    const first = evaluate(etherRequest(), createGrantIndex(grants), usage, 0, PLAIN_ZONES);
    if (first.verdict === 'permit') charge(usage, first.charges, 0, '1');
    const request = etherRequest({ fee: 20n }, { replaces: replaces('new') });
    expect(evaluate(request, createGrantIndex(grants), usage, 0, PLAIN_ZONES)).toMatchObject({ grant: 'new' });
  });
});
