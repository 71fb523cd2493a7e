import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serialiseUsage } from './budget/usage-json.ts';
import { charge, createUsage, type Usage } from './budget/usage.ts';
import { constraintKey, type Constraint } from './constraint.ts';
import type { Decision, PermissionRequest } from './decision.ts';
import { PLAIN_ZONES } from './engine.fixture.ts';
import { evaluate } from './evaluate.ts';
import {
  ASSETS,
  caps,
  constraints,
  denyRules,
  KINDS,
  rarely,
  scenes,
  START,
  type Scene,
} from './every-kind.fixture.ts';
import { explain } from './explain.ts';
import type { DenyRule, Grant, PermittingGrant } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';

// What must hold for grants of every kind, with constraints of every type.

const judge = (request: PermissionRequest, grants: readonly Grant[], usage: Usage, now: number): Decision =>
  evaluate(request, createGrantIndex(grants), usage, now, PLAIN_ZONES);

/** Goes through a scene as the keep does: what is permitted is charged. */
function play(
  { schedule }: Scene,
  grants: readonly Grant[],
  look: (request: PermissionRequest, usage: Usage, now: number) => void,
): void {
  const usage = createUsage();
  let now = START;
  for (const [i, [gap, request]] of schedule.entries()) {
    now += gap;
    look(request, usage, now);
    const decision = judge(request, grants, usage, now);
    if (decision.verdict === 'permit') charge(usage, decision.charges, now, String(i));
  }
}

const RANK = { deny: 0, 'needs-approval': 1, permit: 2 } as const;
const rankOf = (decision: Decision) => RANK[decision.verdict];

/** How often each kind was denied, waited and was permitted: a property that saw no permit has seen nothing. */
function createTally() {
  const seen = new Map(KINDS.map((kind) => [kind as string, [0, 0, 0] as [number, number, number]]));
  return {
    note(kind: string, decision: Decision): void {
      seen.get(kind)![rankOf(decision)]++;
    },
    expectAll(least: number): void {
      for (const [kind, [denied, , permitted]] of seen) {
        expect([kind, denied >= least, permitted >= least]).toEqual([kind, true, true]);
      }
    },
  };
}

const extras = fc.record({ cap: rarely(caps), deny: rarely(denyRules) });
type Extras = { readonly cap?: Grant | undefined; readonly deny?: Grant | undefined };
const besides = ({ cap, deny }: Extras): Grant[] => [cap, deny].filter((each) => each !== undefined);

const ALWAYS = ['unlimited', 'accounts'];
/** Members that a grant may have or not: without one it permits less. */
const OPTIONAL: { readonly [K in PermittingGrant['kind']]: readonly string[] } = {
  'ether-transfer': ALWAYS,
  'token-transfer': ALWAYS,
  'contract-call': [...ALWAYS, 'recipients', 'delegatecall'],
  'opaque-call': [...ALWAYS, 'delegatecall'],
  'contract-creation': ALWAYS,
  'typed-data': [...ALWAYS, 'recipients', 'acknowledge'],
  message: ALWAYS,
  delegation: ALWAYS,
};

/** Every list of a grant shortened by an item, every `any` taken back, everything optional left out. */
function narrower(grant: PermittingGrant): PermittingGrant[] {
  const found: PermittingGrant[] = [];
  const put = (patch: object) => found.push({ ...grant, ...patch } as PermittingGrant);
  for (const [name, value] of Object.entries(grant)) {
    if (name === 'constraints') continue;
    if (value === 'any') put({ [name]: [] });
    if (Array.isArray(value)) value.forEach((_, i) => put({ [name]: value.filter((__, at) => at !== i) }));
    if (OPTIONAL[grant.kind].includes(name)) {
      const { [name as keyof PermittingGrant]: _, ...rest } = grant;
      found.push(rest as PermittingGrant);
    }
  }
  if ('functions' in grant) {
    const where = [{ path: '/amount', test: 'range', min: null, max: 0n }];
    put({ functions: grant.functions.map((rule) => ({ ...rule, where: [...rule.where, ...where] })) });
  }
  if ('types' in grant) {
    put({ types: grant.types.map((rule) => ({ typeHash: '0xh1', ...rule })) });
  }
  return found;
}

