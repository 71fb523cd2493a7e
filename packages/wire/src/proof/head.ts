import {
  concat,
  equalBytes,
  err,
  fromBase64url,
  lengthPrefixed,
  ok,
  toBase64url,
  u64be,
  utf8,
  type Json,
  type Result,
  type Sha256,
} from '@keepwatch/base';
import type { SignedHeadJson } from '@keepwatch/protocol';
import { bytesMember, exactMembers } from '../strict-json.ts';

/**
 * The head of a journal after one batch: what the batch holds (by its Merkle root), where it stands and what it
 * follows. Whoever remembers a signed head can tell a journal that was cut, forked or put back.
 */
export interface Head {
  readonly version: 1;
  /** Identity of the keep (or other journal owner): base64url of 32 bytes. */
  readonly vault: string;
  /** From 1. Rises by an act of an operator (a restore); never falls. */
  readonly epoch: number;
  /** Sequence number of the batch's first entry; the journal's first entry is 1. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Merkle root over the batch's entries, 32 bytes. */
  readonly root: Uint8Array;
  /** `headHash` of the head before, 32 bytes; zeros at the journal's start. */
  readonly prev: Uint8Array;
  /** Wall time of the batch in milliseconds since the Unix epoch; never falls along a chain. */
  readonly timeMs: number;
}

export interface SignedHead extends Head {
  /** Ed25519 (RFC 8032) by the receipt key over `encodeHead(head)`, 64 bytes. */
  readonly signature: Uint8Array;
}

/** Ed25519 verification (RFC 8032): 32-byte key, message, 64-byte signature. Injected; returns false, never throws. */
export type Ed25519Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** `prev` of a journal's first head. */
export const NO_HEAD: Uint8Array = new Uint8Array(32);

const LABEL = lengthPrefixed(utf8('keepwatch/journal-head'));

/**
 * The bytes that are hashed and signed: label ‖ version u8 ‖ vault 32 ‖ epoch u64 ‖ firstSeq u64 ‖ lastSeq u64 ‖
 * root 32 ‖ prev 32 ‖ timeMs u64, integers big-endian. The label keeps the signature from meaning anything else.
 * A head that is not well formed is a bug here: what comes from outside goes through `parseHead` first.
 */
export function encodeHead(head: Head): Uint8Array {
  if (!isHead(head)) throw new TypeError('not a well-formed head');
  return concat(
    LABEL,
    Uint8Array.of(head.version),
    fromBase64url(head.vault)!,
    u64be(head.epoch),
    u64be(head.firstSeq),
    u64be(head.lastSeq),
    head.root,
    head.prev,
    u64be(head.timeMs),
  );
}

/** What the next head names as `prev`: SHA-256 of `encodeHead(head)`. */
export function headHash(sha256: Sha256, head: Head): Uint8Array {
  return sha256(encodeHead(head));
}

/** Whether the owner of the receipt key signed this head. The caller checks `vault`. */
export function verifyHead(head: SignedHead, receiptPublicKey: Uint8Array, verify: Ed25519Verify): boolean {
  if (!isHead(head) || head.signature.length !== 64) return false;
  return verify(receiptPublicKey, encodeHead(head), head.signature);
}

export function headToJson(head: SignedHead): SignedHeadJson {
  return {
    version: 1,
    vault: head.vault,
    epoch: head.epoch,
    firstSeq: head.firstSeq,
    lastSeq: head.lastSeq,
    root: toBase64url(head.root),
    prev: toBase64url(head.prev),
    timeMs: head.timeMs,
    signature: toBase64url(head.signature),
  };
}

const MEMBERS = ['version', 'vault', 'epoch', 'firstSeq', 'lastSeq', 'root', 'prev', 'timeMs', 'signature'] as const;
const CODEC = { fromBase64url };

/** A head from JSON of unknown origin: exactly the members of `SignedHeadJson`, each of its exact form. */
export function parseHead(json: unknown): Result<SignedHead, 'head_malformed'> {
  const members = exactMembers(json as Json | undefined, MEMBERS);
  if (members === undefined) return err('head_malformed');
  if (typeof members.vault !== 'string') return err('head_malformed');
  const root = bytesMember(CODEC, members.root, 32);
  const prev = bytesMember(CODEC, members.prev, 32);
  const signature = bytesMember(CODEC, members.signature, 64);
  if (root === undefined || prev === undefined || signature === undefined) {
    return err('head_malformed');
  }
  const head = { ...members, root, prev, signature } as SignedHead;
  return isHead(head) ? ok(head) : err('head_malformed');
}

/** Whether the fields lie in the bounds that `Head` states: for heads that come from storage. */
export function isHead(head: Head): boolean {
  return (
    head.version === 1 &&
    fromBase64url(head.vault)?.length === 32 &&
    Number.isSafeInteger(head.epoch) &&
    head.epoch >= 1 &&
    Number.isSafeInteger(head.firstSeq) &&
    head.firstSeq >= 1 &&
    Number.isSafeInteger(head.lastSeq) &&
    head.lastSeq >= head.firstSeq &&
    Number.isSafeInteger(head.timeMs) &&
    head.timeMs >= 0 &&
    head.root.length === 32 &&
    head.prev.length === 32 &&
    // Only the first batch follows nothing.
    equalBytes(head.prev, NO_HEAD) === (head.firstSeq === 1)
  );
}
