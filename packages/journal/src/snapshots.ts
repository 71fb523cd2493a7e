import { setImmediate } from 'node:timers/promises';
import { concat, equalBytes, lengthPrefixed, mapEach, u32be, u64be, utf8, type Sha256 } from '@keepwatch/base';
import { headHash, isHead, type SignedHead } from '@keepwatch/wire';
import { vaultBytes, type BatchCodec, type EntryCipher } from './batch-codec.ts';
import type { JournalStore, RecordWrite } from './store.ts';

/** A fold of all entries up to `seq`. */
export interface Snapshot {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

export interface Snapshots {
  /**
   * Stores the fold at this head, and keeps the one before it. Its parts are asked for one after another, and other work
   * goes on between them.
   */
  save(head: SignedHead, foldVersion: number, parts: Iterable<Uint8Array>): Promise<void>;
  /** The newest one of this version that is whole and belongs to this chain. */
  latest(foldVersion: number): Promise<Snapshot | undefined>;
}

/** Spaces of the records in which snapshots stand. No one else writes there. */
export const SNAPSHOT_SPACE = 'journal/snapshot';
export const CHUNK_SPACE = 'journal/snapshot-chunk';

const KEPT = 2;
const MANIFEST = utf8('keepwatch/journal-snapshot/2');
const CHUNK = utf8('keepwatch/journal-snapshot-chunk/2');

/**
 * A snapshot is a manifest and chunks, all encrypted and bound to vault, sequence, head and fold version; a chunk to its
 * place among them besides. The manifest is written last, when the chunks and their digests are known: it makes the
 * snapshot exist. Whatever does not fit together is no snapshot: the fold then starts earlier.
 *
 *     manifest record = foldVersion u32 ‖ keyId u32 ‖ sealed(chunks u32 ‖ SHA-256(SHA-256(chunk) ‖ …))
 */
export function createSnapshots(
  deps: {
    readonly vault: string;
    readonly store: JournalStore;
    readonly sha256: Sha256;
    readonly cipher: EntryCipher;
    readonly codec: BatchCodec;
  },
  chunkBytes: number,
): Snapshots {
  const { store, sha256, cipher, codec } = deps;
  const vault = vaultBytes(deps.vault);
  let saving = false;

  const manifestPlace = (head: SignedHead, foldVersion: number) =>
    concat(lengthPrefixed(MANIFEST, vault), u64be(head.lastSeq), headHash(sha256, head), u32be(foldVersion));
  const chunkPlace = (manifest: Uint8Array, index: number) => concat(lengthPrefixed(CHUNK, manifest), u32be(index));

  async function save(head: SignedHead, foldVersion: number, parts: Iterable<Uint8Array>): Promise<void> {
    const keyId = cipher.currentKey();
    const place = manifestPlace(head, foldVersion);
    const digests: Uint8Array[] = [];
    const key = seqKey(head.lastSeq);
    // An earlier attempt at the same place must not lend its manifest to these chunks.
    await store.commit([], [{ op: 'delete', space: SNAPSHOT_SPACE, key }]);
    for (const chunk of chunksOf(parts, chunkBytes)) {
      if (chunk !== null) {
        const index = digests.push(sha256(chunk)) - 1;
        const value = cipher.seal(keyId, chunkPlace(place, index), chunk);
        await store.commit([], [{ op: 'put', space: CHUNK_SPACE, key: chunkKey(key, index), value }]);
      }
      await setImmediate();
    }
    const sealed = cipher.seal(keyId, place, concat(u32be(digests.length), sha256(concat(...digests))));
    const manifest = concat(u32be(foldVersion), u32be(keyId), sealed);
    await store.commit([], [{ op: 'put', space: SNAPSHOT_SPACE, key, value: manifest }]);
    await sweep();
  }

  /** Forgets all but the newest snapshots, and chunks that a crash left without a manifest. */
  async function sweep(): Promise<void> {
    const manifests = await store.list(SNAPSHOT_SPACE);
    const kept = new Set(manifests.slice(-KEPT).map(({ key }) => key));
    const gone = manifests.filter(({ key }) => !kept.has(key));
    if (gone.length > 0) {
      await store.commit(
        [],
        gone.map(({ key }): RecordWrite => ({ op: 'delete', space: SNAPSHOT_SPACE, key })),
      );
    }
    for (let after = ''; ;) {
      const [chunk] = await store.list(CHUNK_SPACE, { after, limit: 1 });
      if (chunk === undefined) return;
      const owner = chunk.key.slice(0, SEQ_DIGITS);
      if (kept.has(owner)) {
        after = `${owner}~`; // '~' comes after every key of this snapshot
        continue;
      }
      await store.commit([], [{ op: 'delete', space: CHUNK_SPACE, key: chunk.key }]);
      after = chunk.key;
      await setImmediate();
    }
  }

  async function load(key: string, manifest: Uint8Array, foldVersion: number): Promise<Snapshot | undefined> {
    if (manifest.length < 8 || !/^[0-9]{16}$/.test(key)) return undefined;
    const view = new DataView(manifest.buffer, manifest.byteOffset, manifest.byteLength);
    if (view.getUint32(0) !== foldVersion) return undefined;
    const keyId = view.getUint32(4);
    const seq = Number(key);
    const batch = await store.batchEndingAt(seq);
    const head = batch && codec.headOf(batch);
    if (head === undefined || !isHead(head)) return undefined;
    const place = manifestPlace(head, foldVersion);
    const plain = cipher.open(keyId, place, manifest.subarray(8));
    if (plain?.length !== 36) return undefined;
    const chunks = new DataView(plain.buffer, plain.byteOffset).getUint32(0);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < chunks; i++) {
      const sealed = await store.get(CHUNK_SPACE, chunkKey(key, i));
      const part = sealed && cipher.open(keyId, chunkPlace(place, i), sealed);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    const digest = sha256(concat(...mapEach(parts, sha256)));
    return equalBytes(digest, plain.subarray(4)) ? { seq, bytes: concat(...parts) } : undefined;
  }

  return {
    async save(head, foldVersion, parts) {
      if (saving) throw new Error('a snapshot is being saved already');
      saving = true;
      try {
        await save(head, foldVersion, parts);
      } finally {
        saving = false;
      }
    },
    async latest(foldVersion) {
      for (const { key, value } of (await store.list(SNAPSHOT_SPACE)).toReversed()) {
        const snapshot = await load(key, value, foldVersion);
        if (snapshot !== undefined) return snapshot;
      }
      return undefined;
    },
  };
}

/** All of the parts in chunks of one length, but the last; null after each part, where its reader may rest. */
function* chunksOf(parts: Iterable<Uint8Array>, chunkBytes: number): Generator<Uint8Array | null> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for (const part of parts) {
    let rest = part;
    while (length + rest.length >= chunkBytes) {
      const cut = chunkBytes - length;
      yield concat(...waiting, rest.subarray(0, cut));
      rest = rest.subarray(cut);
      waiting = [];
      length = 0;
    }
    waiting.push(rest);
    length += rest.length;
    yield null;
  }
  if (length > 0) yield concat(...waiting);
}

const SEQ_DIGITS = 16;

function seqKey(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, '0');
}

function chunkKey(key: string, index: number): string {
  return `${key}/${String(index).padStart(10, '0')}`;
}
