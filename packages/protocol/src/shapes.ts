import { z } from 'zod';

/** Shapes that several methods share. Amounts are decimal strings of wei, times are milliseconds since the Unix epoch. */

const base64url = (length: number, what: string) =>
  z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${length}}$`), `${what}: base64url of ${length} characters`);

/** 16 bytes: a peer's id, a wallet's id, the id of a one-time key. */
export const shortId = base64url(22, 'id');
/** 32 bytes: a hash, a key, an identity. */
export const hash32 = base64url(43, 'hash');

export const safeInteger = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const weiString = z.string().regex(/^(0|[1-9][0-9]{0,77})$/, 'wei: a decimal string without sign or exponent');

export const MAX_NAME_CHARS = 64;

/**
 * What a person calls a peer, wallet or grant: letters and digits of any script, space, dot, dash, underscore. Names tell
 * things apart for people who read them: so there is no letter that shows nothing (Hangul fillers), no space at the end
 * and no two of them in a row.
 */
export const name = z
  .string()
  .regex(
    /^(?!.*(?:\p{Default_Ignorable_Code_Point}| {2}| $))[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u,
    'a name of 1 to 64 letters, digits, dots, dashes, underscores, single spaces between them',
  );

/** A time-ordered UUID (RFC 9562 §5.7). Its time lets the vault refuse a key that it may have forgotten. */
export const uuidV7 = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'a lower-case UUID of version 7');

/** CAIP-2 chain id of an EVM chain. */
export const evmChain = z.string().regex(/^eip155:[1-9][0-9]{0,15}$/, 'a chain such as eip155:1');
/** In canonical form; clients check and drop the EIP-55 capitals. */
export const evmAddress = z.string().regex(/^0x[0-9a-f]{40}$/, 'an address: 0x and 40 lower-case hex digits');

/** Public half of a one-time hybrid key (X25519 + ML-KEM-768), for one secret on its way in or out. */
export const entryKey = z.strictObject({
  keyId: shortId,
  purpose: z.string().max(40),
  x25519: hash32,
  mlkem768: base64url(1579, 'ML-KEM-768 key'),
});

/** A secret sealed to an {@link entryKey}. */
export const sealedBox = z.strictObject({
  keyId: shortId,
  x25519: hash32,
  kem: base64url(1451, 'ML-KEM-768 ciphertext'),
  nonce: base64url(32, 'nonce'),
  box: z.string().regex(/^[A-Za-z0-9_-]{22,8192}$/),
});

export const peerKey = z.strictObject({
  alg: z.enum(['EdDSA', 'ML-DSA-65']),
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43,2603}$/),
});

export const role = z.enum(['operator', 'client']);

/** A signed journal head, as peers remember it. */
export const signedHead = z.strictObject({
  version: z.literal(1),
  vault: hash32,
  epoch: safeInteger,
  firstSeq: safeInteger,
  lastSeq: safeInteger,
  root: hash32,
  prev: hash32,
  timeMs: safeInteger,
  signature: base64url(86, 'signature'),
});

/** A journal entry with its path to a signed head: proof of a decision that needs no connection. */
export const receipt = z.strictObject({
  seq: safeInteger,
  entry: z.string(),
  index: safeInteger,
  path: z.array(hash32),
  head: signedHead,
});

export type EntryKey = z.infer<typeof entryKey>;
export type SealedBox = z.infer<typeof sealedBox>;
export type PeerKey = z.infer<typeof peerKey>;
export type Role = z.infer<typeof role>;
export type SignedHeadJson = z.infer<typeof signedHead>;
export type ReceiptJson = z.infer<typeof receipt>;
