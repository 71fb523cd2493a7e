/**
 * Which nonces of one wallet on one chain have been signed, and for what. Two rules: a nonce is never signed for other
 * bytes, but as a replacement that does the same at a higher fee or as a cancellation; and memory stays bounded. What a
 * replacement is measured by is kept as long as an identical request could be repeated, and for the {@link REPLACEABLE}
 * nonces forgotten last even longer, for a transaction that is stuck may be stuck for days. After that the nonce alone
 * is remembered, as part of the floor where it can be.
 */
export interface NonceBook {
  /** Every nonce below it is refused. */
  floor: number;
  /** The epoch in which an operator last confirmed the floor; 0 where none ever did. */
  epoch: number;
  /** Signed nonces at or above the floor, and recent ones below it; null where only the use is remembered. */
  readonly signed: Map<number, SignedNonce | null>;
  /** Nonces that can no longer be repeated but still be replaced, in the order in which they came to that. */
  readonly stale: number[];
}

/** What is remembered of a signed nonce. Amounts are decimal strings of wei, as in the journal. */
export interface SignedNonce {
  /** Keccak-256 of the bytes that were signed last, base64url. */
  readonly digest: string;
  /** Key of the request that they were signed for; null when its answer is forgotten. */
  readonly answer: string | null;
  /** Who asked for it, and may replace it; once it is no client any more, others may. */
  readonly client: string;
  /** The grant that pays for it, also for the fee of its replacements as long as it is in force. */
  readonly grant: string;
  /** What the transaction does, apart from its fees (`coreOf` of evm). */
  readonly core: string;
  readonly fees: SignedFees;
}

export interface SignedFees {
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
  readonly maxFeePerBlobGas: string | null;
  /** The most that its grant was charged for this nonce so far: a replacement is charged what it adds to it. */
  readonly charged: string;
}

export function hasSameFees(a: SignedFees, b: SignedFees): boolean {
  return (
    a.charged === b.charged &&
    a.maxFeePerBlobGas === b.maxFeePerBlobGas &&
    a.maxFeePerGas === b.maxFeePerGas &&
    a.maxPriorityFeePerGas === b.maxPriorityFeePerGas
  );
}

/** How many nonces of a book can be replaced for longer than their answers are kept. */
export const REPLACEABLE = 64;

export type NonceVerdict =
  | { readonly kind: 'free' }
  /** Signed before for these very bytes: for this client's request with the key `answer`. */
  | { readonly kind: 'same'; readonly client: string; readonly answer: string }
  /** Signed before for other bytes, which these may replace. */
  | { readonly kind: 'signed'; readonly by: SignedNonce }
  | { readonly kind: 'used' }
  | { readonly kind: 'below-floor'; readonly floor: number };

export function createNonceBook(floor = 0): NonceBook {
  return { floor, epoch: 0, signed: new Map(), stale: [] };
}

export function checkNonce(book: NonceBook | undefined, nonce: number, digest: string): NonceVerdict {
  const seen = book?.signed.get(nonce);
  if (seen !== undefined && seen?.digest === digest && seen.answer !== null)
    return { kind: 'same', client: seen.client, answer: seen.answer };
  // A nonce that an operator called spent on the chain is not replaced there.
  if (book !== undefined && nonce < book.floor) return { kind: 'below-floor', floor: book.floor };
  if (seen === undefined) return { kind: 'free' };
  return seen === null || seen.digest === digest ? { kind: 'used' } : { kind: 'signed', by: seen };
}

export function signNonce(book: NonceBook, nonce: number, signed: SignedNonce): void {
  const before = book.signed.get(nonce);
  if (before?.answer === null) book.stale.splice(book.stale.indexOf(nonce), 1);
  book.signed.set(nonce, signed);
}

