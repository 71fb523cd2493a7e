import { assertNever, equalBytes, mapEach, utf8 } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import {
  areShown,
  constraintsOf,
  describeIntent,
  evaluate,
  forbiddenBy,
  evaluateTimeless,
  toJson,
  type BudgetLine,
  type Charge,
  type Decision,
  type DenyReason,
  type Grant,
  type Jsonified,
  type Names,
  type PermissionRequest,
  type Replaced,
} from '@keepwatch/permission';
import { timeOfUuidV7 } from '@keepwatch/wire';
import { base64url } from '../crypto/base64url.ts';
import { answerTo, hasRoomForAnswer } from '../state/answers.ts';
import {
  agreeing,
  APPROVAL_LIFETIME_MS,
  liveApproval,
  MAX_APPROVALS_PER_CLIENT,
  waitingOf,
} from '../state/approvals.ts';
import type { JournaledLine, KeepReason, RequestFacts } from '../state/events.ts';
import { checkNonce, judgeReplacement, type NonceVerdict } from '../state/nonces.ts';
import {
  KEY_MAX_AGE_MS,
  KEY_MAX_AHEAD_MS,
  mayCommand,
  nonceKey,
  type Answered,
  type Freeze,
  type State,
} from '../state/state.ts';
import { readPayload, type Asked, type Payload, type Slot } from './asked.ts';
import { nonceReason, replacementReason, sentence } from './reasons.ts';
import { refuse, type SignEffect, type SignOutcome, type StepDeps } from './step.ts';

export interface SignRequest {
  readonly client: string;
  readonly params: SignParams;
  readonly payload: Payload;
  /** SHA-256 of the canonical parameters, base64url. */
  readonly request: string;
}

/** What every request to sign names. */
export interface SignParams {
  readonly wallet: string;
  readonly chain: string;
  readonly key: string;
  readonly expires: number;
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
  const answered = answerTo(state, client, params.key);
  if (answered && answered.request !== input.request) {
    return refuse('idempotency_key_reused', 'This idempotency key was used for another request.');
  }
  const read = readPayload(input.payload, contextOf(state, params, deps));
  if (!read.ok) return read.error;
  if (answered) return repeat(state, { client, answered, key: params.key }, read.value, now);
  if (!hasRoomForAnswer(state, client, now)) {
    const words = 'So many requests of the last two hours are remembered that no other is taken.';
    return refuse('rate_limited', words, 'Ask again later, and more slowly.');
  }
  if (state.signingFrozen) return refuse('signing_frozen', `Nothing is signed: ${state.signingFrozen.reason}.`);
  return decide(state, input, read.value, now, deps);
}

/** What is needed to understand a payload for this wallet. The zero address stands for a wallet that is not there. */
export function contextOf(state: State, { wallet, chain }: Pick<SignParams, 'wallet' | 'chain'>, deps: StepDeps) {
  return {
    chain,
    wallet: (state.wallets.get(wallet)?.address ?? `0x${'00'.repeat(20)}`) as Address,
    registry: deps.registries.of(state.contracts),
    delegated: state.delegated.size > 0 && state.delegated.has(nonceKey(wallet, chain)),
    keccak: deps.keccak256,
  };
}

function clockFrozen(freeze: Freeze): SignOutcome {
  return refuse('clock_frozen', frozenWords(freeze));
}

export const frozenWords = ({ reason }: Freeze) => `Limits that depend on time are frozen: ${reason}.`;

