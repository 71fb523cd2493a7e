import { equalBytes, fromHex, toBase64url } from '@keepwatch/base';
import { coreOf, decodeUnsigned, type Transaction } from '@keepwatch/evm';
import {
  describeDenial,
  describeIntent,
  evaluate,
  toJson,
  type DenyReason,
  type Intent,
  type Names,
} from '@keepwatch/permission';
import type { MethodParams } from '@keepwatch/protocol';
import type { KeepReason } from '../state/events.ts';
import { checkNonce, type NonceVerdict } from '../state/nonces.ts';
import {
  answerKey,
  KEY_MAX_AGE_MS,
  KEY_MAX_AHEAD_MS,
  nonceKey,
  type Answered,
  type Freeze,
  type State,
} from '../state/state.ts';
import { intentOf } from './intent.ts';
import { refuse, type SignEffect, type SignOutcome, type StepDeps } from './step.ts';

export interface SignRequest {
  readonly client: string;
  readonly params: MethodParams<'transaction.sign'>;
  /** SHA-256 of the canonical parameters, base64url. */
  readonly request: string;
}

/**
 * Decides one request to sign. Pure: the decision is an event to be journaled, the signature an effect to be performed
 * after that. `now` is the keep's time in ms.
 */
export function stepSign(state: State, input: SignRequest, now: number, deps: StepDeps): SignOutcome {
  const { client, params } = input;
  const early = checkValidity(params, now);
  // With a frozen clock the times in a request prove nothing: say what is really wrong.
  if (early) return state.clockFrozen ? clockFrozen(state.clockFrozen) : early;
  const answered = state.answered.get(answerKey(client, params.key));
  if (answered && answered.request !== input.request) {
    return refuse('idempotency_key_reused', 'This idempotency key was used for another request.');
  }
  const bytes = fromHex(params.transaction) ?? new Uint8Array();
  const decoded = decodeUnsigned(bytes);
  if (!decoded.ok) {
    return refuse('transaction_malformed', 'The bytes are not an unsigned Ethereum transaction.', undefined, {
      reason: decoded.error,
    });
  }
  const asked: Asked = { bytes, transaction: decoded.value, digest: deps.keccak256(bytes) };
  if (answered) return repeat(state, client, answered, params.key, asked);
  if (state.signingFrozen) return refuse('signing_frozen', `Nothing is signed: ${state.signingFrozen.reason}.`);
  const { chainId } = asked.transaction;
  if (`eip155:${chainId}` !== params.chain) {
    return refuse('wrong_chain', `The request names ${params.chain}, the transaction eip155:${chainId}.`);
  }
  return decide(state, input, asked, now, deps);
}

/** What a request asks to have signed: the bytes, what they say, and their Keccak-256. */
interface Asked {
  readonly bytes: Uint8Array;
  readonly transaction: Transaction;
  readonly digest: Uint8Array;
}

function clockFrozen({ reason }: Freeze): SignOutcome {
  return refuse('clock_frozen', `Limits that depend on time are frozen: ${reason}.`);
}

function checkValidity(params: SignRequest['params'], now: number): SignOutcome | null {
  if (params.expires <= now) {
    return refuse('request_expired', 'The request expired before it arrived.', 'Check both clocks and send it anew.');
  }
  const keyTime = Number.parseInt(params.key.slice(0, 8) + params.key.slice(9, 13), 16);
  if (keyTime < now - KEY_MAX_AGE_MS) {
    return refuse(
      'idempotency_key_expired',
      'The idempotency key is so old that its first answer may be forgotten.',
      'Look the transaction up on the chain before you ask for it with a new key.',
    );
  }
  if (keyTime > now + KEY_MAX_AHEAD_MS || params.expires > now + KEY_MAX_AGE_MS) {
    return refuse('request_from_the_future', 'The key or the expiry lies too far ahead.', 'Check both clocks.');
  }
  return null;
}

