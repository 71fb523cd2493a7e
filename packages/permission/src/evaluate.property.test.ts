import fc from 'fast-check';
import { expect, it } from 'vitest';
import { restoreUsage, serialiseUsage } from './budget/usage-json.ts';
import { charge, cloneUsage, createUsage, type Usage } from './budget/usage.ts';
import { constraintKey, type Count, type MaxFee, type Volume } from './constraint.ts';
import type { Decision, PermissionRequest } from './decision.ts';
import { etherRequest, PLAIN_ZONES } from './engine.fixture.ts';
import { evaluate } from './evaluate.ts';
import type { EtherTransferGrant } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';

// Small numbers, few names and gaps that hit the windows' ends: limits are reached, and permits and denials are both common.

const RECIPIENTS = ['0xaa', '0xbb', '0xcc'];
const amounts = (max: bigint) => fc.bigInt({ min: 1n, max });
const windows = fc.constantFrom({ seconds: 1 }, { seconds: 2 }, { seconds: 5 });
const gaps = fc.oneof(fc.nat({ max: 2500 }), fc.constantFrom(0, 1, 999, 1000, 1001, 2000));

type Limit = Volume | Count | MaxFee;
type Grant = Omit<EtherTransferGrant, 'constraints'> & { readonly constraints: readonly Limit[] };

const constraint: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({
    type: fc.constant('volume' as const),
    asset: fc.constant('native'),
    limit: amounts(30n),
    window: windows,
  }),
  fc.record({ type: fc.constant('count' as const), limit: fc.integer({ min: 1, max: 5 }), window: windows }),
  fc.record({ type: fc.constant('max-fee' as const), limit: amounts(4n) }),
);
const keyOf = constraintKey;

const grants: fc.Arbitrary<Grant[]> = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    createdSeq: fc.nat({ max: 3 }),
    client: fc.constantFrom('bot', 'bot', 'bot', 'other'),
    wallet: fc.constant('hot'),
    chain: fc.constantFrom('eip155:1', 'eip155:1', 'eip155:10'),
    kind: fc.constant('ether-transfer' as const),
    recipients: fc.oneof(fc.constant('any' as const), fc.subarray(RECIPIENTS)),
    constraints: fc
      .tuple(amounts(30n), windows, fc.array(constraint, { maxLength: 3 }))
      .map(([limit, window, rest]) => [{ type: 'volume' as const, asset: 'native', limit, window }, ...rest])
      .map((list) => list.filter((each, i) => list.findIndex((other) => keyOf(other) === keyOf(each)) === i)),
  }),
  { selector: ({ id }) => id, maxLength: 5 },
);

const requests: fc.Arbitrary<PermissionRequest> = fc
  .record({ to: fc.constantFrom(...RECIPIENTS), value: fc.bigInt(0n, 12n), fee: fc.bigInt(0n, 4n) })
  .map((fields) => etherRequest(fields));

function partsOf({ intent: { actions, fee, chain } }: PermissionRequest) {
  const [action] = actions;
  if (action?.kind !== 'ether-transfer') throw new TypeError('not a transfer');
  return { recipient: action.recipient, valueWei: action.amount, maxFeeWei: fee!.maxFeeWei, chain };
}

const schedules = fc.array(fc.tuple(gaps, requests), { minLength: 1, maxLength: 40 });

const judge = (request: PermissionRequest, list: readonly Grant[], usage: Usage, now: number): Decision =>
  evaluate(request, createGrantIndex(list), usage, now, PLAIN_ZONES);

/** Judges and charges, as the keep does. */
function step(list: readonly Grant[], usage: Usage, request: PermissionRequest, now: number): Decision {
  const decision = judge(request, list, usage, now);
  if (decision.verdict === 'permit') charge(usage, decision.charges, now, String(now));
  return decision;
}

// The oracle: every permitted request is kept for ever, and all sums are made anew.

interface Permitted {
  readonly grant: string;
  readonly time: number;
  readonly leaves: bigint;
}

function within(history: readonly Permitted[], grant: string, windowSeconds: number, now: number): Permitted[] {
  return history.filter((each) => each.grant === grant && each.time <= now && now - each.time < windowSeconds * 1000);
}

const secondsOf = ({ window }: Volume | Count): number => ('seconds' in window ? window.seconds : Infinity);

