import { CodedError, canonicalJson, toHex, type Json, createTokenBucket, type TokenBucket } from '@keepwatch/base';
import { encodeSigned } from '@keepwatch/evm';
import type { MethodParams, MethodResult, ReceiptJson, SignatureAnswer } from '@keepwatch/protocol';
import { receiptToJson } from '@keepwatch/wire';
import { sha256Text } from '../crypto/wire-crypto.ts';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { decodeEntry } from '../state/events.ts';
import type { Payload } from '../step/asked.ts';
import { stepSign, type SignParams } from '../step/sign.ts';
import type { SignEffect, SignOutcome } from '../step/step.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';
import type { JobResult, Signature } from '../vault/engine.ts';
import { refusalError } from '../vault/submit.ts';
import { journalError } from '../vault/unsealed.ts';

/** What is common to all methods that sign: a signature, or the reasons why there is none. */
interface Outcome {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
  readonly signature: Signature;
  readonly receipt: ReceiptJson;
}

/** Denials that one client may have journaled; beyond that they are counted and answered without a receipt. */
const DENIALS = { perSecond: 1, burst: 60 };

export interface Signing {
  transaction(
    session: PeerSession,
    params: MethodParams<'transaction.sign'>,
  ): Promise<MethodResult<'transaction.sign'>>;
  typedData(session: PeerSession, params: MethodParams<'typed-data.sign'>): Promise<SignatureAnswer>;
  message(session: PeerSession, params: MethodParams<'message.sign'>): Promise<SignatureAnswer>;
  authorization(session: PeerSession, params: MethodParams<'authorization.sign'>): Promise<SignatureAnswer>;
  /** Denials that were answered but not journaled, since the start. */
  readonly unjournaled: () => number;
}

/** The path of a request to sign: decide and reserve, journal, sign, answer. */
export function createSigning(vault: VaultContext): Signing {
  const denials = new Map<string, TokenBucket>();
  let unjournaled = 0;
  const { keccak256 } = vault.deps;

  function mayJournalDenial(client: string): boolean {
    const { monotonicMs } = vault.deps.clock();
    let bucket = denials.get(client);
    if (!bucket) denials.set(client, (bucket = createTokenBucket(DENIALS.perSecond, DENIALS.burst, monotonicMs)));
    return bucket.take(monotonicMs);
  }

  async function sign(session: PeerSession, params: SignParams, payload: Payload): Promise<Outcome> {
    const unsealed = requireUnsealed(vault);
    // Before anything is decided: a decision that cannot be journaled costs folding the whole state again.
    if (vault.deps.reserve.low()) throw coded('storage_full');
    unsealed.lastActivityMs = vault.deps.clock().monotonicMs;
    const request = sha256Text(canonicalJson(params as unknown as Json));
    const input = { client: session.peer, params, payload, request };
    return new Promise((resolve, reject) => {
      let outcome: SignOutcome;
      let journaled = true;
      unsealed.engine.submit({
        decide(state, nowMs) {
          outcome = stepSign(state, input, nowMs, vault.deps);
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

  function conclude(outcome: SignOutcome, result: JobResult, journaled: boolean): Outcome | Promise<Outcome> {
    switch (outcome.kind) {
      case 'refused':
        throw refusalError(outcome.refusal);
      case 'void':
        throw coded('request_voided');
      case 'repeat':
        return repeated(outcome, result);
      case 'decided': {
        const receipt = journaled ? result.receipt(0) : null;
        if (!outcome.effect) throw denied(outcome.event, receipt);
        return signed(outcome.effect, result.signature, receipt!);
      }
      case 'waiting':
        if (!journaled) throw coded('rate_limited');
        throw coded('approval_needed', { ...outcome.details });
    }
  }

  /** The first answer again: its receipt from the journal, and the same signature (RFC 6979). */
  async function repeated(outcome: SignOutcome & { kind: 'repeat' }, result: JobResult): Promise<Outcome> {
    const found = await requireUnsealed(vault).journal.receiptFor(outcome.seq);
    if (!found.ok) throw journalError(found.error);
    const receipt = receiptToJson(found.value) as ReceiptJson;
    if (!outcome.effect) throw denied(decodeEntry(found.value.entry), receipt);
    return signed(outcome.effect, result.signature, receipt);
  }

  function signed({ bytes, digest }: SignEffect, signature: Signature | null, receipt: ReceiptJson): Outcome {
    if (!signature) throw coded('internal_error');
    return { bytes, digest, signature, receipt };
  }

  return {
    async transaction(session, params) {
      const { bytes, signature, receipt } = await sign(session, params, {
        form: 'transaction',
        hex: params.transaction,
      });
      const { rs, yParity } = signature;
      const transaction = encodeSigned(bytes, { r: rs.subarray(0, 32), s: rs.subarray(32), yParity });
      return { transaction: `0x${toHex(transaction)}`, hash: `0x${toHex(keccak256(transaction))}`, receipt };
    },
    typedData: async (session, params) =>
      signatureAnswer(await sign(session, params, { form: 'typed-data', json: params.typedData })),
    message: async (session, params) =>
      signatureAnswer(await sign(session, params, { form: 'message', text: params.message })),
    authorization: async (session, params) =>
      signatureAnswer(await sign(session, params, { form: 'delegation', hex: params.authorization })),
    unjournaled: () => unjournaled,
  };
}

/** r ‖ s ‖ v, with v 27 or 28, as contracts and wallets take signatures over typed data and text. */
function signatureAnswer({ digest, signature, receipt }: Outcome): SignatureAnswer {
  const v = (27 + signature.yParity).toString(16);
  return { signature: `0x${toHex(signature.rs)}${v}`, digest: `0x${toHex(digest)}`, receipt };
}

function denied(event: object, receipt: ReceiptJson | null): CodedError {
  const { reasons, sentences } = event as { reasons: readonly Json[]; sentences: readonly string[] };
  return new CodedError('denied', `Denied: ${sentences.join('; ')}.`, {
    details: { reasons, sentences, receipt },
  });
}