function decide(state: State, input: SignRequest, asked: Asked, now: number, deps: StepDeps): SignOutcome {
  const { client, params } = input;
  const { transaction, digest } = asked;
  const facts = {
    client,
    wallet: params.wallet,
    chain: params.chain,
    key: params.key,
    request: input.request,
    digest: toBase64url(digest),
    nonce: transaction.nonce,
  };
  const names = namesFor(state, client);
  const intent = intentOf(transaction);
  const words = intent.ok
    ? { asks: describeIntent({ client, intent: intent.value }, names), intent: toJson(intent.value) }
    : { asks: null, intent: null };
  const deny = (reasons: readonly (DenyReason | KeepReason)[]): SignOutcome => ({
    kind: 'decided',
    event: {
      type: 'request.denied',
      ...facts,
      ...words,
      reasons: reasons.map(toJson),
      sentences: reasons.map((reason) => sentence(reason, params.chain, names)),
    },
    effect: null,
  });

  const address = state.wallets.get(params.wallet)?.address ?? '';
  const scope = { client, groups: [], wallet: params.wallet, address, approvals: 0, replaces: null };
  const anyGrant = state.grantIndex.inScope({ ...scope, chain: params.chain }).length > 0;
  // Without any grant the answer is the same whatever else is wrong: a stranger learns nothing of the wallet.
  if (anyGrant && !intent.ok) {
    return deny([{ code: 'intent_not_supported', grant: null, what: intent.error }]);
  }
  if (!anyGrant || !intent.ok) {
    const { wallet, chain } = params;
    return deny([{ code: 'no_grant', grant: null, client, wallet, chain, kind: 'ether-transfer' }]);
  }
  const nonce = nonceVerdict(state, params.wallet, params.chain, facts.nonce, facts.digest);
  if (nonce.kind !== 'free') {
    // The same bytes under another key, from the same client: the first answer, and nothing is charged twice.
    const earlier = nonce.kind === 'same' && nonce.answer.startsWith(`${client}/`) && state.answered.get(nonce.answer);
    if (earlier) return repeat(state, client, earlier, nonce.answer.slice(client.length + 1), asked);
    return deny([nonceReason(facts.nonce, nonce)]);
  }
  if (state.clockFrozen) return clockFrozen(state.clockFrozen);
  const decision = evaluate({ ...scope, intent: intent.value }, state.grantIndex, state.usage, now, deps.zones);
  switch (decision.verdict) {
    case 'deny':
      return deny(decision.reasons);
    case 'needs-approval':
      return deny([{ code: 'approval_needed', grant: decision.grant, needed: decision.needed }]);
    case 'permit':
  }
  const fee = intent.value.fee!;
  return {
    kind: 'decided',
    event: {
      type: 'request.permitted',
      ...facts,
      grant: decision.grant,
      asks: describeIntent({ client, intent: intent.value }, names),
      intent: toJson(intent.value),
      core: coreOf(transaction, deps.keccak256),
      fees: {
        // In the order of canonical JSON, which saves sorting them.
        charged: fee.maxFeeWei.toString(),
        maxFeePerBlobGas: null,
        maxFeePerGas: fee.maxFeePerGas.toString(),
        maxPriorityFeePerGas: fee.maxPriorityFeePerGas.toString(),
      },
      version: state.version,
      charges: decision.charges.map(toJson),
      budgets: decision.budgets.map(toJson),
    },
    effect: approve(params.wallet, asked, intent.value, state.version),
  };
}

/**
 * The same request again gets the first answer. `key` is the one that the first came with. A permit is signed again (RFC 6979: the same signature) only while everything that carried it is in force. Otherwise it is
 * voided and keeps its budget and nonce, for whether the first signature went out is unknown.
 */
function repeat(state: State, client: string, answered: Answered, key: string, asked: Asked): SignOutcome {
  if (answered.verdict === 'deny') return { kind: 'repeat', seq: answered.seq, effect: null };
  const intent = intentOf(asked.transaction);
  if (answered.verdict === 'void' || !intent.ok) {
    return refuse(
      'request_voided',
      'The request was permitted, but what permitted it is no longer in force; it is not signed again.',
    );
  }
  const reason = outOfForce(state, client, answered);
  if (reason !== null)
    return { kind: 'void', event: { type: 'request.voided', client, key, seq: answered.seq, reason } };
  const effect = approve(answered.wallet, asked, intent.value, state.version);
  return { kind: 'repeat', seq: answered.seq, effect };
}

function approve(wallet: string, { bytes, digest }: Asked, intent: Intent, version: number): SignEffect {
  return { type: 'sign', wallet, bytes, digest, intent, version };
}

function outOfForce(state: State, client: string, answered: Answered): string | null {
  const grant = answered.grant === null ? undefined : state.grants.get(answered.grant);
  const peer = state.peers.get(client);
  if (state.signingFrozen) return 'signing is frozen';
  if (!peer || peer.revoked !== null) return 'the client was revoked';
  if (!grant || grant.revoked !== null) return 'the grant was revoked';
  if (!state.wallets.has(answered.wallet)) return 'the wallet is gone';
  return null;
}

function nonceVerdict(state: State, wallet: string, chain: string, nonce: number, digest: string) {
  const book = state.nonces.get(nonceKey(wallet, chain));
  const required = state.wallets.get(wallet)?.floorEpoch ?? 0;
  if (required > (book?.epoch ?? 0)) return { kind: 'unconfirmed' } as const;
  return checkNonce(book, nonce, digest);
}

function nonceReason(asked: number, verdict: NonceVerdict | { kind: 'unconfirmed' }): KeepReason {
  switch (verdict.kind) {
    case 'unconfirmed':
      return { code: 'nonce_floor_unconfirmed', grant: null, asked };
    case 'below-floor':
      return { code: 'nonce_below_floor', grant: null, asked, floor: verdict.floor };
    default:
      return { code: 'nonce_used', grant: null, asked };
  }
}

/** The client knows its own name; what other names the vault has is not for a denial to tell. */
function namesFor(state: State, client: string): Names {
  const name = state.peers.get(client)?.name;
  return name === undefined ? {} : { client: name };
}

function sentence(reason: DenyReason | KeepReason, chain: string, names: Names): string {
  switch (reason.code) {
    case 'nonce_used':
      return `nonce ${reason.asked} was signed before, for another transaction`;
    case 'nonce_below_floor':
      return `nonce ${reason.asked} lies below the wallet's floor of ${reason.floor}`;
    case 'nonce_floor_unconfirmed':
      return 'since the restore no operator has confirmed from which nonce on this wallet signs (`keepwatch wallet floor`)';
    case 'approval_needed':
      return `grant ${reason.grant} asks for the approval of operators (${reason.needed})`;
    case 'intent_not_supported':
      return `no kind of grant covers this transaction (${reason.what})`;
    default:
      return describeDenial(reason, chain, names);
  }
}

/** The signer's own check: the bytes that were evaluated are the bytes that will be signed. */
export function approvalHolds(effect: SignEffect, keccak256: StepDeps['keccak256']): boolean {
  return equalBytes(keccak256(effect.bytes), effect.digest);
}