function checkValidity(params: SignParams, now: number): SignOutcome | null {
  if (params.expires <= now) {
    return refuse('request_expired', 'The request expired before it arrived.', 'Check both clocks and send it anew.');
  }
  const keyTime = timeOfUuidV7(params.key);
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

/** Decides what was understood. The caller has checked that the request is fresh and no repeat by its key. Pure. */
export function decide(state: State, input: SignRequest, asked: Asked, now: number, deps: StepDeps): SignOutcome {
  const { client, params } = input;
  const { intent, slot } = asked;
  const digest = base64url(asked.digest);
  const names = namesFor(state, client, params.chain, deps);
  const facts = (): RequestFacts => ({
    asks: describeIntent({ client, intent }, names),
    chain: params.chain,
    client,
    digest,
    form: asked.form,
    key: params.key,
    nonce: slot === null ? null : slot.nonce,
    payload: journaled(input.payload),
    request: input.request,
    wallet: params.wallet,
  });
  const deny = (reasons: readonly (DenyReason | KeepReason)[]): SignOutcome => ({
    kind: 'decided',
    event: {
      ...facts(),
      type: 'request.denied',
      reasons: reasons.map(toJson),
      sentences: reasons.map((reason) => sentence(reason, params.chain, names)),
    },
    effect: null,
  });

  const scope = scopeOf(state, client, params.wallet);
  // Without any grant the answer is the same whatever else is wrong: a stranger learns nothing of the wallet.
  if (state.grantIndex.inScope({ ...scope, chain: params.chain }).length === 0) {
    const { wallet, chain } = params;
    return deny([{ code: 'no_grant', grant: null, client, wallet, chain, kind: intent.actions[0]!.kind }]);
  }
  const replaces = slot === null ? null : judgeSlot(state, input, { slot, digest, now });
  if (replaces?.kind === 'refused') return deny([replaces.reason]);
  // The same bytes under another key, from the same client: the first answer, and nothing is charged twice.
  if (replaces?.kind === 'repeat') {
    return repeat(state, { client, answered: replaces.answered, key: replaces.key }, asked, now);
  }
  // Where nothing waits nothing was agreed to, and its name need not be known.
  const approval = state.approvals.size === 0 ? null : approvalId(client, params, digest, deps);
  const waiting = approval === null ? undefined : liveApproval(state.approvals, approval, now);
  const agreed = agreeing(waiting, (operator) => mayCommand(state, operator));
  const replaced = replaces === null ? null : replaces.replaced;
  const request = { ...scope, intent, approvals: agreed, replaces: replaced };
  const judge = state.clockFrozen === null ? evaluate : evaluateTimeless;
  const decision = judge(request, state.grantIndex, state.usage, now, deps.zones);
  if (decision === 'depends-on-time') return clockFrozen(state.clockFrozen!);
  switch (decision.verdict) {
    case 'deny':
      return deny(decision.reasons);
    case 'needs-approval':
      return wait(state, { ...facts(), maxFeeWei: slot === null ? null : `${slot.maxFeeWei}` }, decision, {
        approval: approval ?? approvalId(client, params, digest, deps),
        now,
      });
    case 'permit':
  }
  const charged = maxOf(replaced === null ? 0n : replaced.maxFeeWei, slot === null ? 0n : slot.maxFeeWei);
  return {
    kind: 'decided',
    event: {
      // First, and then named one by one: anything else makes objects that are slow to copy.
      ...facts(),
      type: 'request.permitted',
      approval: agreed > 0 ? approval : null,
      budgets: mapEach(decision.budgets, (line) => lineJson(line, decision.grant)),
      charges: areShown(decision.charges, decision.budgets) ? null : mapEach(decision.charges, chargeJson),
      core: slot === null ? null : slot.core,
      fees: slot === null ? null : feesOf(slot, charged),
      grant: decision.grant,
      prior: state.lastPermits.get(params.wallet) ?? 0,
      replaces: replaced === null ? null : replaced.by,
      version: state.version,
    },
    effect: approve(params.wallet, asked, state.version),
  };
}

/**
 * What takes more is not journaled, so that every entry fits a frame when it is read: in bytes as an answer writes it, a
 * text within a text. Enough for any contract that a chain takes (EIP-3860: 49,152 bytes of init code), in hex.
 */
const MAX_JOURNALED_BYTES = 100_000;
/** However its letters have to be escaped, so short a text takes less. In UTF-16 units. */
const SHORT_CHARS = 16_384;

function journaled(payload: Payload): string | null {
  const text = textOf(payload);
  if (text.length <= SHORT_CHARS) return text;
  if (text.length > MAX_JOURNALED_BYTES) return null;
  const isHex = payload.form === 'transaction' || payload.form === 'delegation';
  const written = isHex ? text.length : utf8(JSON.stringify(JSON.stringify(text))).length;
  return written > MAX_JOURNALED_BYTES ? null : text;
}

function textOf(payload: Payload): string {
  switch (payload.form) {
    case 'transaction':
    case 'delegation':
      return payload.hex;
    case 'typed-data':
      return payload.json;
    case 'message':
      return payload.text;
    default:
      return assertNever(payload);
  }
}

function lineJson(line: BudgetLine, payer: string): JournaledLine {
  const { asset, grant, limit, rule, spentAfter, spentBefore, window } = line;
  return {
    asset,
    grant: grant === payer ? undefined : grant,
    limit: `${limit}`,
    rule,
    spentAfter: `${spentAfter}`,
    spentBefore: `${spentBefore}`,
    window,
  };
}

function chargeJson(charge: Charge): Jsonified<Charge> {
  return { ...charge, amount: `${charge.amount}` };
}

const maxOf = (a: bigint, b: bigint) => (a > b ? a : b);

function feesOf({ maxFeePerBlobGas, maxFeePerGas, maxPriorityFeePerGas }: Slot, charged: bigint) {
  return {
    charged: charged.toString(),
    maxFeePerBlobGas: maxFeePerBlobGas === null ? null : maxFeePerBlobGas.toString(),
    maxFeePerGas: maxFeePerGas.toString(),
    maxPriorityFeePerGas: maxPriorityFeePerGas.toString(),
  };
}

/** Who asks, as the engine wants to know it. */
export function scopeOf(
  state: State,
  client: string,
  wallet: string,
): Omit<PermissionRequest, 'intent' | 'approvals' | 'replaces'> {
  const groups = state.peers.get(client)?.groups ?? [];
  return { client, groups, wallet, address: state.wallets.get(wallet)?.address ?? '' };
}

export type SlotVerdict =
  | { readonly kind: 'free'; readonly replaced: Replaced | null }
  | { readonly kind: 'repeat'; readonly answered: Answered; readonly key: string }
  | { readonly kind: 'refused'; readonly reason: KeepReason };

/** Whether the nonce is free, or this may take the place of what it was signed for. */
export function judgeSlot(
  state: State,
  { client, params }: Pick<SignRequest, 'client' | 'params'>,
  { slot, digest, now }: { readonly slot: Slot; readonly digest: string; readonly now: number },
): SlotVerdict {
  const verdict = nonceVerdict(state, params.wallet, params.chain, slot.nonce, digest);
  switch (verdict.kind) {
    case 'free':
      return { kind: 'free', replaced: null };
    case 'same': {
      const answered = verdict.client === client ? answerTo(state, client, verdict.answer) : undefined;
      if (answered) return { kind: 'repeat', answered, key: verdict.answer };
      break;
    }
    case 'signed': {
      const isOwner = verdict.by.client === client || !isClient(state, verdict.by.client);
      const judged = judgeReplacement(verdict.by, { ...slot, isOwner });
      if (judged.kind === 'refused') return { kind: 'refused', reason: replacementReason(slot.nonce, judged.why) };
      const by = judged.kind === 'replacement' ? 'same-intent' : 'cancellation';
      const { fees } = judged.of;
      const grant = paysOn(state, judged.of.grant, { client, params }, now) ? judged.of.grant : null;
      // Another grant has paid nothing of it yet.
      return { kind: 'free', replaced: { by, grant, maxFeeWei: grant === null ? 0n : BigInt(fees.charged) } };
    }
    case 'used':
    case 'below-floor':
    case 'unconfirmed':
  }
  return { kind: 'refused', reason: nonceReason(slot.nonce, verdict) };
}

function isClient(state: State, id: string): boolean {
  const peer = state.peers.get(id);
  return peer !== undefined && peer.revoked === null;
}

/** Whether the grant that paid for a nonce can pay for its replacement: it is in force, and speaks of this client. */
function paysOn(
  state: State,
  id: string,
  { client, params }: Pick<SignRequest, 'client' | 'params'>,
  now: number,
): boolean {
  const { groups, wallet } = scopeOf(state, client, params.wallet);
  const scope = state.grantIndex.inScope({ client, groups, wallet, chain: params.chain });
  const grant = scope.find((each) => each.id === id);
  // By a clock that is frozen nothing ends.
  return grant !== undefined && (state.clockFrozen !== null || !hasEnded(grant, now));
}

function hasEnded(grant: Grant, now: number): boolean {
  const ends = constraintsOf(grant).find(({ type }) => type === 'validity');
  return ends?.type === 'validity' && ends.untilMs !== null && now >= ends.untilMs;
}

function nonceVerdict(state: State, wallet: string, chain: string, nonce: number, digest: string) {
  const book = state.nonces.get(nonceKey(wallet, chain));
  const required = state.wallets.get(wallet)?.floorEpoch ?? 0;
  if (required > (book?.epoch ?? 0)) return { kind: 'unconfirmed' } as const;
  return checkNonce(book, nonce, digest) satisfies NonceVerdict;
}

/** An approval is for one client, wallet and chain, and for the very bytes that would be signed. */
export function approvalId(client: string, params: SignParams, digest: string, deps: StepDeps): string {
  const named = [client, params.wallet, params.chain, digest].join('\n');
  return base64url(deps.keccak256(utf8(named)).subarray(0, 16));
}

function wait(
  state: State,
  facts: RequestFacts & { readonly maxFeeWei: string | null },
  decision: Decision & { verdict: 'needs-approval' },
  { approval, now }: { readonly approval: string; readonly now: number },
): SignOutcome {
  const { needed, given, grant } = decision;
  const known = liveApproval(state.approvals, approval, now);
  const details = { approval, needed, given, expires: known?.expires ?? now + APPROVAL_LIFETIME_MS };
  if (known) return { kind: 'waiting', event: null, details };
  if (waitingOf(state.approvals, facts.client, now) >= MAX_APPROVALS_PER_CLIENT) {
    return refuse('approvals_full', 'Too many requests of this client wait for approval.');
  }
  return {
    kind: 'waiting',
    event: { type: 'request.awaiting', ...facts, approval, expires: details.expires, grant, needed },
    details,
  };
}

/**
 * The same request again gets the first answer. `key` is the one that the first came with. A permit is signed again
 * (RFC 6979: the same signature) only while everything that carried it is in force. Otherwise it is voided and keeps its
 * budget and nonce, for whether the first signature went out is unknown.
 */
function repeat(state: State, before: Before, asked: Asked, now: number): SignOutcome {
  const { client, answered, key } = before;
  if (answered.verdict === 'deny') return { kind: 'repeat', seq: answered.seq, effect: null };
  if (answered.verdict === 'void') {
    return refuse(
      'request_voided',
      'The request was permitted, but what permitted it is no longer in force; it is not signed again.',
    );
  }
  const reason = outOfForce(state, before, asked, now);
  if (reason !== null)
    return { kind: 'void', event: { type: 'request.voided', client, key, seq: answered.seq, reason } };
  return { kind: 'repeat', seq: answered.seq, effect: approve(answered.wallet, asked, state.version) };
}

function approve(wallet: string, { bytes, digest, intent }: Asked, version: number): SignEffect {
  return { type: 'sign', wallet, bytes, digest, intent, version };
}

/** What was answered before, to whom, and under which key. */
interface Before {
  readonly client: string;
  readonly answered: Answered;
  readonly key: string;
}

function outOfForce(state: State, { client, answered }: Before, { intent }: Asked, now: number): string | null {
  const grant = answered.grant === null ? undefined : state.grants.get(answered.grant);
  if (state.signingFrozen) return 'signing is frozen';
  if (!isClient(state, client)) return 'the client was revoked';
  if (!grant || grant.revoked !== null) return 'the grant was revoked';
  if (!state.wallets.has(answered.wallet)) return 'the wallet is gone';
  if (hasEnded(grant.grant, now)) return 'the grant has ended';
  const request = { ...scopeOf(state, client, answered.wallet), intent, approvals: 0, replaces: null };
  if (state.grantIndex.denials(request).some((rule) => forbiddenBy(rule, request) !== undefined)) {
    return 'a deny rule forbids it';
  }
  return null;
}

/** The client knows its own name; what other names the vault has is not for a denial to tell. */
export function namesFor(state: State, client: string, chain: string, deps: StepDeps): Names {
  const name = state.peers.get(client)?.name;
  const tokens = deps.registries.tokens(state.contracts, chain);
  return name === undefined ? { tokens } : { client: name, tokens };
}

/** The signer's own check: the bytes that were evaluated are the bytes that will be signed. */
export function approvalHolds(effect: SignEffect, keccak256: StepDeps['keccak256']): boolean {
  return equalBytes(keccak256(effect.bytes), effect.digest);
}
