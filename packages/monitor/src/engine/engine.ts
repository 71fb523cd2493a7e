import { assertNever } from '@keepwatch/base';
import type { Journal } from '@keepwatch/journal';
import {
  outboxStep,
  type GivenCode,
  type Hold,
  type Ladder,
  type LadderOrder,
  type OutboxInput,
  type Post,
} from '@keepwatch/notify';
import {
  evmStep,
  vaultStep,
  watchStep,
  type EvmEvent,
  type EvmInput,
  type Finding,
  type Severity,
  type VaultInput,
  type WatchInput,
} from '@keepwatch/watch';
import type { DeskEvent } from '../desk/desk.ts';
import { carryOut, type Order, type OrderOutcome } from '../orders/carry-out.ts';
import { encodeEntry, SALT_BYTES } from './entry.ts';
import { askLadder, deliveredTo } from './escalate.ts';
import { createBatcher } from './queue.ts';
import { applyEvent, encodeEvent, saveState, type MonitorEvent, type MonitorState } from './state.ts';

/** What the engine is told. */
export type EngineInput =
  | { readonly room: 'watch'; readonly input: WatchInput }
  | { readonly room: 'evm'; readonly input: EvmInput }
  | { readonly room: 'vault'; readonly input: VaultInput }
  | { readonly room: 'outbox'; readonly input: OutboxInput }
  | { readonly room: 'desk'; readonly event: DeskEvent }
  /** `finding`: the one that opened the escalation, for the words; without it they say no more than that there is one. */
  | { readonly room: 'ladder'; readonly input: LadderAsk; readonly finding: Finding | undefined };

export type LadderAsk =
  | { readonly kind: 'tick'; readonly escalation: string }
  | { readonly kind: 'replan'; readonly escalation: string; readonly ladder: Ladder }
  | { readonly kind: 'code'; readonly given: GivenCode }
  | { readonly kind: 'direct'; readonly escalation: string; readonly by: string };

/** An event that is durable, and the number of its entry. */
export type Recorded = MonitorEvent & { readonly seq: number };

/** A message about a finding. Without `hold` it is told at once. */
export interface Routed {
  readonly channel: string;
  readonly post: Post;
  readonly hold?: Hold;
}

/** What becomes of a finding beside its entry. All of it is journaled with the finding, or nothing. */
export interface Routing {
  readonly posts: readonly Routed[];
  /** What the rules have to remember of it. */
  readonly notes: readonly DeskEvent[];
  /** It must not go unanswered. Null: it is told, and no more. */
  readonly climb: { readonly group: string; readonly severity: Severity; readonly ladder: Ladder } | null;
}

