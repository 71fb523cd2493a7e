import {
  CodedError,
  canonicalBytes,
  toBase64url,
  toHex,
  type Json,
  createTokenBucket,
  type TokenBucket,
} from '@keepwatch/base';
import { encodeSigned } from '@keepwatch/evm';
import type { MethodParams, MethodResult, ReceiptJson } from '@keepwatch/protocol';
import { receiptToJson } from '@keepwatch/wire';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { decodeEntry } from '../state/events.ts';
import { stepSign } from '../step/sign.ts';
import type { SignOutcome } from '../step/step.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';
import type { JobResult, Signature } from '../vault/engine.ts';
import { refusalError } from '../vault/submit.ts';
import { journalError } from '../vault/unsealed.ts';

type Answer = MethodResult<'transaction.sign'>;

/** Denials that one client may have journaled; beyond that they are counted and answered without a receipt. */
const DENIALS = { perSecond: 1, burst: 60 };

export interface Signing {
  sign(session: PeerSession, params: MethodParams<'transaction.sign'>): Promise<Answer>;
  /** Denials that were answered but not journaled, since the start. */
  readonly unjournaled: () => number;
}

/** The path of a request to sign: decide and reserve, journal, sign, answer. */
export function createSigning(vault: VaultContext): Signing {
  const denials = new Map<string, TokenBucket>();
  let unjournaled = 0;
  const { keccak256, sha256, zones } = vault.deps;

  function mayJournalDenial(client: string): boolean {
    const { monotonicMs } = vault.deps.clock();
    let bucket = denials.get(client);
    if (!bucket) denials.set(client, (bucket = createTokenBucket(DENIALS.perSecond, DENIALS.burst, monotonicMs)));
    return bucket.take(monotonicMs);
  }

  async function sign(session: PeerSession, params: MethodParams<'transaction.sign'>): Promise<Answer> {
    const unsealed = requireUnsealed(vault);
    // Before anything is decided: a decision that cannot be journaled costs folding the whole state again.
    if (vault.deps.reserve.low()) throw coded('storage_full');
    unsealed.lastActivityMs = vault.deps.clock().monotonicMs;
    const request = toBase64url(sha256(canonicalBytes(params as unknown as Json)));
    const input = { client: session.peer, params, request };
    return new Promise((resolve, reject) => {
      let outcome: SignOutcome;
      let journaled = true;
      unsealed.engine.submit({
        decide(state, nowMs) {
          outcome = stepSign(state, input, nowMs, { keccak256, zones });
          switch (outcome.kind) {
            case 'decided':
              journaled = outcome.effect !== null || mayJournalDenial(session.peer);
              return { events: journaled ? [outcome.event] : [], sign: outcome.effect };
            case 'repeat':
              return { events: [], sign: outcome.effect };
            case 'void':
              return { events: [outcome.event] };
            case 'refused':
              return { events: [] };
          }
        },
        done(result) {
          try {
            if (!journaled) unjournaled++;
            const answer = conclude(outcome, result, journaled);
            if (answer instanceof Promise) answer.then(resolve, reject);
            else resolve(answer);
          } catch (error) {
            reject(error as Error);
          }
        },
        failed: reject,
      });
    });
  }

  function conclude(outcome: SignOutcome, result: JobResult, journaled: boolean): Answer | Promise<Answer> {
    switch (outcome.kind) {
      case 'refused':
        throw refusalError(outcome.refusal);
      case 'void':
        throw coded('request_voided');
      case 'repeat':
        return repeated(outcome, result);
      case 'decided': {
        const receipt = journaled ? result.receipts[0]!() : null;
        if (!outcome.effect) throw denied(outcome.event, receipt);
        return signed(outcome.effect.bytes, result.signature, receipt!);
      }
    }
  }

  /** The first answer again: its receipt from the journal, and the same signature (RFC 6979). */
  async function repeated(outcome: SignOutcome & { kind: 'repeat' }, result: JobResult): Promise<Answer> {
    const found = await requireUnsealed(vault).journal.receiptFor(outcome.seq);
    if (!found.ok) throw journalError(found.error);
    const receipt = receiptToJson(found.value) as ReceiptJson;
    if (!outcome.effect) throw denied(decodeEntry(found.value.entry), receipt);
    return signed(outcome.effect.bytes, result.signature, receipt);
  }

  function signed(bytes: Uint8Array, signature: Signature | null, receipt: ReceiptJson): Answer {
    if (!signature) throw coded('internal_error');
    const { rs, yParity } = signature;
    const transaction = encodeSigned(bytes, { r: rs.subarray(0, 32), s: rs.subarray(32), yParity });
    return { transaction: `0x${toHex(transaction)}`, hash: `0x${toHex(keccak256(transaction))}`, receipt };
  }

  return { sign, unjournaled: () => unjournaled };
}

function denied(event: object, receipt: ReceiptJson | null): CodedError {
  const { reasons, sentences } = event as { reasons: readonly Json[]; sentences: readonly string[] };
  return new CodedError('denied', `Denied: ${sentences.join('; ')}.`, {
    details: { reasons, sentences, receipt },
  });
}
