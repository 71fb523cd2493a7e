import { canonicalJson, CodedError, remembered, type Json } from '@keepwatch/base';
import type { GrantDraft, MethodParams, MethodResult, ReplayChange, ReplayStep } from '@keepwatch/protocol';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { decodeEntry } from '../state/events.ts';
import type { State, StoredGrant } from '../state/state.ts';
import { createRegistries } from '../step/registries.ts';
import {
  addCandidate,
  createReplay,
  replayEntry,
  type Candidate,
  type PastRequest,
  type Replayed,
} from '../step/replay.ts';
import type { ReplayRun, Unsealed, VaultContext } from '../vault/context.ts';
import { requireUnsealed } from '../vault/order.ts';
import { journalError } from '../vault/unsealed.ts';

/**
 * Candidate grants against the journal. The walk goes in small pieces, between which everything else has its turn, and
 * only as long as the operator asks for more; what it finds is handed out at once and not kept.
 */

const MAX_CANDIDATES = 10_000;
const MAX_CANDIDATE_CHARS = 16_000_000;
/** Entries in one answer at most, and between two turns for others. */
const ENTRIES_A_STEP = 4_096;
const ENTRIES_A_TURN = 32;
/** Characters of findings after which an answer is sent: with the last of them it still fits a frame. */
const ANSWER_CHARS = 100_000;
/** Reasons of one decision that are told. */
const MAX_WORDS = 8;

export function loadCandidates(
  vault: VaultContext,
  session: PeerSession,
  { from, grants }: MethodParams<'replay.load'>,
): MethodResult<'replay.load'> {
  const unsealed = requireUnsealed(vault);
  const run = from === 0 ? beginRun(vault, unsealed, session) : runOf(unsealed, session);
  const { grants: loaded } = run.replay.state;
  if (from !== loaded.size || run.busy || run.replay.state.seq > 0) throw coded('replay_unknown');
  for (const draft of grants) {
    run.chars += JSON.stringify(draft).length;
    if (loaded.size >= MAX_CANDIDATES || run.chars > MAX_CANDIDATE_CHARS) {
      unsealed.replay = null;
      throw coded('replay_too_large');
    }
    const fault = addCandidate(run.replay, candidateFor(draft, unsealed.state, loaded));
    if (fault) {
      const message = `Candidate ${loaded.size + 1}: its ${fault.path} must be ${fault.expected}.`;
      throw new CodedError('grant_invalid', message, { details: { ...fault, candidate: loaded.size + 1 } });
    }
  }
  return { loaded: loaded.size };
}

function beginRun(vault: VaultContext, unsealed: Unsealed, session: PeerSession): ReplayRun {
  const none = { permit: 0, deny: 0, 'needs-approval': 0 };
  const run: ReplayRun = {
    session,
    replay: createReplay(),
    // Registries are made for one book of contracts at a time, and the past has others than those in use.
    deps: { ...vault.deps, registries: createRegistries(vault.deps.keccak256) },
    chars: 0,
    upTo: unsealed.journal.head()?.lastSeq ?? 0,
    totals: {
      entries: 0,
      verdicts: { permit: { ...none }, deny: { ...none }, 'needs-approval': { ...none } },
      otherGrant: 0,
      leftOut: 0,
    },
    busy: false,
  };
  unsealed.replay = run;
  return run;
}

function runOf({ replay }: Unsealed, session: PeerSession): ReplayRun {
  if (replay?.session !== session) throw coded('replay_unknown');
  return replay;
}

/**
 * A grant that is in force as it stands is that grant, as old as it is. All others would be created now: they are called
 * by their place in the file and charged after those.
 */
function candidateFor(draft: GrantDraft, state: State, loaded: ReadonlyMap<string, StoredGrant>): Candidate {
  const text = canonicalJson(draft as unknown as Json);
  for (const live of state.grants.values()) {
    if (live.revoked !== null || loaded.has(live.id) || !mayBeSame(live.draft, draft)) continue;
    if (textOf(live) === text) {
      return { id: live.id, createdSeq: live.createdSeq, draft };
    }
  }
  return { id: `candidate ${loaded.size + 1}`, createdSeq: state.seq + 1 + loaded.size, draft };
}

