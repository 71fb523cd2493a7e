import { CodedError, canonicalJson, toHex, type Json, createTokenBucket, type TokenBucket } from '@keepwatch/base';
import type { MethodParams, ReceiptJson } from '@keepwatch/protocol';
import { receiptToJson, type ReceiptParts } from '@keepwatch/wire';
import { sha256Text } from '../crypto/wire-crypto.ts';
import { jsonText, type JsonText } from '../peers/json-text.ts';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { decodeEntry } from '../state/events.ts';
import type { Payload } from '../step/asked.ts';
import { stepSign, type SignParams } from '../step/sign.ts';
import type { SignOutcome } from '../step/step.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';
import type { JobResult, Signature } from '../vault/engine.ts';
import { refusalError } from '../vault/submit.ts';
import { journalError } from '../vault/unsealed.ts';

/** What every method that signs answers with. */
interface Signed {
  readonly signature: Signature;
  readonly receipt: ReceiptParts;
}

/** Denials that one client may have journaled; beyond that they are counted and answered without a receipt. */
const DENIALS = { perSecond: 1, burst: 60 };

/** The answers are the methods' results as text: they are made thousands of times a second. */
export interface Signing {
  transaction(session: PeerSession, params: MethodParams<'transaction.sign'>): Promise<JsonText>;
  typedData(session: PeerSession, params: MethodParams<'typed-data.sign'>): Promise<JsonText>;
  message(session: PeerSession, params: MethodParams<'message.sign'>): Promise<JsonText>;
  authorization(session: PeerSession, params: MethodParams<'authorization.sign'>): Promise<JsonText>;
  /** Denials that were answered but not journaled, since the start. */
  readonly unjournaled: () => number;
}

/** The path of a request to sign: decide and reserve, journal, sign, answer. */
export function createSigning(vault: VaultContext): Signing {
  const denials = new Map<string, TokenBucket>();
  let unjournaled = 0;

  function mayJournalDenial(client: string): boolean {
    const { monotonicMs } = vault.deps.clock();
    let bucket = denials.get(client);
    if (!bucket) denials.set(client, (bucket = createTokenBucket(DENIALS.perSecond, DENIALS.burst, monotonicMs)));
    return bucket.take(monotonicMs);
  }

  function sign(session: PeerSession, params: SignParams, payload: Payload): Promise<JsonText> {
    const unsealed = requireUnsealed(vault);
    // Before anything is decided: a decision that cannot be journaled costs folding the whole state again.
    if (vault.deps.reserve.low()) throw coded('storage_full');
    const request = sha256Text(canonicalJson(params as unknown as Json));
    const input = { client: session.peer, params, payload, request };
    return new Promise((resolve, reject) => {
      let outcome: SignOutcome;
      let journaled = true;
      unsealed.engine.submit({
        decide(state, nowMs) {
          outcome = stepSign(state, input, nowMs, vault.deps);
          // Only what is permitted is a use of the vault: whoever is denied everything must not keep it unsealed.
          if ('effect' in outcome && outcome.effect) unsealed.lastActivityMs = vault.deps.clock().monotonicMs;
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
            case 'waiting':
              // Beyond the rate nothing is journaled, so nothing waits either.
              journaled = outcome.event === null || mayJournalDenial(session.peer);
              return { events: journaled && outcome.event ? [outcome.event] : [] };
          }
        },
        done(result) {
          try {
            if (!journaled) unjournaled++;
            const answer = conclude(outcome, result, journaled);
            if (answer instanceof Promise) answer.then((signed) => resolve(answerText(signed))).catch(reject);
            else resolve(answerText(answer));
          } catch (error) {
            reject(error as Error);
          }
        },
        failed: reject,
      });
    });
  }

  function conclude(outcome: SignOutcome, result: JobResult, journaled: boolean): Signed | Promise<Signed> {
    switch (outcome.kind) {
      case 'refused':
        throw refusalError(outcome.refusal);
      case 'void':
        throw coded('request_voided');
      case 'repeat':
        return repeated(outcome, result);
      case 'decided': {
        if (!outcome.effect) throw denied(outcome.event, journaled ? result.receipt(0) : null);
        return signed(result.signature, result.receiptParts(0));
      }
      case 'waiting':
        if (!journaled) throw coded('rate_limited');
        throw coded('approval_needed', { ...outcome.details });
    }
  }

  /** The first answer again: its receipt from the journal, and the same signature (RFC 6979). */
  async function repeated(outcome: SignOutcome & { kind: 'repeat' }, result: JobResult): Promise<Signed> {
    const found = await requireUnsealed(vault).journal.receiptFor(outcome.seq);
    if (!found.ok) throw journalError(found.error);
    const receipt = receiptToJson(found.value) as ReceiptJson;
    if (!outcome.effect) throw denied(decodeEntry(found.value.entry), receipt);
    const entry = { form: [receipt.entry], fill: [] };
    return signed(result.signature, { ...receipt, entry, head: JSON.stringify(receipt.head) });
  }

  function signed(signature: Signature | null, receipt: ReceiptParts): Signed {
    if (!signature) throw coded('internal_error');
    return { signature, receipt };
  }

  return {
    transaction: (session, params) => sign(session, params, { form: 'transaction', hex: params.transaction }),
    typedData: (session, params) => sign(session, params, { form: 'typed-data', json: params.typedData }),
    message: (session, params) => sign(session, params, { form: 'message', text: params.message }),
    authorization: (session, params) => sign(session, params, { form: 'delegation', hex: params.authorization }),
    unjournaled: () => unjournaled,
  };
}

/** r ‖ s ‖ v, with v 27 or 28, as contracts and wallets take signatures. */
function answerText({ signature: { rs, yParity }, receipt }: Signed): JsonText {
  return jsonText(`"signature":"0x${toHex(rs)}${yParity === 0 ? '1b' : '1c'}"`, receipt);
}

function denied(event: object, receipt: ReceiptJson | null): CodedError {
  const { reasons, sentences } = event as { reasons: readonly Json[]; sentences: readonly string[] };
  return new CodedError('denied', `Denied: ${sentences.join('; ')}.`, {
    details: { reasons, sentences, receipt },
  });
}