function sum(list: readonly Permitted[]): bigint {
  return list.reduce((total, { leaves }) => total + leaves, 0n);
}

function oracle(list: readonly Grant[], history: readonly Permitted[], request: PermissionRequest, now: number) {
  const { recipient, chain, valueWei, maxFeeWei } = partsOf(request);
  const permitting = list.filter(
    (grant) =>
      grant.client === request.client &&
      grant.chain === chain &&
      (grant.recipients === 'any' || grant.recipients.some((each) => each === recipient)) &&
      grant.constraints.every((each) => {
        if (each.type === 'max-fee') return maxFeeWei <= each.limit;
        const recent = within(history, grant.id, secondsOf(each), now);
        if (each.type === 'count') return recent.length < each.limit;
        return sum(recent) + valueWei + maxFeeWei <= each.limit;
      }),
  );
  permitting.sort((a, b) => a.createdSeq - b.createdSeq || a.id.localeCompare(b.id));
  return permitting[0]?.id;
}

it('decides as the oracle does, and never exceeds a window, for any schedule', () => {
  const seen = { permit: 0, deny: 0, 'needs-approval': 0, limit: 0 };
  fc.assert(
    fc.property(grants, schedules, (list, schedule) => {
      const usage = createUsage();
      const history: Permitted[] = [];
      let now = 0;
      for (const [gap, request] of schedule) {
        now += gap;
        const expected = oracle(list, history, request, now);
        const decision = step(list, usage, request, now);
        seen[decision.verdict]++;
        expect(decision.verdict === 'permit' ? decision.grant : undefined).toBe(expected);
        if (decision.verdict !== 'permit') {
          if (decision.verdict === 'deny') expect(decision.reasons.length).toBeGreaterThan(0);
          continue;
        }
        const { valueWei, maxFeeWei } = partsOf(request);
        history.push({ grant: decision.grant, time: now, leaves: valueWei + maxFeeWei });
        // The sums that end here are the largest that this permit is part of.
        for (const grant of list) {
          for (const each of grant.constraints) {
            if (each.type === 'max-fee') continue;
            const recent = within(history, grant.id, secondsOf(each), now);
            const used = each.type === 'volume' ? sum(recent) : BigInt(recent.length);
            if (used === BigInt(each.limit)) seen.limit++;
            if (used > BigInt(each.limit)) expect.fail(`${grant.id} exceeds ${keyOf(each)}`);
          }
        }
      }
    }),
    { numRuns: 400 },
  );
  // Not vacuous: both answers occur, and limits are used to the last unit.
  expect(seen.permit).toBeGreaterThan(200);
  expect(seen.deny).toBeGreaterThan(400);
  expect(seen.limit).toBeGreaterThan(50);
});