/** The same limit, lower. */
function lowered(constraint: Constraint): Constraint {
  switch (constraint.type) {
    case 'count':
      return { ...constraint, limit: constraint.limit - 1 };
    case 'validity':
      return { ...constraint, fromMs: (constraint.fromMs ?? START) + 1_000 };
    case 'weekly':
      return { ...constraint, spans: constraint.spans.slice(1) };
    case 'min-interval':
      return { ...constraint, seconds: constraint.seconds + 1 };
    case 'quorum':
      return { ...constraint, approvals: constraint.approvals + 1 };
    default:
      return { ...constraint, limit: constraint.limit / 2n };
  }
}

/**
 * A volume or `unlimited` is what lets an asset leave at all, and a fee limit what lets fees be paid: where there is
 * none, adding the first permits what was denied. Everywhere else one more constraint is one more thing that must hold.
 */
function isFirstLimit({ constraints: list, unlimited = [] }: PermittingGrant, added: Constraint): boolean {
  const has = (asset: string) =>
    unlimited.includes(asset) || list.some((each) => each.type === 'volume' && each.asset === asset);
  if (added.type === 'max-fee') return !has('native') && !list.some(({ type }) => type === 'max-fee');
  return added.type === 'volume' && !has(added.asset);
}

function tightenings(grants: readonly PermittingGrant[], added: Constraint): Grant[][] {
  return grants.flatMap((grant, at) => {
    const other = grants.filter((_, i) => i !== at);
    const put = (each: PermittingGrant): Grant[] => [...other, each];
    const { constraints: list } = grant;
    return [
      other,
      ...narrower(grant).map(put),
      ...(isFirstLimit(grant, added) || list.some((each) => constraintKey(each) === constraintKey(added))
        ? []
        : [put({ ...grant, constraints: [added, ...list] }), put({ ...grant, constraints: [...list, added] })]),
      ...list.map((each, i) => put({ ...grant, constraints: list.with(i, lowered(each)) })),
    ];
  });
}

