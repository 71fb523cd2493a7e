import { bundledEntries } from '@keepwatch/evm';
import { ERRORS, type ApprovalInfo, type MethodParams, type MethodResult } from '@keepwatch/protocol';
import type { PeerSession } from '../peers/sessions.ts';
import type { Approval } from '../state/approvals.ts';
import type { State } from '../state/state.ts';
import { settleRequest } from '../step/settlement.ts';
import { refuse } from '../step/step.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';
import { submit } from '../vault/submit.ts';
import { mayObserve } from '../vault/vault.ts';
import { pageFrom } from './queries.ts';

/** What stands around signing: requests that wait, contracts that are known, and how signed requests ended. */

export function approvalInfo({ id, given, ...approval }: Approval): ApprovalInfo {
  return { approval: id, ...approval, given: [...given] };
}

/** Requests that wait; `client` is null for an operator, who sees all. */
export function listApprovals(
  state: State,
  client: string | null,
  params: MethodParams<'approval.list'>,
  nowMs: number,
): MethodResult<'approval.list'> {
  const all = [...state.approvals.values()].filter(
    (approval) => approval.expires > nowMs && (client === null || approval.client === client),
  );
  const { items, next } = pageFrom(all.map(approvalInfo), params.from ?? 0);
  return { approvals: items, next };
}

export function listContracts(state: State, params: MethodParams<'contract.list'>): MethodResult<'contract.list'> {
  const { version, entries } = state.contracts;
  const all = entries.map(({ version: since, entry }) => ({ since, entry: { ...entry } }));
  const { items, next } = pageFrom(all, params.from ?? 0);
  return { version, contracts: items, next };
}

/** What this version knows of a chain. It is a suggestion: nothing is registered by itself. */
export function suggestContracts({
  chain,
  from = 0,
}: MethodParams<'contract.suggestions'>): MethodResult<'contract.suggestions'> {
  const all = bundledEntries().filter((entry) => entry.chain === chain);
  const { items, next } = pageFrom(
    all.map((entry) => ({ ...entry })),
    from,
  );
  return { contracts: items, next };
}

/** An observer of the wallet says how a signed request ended. */
export async function reportSettlement(
  vault: VaultContext,
  session: PeerSession,
  params: MethodParams<'settlement.report'>,
): Promise<MethodResult<'settlement.report'>> {
  const unsealed = requireUnsealed(vault);
  await submit(unsealed, (state) => {
    // In the engine's order: a right that was taken back in the meantime is none.
    if (!mayObserve(vault, session.peer, params.wallet)) return refuse('not_allowed', ERRORS.not_allowed.message);
    return settleRequest(state, params, session.peer, null);
  });
  return { version: unsealed.state.version };
}
