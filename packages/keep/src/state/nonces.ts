/**
 * Which transaction nonces of one wallet on one chain have been signed, and for which bytes. Two rules: a nonce is
 * never signed for different bytes, and memory stays bounded. The digest of a signed nonce is kept as long as an
 * identical request could be repeated; after that the nonce alone is remembered, as part of the floor where it can be.
 */
export interface NonceBook {
  /** Every nonce below it is refused. */
  floor: number;
  /** The epoch in which an operator last confirmed the floor; 0 where none ever did. */
  epoch: number;
  /** Signed nonces at or above the floor, and recent ones below it; null where only the use is remembered. */
  readonly signed: Map<number, SignedNonce | null>;
}

export interface SignedNonce {
  /** Keccak-256 of the bytes that were signed, base64url. */
  readonly digest: string;
  /** Key of the answer that signed it (`client/key`). */
  readonly answer: string;
}

export type NonceVerdict =
  | { readonly kind: 'free' }
  /** Signed before for these very bytes. */
  | { readonly kind: 'same'; readonly answer: string }
  | { readonly kind: 'used' }
  | { readonly kind: 'below-floor'; readonly floor: number };

export function createNonceBook(floor = 0): NonceBook {
  return { floor, epoch: 0, signed: new Map() };
}

export function checkNonce(book: NonceBook | undefined, nonce: number, digest: string): NonceVerdict {
  const seen = book?.signed.get(nonce);
  if (seen !== undefined) return seen?.digest === digest ? { kind: 'same', answer: seen.answer } : { kind: 'used' };
  if (book !== undefined && nonce < book.floor) return { kind: 'below-floor', floor: book.floor };
  return { kind: 'free' };
}

export function signNonce(book: NonceBook, nonce: number, signed: SignedNonce): void {
  book.signed.set(nonce, signed);
}

/** Raises the floor; it never falls. */
export function raiseFloor(book: NonceBook, floor: number): void {
  if (floor <= book.floor) return;
  book.floor = floor;
  for (const [nonce, signed] of book.signed) if (nonce < floor && signed === null) book.signed.delete(nonce);
}

/** The digest of `nonce` is no longer needed for repeats: fold the nonce into the floor where no gap lies below. */
export function forgetDigest(book: NonceBook, nonce: number): void {
  if (!book.signed.has(nonce)) return;
  if (nonce < book.floor) {
    book.signed.delete(nonce);
    return;
  }
  book.signed.set(nonce, null);
  while (book.signed.get(book.floor) === null) {
    book.signed.delete(book.floor);
    book.floor++;
  }
}

/** Whether setting this floor would lower it. */
export function raisedFloorIsLower(book: NonceBook | undefined, floor: number): boolean {
  return book !== undefined && floor < book.floor;
}
