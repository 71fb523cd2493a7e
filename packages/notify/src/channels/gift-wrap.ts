import { schnorr } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { fromHex, parseJsonBytes, toHex, utf8, type Entropy } from '@keepwatch/base';
import { z } from 'zod';
import { conversationKey, decrypt, encrypt } from './nip44.ts';

/** An event of NIP-01. */
export interface NostrEvent {
  readonly id: string;
  readonly pubkey: string;
  readonly created_at: number;
  readonly kind: number;
  readonly tags: readonly (readonly string[])[];
  readonly content: string;
  readonly sig: string;
}

type Template = Pick<NostrEvent, 'created_at' | 'kind' | 'tags' | 'content'>;

/** Seal and wrap carry a time of the last two days, so that it tells nothing (NIP-59). */
const TWO_DAYS = 172_800;

/**
 * A private message (NIP-17): the rumor of kind 14, unsigned, in a seal of kind 13 that the sender signs, in a gift wrap
 * of kind 1059 that a key signs which is made for it and forgotten. Relays see the receiver, a false time and a length.
 */
export function giftWrap(given: {
  readonly text: string;
  readonly subject: string;
  readonly secretKey: Uint8Array;
  readonly to: Uint8Array;
  /** Of the message: the rumor has the same id in every try, by which readers know a second one. */
  readonly atMs: number;
  readonly nowMs: number;
  readonly entropy: Entropy;
}): NostrEvent {
  const { text, subject, secretKey, to, atMs, nowMs, entropy } = given;
  const now = Math.floor(nowMs / 1_000);
  const someTimeAgo = () => {
    const [a, b, c, d] = entropy(4) as unknown as [number, number, number, number];
    return now - ((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % TWO_DAYS);
  };
  const tags = [
    ['p', toHex(to)],
    ['subject', subject],
  ];
  const template = { created_at: Math.floor(atMs / 1_000), kind: 14, tags, content: text };
  const pubkey = toHex(schnorr.getPublicKey(secretKey));
  const rumor = { ...template, pubkey, id: toHex(idOf(pubkey, template)) };
  const lock = (value: object, key: Uint8Array) =>
    encrypt(JSON.stringify(value), conversationKey(key, to), entropy(32));
  const seal = signed(
    { created_at: someTimeAgo(), kind: 13, tags: [], content: lock(rumor, secretKey) },
    secretKey,
    entropy,
  );
  const once = schnorr.keygen(entropy(48)).secretKey;
  const wrap = { created_at: someTimeAgo(), kind: 1_059, tags: [['p', toHex(to)]], content: lock(seal, once) };
  return signed(wrap, once, entropy);
}

/** What somebody said in private, once it is sure who it was. */
export interface Rumor {
  readonly id: string;
  /** Seconds, as its author says. */
  readonly createdAt: number;
  readonly text: string;
}

/**
 * Opens a wrap that came for us. Undefined where it is not for us, not whole, or not by this author: the seal must be signed
 * by the key, and what it holds must say the same author (NIP-17: anybody could put another name there). The signature of
 * the wrap itself is by a key that means nothing, and is not looked at.
 */
export function unwrap(wrap: unknown, secretKey: Uint8Array, author: string): Rumor | undefined {
  const us = toHex(schnorr.getPublicKey(secretKey));
  const outer = EVENT.safeParse(wrap);
  if (!outer.success || outer.data.kind !== 1_059) return undefined;
  const { pubkey: once, tags, content } = outer.data;
  if (!tags.some(([name, value]) => name === 'p' && value === us)) return undefined;
  const seal = opened(content, secretKey, once, EVENT);
  if (seal?.kind !== 13 || seal.pubkey !== author || !isSigned(seal)) return undefined;
  const rumor = opened(seal.content, secretKey, author, RUMOR);
  if (rumor?.kind !== 14 || rumor.pubkey !== author) return undefined;
  const { id, created_at: createdAt, content: text } = rumor;
  return id === toHex(idOf(author, rumor)) ? { id, createdAt, text } : undefined;
}

function opened<T>(content: string, secretKey: Uint8Array, from: string, shape: z.ZodType<T>): T | undefined {
  const publicKey = fromHex(from);
  if (!publicKey) return undefined;
  let key: Uint8Array;
  try {
    key = conversationKey(secretKey, publicKey);
  } catch {
    // No point of the curve.
    return undefined;
  }
  const text = decrypt(content, key);
  const read = text === undefined ? undefined : shape.safeParse(parseJsonBytes(utf8(text)));
  return read?.success ? read.data : undefined;
}

function isSigned(event: NostrEvent): boolean {
  const [sig, pubkey] = [fromHex(event.sig), fromHex(event.pubkey)];
  const id = idOf(event.pubkey, event);
  return sig !== undefined && pubkey !== undefined && toHex(id) === event.id && schnorr.verify(sig, id, pubkey);
}

const hex = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`));
const TEMPLATE = {
  ...{ created_at: z.int(), kind: z.int().nonnegative(), tags: z.array(z.array(z.string())), content: z.string() },
};
const RUMOR = z.object({ ...TEMPLATE, id: hex(64), pubkey: hex(64) });
const EVENT = RUMOR.extend({ sig: hex(128) });

/** An event of our own (NIP-01). */
export function signed(template: Template, secretKey: Uint8Array, entropy: Entropy): NostrEvent {
  const pubkey = toHex(schnorr.getPublicKey(secretKey));
  const id = idOf(pubkey, template);
  return { ...template, pubkey, id: toHex(id), sig: toHex(schnorr.sign(id, secretKey, entropy(32))) };
}

/** NIP-01: the hash of this array as JSON without white space. */
function idOf(pubkey: string, { created_at, kind, tags, content }: Template): Uint8Array {
  return sha256(utf8(JSON.stringify([0, pubkey, created_at, kind, tags, content])));
}