/** Canonical texts of grants in force: each is compared with many candidates. */
const textOf = remembered(({ draft }: StoredGrant) => canonicalJson(draft as unknown as Json));

/** Spares writing down most grants that are another. */
function mayBeSame(a: GrantDraft, b: GrantDraft): boolean {
  return a.kind === b.kind && a.wallet === b.wallet && a.chain === b.chain && a.label === b.label;
}

export async function stepReplay(vault: VaultContext, session: PeerSession): Promise<ReplayStep> {
  const unsealed = requireUnsealed(vault);
  const run = runOf(unsealed, session);
  if (run.busy) throw coded('vault_busy');
  run.busy = true;
  try {
    const found = await walk(vault, unsealed, run);
    if (found.finished) unsealed.replay = null;
    return found;
  } finally {
    run.busy = false;
  }
}

async function walk(vault: VaultContext, unsealed: Unsealed, run: ReplayRun): Promise<ReplayStep> {
  const { replay, deps, totals, upTo } = run;
  const { state } = replay;
  const changes: ReplayChange[] = [];
  const leftOut: ReplayStep['leftOut'] = [];
  let chars = 0;
  for (let left = ENTRIES_A_STEP; left > 0 && state.seq < upTo && chars < ANSWER_CHARS; left -= ENTRIES_A_TURN) {
    unsealed.lastActivityMs = vault.deps.clock().monotonicMs;
    const read = await unsealed.journal.read(state.seq + 1, Math.min(ENTRIES_A_TURN, upTo - state.seq));
    if (!read.ok) throw journalError(read.error);
    if (read.value.length === 0) throw coded('internal_error');
    for (const { seq, bytes } of read.value) {
      const replayed = replayEntry(replay, seq, decodeEntry(bytes), deps);
      totals.entries++;
      if (replayed === null) continue;
      if (replayed.kind === 'left-out') {
        totals.leftOut++;
        leftOut.push({ seq, why: replayed.why });
        chars += 50;
        continue;
      }
      totals.verdicts[replayed.past.verdict][replayed.verdict]++;
      if (replayed.past.verdict !== replayed.verdict) {
        const change = changeOf(replayed);
        changes.push(change);
        chars += JSON.stringify(change).length;
        if (chars >= ANSWER_CHARS) break;
      } else if (replayed.verdict === 'permit' && replayed.grant !== grantOf(replayed.past)) totals.otherGrant++;
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
    // Sealed meanwhile, or begun anew.
    if (vault.unsealed !== unsealed || unsealed.replay !== run) throw coded('replay_unknown');
  }
  return { changes, leftOut, totals: structuredClone(totals), upTo, finished: state.seq >= upTo };
}

function changeOf({ past, verdict, grant, words }: Replayed & { kind: 'decided' }): ReplayChange {
  const { seq, entry } = past;
  const { at, client, wallet, chain, asks } = entry;
  return {
    seq,
    at,
    client,
    wallet,
    chain,
    asks,
    was: { verdict: past.verdict, grant: grantOf(past), words: wordsOf(past) },
    now: { verdict, grant, words: words.slice(0, MAX_WORDS) },
  };
}

const grantOf = ({ entry }: PastRequest) => (entry.type === 'request.permitted' ? entry.grant : null);

function wordsOf({ entry }: PastRequest): string[] {
  if (entry.type === 'request.denied') return entry.sentences.slice(0, MAX_WORDS);
  return entry.type === 'request.awaiting' ? [`${entry.needed} operators have to agree`] : [];
}

/** The session ended: nobody is left to ask for more. */
export function dropReplay({ unsealed }: VaultContext, session: PeerSession): void {
  if (unsealed?.replay?.session === session) unsealed.replay = null;
}
