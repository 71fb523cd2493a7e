import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../channel.ts';
import { broken, delivered, later } from '../delivery.ts';
import { applyOutboxEvent } from './apply.ts';
import { encodeOutboxEvent } from './codec.ts';
import { dueEffects, nextDueMs } from './due.ts';
import type { OutboxInput } from './event.ts';
import type { Post } from './state.ts';
import { outboxStep } from './step.ts';
import { createOutboxWorld, foldJournal, post, TEST_OPTIONS, type OutboxWorld } from './world.fixture.ts';

const severity = fc.constantFrom('info', 'notice', 'warning', 'critical' as const);
const arrival = fc.record({
  channel: fc.constantFrom('a', 'b'),
  severity,
  group: fc.option(fc.constantFrom('dust', 'replaced'), { nil: null }),
  afterMs: fc.nat(90_000),
});
const mood: fc.Arbitrary<Delivery> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(delivered()) },
  { weight: 3, arbitrary: fc.constant(later('down', 'Down.')) },
  { weight: 1, arbitrary: fc.nat(400_000).map((ms) => later('busy', 'Busy.', ms)) },
  { weight: 1, arbitrary: fc.constant(broken('denied', 'Denied.')) },
);
type Arrival = typeof arrival extends fc.Arbitrary<infer T> ? T : never;

const postOf = (each: Arrival, i: number): Post => post(`k${i}`, { severity: each.severity, group: each.group });

function play(arrivals: readonly Arrival[], moods: readonly Delivery[]): OutboxWorld {
  const world = createOutboxWorld();
  let asked = 0;
  world.answer = () => moods[asked++ % moods.length]!;
  arrivals.forEach((each, i) => {
    world.input({ kind: 'post', channel: each.channel, post: postOf(each, i) });
    world.run(world.nowMs + each.afterMs);
  });
  world.answer = () => delivered();
  world.run(world.nowMs + 24 * 3_600_000);
  return world;
}

const histories = fc.tuple(
  fc.array(arrival, { minLength: 1, maxLength: 40 }),
  fc.array(mood, { minLength: 1, maxLength: 30 }),
);

describe('whatever services do', () => {
  it('every post is delivered once, by itself or among the gathered, and every number from 1 on is delivered', () => {
    fc.assert(
      fc.property(histories, ([arrivals, moods]) => {
        const world = play(arrivals, moods);
        for (const channel of ['a', 'b']) {
          const wanted = arrivals.flatMap((each, i) => (each.channel === channel ? [`subject k${i}`] : []));
          const taken = world.tries.filter((each) => each.channel === channel && each.delivery.kind === 'delivered');
          const lines = taken.flatMap(({ subject, body }) => [
            subject.replace(/^\d+ of this kind: /, ''),
            ...body.split('\n').flatMap((line) => (line.startsWith('- ') ? [line.slice(2)] : [])),
          ]);
          // Beyond twenty, gathered subjects are only counted: these histories are too short for that.
          expect(lines.sort()).toEqual(wanted.sort());
          expect(taken.map(({ number }) => number).sort((x, y) => x - y)).toEqual(taken.map((_, i) => i + 1));
        }
      }),
    );
  });

  it('among messages of one channel and severity, only one that failed or was gathered is overtaken', () => {
    fc.assert(
      fc.property(histories, ([arrivals, moods]) => {
        const world = play(arrivals, moods);
        const place = (key: string) => Number(key.slice(1));
        world.tries.forEach((late, at) => {
          const before = world.tries.slice(0, at);
          for (const early of before) {
            const same =
              early.channel === late.channel &&
              arrivals[place(early.key)]!.severity === arrivals[place(late.key)]!.severity;
            if (!same || place(early.key) <= place(late.key)) continue;
            const failed = before.some((each) => each.key === late.key && each.channel === late.channel);
            const gathered = arrivals[place(late.key)]!.group !== null;
            expect(failed || gathered, `${late.key} after ${early.key}`).toBe(true);
          }
        });
      }),
    );
  });

  it('one message is never tried again before half of its step of the back-off, nor against the wish of the service', () => {
    fc.assert(
      fc.property(histories, ([arrivals, moods]) => {
        const world = play(arrivals, moods);
        for (const channel of ['a', 'b']) {
          const tries = world.tries.filter((each) => each.channel === channel);
          let heldUntilMs = 0;
          tries.forEach((each, at) => {
            expect(each.atMs).toBeGreaterThanOrEqual(heldUntilMs);
            if (each.delivery.kind === 'later') {
              heldUntilMs = Math.max(heldUntilMs, each.atMs + (each.delivery.retryAfterMs ?? 0));
            }
            const previous = tries.slice(0, at).findLast(({ key }) => key === each.key);
            const freed = tries
              .slice(0, at)
              .some(({ delivery, atMs }) => previous && delivery.kind === 'delivered' && atMs >= previous.atMs);
            if (previous && !freed) expect(each.atMs - previous.atMs).toBeGreaterThanOrEqual(TEST_OPTIONS.restMs / 2);
          });
        }
        // A service that is down all day is not asked more often than the longest rest allows.
        const down = createOutboxWorld();
        down.answer = () => later('down', 'Down.');
        arrivals.forEach((each, i) =>
          down.input({ kind: 'post', channel: 'a', post: postOf({ ...each, severity: 'info' }, i) }),
        );
        down.run(24 * 3_600_000);
        expect(down.tries.length).toBeLessThan(8 + (24 * 3_600_000) / (TEST_OPTIONS.maxRestMs / 2));
      }),
      { numRuns: 50 },
    );
  });

  it('the fold of the journal is the state, after every event', () => {
    fc.assert(
      fc.property(histories, ([arrivals, moods]) => {
        const world = play(arrivals, moods);
        expect(foldJournal(world.journal)).toEqual(world.state);
      }),
      { numRuns: 30 },
    );
  });
});

