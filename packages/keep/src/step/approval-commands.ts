import type { CommandParams } from '@keepwatch/protocol';
import type { ByCommand } from '../state/events.ts';
import { agreeing, liveApproval } from '../state/approvals.ts';
import { mayCommand, type State } from '../state/state.ts';
import { accept, type CommandOutcome } from './command-outcome.ts';
import { refuse } from './step.ts';

/**
 * An operator agrees to one request. The command names the digest of what would be signed and the words that the operator
 * read, and both have to be those of the request: what was signed is what was seen.
 */
export function giveApproval(
  state: State,
  params: CommandParams<'approval.give'>,
  by: ByCommand,
  nowMs: number,
): CommandOutcome {
  const approval = liveApproval(state.approvals, params.approval, nowMs);
  if (!approval) return unknownApproval(params.approval);
  if (approval.digest !== params.digest || approval.sentence !== params.asks) {
    return refuse('approval_differs', 'The request that waits is not the one that this command describes.');
  }
  const { id, client, needed } = approval;
  const before = agreeing(approval, (operator) => mayCommand(state, operator));
  if (approval.given.has(by.by)) {
    const remedy =
      before >= needed
        ? 'Enough operators have agreed: the client asks again, and gets its signature.'
        : `Another operator has to agree as well: ${before} of ${needed} have.`;
    return refuse('approval_given', 'This operator has agreed to it already.', remedy);
  }
  const given = before + 1;
  return accept({ type: 'approval.given', approval: id, client, given, needed, ...by }, { given, needed });
}

export function rejectApproval(
  state: State,
  params: CommandParams<'approval.reject'>,
  by: ByCommand,
  nowMs: number,
): CommandOutcome {
  const approval = liveApproval(state.approvals, params.approval, nowMs);
  if (!approval) return unknownApproval(params.approval);
  return accept({ type: 'approval.rejected', approval: approval.id, client: approval.client, ...by });
}

function unknownApproval(id: string): CommandOutcome {
  return refuse('approval_unknown', `No request ${id} waits for approval here.`);
}
