import {
  concat,
  equalBytes,
  err,
  fromBase64url,
  lengthPrefixed,
  ok,
  u64be,
  utf8,
  type Result,
  type Sha256,
} from '@keepwatch/base';
import { createMerkleTree, type MerkleTree, type SignedHead } from '@keepwatch/wire';
import { fault, type JournalFault } from './fault.ts';
import type { StoredBatch } from './store.ts';

/**
 * Encrypts what the journal stores under random data keys. `place` is authenticated with the plaintext: a ciphertext
 * opens only where it was put. The keys belong to the implementation; the journal knows their numbers.
 */
export interface EntryCipher {
  /** The key for new data, an unsigned 32-bit number. */
  currentKey(): number;
  seal(keyId: number, place: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** `undefined`: altered, moved, or the key is not there. */
  open(keyId: number, place: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** Which batch a ciphertext belongs to. */
export type BatchPlace = Pick<StoredBatch, 'epoch' | 'firstSeq' | 'lastSeq' | 'root'>;

export interface OpenBatch {
  readonly entries: readonly Uint8Array[];
  readonly tree: MerkleTree;
}

export interface BatchCodec {
  seal(keyId: number, place: BatchPlace, entries: readonly Uint8Array[]): Uint8Array;
  /** The entries of a batch, compared with its root: they are the ones that its head vouches for, or a fault. */
  open(batch: StoredBatch): Result<OpenBatch, JournalFault>;
  /** Whether this ciphertext was made for that place. */
  belongs(sealed: Uint8Array, keyId: number, place: BatchPlace): boolean;
  headOf(batch: StoredBatch): SignedHead;
}

const LABEL = utf8('keepwatch/journal-batch/1');

export function createBatchCodec(deps: {
  readonly vault: string;
  readonly sha256: Sha256;
  readonly cipher: EntryCipher;
}): BatchCodec {
  const { vault, sha256, cipher } = deps;
  const prefix = lengthPrefixed(LABEL, vaultBytes(vault));

  const placeBytes = ({ epoch, firstSeq, lastSeq, root }: BatchPlace) =>
    concat(prefix, u64be(epoch), u64be(firstSeq), u64be(lastSeq), root);

  return {
    seal: (keyId, place, entries) => cipher.seal(keyId, placeBytes(place), encodeEntries(entries)),
    open(batch) {
      const { firstSeq, lastSeq } = batch;
      const altered = (what: string) =>
        err(fault('journal_entry_altered', firstSeq, `The entries ${firstSeq} to ${lastSeq} ${what}.`));
      const plaintext = cipher.open(batch.keyId, placeBytes(batch), batch.sealed);
      if (plaintext === undefined) return altered('were altered: they do not decrypt in their place');
      const entries = decodeEntries(plaintext);
      if (entries?.length !== lastSeq - firstSeq + 1) return altered('are not as many as their head says');
      const tree = createMerkleTree(sha256, entries);
      if (!equalBytes(tree.root, batch.root)) return altered('are not those that their head was made for');
      return ok({ entries, tree });
    },
    belongs: (sealed, keyId, place) => cipher.open(keyId, placeBytes(place), sealed) !== undefined,
    headOf: ({ epoch, firstSeq, lastSeq, root, prev, timeMs, signature }) => {
      return { version: 1, vault, epoch, firstSeq, lastSeq, root, prev, timeMs, signature };
    },
  };
}

/** The 32 bytes of a vault's identity. */
export function vaultBytes(vault: string): Uint8Array {
  const bytes = fromBase64url(vault);
  if (bytes?.length !== 32) throw new TypeError('a vault identity is base64url of 32 bytes');
  return bytes;
}

/** Each entry preceded by its length (u32 big-endian). One allocation: this is on the path of every signature. */
function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const entry of entries) length += 4 + entry.length;
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const entry of entries) {
    view.setUint32(at, entry.length);
    out.set(entry, at + 4);
    at += 4 + entry.length;
  }
  return out;
}

/** At least one entry, or `undefined`. */
function decodeEntries(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return entries.length > 0 ? entries : undefined;
}
