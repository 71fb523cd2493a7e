import { hasSameFees, type SignedFees, type SignedNonce } from './nonces.ts';

/**
 * Equal values as one value. Every entry brings its names, amounts and fees along as texts of its own, and what is
 * remembered of requests holds on to them for hours: of a million answers, those are a quarter of the memory. Nothing
 * but memory depends on it.
 */

/** What a nonce was signed for, apart from the very bytes. */
export interface Terms {
  readonly core: string;
  readonly fees: SignedFees;
}

/** Beyond that all are forgotten and met anew. */
const MAX_SHARED = 4_096;

const texts = new Map<string, string>();
const lastTerms = new Map<string, Terms>();

/** The text, or the equal one that came before. For names: of wallets, chains, clients, grants. */
export function sharedText(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= MAX_SHARED) texts.clear();
  texts.set(text, text);
  return text;
}

/** What a nonce of the wallet was signed for, all of it shared that others have as well. */
export function sharedNonce(wallet: string, signed: SignedNonce): SignedNonce {
  const { digest, answer, client, grant } = signed;
  const { core, fees } = sharedTerms(wallet, signed);
  return { digest, answer, client: sharedText(client), grant: sharedText(grant), core, fees };
}

/** The terms, with what they have in common with the last ones of this wallet. */
export function sharedTerms(wallet: string, { core, fees }: Terms): Terms {
  const last = lastTerms.get(wallet);
  const sameCore = last?.core === core;
  const sameFees = last !== undefined && hasSameFees(last.fees, fees);
  if (sameCore && sameFees) return last;
  if (last === undefined && lastTerms.size >= MAX_SHARED) lastTerms.clear();
  const terms = { core: sameCore ? last.core : core, fees: sameFees ? last.fees : fees };
  lastTerms.set(wallet, terms);
  return terms;
}
