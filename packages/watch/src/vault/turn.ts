import { FINDING_VERSION, type Finding, type FindingDetail } from '../finding.ts';
import { severityOf } from '../severity.ts';
import type { SpendFacts } from './detail.ts';
import type { VaultEvent } from './event.ts';
import { applyVaultEvent } from './fold.ts';
import type { SpendRecord, VaultState } from './state.ts';

/** As with blocks: what is older is late news. */
const LATE_MS = 7_200_000;

/** One step while it is decided: each event changes the draft of the state at once. */
export interface Turn {
  readonly state: VaultState;
  readonly nowMs: number;
  readonly events: VaultEvent[];
}

export function emit(turn: Turn, event: VaultEvent): void {
  applyVaultEvent(turn.state, event);
  turn.events.push(event);
}

export function factsOf({ spend, members }: SpendRecord): SpendFacts {
  const { chainId, address, how, txHash, nonce, token, amount } = spend;
  return { spend: members[0]!, chainId, address, how, txHash, nonce, token, amount };
}

/** The number of the spend stands in the id: what comes back to the chain is another one. */
export function tell(turn: Turn, { key, order, spend, past }: SpendRecord, detail: FindingDetail): string {
  const id = `${detail.kind}:${key}#${order}`;
  const late = past || (spend.block !== null && turn.nowMs - spend.block.timeMs > LATE_MS);
  const { chainId, txHash, block } = spend;
  const evm = { chainId, ...(txHash === null ? {} : { txHash }), ...(block === null ? {} : { block }) };
  emitFinding(turn, { id, wallet: spend.wallet, late, evidence: { evm, seenBy: [] }, detail });
  return id;
}

export function tellOf(turn: Turn, id: string, detail: FindingDetail, wallet: string | null = null): void {
  emitFinding(turn, { id, wallet, late: false, evidence: { seenBy: [] }, detail });
}

function emitFinding(turn: Turn, of: Omit<Finding, 'version' | 'severity' | 'atMs'>): void {
  const finding: Finding = {
    ...of,
    ...{ version: FINDING_VERSION, severity: severityOf(of.detail), atMs: turn.nowMs },
  };
  emit(turn, { kind: 'finding', finding });
}