/**
 * The process dies at any point: before an append, after it and before the effect, after the effect and before its
 * outcome is appended. What was posted durably arrives; twice only where a try had begun when the process died.
 */
describe('whenever the process dies', () => {
  it('nothing is lost, and only a try that had begun is made twice', () => {
    const crashes = fc.array(fc.nat(60), { maxLength: 12 });
    fc.assert(
      fc.property(histories, crashes, ([arrivals, moods], crashAfter) => {
        const world = createOutboxWorld();
        const accepted: string[] = [];
        const doubtful = new Set<string>();
        const deadlines = [...crashAfter];
        let budget = deadlines.shift() ?? Infinity;
        class Killed extends Error {}
        /** A step of the process; the death comes in its place. */
        const instant = () => {
          if (budget-- > 0) return;
          budget = deadlines.shift() ?? Infinity;
          throw new Killed();
        };
        const submit = (input: OutboxInput) => {
          const events = outboxStep(world.state, input, world.nowMs);
          instant();
          // One batch of the journal: all of it or nothing.
          for (const event of events) world.journal.push(encodeOutboxEvent(event));
          instant();
          for (const event of events) applyOutboxEvent(world.state, event);
        };
        let asked = 0;
        let healed = false;
        const work = (untilMs: number) => {
          for (;;) {
            const effects = dueEffects(world.state, world.nowMs);
            for (const effect of effects) {
              if (effect.kind === 'begin') {
                submit(effect);
                continue;
              }
              instant();
              const delivery = healed ? delivered() : moods[asked++ % moods.length]!;
              if (delivery.kind === 'delivered') accepted.push(effect.message.id);
              try {
                submit({ ...effect, kind: 'outcome', delivery, entropy: asked });
              } catch (error) {
                doubtful.add(effect.message.id);
                throw error;
              }
            }
            if (effects.length > 0) continue;
            const next = nextDueMs(world.state, world.nowMs);
            if (next === null || next > untilMs) break;
            world.nowMs = Math.max(next, world.nowMs + 1);
          }
          world.nowMs = untilMs;
        };
        const surviving = (act: () => void) => {
          for (;;) {
            try {
              act();
              return;
            } catch (error) {
              if (!(error instanceof Killed)) throw error;
              world.state = foldJournal(world.journal);
            }
          }
        };
        arrivals.forEach((each, i) => {
          // Posting again after a crash is what the caller does who does not know whether it was durable.
          surviving(() => submit({ kind: 'post', channel: each.channel, post: { ...postOf(each, i), group: null } }));
          const untilMs = world.nowMs + each.afterMs;
          surviving(() => work(untilMs));
        });
        healed = true;
        const end = world.nowMs + 24 * 3_600_000;
        surviving(() => work(end));

        for (const channel of ['a', 'b']) {
          const count = arrivals.filter((each) => each.channel === channel).length;
          for (let number = 1; number <= count; number++) {
            const id = `test-${channel}-${number}`;
            const times = accepted.filter((each) => each === id).length;
            expect(times, id).toBeGreaterThanOrEqual(1);
            if (!doubtful.has(id)) expect(times, id).toBe(1);
          }
        }
        expect(new Set(accepted).size).toBe(arrivals.length);
      }),
      { numRuns: 200 },
    );
  });
});