it('says in a denial when enough is free, and is right to the millisecond', () => {
  let checked = 0;
  fc.assert(
    fc.property(grants, schedules, (list, schedule) => {
      const usage = createUsage();
      let now = 0;
      for (const [gap, request] of schedule) {
        now += gap;
        const decision = step(list, usage, request, now);
        if (decision.verdict !== 'deny') continue;
        for (const reason of decision.reasons) {
          if (reason.code !== 'volume_exceeded' && reason.code !== 'count_exceeded') continue;
          const { rule, limit, freeAtMs } = reason;
          const windowSeconds = Number(reason.window!.slice(0, -1));
          const window = { seconds: windowSeconds };
          const grant = list.find(({ id }) => id === reason.grant)!;
          const others: Limit[] = [
            { type: 'volume', asset: 'native', limit: 1_000_000n, window: { seconds: 366 * 86_400 } },
          ];
          const own: Limit =
            rule === 'volume'
              ? { type: rule, asset: 'native', limit, window }
              : { type: 'count', limit: Number(limit), window };
          const alone = [{ ...grant, constraints: [own, ...others] }];
          const at = (time: number) => judge(request, alone, usage, time).verdict;
          expect(at(now)).toBe('deny');
          if (freeAtMs === null) {
            expect(at(now + windowSeconds * 1000)).toBe('deny');
          } else {
            expect(at(freeAtMs - 1)).toBe('deny');
            expect(at(freeAtMs)).toBe('permit');
          }
          checked++;
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(checked).toBeGreaterThan(100);
});

it('does not depend on the order of the grants', () => {
  const shuffled = grants.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, schedules, ([list, other], schedule) => {
      const one = createUsage();
      const two = createUsage();
      let now = 0;
      for (const [gap, request] of schedule) {
        now += gap;
        expect(step(other, two, request, now)).toEqual(step(list, one, request, now));
      }
    }),
  );
});

/** Every way to tighten a list of grants by one step. */
function tightenings(list: readonly Grant[], extra: Limit): Grant[][] {
  return list.flatMap((grant, at) => {
    const replaced = (patch: Partial<Grant>) => list.map((each, i) => (i === at ? { ...grant, ...patch } : each));
    const { recipients, constraints } = grant;
    const shrunk = constraints.map((each): Limit => {
      switch (each.type) {
        case 'count':
          return { ...each, limit: each.limit - 1 };
        case 'volume':
        case 'max-fee':
          return { ...each, limit: each.limit / 2n };
      }
    });
    return [
      list.filter((_, i) => i !== at),
      replaced({ recipients: [] }),
      ...(recipients === 'any'
        ? [replaced({ recipients: RECIPIENTS.slice(1) })]
        : recipients.map((gone) => replaced({ recipients: recipients.filter((each) => each !== gone) }))),
      ...(constraints.some((each) => keyOf(each) === keyOf(extra))
        ? []
        : [replaced({ constraints: [...constraints, extra] }), replaced({ constraints: [extra, ...constraints] })]),
      ...constraints.map((_, i) => replaced({ constraints: constraints.with(i, shrunk[i]!) })),
      // Without any of its constraints a grant does not permit more either.
      replaced({ constraints: [] }),
    ];
  });
}

it('never turns a denial into a permit by removing or restricting, for the same usage', () => {
  const seen = { deny: 0, narrowed: 0 };
  fc.assert(
    fc.property(grants, schedules, constraint, (list, schedule, extra) => {
      const usage = createUsage();
      let now = 0;
      for (const [gap, request] of schedule) {
        now += gap;
        const tighter = tightenings(list, extra).map((each) => judge(request, each, usage, now).verdict);
        const { verdict } = judge(request, list, usage, now);
        if (verdict === 'deny') {
          seen.deny++;
          if (tighter.includes('permit')) expect.fail('tightening the grants permitted what they denied');
        } else if (tighter.includes('deny')) seen.narrowed++;
        step(list, usage, request, now);
      }
    }),
    { numRuns: 200 },
  );
  expect(seen.deny).toBeGreaterThan(200);
  expect(seen.narrowed).toBeGreaterThan(75);
});

it('takes an earlier time for the latest one', () => {
  const jumps = fc.array(fc.tuple(fc.integer({ min: -4000, max: 4000 }), requests), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(grants, jumps, (list, schedule) => {
      const jumping = createUsage();
      const steady = createUsage();
      let now = 0;
      for (const [jump, request] of schedule) {
        now = Math.max(0, now + jump);
        expect(step(list, jumping, request, now)).toEqual(step(list, steady, request, Math.max(now, steady.lastMs)));
      }
    }),
  );
});

it('decides the same after a snapshot was written and read, and in a clone', () => {
  fc.assert(
    fc.property(grants, schedules, schedules, (list, before, after) => {
      const usage = createUsage();
      let now = 0;
      for (const [gap, request] of before) step(list, usage, request, (now += gap));
      const snapshot: unknown = JSON.parse(JSON.stringify(serialiseUsage(usage)));
      const restored = restoreUsage(snapshot);
      if (!restored.ok) throw new Error(restored.error);
      const clone = cloneUsage(usage);
      for (const [gap, request] of after) {
        now += gap;
        const expected = step(list, usage, request, now);
        expect(step(list, restored.value, request, now)).toEqual(expected);
        expect(step(list, clone, request, now)).toEqual(expected);
      }
      expect(serialiseUsage(restored.value)).toEqual(serialiseUsage(usage));
    }),
  );
});

it('charges what it says that it charges', () => {
  fc.assert(
    fc.property(grants, requests, (list, request) => {
      const decision = judge(request, list, createUsage(), 0);
      if (decision.verdict !== 'permit') return;
      for (const { budget, amount } of decision.charges) {
        const line = decision.budgets.find(({ rule, asset, window }) => {
          return budget === (rule === 'volume' ? `volume ${asset} ${window}` : `${rule} ${window}`);
        })!;
        expect(line.spentAfter - line.spentBefore).toBe(amount);
      }
    }),
  );
});