describe('for grants of every kind and constraints of every type', () => {
  it('removing a grant, shortening it, or adding or lowering a constraint never widens', () => {
    const tally = createTally();
    let narrowed = 0;
    fc.assert(
      fc.property(scenes(6), extras, constraints, caps, denyRules, (scene, more, added, cap, deny) => {
        const fixed = besides(more);
        const grants = [...scene.grants, ...fixed];
        play(scene, grants, (request, usage, now) => {
          const decision = judge(request, grants, usage, now);
          tally.note(scene.kind, decision);
          const tighter = tightenings(scene.grants, added).map((list) => [...list, ...fixed]);
          tighter.push([...grants, { ...cap, id: 'more' }], [...grants, { ...deny, id: 'further' }]);
          for (const list of tighter) {
            const after = judge(request, list, usage, now);
            expect(rankOf(after)).toBeLessThanOrEqual(rankOf(decision));
            if (rankOf(after) < rankOf(decision)) narrowed++;
          }
        });
      }),
      { numRuns: 400 },
    );
    tally.expectAll(5);
    expect(narrowed).toBeGreaterThan(200);
  });

  it('the oldest grant that permits alone is charged, whatever their order; and else the oldest that waits', () => {
    const tally = createTally();
    const orders = fc.infiniteStream(fc.nat());
    fc.assert(
      fc.property(scenes(), extras, orders, (scene, more, order) => {
        const fixed = besides(more);
        const shuffled = [...scene.grants, ...fixed]
          .map((grant) => [order.next().value as number, grant] as const)
          .sort(([a], [b]) => a - b)
          .map(([, grant]) => grant);
        play(scene, [...scene.grants, ...fixed], (request, usage, now) => {
          const decision = judge(request, shuffled, usage, now);
          tally.note(scene.kind, decision);
          expect(decision).toEqual(judge(request, [...scene.grants, ...fixed], usage, now));
          const oldest = [...scene.grants].sort((a, b) => a.createdSeq - b.createdSeq || (a.id < b.id ? -1 : 1));
          const alone = (verdict: Decision['verdict']) =>
            oldest.find((grant) => judge(request, [grant], usage, now).verdict === verdict);
          const payer = alone('permit') ?? alone('needs-approval');
          if (payer === undefined) expect(decision.verdict).toBe('deny');
          // Grants never join: what the payer and the wallet's caps and deny rules say is all that there is to say.
          else expect(decision).toEqual(judge(request, [payer, ...fixed], usage, now));
        });
      }),
      { numRuns: 600 },
    );
    tally.expectAll(5);
  });

  it('explain tells what is decided and consumes nothing, and its verdicts are the reasons', () => {
    const tally = createTally();
    fc.assert(
      fc.property(scenes(), extras, (scene, more) => {
        const grants = [...scene.grants, ...besides(more)];
        play(scene, grants, (request, usage, now) => {
          const before = serialiseUsage(usage);
          const explained = explain(request, createGrantIndex(grants), usage, now, PLAIN_ZONES);
          expect(serialiseUsage(usage)).toEqual(before);
          const decision = judge(request, grants, usage, now);
          tally.note(scene.kind, decision);
          expect(explained.decision).toEqual(decision);

          // The verdicts that are shown lead to the decision by the documented rule alone.
          const { forbidden, caps: limits, grants: asked } = explained;
          const { replaces } = request;
          const payer = replaces?.grant ?? null;
          const may = payer === null ? asked : asked.filter(({ grant }) => grant === payer);
          const waits = limits.some(({ verdict }) => verdict === 'needs-approval');
          const stopped = forbidden.length > 0 || limits.some(({ verdict }) => verdict === 'fail');
          const passed = stopped ? undefined : may.find(({ verdict }) => verdict === 'pass');
          const second = stopped ? undefined : may.find(({ verdict }) => verdict === 'needs-approval');
          if (passed) {
            expect(decision).toMatchObject({ verdict: waits ? 'needs-approval' : 'permit', grant: passed.grant });
          } else if (second) {
            expect(decision).toMatchObject({ verdict: 'needs-approval', grant: second.grant });
          } else {
            expect(decision.verdict).toBe('deny');
          }
          for (const { verdict, rules } of [...limits, ...asked]) {
            const verdicts = rules.map((rule) => rule.verdict.verdict);
            const worst = (['fail', 'needs-approval'] as const).find((each) => verdicts.includes(each)) ?? 'pass';
            expect(verdict).toBe(worst);
          }
        });
      }),
      { numRuns: 600 },
    );
    tally.expectAll(5);
  });

  it('a deny rule that names something of the request wins over every grant, and one that does not changes nothing', () => {
    const tally = createTally();
    const seen = { forbidden: 0, untouched: 0 };
    fc.assert(
      fc.property(scenes(), fc.nat(), (scene, pick) => {
        play(scene, scene.grants, (request, usage, now) => {
          const before = judge(request, scene.grants, usage, now);
          tally.note(scene.kind, before);
          const facts = factsOf(request);
          if (facts.length === 0) return;
          const names = facts[pick % facts.length]!;
          const rule = { id: 'deny', createdSeq: 9, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' } as const;
          const after = judge(request, [...scene.grants, { ...rule, ...names }], usage, now);
          // A stranger hears of no rule.
          if (before.verdict === 'deny' && before.reasons[0]!.code === 'no_grant') {
            expect(after.verdict).toBe('deny');
          } else {
            seen.forbidden++;
            expect(after).toMatchObject({ verdict: 'deny', reasons: [{ code: 'forbidden', grant: 'deny' }] });
          }
          for (const other of [
            { ...rule, addresses: ['0xdd'] },
            { ...rule, ...names, client: 'nobody' },
            { ...rule, ...names, client: { group: 'nobody' } },
            { ...rule, ...names, wallet: 'cold' },
            { ...rule, ...names, chain: 'eip155:5' },
            { ...rule, ...names, functions: ['other()'] },
          ] satisfies DenyRule[]) {
            seen.untouched++;
            expect(judge(request, [...scene.grants, other], usage, now)).toEqual(before);
          }
        });
      }),
      { numRuns: 400 },
    );
    tally.expectAll(5);
    expect(seen.forbidden).toBeGreaterThan(500);
  });
});

/** What a deny rule can name of a request, each enough to forbid it. */
function factsOf({ intent: { actions, outflows } }: PermissionRequest): Partial<DenyRule>[] {
  const facts: Partial<DenyRule>[] = [];
  for (const action of actions) {
    facts.push({ actions: [action.kind] });
    if (action.kind === 'contract-call') facts.push({ functions: [action.function] });
    if (action.kind === 'token-transfer') facts.push({ addresses: [action.to], assets: [action.asset] });
    if (action.kind === 'delegation') facts.push({ addresses: [action.delegate] });
  }
  for (const { asset, to, route } of outflows) {
    facts.push({ assets: [asset] }, { addresses: [to] }, { routes: [route] });
    facts.push({ assets: [...ASSETS], addresses: [to], routes: [route] });
  }
  return facts;
}
