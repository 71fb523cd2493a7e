import { FINDING_VERSION, type EvmEvidence, type Finding } from '../finding.ts';
import { severityOf } from '../severity.ts';
import type { EvmFindingDetail, EvmGrade } from './detail.ts';
import type { EvmEvent } from './event.ts';
import { applyEvmEvent } from './fold.ts';
import { blockKey, evmDraftOf, type EvmState } from './state.ts';
import type { EvmBlockRef } from './spend.ts';

/** One step as it is being decided: what was decided so far is in `events`, and in the draft of the state. */
export interface EvmTurn {
  readonly state: EvmState;
  readonly nowMs: number;
  readonly events: EvmEvent[];
}

export function beginEvmTurn(state: EvmState, nowMs: number): EvmTurn {
  return { state: evmDraftOf(state), nowMs, events: [] };
}

export function emitEvm(turn: EvmTurn, event: EvmEvent): void {
  applyEvmEvent(turn.state, event);
  turn.events.push(event);
}

/**
 * `evm-spent/3:hot:0x…@0x…`: what, whose, and in which block. A block that comes back has a number behind it, and so has a
 * wallet that was taken out and added anew.
 */
export function evmId(turn: EvmTurn, what: string, wallet: string, about: string, chainId: bigint, at: EvmBlockRef) {
  const times = turn.state.returned.get(blockKey(chainId, at.hash))?.times ?? 0;
  return `${what}:${wallet}:${about}@${at.hash}${times === 0 ? '' : `~${times}`}${addedAnew(turn.state, wallet)}`;
}

/** What is put behind ids of a wallet that was taken out and added anew: otherwise they would be those of before. */
export function addedAnew({ dropped }: EvmState, wallet: string): string {
  const times = dropped.get(wallet) ?? 0;
  return times === 0 ? '' : `+${times}`;
}

export interface EvmTelling {
  readonly id: string;
  readonly wallet: string;
  readonly evidence: EvmEvidence;
  readonly grade?: EvmGrade;
  readonly seenBy: readonly string[];
  readonly late: boolean;
}

export function tellEvm(turn: EvmTurn, telling: EvmTelling, detail: EvmFindingDetail): void {
  const { id, wallet, evidence, grade, seenBy, late } = telling;
  const finding: Finding = {
    version: FINDING_VERSION,
    ...{ id, wallet, severity: severityOf(detail), atMs: turn.nowMs, late },
    ...{ evidence: { ...(grade === undefined ? {} : { grade }), evm: evidence, seenBy }, detail },
  };
  emitEvm(turn, { kind: 'finding', finding });
}
