import type { Delivery } from '../channel.ts';
import { delivered } from '../delivery.ts';
import { applyOutboxEvent } from './apply.ts';
import { decodeOutboxEvent, encodeOutboxEvent } from './codec.ts';
import { dueEffects, nextDueMs } from './due.ts';
import type { OutboxEvent, OutboxInput } from './event.ts';
import { createOutboxState, OUTBOX_DEFAULTS, type OutboxOptions, type OutboxState, type Post } from './state.ts';
import { outboxStep } from './step.ts';

export const TEST_OPTIONS: OutboxOptions = { ...OUTBOX_DEFAULTS, instance: 'test' };

export function post(key: string, over: Partial<Post> = {}): Post {
  return {
    ...{ key, group: null, severity: 'info', subject: `subject ${key}`, body: `body ${key}`, data: { key } },
    ...{ acknowledgement: null, atMs: 1_000, ...over },
  };
}

/** One try as its service saw it. */
export interface Try {
  readonly channel: string;
  readonly key: string;
  readonly id: string;
  readonly number: number;
  readonly body: string;
  readonly subject: string;
  readonly atMs: number;
  readonly delivery: Delivery;
}

/** A journal in memory with an outbox over it, and services that answer as they are told. No timers: time is a number. */
export interface OutboxWorld {
  state: OutboxState;
  readonly journal: Uint8Array[];
  readonly tries: Try[];
  nowMs: number;
  /** What a service answers. */
  answer: (channel: string, key: string, attempt: number) => Delivery;
  input(input: OutboxInput): OutboxEvent[];
  /** Does what is due, then lets time pass to the next thing that is, up to `untilMs`. */
  run(untilMs: number): void;
  /** Forgets everything but the journal. */
  crash(): void;
}

export function createOutboxWorld(options: OutboxOptions = TEST_OPTIONS): OutboxWorld {
  const world: OutboxWorld = {
    ...{ state: createOutboxState(options), journal: [], tries: [], nowMs: 1_000, answer: () => delivered() },
    input(input) {
      const events = outboxStep(world.state, input, world.nowMs);
      for (const event of events) {
        world.journal.push(encodeOutboxEvent(event));
        applyOutboxEvent(world.state, event);
      }
      return events;
    },
    run(untilMs) {
      for (;;) {
        const effects = dueEffects(world.state, world.nowMs);
        for (const effect of effects) {
          if (effect.kind === 'begin') {
            world.input(effect);
            continue;
          }
          const { channel, key, attempt, message } = effect;
          const delivery = world.answer(channel, key, attempt);
          const { id, number, body, subject } = message;
          world.tries.push({ channel, key, id, number, body, subject, atMs: world.nowMs, delivery });
          world.input({ kind: 'outcome', channel, key, attempt, delivery, entropy: world.tries.length * 0x9e3779b9 });
        }
        if (effects.length > 0) continue;
        const next = nextDueMs(world.state, world.nowMs);
        if (next === null || next > untilMs) break;
        world.nowMs = Math.max(next, world.nowMs + 1);
      }
      world.nowMs = Math.max(world.nowMs, untilMs);
    },
    crash() {
      world.state = foldJournal(world.journal, options);
    },
  };
  return world;
}

export function foldJournal(journal: readonly Uint8Array[], options: OutboxOptions = TEST_OPTIONS): OutboxState {
  const state = createOutboxState(options);
  for (const bytes of journal) {
    const event = decodeOutboxEvent(bytes);
    if (!event.ok) throw new Error(event.error);
    applyOutboxEvent(state, event.value);
  }
  return state;
}
