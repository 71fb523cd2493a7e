import { CodedError, toBase64url } from '@keepwatch/base';
import {
  describeDenial,
  describeIntent,
  evaluateTimeless,
  explain,
  lint,
  type Explained,
  type Names,
} from '@keepwatch/permission';
import type { MethodParams, MethodResult, Payload as PayloadJson } from '@keepwatch/protocol';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { agreeing, liveApproval } from '../state/approvals.ts';
import { mayCommand } from '../state/state.ts';
import { readPayload, type Payload } from '../step/asked.ts';
import { sentence } from '../step/reasons.ts';
import { approvalId, contextOf, frozenWords, judgeSlot, namesFor, scopeOf } from '../step/sign.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';
import { refusalError } from '../vault/submit.ts';
import { keepTime } from '../vault/unsealed.ts';

/** What would be decided, and what is worth another look: nothing of it is journaled, and nothing consumed. */

export function explainRequest(
  vault: VaultContext,
  session: PeerSession,
  params: MethodParams<'grant.explain'>,
): MethodResult<'grant.explain'> {
  const { state } = requireUnsealed(vault);
  const { deps } = vault;
  const client = clientOf(session, params);
  const { wallet, chain } = params;
  const read = readPayload(payloadOf(params.payload), contextOf(state, { wallet, chain }, deps));
  if (!read.ok) throw refusalError(read.error.refusal);
  const { intent, slot, digest } = read.value;
  const now = keepTime(vault, state);
  const names = namesFor(state, client, chain, deps);
  const named = { wallet, chain, key: '', expires: 0 };
  const nonce =
    slot === null ? null : judgeSlot(state, { client, params: named }, { slot, digest: toBase64url(digest), now });
  const approval = liveApproval(state.approvals, approvalId(client, named, toBase64url(digest), deps), now);
  const request = {
    ...scopeOf(state, client, wallet),
    intent,
    approvals: agreeing(approval, (operator) => mayCommand(state, operator)),
    replaces: nonce?.kind === 'free' ? nonce.replaced : null,
  };
  const explained = explain(request, state.grantIndex, state.usage, now, deps.zones);
  const frozen = state.clockFrozen;
  const decision =
    frozen === null ? explained.decision : evaluateTimeless(request, state.grantIndex, state.usage, now, deps.zones);
  // Who has no grant learns nothing of the wallet, its nonces included.
  const known = explained.grants.length > 0;
  const reasons: string[] = [];
  if (known && nonce?.kind === 'refused') reasons.push(sentence(nonce.reason, chain, names));
  if (decision === 'depends-on-time') reasons.push(frozenWords(frozen!));
  else if (decision.verdict === 'deny') reasons.push(...decision.reasons.map((each) => sentence(each, chain, names)));
  const allowed = reasons.length > 0 || decision === 'depends-on-time' || decision.verdict === 'deny' ? null : decision;
  return {
    verdict: allowed === null ? 'deny' : allowed.verdict,
    asks: describeIntent({ client, intent }, names),
    grant: allowed === null ? null : allowed.grant,
    reasons,
    forbidden: explained.forbidden.map((each) => describeDenial(each, chain, names)),
    grants: [...explained.caps, ...explained.grants].slice(0, MAX_EXPLAINED).map((each) => wordsOf(each, chain, names)),
  };
}

/** What fits one frame, however many grants there are. */
const MAX_EXPLAINED = 64;

function clientOf(session: PeerSession, { client }: MethodParams<'grant.explain'>): string {
  if (session.caller === 'operator') {
    if (client === undefined) throw coded('params_invalid', { issues: ['client: an operator names the client'] });
    return client;
  }
  if (client !== undefined && client !== session.peer) throw coded('not_allowed');
  return session.peer;
}

function payloadOf(payload: PayloadJson): Payload {
  if ('transaction' in payload) return { form: 'transaction', hex: payload.transaction };
  if ('typedData' in payload) return { form: 'typed-data', json: payload.typedData };
  if ('message' in payload) return { form: 'message', text: payload.message };
  return { form: 'delegation', hex: payload.authorization };
}

function wordsOf({ grant, verdict, rules }: Explained, chain: string, names: Names) {
  return {
    grant,
    verdict,
    rules: rules.map(({ rule, verdict: of }) => {
      switch (of.verdict) {
        case 'fail':
          return { rule, verdict: of.verdict, words: describeDenial(of.reason, chain, names) };
        case 'needs-approval':
          return { rule, verdict: of.verdict, words: `${of.needed} operators have to agree` };
        case 'pass': {
          const { line } = of;
          const words = line ? `${line.spentBefore} spent, ${line.spentAfter} with this, of ${line.limit}` : '';
          return { rule, verdict: of.verdict, words };
        }
        default:
          throw new CodedError('internal_error', 'A rule said something that nobody knows.');
      }
    }),
  };
}

/** Findings of `lint` over all grants in force. */
export function lintGrants(vault: VaultContext): MethodResult<'grant.lint'> {
  const { state } = requireUnsealed(vault);
  const live = [...state.grants.values()].filter(({ revoked }) => revoked === null).map(({ grant }) => grant);
  const findings = lint(live, keepTime(vault, state), vault.deps.zones);
  return { findings: findings.slice(0, MAX_FINDINGS), left: Math.max(0, findings.length - MAX_FINDINGS) };
}

const MAX_FINDINGS = 400;
