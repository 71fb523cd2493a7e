import fc from 'fast-check';
import { expect, it } from 'vitest';
import { charge, createUsage, settle } from './budget/usage.ts';
import { constraintKey, type Constraint, type ConstraintType, type Window } from './constraint.ts';
import type { PermissionRequest } from './decision.ts';
import { PLAIN_ZONES } from './engine.fixture.ts';
import { evaluate } from './evaluate.ts';
import { ASSETS, caps, CONSTRAINTS, rarely, scenes, START, type Scene } from './every-kind.fixture.ts';
import type { PermittingGrant, WalletCap } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';
import type { Outflow } from './intent.ts';

/**
 * An oracle for the constraints of every type: all that was permitted is kept for ever, and every sum is made anew, by
 * other code than the engine's. What a grant covers is asked of the engine itself, without constraints.
 */

type Verdict = 'pass' | 'waits' | 'fail';

type Item = Pick<Outflow, 'asset' | 'holds' | 'untilMs'> & { readonly amount: bigint };

/** A request that was permitted: what it took of each asset, fees included. */
interface Permitted {
  readonly at: number;
  readonly payers: readonly string[];
  readonly leaves: ReadonlyMap<string, bigint>;
  readonly counts: number;
  /** What is not settled of it. */
  items: readonly Item[];
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AHEAD: Readonly<Record<string, number>> = { UTC: 0, 'Fixed/East': HOUR };

function isIn(window: Window, then: number, now: number): boolean {
  if ('ever' in window) return true;
  if ('seconds' in window) return then + window.seconds * 1_000 > now;
  const length = window.calendar === 'day' ? DAY : 7 * DAY;
  const periodOf = (at: number) => Math.floor((at + AHEAD[window.zone]!) / length);
  return periodOf(then) === periodOf(now);
}

/** What moves, fees excluded; undefined: without a limit. */
function movedOf({ intent: { outflows } }: PermissionRequest, asset: string): bigint | undefined {
  const amounts = outflows.filter((each) => each.asset === asset).map(({ amount }) => amount);
  if (amounts.includes('unlimited')) return undefined;
  return amounts.reduce<bigint>((sum, amount) => sum + (amount as bigint), 0n);
}

/** Whether it takes the place of what the grant that pays was charged for. */
const isPaid = ({ replaces }: PermissionRequest) => replaces !== null && replaces.grant !== null;

function feeDue(request: PermissionRequest): bigint {
  const { intent, replaces } = request;
  const more = (intent.fee?.maxFeeWei ?? 0n) - (isPaid(request) ? replaces!.maxFeeWei : 0n);
  return more > 0n ? more : 0n;
}

/** What is charged now. */
function dueOf(request: PermissionRequest, asset: string): bigint | undefined {
  const moved = isPaid(request) ? 0n : movedOf(request, asset);
  return moved === undefined ? undefined : moved + (asset === 'native' ? feeDue(request) : 0n);
}

const add = (amounts: readonly bigint[]) => amounts.reduce((sum, each) => sum + each, 0n);
const atMost = (asked: bigint | undefined, limit: bigint): Verdict =>
  asked !== undefined && asked <= limit ? 'pass' : 'fail';

function minuteOfWeek(zone: string, now: number): number {
  // The scenes begin on a Thursday.
  return Math.floor((now - START + 3 * DAY + AHEAD[zone]!) / 60_000) % (7 * 1_440);
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const minutes = (time: string) => time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

function holds(constraint: Constraint, request: PermissionRequest, past: readonly Permitted[], now: number): Verdict {
  const { fee } = request.intent;
  switch (constraint.type) {
    case 'volume': {
      const due = dueOf(request, constraint.asset);
      const spent = add(
        past
          .filter(({ at }) => isIn(constraint.window, at, now))
          .map(({ leaves }) => leaves.get(constraint.asset) ?? 0n),
      );
      return due === 0n ? 'pass' : atMost(due === undefined ? due : spent + due, constraint.limit);
    }
    case 'count': {
      const counted = past.filter(({ at }) => isIn(constraint.window, at, now)).map(({ counts }) => counts);
      return isPaid(request) || counted.reduce((sum, each) => sum + each, 0) < constraint.limit ? 'pass' : 'fail';
    }
    case 'max-value':
      return atMost(movedOf(request, constraint.asset), constraint.limit);
    case 'gas-limit':
      return atMost(fee?.gasLimit ?? 0n, constraint.limit);
    case 'max-fee-per-gas':
      return atMost(fee?.maxFeePerGas ?? 0n, constraint.limit);
    case 'max-priority-fee':
      return atMost(fee?.maxPriorityFeePerGas ?? 0n, constraint.limit);
    case 'max-fee':
      return atMost(fee?.maxFeeWei ?? 0n, constraint.limit);
    case 'validity':
      return now >= (constraint.fromMs ?? 0) && now < (constraint.untilMs ?? Infinity) ? 'pass' : 'fail';
    case 'weekly': {
      const { zone, spans } = constraint;
      if (!(zone in AHEAD)) return 'fail';
      const minute = minuteOfWeek(zone, now);
      const open = spans.some(({ days, from, to }) =>
        days.some((day) => {
          const start = DAYS.indexOf(day) * 1_440 + minutes(from);
          const length = minutes(to) - minutes(from);
          const end = start + (length > 0 ? length : length + 1_440);
          return [minute, minute + 7 * 1_440].some((each) => each >= start && each < end);
        }),
      );
      return open ? 'pass' : 'fail';
    }
    case 'min-interval': {
      const last = past.filter(({ counts }) => counts > 0).at(-1);
      if (isPaid(request) || last === undefined) return 'pass';
      return now - last.at >= constraint.seconds * 1_000 ? 'pass' : 'fail';
    }
    case 'outstanding': {
      const due = dueOf(request, constraint.asset);
      const open = past
        .flatMap(({ items }) => items)
        .filter(({ asset, untilMs }) => asset === constraint.asset && (untilMs === null || now < untilMs + HOUR))
        .map(({ amount }) => amount);
      return due === 0n ? 'pass' : atMost(due === undefined ? due : add(open) + due, constraint.limit);
    }
    case 'quorum': {
      const { above, approvals } = constraint;
      return atMost(movedOf(request, above.asset), above.amount) === 'pass' || request.approvals >= approvals
        ? 'pass'
        : 'waits';
    }
  }
}

/** Every asset that leaves has a volume or is unlimited, and so have fees, or a limit of their own. */
function isLimited({ constraints, unlimited = [] }: PermittingGrant, request: PermissionRequest): boolean {
  const hasVolume = (asset: string) => constraints.some((each) => each.type === 'volume' && each.asset === asset);
  const assets = ASSETS.filter((asset) => movedOf(request, asset) !== 0n && !unlimited.includes(asset));
  const feesAre = constraints.some(({ type }) => type === 'max-fee') || hasVolume('native');
  return (
    assets.every((asset) => movedOf(request, asset) !== undefined && hasVolume(asset)) &&
    (request.intent.fee === null || unlimited.includes('native') || feesAre)
  );
}

const worst = (verdicts: readonly Verdict[]): Verdict =>
  (['fail', 'waits'] as const).find((each) => verdicts.includes(each)) ?? 'pass';

function covers(grant: PermittingGrant, request: PermissionRequest): boolean {
  const open = { ...grant, constraints: [], unlimited: [...ASSETS] };
  return evaluate(request, createGrantIndex([open]), createUsage(), START, PLAIN_ZONES).verdict === 'permit';
}

/** Grants that all have one more constraint, of one type and of what is asked for: so it is often the one that decides. */
const focused = fc
  .tuple(
    fc.constantFrom(...Object.values(CONSTRAINTS)).chain((each) => each),
    scenes(20),
  )
  .map(([drawn, scene]): Scene => {
    const [asset = 'native'] = scene.schedule.flatMap(([, { intent }]) => intent.outflows.map((flow) => flow.asset));
    const added = 'asset' in drawn ? { ...drawn, asset } : drawn;
    const isOther = (each: Constraint) => constraintKey(each) !== constraintKey(added);
    const grants = scene.grants.map((grant) => ({
      ...grant,
      constraints: [...grant.constraints.filter(isOther), added],
    }));
    return { ...scene, grants };
  });

const settlements = fc.option(fc.constantFrom('executed' as const, 'never' as const, 'allowance-ended' as const));

it('grants of every kind are judged as an oracle judges each constraint, over any schedule', () => {
  const seen = new Map<string, number>();
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  const endings = fc.array(settlements, { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(focused, rarely(caps), endings, ({ grants, schedule }, cap, ends) => {
      const caps: readonly WalletCap[] = cap === undefined ? [] : [cap];
      const index = createGrantIndex([...grants, ...caps]);
      const usage = createUsage();
      const past: (Permitted & { readonly ref: string })[] = [];
      const of = (id: string) => past.filter(({ payers }) => payers.includes(id));
      let now = START;
      for (const [i, [gap, request]] of schedule.entries()) {
        now += gap;
        const judged = ({ id, constraints }: PermittingGrant | WalletCap): Verdict =>
          worst(
            constraints.map((each) => {
              const verdict = holds(each, request, of(id), now);
              note(`${each.type} ${verdict}`);
              return verdict;
            }),
          );
        const applied = caps.filter(({ chain }) => chain === request.intent.chain);
        const limits = worst(applied.map(judged));
        const verdictOf = new Map(
          grants
            .filter((grant) => covers(grant, request) && isLimited(grant, request))
            .map((grant) => [grant, judged(grant)]),
        );
        const oldest = [...verdictOf.keys()].sort((a, b) => a.createdSeq - b.createdSeq || (a.id < b.id ? -1 : 1));
        const payer =
          limits === 'fail'
            ? undefined
            : (oldest.find((grant) => verdictOf.get(grant) === 'pass') ??
              oldest.find((grant) => verdictOf.get(grant) === 'waits'));
        const decision = evaluate(request, index, usage, now, PLAIN_ZONES);
        if (payer === undefined) {
          expect(decision.verdict).toBe('deny');
          note('deny');
        } else {
          const waits = limits === 'waits' || verdictOf.get(payer) === 'waits';
          expect(decision).toMatchObject({ verdict: waits ? 'needs-approval' : 'permit', grant: payer.id });
          note(decision.verdict);
        }
        if (decision.verdict === 'permit') {
          charge(usage, decision.charges, now, String(i));
          const isReplacement = isPaid(request);
          const spentFee = { asset: 'native', holds: 'spent' as const, untilMs: null, amount: feeDue(request) };
          const moved = isReplacement ? [] : (request.intent.outflows as readonly Item[]);
          past.push({
            ref: String(i),
            at: now,
            payers: [decision.grant, ...applied.map(({ id }) => id)],
            leaves: new Map(ASSETS.map((asset) => [asset, dueOf(request, asset) ?? 0n])),
            counts: isReplacement ? 0 : 1,
            items: [...moved.filter(({ amount }) => typeof amount === 'bigint'), spentFee],
          });
        }
        const end = ends[i % ends.length];
        const settled = past[(i * 7) % (past.length || 1)];
        if (end && settled) {
          settle(usage, settled.ref, end);
          settled.items = settled.items.filter(({ holds }) =>
            end === 'never' ? false : end === 'executed' ? holds === 'allowance' : holds === 'spent',
          );
        }
      }
    }),
    { numRuns: 1_000 },
  );
  const missing = [
    ...(Object.keys(CONSTRAINTS) as ConstraintType[]).flatMap((type) =>
      type === 'quorum' ? [`${type} pass`, `${type} waits`] : [`${type} pass`, `${type} fail`],
    ),
    ...['permit', 'deny', 'needs-approval'],
  ].filter((what) => (seen.get(what) ?? 0) < 5);
  expect(missing).toEqual([]);
});