export interface EngineDeps {
  /** Its store has to be synchronous. */
  readonly journal: Journal;
  /** Wall clock, ms: it may be set to anything at any time. */
  readonly nowMs: () => number;
  /** Time since some start, ms, that nobody can set. */
  readonly monotonicMs: () => number;
  readonly entropy: (length: number) => Uint8Array;
  /** Whom a finding is told, and how. */
  readonly route: (finding: Finding, state: MonitorState) => Routing;
  /** The words of what the ladder wants told; null where there is no such channel any more. */
  readonly word: (order: LadderOrder, finding: Finding | undefined, state: MonitorState) => Post | null;
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
  /** The time that steps go by: the wall clock, but never back, and never at a standstill. */
  nowMs(): number;
  /** Resolves once it is durable, with what came of it. */
  submit(input: EngineInput): Promise<readonly Recorded[]>;
  /** Resolves once it is durable, or refused. */
  order(order: Order): Promise<OrderOutcome>;
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
/** What codes are made of. */
const CODE_BYTES = 32;
/** Entries between two snapshots: some seconds to fold at the next start. */
const SNAPSHOT_EVERY = 20_000;

type Recorder = (event: MonitorEvent) => Recorded;

export function createEngine(deps: EngineDeps, state: MonitorState, loaded: { readonly seq: number }): Engine {
  const { journal, entropy } = deps;
  let seq = loaded.seq;
  let savedSeq = loaded.seq;
  let saving: Promise<void> = Promise.resolve();
  // The wall clock may be set back; the journal's time, and what steps compare, may not. Until the wall clock has caught
  // up, time goes on by the clock that nobody sets: what waits for an answer would wait for ever otherwise.
  let lastMs = journal.head()?.timeMs ?? 0;
  let lastMonotonicMs = Math.floor(deps.monotonicMs());

  function nowMs(): number {
    const monotonicMs = Math.floor(deps.monotonicMs());
    const wallMs = deps.nowMs();
    lastMs = wallMs >= lastMs ? wallMs : lastMs + Math.max(0, monotonicMs - lastMonotonicMs);
    lastMonotonicMs = monotonicMs;
    return lastMs;
  }

  const batcher = createBatcher<EngineInput | Order>(work, MOST);

  function work(inputs: readonly (EngineInput | Order)[]): readonly unknown[] {
    const atMs = nowMs();
    const entries: Uint8Array[] = [];
    const all: Recorded[] = [];
    const record = (event: MonitorEvent): Recorded => {
      applyEvent(state, event);
      entries.push(encodeEntry(event.room, entropy(SALT_BYTES), encodeEvent(event)));
      const recorded = { ...event, seq: seq + entries.length };
      all.push(recorded);
      return recorded;
    };
    const step = (input: EngineInput) => stepOne(input, atMs, record);
    const results = inputs.map((input) => {
      return 'ordered' in input ? carryOut(state, input, atMs, { step, record }) : step(input);
    });
    if (entries.length > 0) {
      const appended = journal.append(entries, [], atMs);
      if (appended instanceof Promise) throw new TypeError('the journal of a monitor is synchronous');
      seq += entries.length;
      deps.onDurable(all);
      if (seq - savedSeq >= SNAPSHOT_EVERY) void save().catch(() => undefined);
    }
    return results;
  }

  function stepOne(input: EngineInput, atMs: number, record: Recorder): readonly Recorded[] {
    switch (input.room) {
      case 'watch':
        return watchStep(state.watch, input.input, atMs).flatMap((event) => {
          const recorded = record({ room: 'watch', event });
          return event.kind === 'finding' ? [recorded, ...tell(event.finding, recorded.seq, atMs, record)] : [recorded];
        });
      case 'evm':
        return evmStep(state.evm, input.input, atMs).flatMap((event) => {
          const recorded = record({ room: 'evm', event });
          // Whether a vault signed it is asked in the same batch: no spend is ever known and not asked about.
          const asked = () => comparedBy(event, state).flatMap((each) => compare(each, atMs, record));
          if (event.kind === 'finding')
            return [recorded, ...tell(event.finding, recorded.seq, atMs, record), ...asked()];
          return [recorded, ...asked()];
        });
      case 'vault':
        return compare(input.input, atMs, record);
      case 'outbox': {
        const events = outboxStep(state.outbox, input.input, atMs);
        const recorded = events.map((event) => record({ room: 'outbox', event }));
        const reached = deliveredTo(state.ladder, events, atMs).map((event) => record({ room: 'ladder', event }));
        return [...recorded, ...reached];
      }
      case 'desk':
        return [record({ room: 'desk', event: input.event })];
      case 'ladder': {
        const { events, orders } = askLadder(state, input.input, entropy(CODE_BYTES), atMs);
        const recorded = events.map((event) => record({ room: 'ladder', event }));
        return [
          ...recorded,
          ...orders.flatMap((order) => word(order, input.finding)).flatMap((routed) => post(routed, atMs, record)),
        ];
      }
      default:
        return assertNever(input);
    }
  }

  function compare(input: VaultInput, atMs: number, record: Recorder): readonly Recorded[] {
    return vaultStep(state.vault, input, atMs).flatMap((event) => {
      const recorded = record({ room: 'vault', event });
      return event.kind === 'finding' ? [recorded, ...tell(event.finding, recorded.seq, atMs, record)] : [recorded];
    });
  }

  function tell(finding: Finding, entry: number, atMs: number, record: Recorder): readonly Recorded[] {
    const { posts, notes, climb } = deps.route(finding, state);
    const opened = climb
      ? askLadder(state, { kind: 'open', finding: finding.id, entry, ...climb }, entropy(CODE_BYTES), atMs)
      : { events: [], orders: [] };
    const events = [
      ...notes.map((event) => record({ room: 'desk', event })),
      ...opened.events.map((event) => record({ room: 'ladder', event })),
    ];
    const alerts = opened.orders.flatMap((order) => word(order, finding));
    // Who is asked for an answer is not told the same once more beside it.
    const asked = new Set(alerts.map(({ channel }) => channel));
    const told = posts.filter(({ channel }) => !asked.has(channel));
    return [...events, ...[...alerts, ...told].flatMap((routed) => post(routed, atMs, record))];
  }

  function post(routed: Routed, atMs: number, record: Recorder): readonly Recorded[] {
    const events = outboxStep(state.outbox, { kind: 'post', ...routed }, atMs);
    return events.map((event) => record({ room: 'outbox', event }));
  }

  function word(order: LadderOrder, finding: Finding | undefined): Routed[] {
    const post = deps.word(order, finding, state);
    return post ? [{ channel: order.channel, post }] : [];
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
    nowMs,
    submit: (input) => batcher.submit(input),
    order: (order) => batcher.submit(order),
    room: () => batcher.below(CROWD),
    save,
    close: () => batcher.close(),
  };
}

/** What of an EVM chain is compared with what the vaults signed. */
function comparedBy(event: EvmEvent, { evm }: MonitorState): readonly VaultInput[] {
  switch (event.kind) {
    case 'evm-spend':
      return [{ kind: 'spend', id: event.id, spend: event.spend, past: false }];
    // Its signature was checked: whoever made it has the key, whatever becomes of the transaction.
    case 'evm-pending':
      return event.spend === null ? [] : [{ kind: 'spend', id: event.id, spend: event.spend, past: false }];
    case 'evm-past-block':
      return event.spends.map((each) => ({ kind: 'spend', ...each, past: true }));
    case 'evm-block': {
      const { chainId, block } = event;
      const { lowest } = evm.chains.get(String(chainId))!;
      return [{ kind: 'chain-settled', chainId, number: lowest - 1, timeMs: block.timeMs }];
    }
    case 'finding': {
      const { detail, wallet } = event.finding;
      return detail.kind === 'evm-backfilled' && wallet !== null ? [{ kind: 'past-over', watched: wallet }] : [];
    }
    case 'evm-block-back':
      return event.withdrawn.length === 0 ? [] : [{ kind: 'spends-withdrawn', ids: event.withdrawn }];
    default:
      return [];
  }
}
