import { assertNever } from '@keepwatch/base';
import type { GrantDraft } from '@keepwatch/protocol';
import { parseGrant, type GrantError } from '@keepwatch/permission';
import type {
  Entry,
  RequestAwaiting,
  RequestDenied,
  RequestFacts,
  RequestPermitted,
  VaultEvent,
} from '../state/events.ts';
import { answerTo } from '../state/answers.ts';
import { emptyState, fold, pass } from '../state/fold.ts';
import { nonceKey, type State } from '../state/state.ts';
import { readPayload, type Payload } from './asked.ts';
import { contextOf, decide } from './sign.ts';
import type { SignOutcome, StepDeps } from './step.ts';

/**
 * What the candidates would have decided in the past: the journal folded from its first entry, with the candidates in
 * the place of every grant, and every request decided anew at its own time by the very step that decides requests. So
 * budgets fill up in order, groups, contracts and approvals are those of then, and a nonce or an approval goes to
 * whom the candidates gave it.
 */
export interface Replay {
  /** The vault as it would stand under the candidates. */
  readonly state: State;
  /** Requests that waited then and were permitted at once here, by their approval. */
  readonly early: Map<string, First & { readonly expires: number }>;
  /** By the entry that permitted something: the entry under which it is unsettled here. */
  readonly settledAs: Map<number, number>;
}

/** The entry of a first answer, and the grant that was charged; null for a denial. */
interface First {
  readonly seq: number;
  readonly grant: string | null;
}

/** A grant to be tried. Where it is in force as it stands, with its own id and place in the order. */
export interface Candidate {
  readonly id: string;
  readonly createdSeq: number;
  readonly draft: GrantDraft;
}

export type Verdict = 'permit' | 'deny' | 'needs-approval';

export interface PastRequest {
  readonly seq: number;
  readonly entry: Entry & (RequestPermitted | RequestDenied | RequestAwaiting);
  readonly verdict: Verdict;
}

/** What became of one request. `words`: why, where it was not permitted. */
export type Replayed =
  | {
      readonly kind: 'decided';
      readonly past: PastRequest;
      readonly verdict: Verdict;
      readonly grant: string | null;
      readonly words: readonly string[];
    }
  | { readonly kind: 'left-out'; readonly past: PastRequest; readonly why: LeftOut };

/**
 * - `too_long`: what was to be signed is longer than what is journaled
 * - `not_readable`: it is not understood any more by this version
 * - `nonce_taken`: the candidates gave its nonce to a request that was denied; what the client had asked then is unknown
 * - `undecided`: limits over time were frozen, too many requests waited, or the first answer was no longer in force
 */
export type LeftOut = 'too_long' | 'not_readable' | 'nonce_taken' | 'undecided';

/** A replay before the first entry, without candidates. */
export function createReplay(): Replay {
  return { state: emptyState(), early: new Map(), settledAs: new Map() };
}

/** Puts a candidate in force from the beginning, in place; or says why it is no grant. */
export function addCandidate({ state }: Replay, { id, createdSeq, draft }: Candidate): GrantError | null {
  const parsed = parseGrant({ id, createdSeq, ...draft });
  if (!parsed.ok) return parsed.error;
  state.grants.set(id, { id, draft, grant: parsed.value, createdSeq, created: 0, revoked: null });
  state.grantIndex.add(parsed.value);
  return null;
}

/** Takes the journal's next entry. What a request would have come to; null for every other entry. Pure but for `replay`. */
export function replayEntry(replay: Replay, seq: number, entry: Entry, deps: StepDeps): Replayed | null {
  const { state, settledAs } = replay;
  switch (entry.type) {
    case 'grant.created':
    case 'grant.revoked':
    case 'grant.lifted':
      pass(state, seq, entry.at);
      return null;
    case 'peer.revoked':
    case 'vault.resumed':
      foldBesideGrants(state, seq, entry);
      return null;
    case 'request.settled':
      fold(state, seq, { ...entry, entry: settledAs.get(entry.entry) ?? entry.entry });
      settledAs.delete(entry.entry);
      return null;
    case 'request.permitted':
      return replayRequest(replay, { seq, entry, verdict: 'permit' }, deps);
    case 'request.denied':
      return replayRequest(replay, { seq, entry, verdict: 'deny' }, deps);
    case 'request.awaiting':
      return replayRequest(replay, { seq, entry, verdict: 'needs-approval' }, deps);
    default:
      fold(state, seq, entry);
      return null;
  }
}

