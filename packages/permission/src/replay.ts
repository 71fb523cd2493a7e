import { charge, createUsage } from './budget/usage.ts';
import type { Decision, PermissionRequest } from './decision.ts';
import { evaluate } from './evaluate.ts';
import type { Grant } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';
import type { Zones } from './zones.ts';

/** A request that was decided, as the journal tells it. */
export interface PastDecision {
  /** The journal's number of it. */
  readonly ref: string;
  readonly atMs: number;
  readonly request: PermissionRequest;
  readonly verdict: Decision['verdict'];
  /** The grant that was charged or asked for approval. */
  readonly grant: string | null;
}

/** What the candidates would have decided otherwise. */
export interface Difference {
  readonly past: PastDecision;
  readonly now: Decision;
}

export interface Replay {
  readonly permitted: number;
  readonly denied: number;
  readonly needApproval: number;
  /** Where the verdict, or the grant that pays, is another than it was; in the order of time. */
  readonly differences: readonly Difference[];
}

/**
 * What these grants, and no others, would have decided in the past: each decision is taken again in the order in which it
 * was, from empty budgets, and what the candidates permit is charged to them. Approvals that were given count again.
 */
export function replay(candidates: readonly Grant[], history: readonly PastDecision[], zones: Zones): Replay {
  const grants = createGrantIndex(candidates);
  const usage = createUsage();
  const counts = { permit: 0, deny: 0, 'needs-approval': 0 };
  const differences: Difference[] = [];
  for (const past of history) {
    const now = evaluate(past.request, grants, usage, past.atMs, zones);
    if (now.verdict === 'permit') charge(usage, now.charges, past.atMs, past.ref);
    counts[now.verdict]++;
    const payer = now.verdict === 'deny' ? null : now.grant;
    if (now.verdict !== past.verdict || (past.grant !== null && payer !== past.grant)) differences.push({ past, now });
  }
  return {
    permitted: counts.permit,
    denied: counts.deny,
    needApproval: counts['needs-approval'],
    differences,
  };
}
