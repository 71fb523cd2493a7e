import type { WatchEvent } from './event.ts';
import { FINDING_VERSION, type Evidence, type FindingDetail } from './finding.ts';
import { applyWatchEvent } from './fold.ts';
import { severityOf } from './severity.ts';
import { draftOf, type WatchState } from './state.ts';

/** One step as it is being decided: what was decided so far is in `events`, and in the draft of the state. */
export interface Turn {
  readonly state: WatchState;
  readonly nowMs: number;
  readonly events: WatchEvent[];
}

export function beginTurn(state: WatchState, nowMs: number): Turn {
  return { state: draftOf(state), nowMs, events: [] };
}

export function emit(turn: Turn, event: WatchEvent): void {
  applyWatchEvent(turn.state, event);
  turn.events.push(event);
}

/** The id as it is told: a wallet that was taken out and added anew repeats none of its earlier ones. */
export function named({ state }: Turn, wallet: string | null, id: string): string {
  const times = wallet === null ? 0 : (state.dropped.get(wallet) ?? 0);
  return times === 0 ? id : `${id}+${times}`;
}

export function tell(
  turn: Turn,
  id: string,
  wallet: string | null,
  evidence: Evidence,
  detail: FindingDetail,
  late = false,
): void {
  const severity = severityOf(detail);
  const finding = {
    version: FINDING_VERSION,
    id: named(turn, wallet, id),
    wallet,
    severity,
    atMs: turn.nowMs,
    late,
    evidence,
    detail,
  } as const;
  emit(turn, { kind: 'finding', finding });
}