/** What ends grants of the past ends none of the candidates. */
function foldBesideGrants(state: State, seq: number, entry: Entry): void {
  const { grants } = state;
  const without = { ...state, grants: new Map() };
  fold(without, seq, entry);
  Object.assign(state, without, { grants });
}

function replayRequest(replay: Replay, past: PastRequest, deps: StepDeps): Replayed {
  const { state, settledAs } = replay;
  const { seq, entry } = past;
  const take = (event: VaultEvent | null) =>
    event === null ? pass(state, seq, entry.at) : fold(state, seq, { ...event, at: entry.at, salt: entry.salt });
  const leaveOut = (why: LeftOut): Replayed => {
    take(null);
    return { kind: 'left-out', past, why };
  };
  const decided = (verdict: Verdict, grant: string | null, words: readonly string[]): Replayed => {
    return { kind: 'decided', past, verdict, grant, words };
  };
  const first = firstAnswer(replay, past);
  if (first) {
    take(null);
    if (state.unsettled.has(first.seq)) settledAs.set(seq, first.seq);
    return decided(first.grant === null ? 'deny' : 'permit', first.grant, first.grant === null ? [ANSWERED] : []);
  }
  const outcome = outcomeOf(state, entry, deps);
  if (typeof outcome === 'string') return leaveOut(outcome);
  switch (outcome.kind) {
    case 'decided': {
      take(outcome.event);
      if (outcome.event.type === 'request.permitted') {
        const { grant } = outcome.event;
        if (entry.type === 'request.awaiting') remember(replay, entry, { seq, grant });
        return decided('permit', grant, []);
      }
      const { reasons, sentences } = outcome.event as RequestDenied;
      if (tookNonce(reasons, past)) return { kind: 'left-out', past, why: 'nonce_taken' };
      return decided('deny', null, sentences);
    }
    case 'waiting':
      take(outcome.event);
      return decided('needs-approval', null, [`${outcome.details.needed} operators have to agree`]);
    case 'repeat': {
      take(null);
      const signed = state.nonces.get(nonceKey(entry.wallet, entry.chain))?.signed.get(entry.nonce ?? -1);
      if (state.unsettled.has(outcome.seq)) settledAs.set(seq, outcome.seq);
      return decided('permit', signed?.grant ?? null, []);
    }
    case 'void':
    case 'refused':
      return leaveOut('undecided');
    default:
      return assertNever(outcome);
  }
}

const ANSWERED = 'it was denied before, under the same key';

/** What the candidates had answered to this very request, where the client had it only later. */
function firstAnswer({ state, early }: Replay, { entry }: PastRequest): First | undefined {
  const approval = entry.type === 'request.permitted' ? entry.approval : null;
  const agreed = approval === null ? undefined : early.get(approval);
  return agreed ?? answerTo(state, entry.client, entry.key);
}

function remember({ state, early }: Replay, { approval, expires }: RequestAwaiting, first: First): void {
  for (const [id, old] of early) {
    if (old.expires > state.time) break;
    early.delete(id);
  }
  early.set(approval, { ...first, expires });
}

/** What the step decides now; or why it cannot be asked. */
function outcomeOf(state: State, entry: PastRequest['entry'], deps: StepDeps): SignOutcome | LeftOut {
  const payload = payloadOf(entry);
  if (payload === null) return 'too_long';
  const { client, wallet, chain, key, request, at } = entry;
  const params = { wallet, chain, key, expires: at };
  const read = readPayload(payload, contextOf(state, params, deps));
  if (!read.ok) return 'not_readable';
  return decide(state, { client, params, payload, request }, read.value, at, deps);
}

/** What was to be signed, as the journal has it: the one place where it is read from there. */
function payloadOf({ form, payload }: RequestFacts): Payload | null {
  if (payload === null) return null;
  switch (form) {
    case 'transaction':
    case 'delegation':
      return { form, hex: payload };
    case 'typed-data':
      return { form, json: payload };
    case 'message':
      return { form, text: payload };
    default:
      return assertNever(form);
  }
}

/** Denied for its nonce alone, which it was not then. */
function tookNonce(reasons: RequestDenied['reasons'], { entry }: PastRequest): boolean {
  const ofNonce = (list: RequestDenied['reasons']) => NONCE_CODES.includes(list[0]?.code ?? '');
  return ofNonce(reasons) && !(entry.type === 'request.denied' && ofNonce(entry.reasons));
}

const NONCE_CODES: readonly string[] = ['nonce_used', 'replacement_refused'];
