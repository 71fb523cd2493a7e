import { CodedError } from '@keepwatch/base';
import { toLine } from '../api/messages.ts';
import type { EngineInput, Recorded } from '../engine/engine.ts';
import type { MonitorEvent, MonitorState } from '../engine/state.ts';
import { encodeOrderEvent, type OrderAnswer, type Ordered } from './order-log.ts';

/** An order, as the engine is given it: what it comes to is decided when its turn has come, on the state of that moment. */
export interface Order {
  readonly ordered: Ordered;
  /** The version that its author saw; null: it is not compared. */
  readonly expects: number | null;
  /** Throws where the author may not order this any more. */
  readonly check: () => void;
  /** Throws where it is refused: nothing is kept then. `atMs`: the time that the steps go by. */
  readonly decide: (atMs: number) => Decision;
}

export interface Decision {
  readonly inputs: readonly EngineInput[];
  /** Asked once the inputs were stepped: plain data, amounts as bigints or strings. */
  readonly answer: () => unknown;
}

export type OrderOutcome =
  | { readonly ok: true; readonly answer: OrderAnswer; readonly recorded: readonly Recorded[] }
  | { readonly ok: false; readonly error: unknown };

/** As many as are sent in ten minutes by nobody who means well. */
const MAX_REMEMBERED = 4_096;

export interface CarryOutDeps {
  readonly step: (input: EngineInput) => readonly Recorded[];
  readonly record: (event: MonitorEvent) => Recorded;
}

/** Within a batch of the engine: everything that comes of the order stands in one append with who ordered it. */
export function carryOut(
  state: MonitorState,
  { ordered, expects, check, decide }: Order,
  atMs: number,
  { step, record }: CarryOutDeps,
): OrderOutcome {
  const { orders } = state;
  let decision: Decision;
  try {
    check();
    if (ordered.by.kind === 'peer') {
      const known = orders.remembered.get(ordered.id);
      if (known?.answer && known.peer === ordered.by.peer && known.digest === ordered.by.digest) {
        return { ok: true, answer: known.answer, recorded: [] };
      }
      if (known) throw repeated();
      if (isCrowded(state, ordered.atMs)) throw crowded();
    }
    if (expects !== null && expects !== orders.version) throw conflict(orders.version, expects);
    decision = decide(atMs);
    // What an entry cannot hold is found before anything is kept: the engine ends with what fails behind this.
    encodeOrderEvent(ordered);
  } catch (error) {
    return { ok: false, error };
  }
  const first = record({ room: 'order', event: ordered });
  const recorded = decision.inputs.flatMap((input) => step(input));
  const answer = { entry: first.seq, version: orders.version, value: toLine(decision.answer() ?? null).trimEnd() };
  record({ room: 'order', event: { kind: 'carried-out', id: ordered.id, answer } });
  return { ok: true, answer, recorded };
}

function isCrowded({ orders: { remembered } }: MonitorState, nowMs: number): boolean {
  if (remembered.size < MAX_REMEMBERED) return false;
  let live = 0;
  for (const { expiresMs } of remembered.values()) if (expiresMs > nowMs) live += 1;
  return live >= MAX_REMEMBERED;
}

const repeated = () =>
  new CodedError('command_repeated', 'Another command had this id before.', { remedy: 'Send a new command.' });
const crowded = () =>
  new CodedError('rate_limited', 'Too many commands were sent lately.', { remedy: 'Wait some minutes.' });
export const conflict = (version: number, expected: number) =>
  new CodedError(
    'version_conflict',
    `Somebody changed the monitor meanwhile: it is at version ${version}, not ${expected}.`,
    {
      remedy: 'Look again, then repeat the command; `keepwatch monitor journal` shows who.',
      details: { version, expected },
    },
  );