/** Raises the floor; it never falls. */
export function raiseFloor(book: NonceBook, floor: number): void {
  if (floor <= book.floor) return;
  book.floor = floor;
  for (const [nonce, signed] of book.signed) if (nonce < floor && signed === null) book.signed.delete(nonce);
  for (const nonce of book.stale) if (nonce < floor) book.signed.delete(nonce);
  book.stale.splice(0, book.stale.length, ...book.stale.filter((nonce) => nonce >= floor));
  advance(book);
}

/**
 * The answer that signed `nonce` is forgotten: it can no longer be repeated. `client` and `answer` say which: a later one is
 * not meant.
 */
export function forgetAnswer(book: NonceBook, nonce: number, client: string, answer: string): void {
  const signed = book.signed.get(nonce);
  if (!signed || signed.client !== client || signed.answer !== answer) return;
  if (nonce < book.floor) {
    book.signed.delete(nonce);
    return;
  }
  book.signed.set(nonce, { ...signed, answer: null });
  book.stale.push(nonce);
  if (book.stale.length <= REPLACEABLE) return;
  book.signed.set(book.stale.shift()!, null);
  advance(book);
}

/** The floor takes in what lies without a gap above it and of which only the use is remembered. */
function advance(book: NonceBook): void {
  while (book.signed.get(book.floor) === null) {
    book.signed.delete(book.floor);
    book.floor++;
  }
}

/** Whether setting this floor would lower it. */
export function raisedFloorIsLower(book: NonceBook | undefined, floor: number): boolean {
  return book !== undefined && floor < book.floor;
}

/**
 * The lowest nonce from `atLeast` on that is neither signed nor `taken`. What is signed is skipped, for it may be on
 * its way to the chain. `undefined`: none is left, for nonces that are no exact numbers are not signed.
 */
export function nextNonce(
  book: NonceBook | undefined,
  atLeast: number,
  taken: { has(nonce: number): boolean } = new Set(),
): number | undefined {
  let nonce = Math.max(atLeast, book?.floor ?? 0);
  while (book?.signed.has(nonce) || taken.has(nonce)) nonce++;
  return Number.isSafeInteger(nonce) ? nonce : undefined;
}

export type Replacement =
  | { readonly kind: 'replacement' | 'cancellation'; readonly of: SignedNonce }
  | { readonly kind: 'refused'; readonly why: ReplacementFault };

/** Why a nonce that was signed is not signed again. */
export type ReplacementFault =
  /** Another client signed it. */
  | 'another_client'
  /** It would do something else. */
  | 'another_intent'
  /** A fee per gas that is not higher would not replace anything. */
  | 'fee_not_higher';

/** What a request that meets a signed nonce brings along. */
export interface ReplacementAsked {
  /** Whether it is this client's to replace: it signed it, or who did is no client any more. */
  readonly isOwner: boolean;
  readonly core: string;
  /** It sends nothing to the wallet itself and carries no data; and the wallet's account runs no code. */
  readonly cancels: boolean;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly maxFeePerBlobGas: bigint | null;
}

/**
 * Whether the request replaces what was signed for its nonce: it does the same, or nothing at all, and both fees per gas
 * are higher (nodes ask for a tenth more; how much is the client's business).
 */
export function judgeReplacement(of: SignedNonce, asked: ReplacementAsked): Replacement {
  if (!asked.isOwner) return { kind: 'refused', why: 'another_client' };
  const same = of.core === asked.core;
  if (!same && !asked.cancels) return { kind: 'refused', why: 'another_intent' };
  const { maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas } = of.fees;
  const higher =
    asked.maxFeePerGas > BigInt(maxFeePerGas) &&
    asked.maxPriorityFeePerGas > BigInt(maxPriorityFeePerGas) &&
    (maxFeePerBlobGas === null || asked.maxFeePerBlobGas === null || asked.maxFeePerBlobGas > BigInt(maxFeePerBlobGas));
  if (!higher) return { kind: 'refused', why: 'fee_not_higher' };
  // A cancellation that is stuck itself is one again: no grant has to name the wallet as a recipient.
  return { kind: asked.cancels ? 'cancellation' : 'replacement', of };
}
