import { fromHex, toHex } from '@keepwatch/base';

/**
 * 32-byte hashes have two spellings: bytes as they stand in blocks and messages (internal order), and the reversed hex
 * that people and RPC use (display order). They are two types, so that one is never taken for the other.
 */

/** A transaction id in display order: 64 lower-case hex digits. */
export type Txid = string & { readonly __brand: 'Txid' };
/** A block hash in display order: 64 lower-case hex digits. */
export type BlockHash = string & { readonly __brand: 'BlockHash' };
/** A double SHA-256 in internal order: 32 bytes, as they stand in a block. */
export type InternalHash = Uint8Array & { readonly __brand: 'InternalHash' };

const HASH = /^[0-9a-f]{64}$/;

export function toDisplay<T extends Txid | BlockHash>(hash: InternalHash): T {
  // Not `slice`: that of a Buffer shares its memory, and the caller's bytes would be turned round.
  return toHex(Uint8Array.from(hash).reverse()) as T;
}

/** `undefined` where the text is not 64 lower-case hex digits. */
export function toInternal(text: string): InternalHash | undefined {
  return HASH.test(text) ? (fromHex(text)!.reverse() as InternalHash) : undefined;
}
