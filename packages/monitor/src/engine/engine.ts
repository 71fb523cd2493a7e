import { assertNever } from '@keepwatch/base';
import type { Journal } from '@keepwatch/journal';
import { outboxStep, type Hold, type OutboxInput, type Post } from '@keepwatch/notify';
import { watchStep, type Finding, type WatchInput } from '@keepwatch/watch';
import type { DeskEvent } from '../desk/desk.ts';
import { encodeEntry, SALT_BYTES } from './entry.ts';
import { createBatcher } from './queue.ts';
import { applyEvent, encodeEvent, saveState, type MonitorEvent, type MonitorState } from './state.ts';

/** What the engine is told. */
export type EngineInput =
  | { readonly room: 'watch'; readonly input: WatchInput }
  | { readonly room: 'outbox'; readonly input: OutboxInput }
  | { readonly room: 'desk'; readonly event: DeskEvent };

/** An event that is durable, and the number of its entry. */
export type Recorded = MonitorEvent & { readonly seq: number };

/** A message about a finding. Without `hold` it is told at once. */
export interface Routed {
  readonly channel: string;
  readonly post: Post;
  readonly hold?: Hold;
}

export interface EngineDeps {
  /** Its store has to be synchronous. */
  readonly journal: Journal;
  readonly nowMs: () => number;
  readonly entropy: (length: number) => Uint8Array;
  /** Whom a finding is told, and how. What it gives is journaled with the finding, all or nothing. */
  readonly route: (finding: Finding, state: MonitorState) => readonly Routed[];
  /** Told after each append, with what is durable now: the place for effects. */
  readonly onDurable: (events: readonly Recorded[]) => void;
}

/**
 * The heart of a monitor: whatever comes in meets a pure step; the events of a whole batch are appended at once; and only
 * then is anybody told. A finding and the messages about it stand in one batch: there is never one without the other.
 * Where the journal refuses, the state in memory is ahead of the disk and nothing may be believed any more: every later
 * input is refused too, and whoever runs the engine ends.
 */
export interface Engine {
  readonly state: MonitorState;
  /** The number of the last entry. */
  seq(): number;
  /** Resolves once it is durable, with what came of it. */
  submit(input: EngineInput): Promise<readonly Recorded[]>;
  /** For sources that bring many: resolves when few enough wait. */
  room(): Promise<void>;
  /** Saves a snapshot, so that the next start is short; nothing where nothing came since the last one. */
  save(): Promise<void>;
  /** Takes nothing more and waits for what is under way. */
  close(): Promise<void>;
}

/** Inputs in one append. A block costs some tens of microseconds, so that nobody waits long behind a full batch. */
const MOST = 256;
/** Inputs that wait before a source is asked to pause. */
const CROWD = 1_024;
/** Entries between two snapshots: some seconds to fold at the next start. */
const SNAPSHOT_EVERY = 20_000;

export function createEngine(deps: EngineDeps, state: MonitorState, loaded: { readonly seq: number }): Engine {
  const { journal, entropy } = deps;
  let seq = loaded.seq;
  let savedSeq = loaded.seq;
  let saving: Promise<void> = Promise.resolve();
  // The wall clock may be set back; the journal's time, and what steps compare, may not.
  let lastMs = journal.head()?.timeMs ?? 0;

  const batcher = createBatcher<EngineInput>(work, MOST);

  function work(inputs: readonly EngineInput[]): readonly (readonly Recorded[])[] {
    lastMs = Math.max(lastMs, deps.nowMs());
    const entries: Uint8Array[] = [];
    const all: Recorded[] = [];
    const record = (event: MonitorEvent): Recorded => {
      applyEvent(state, event);
      entries.push(encodeEntry(event.room, entropy(SALT_BYTES), encodeEvent(event)));
      const recorded = { ...event, seq: seq + entries.length };
      all.push(recorded);
      return recorded;
    };
    const results = inputs.map((input) => stepOne(input, record));
    if (entries.length > 0) {
      const appended = journal.append(entries, [], lastMs);
      if (appended instanceof Promise) throw new TypeError('the journal of a monitor is synchronous');
      seq += entries.length;
      deps.onDurable(all);
      if (seq - savedSeq >= SNAPSHOT_EVERY) void save().catch(() => undefined);
    }
    return results;
  }

  function stepOne(input: EngineInput, record: (event: MonitorEvent) => Recorded): readonly Recorded[] {
    switch (input.room) {
      case 'watch': {
        const events = watchStep(state.watch, input.input, lastMs);
        return events.flatMap((event) => {
          const recorded = record({ room: 'watch', event });
          if (event.kind !== 'finding') return [recorded];
          const posts = deps.route(event.finding, state).flatMap((routed) => {
            return outboxStep(state.outbox, { kind: 'post', ...routed }, lastMs);
          });
          return [recorded, ...posts.map((post) => record({ room: 'outbox', event: post }))];
        });
      }
      case 'outbox':
        return outboxStep(state.outbox, input.input, lastMs).map((event) => record({ room: 'outbox', event }));
      case 'desk':
        return [record({ room: 'desk', event: input.event })];
      default:
        return assertNever(input);
    }
  }

  function save(): Promise<void> {
    if (seq === savedSeq || journal.head() === undefined) return saving;
    savedSeq = seq;
    saving = saving.then(() => saveState(journal, state));
    return saving;
  }

  return {
    state,
    seq: () => seq,
    submit: (input) => batcher.submit(input),
    room: () => batcher.below(CROWD),
    save,
    close: () => batcher.close(),
  };
}
