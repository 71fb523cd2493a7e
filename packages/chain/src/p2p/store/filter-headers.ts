import { hash } from 'node:crypto';
import type { HeaderChain, InternalHash } from '@keepwatch/bitcoin';
import { openRecordFile } from '../../store/record-file.ts';

/**
 * The filter headers (BIP157) that our peers agreed on, for the best chain from its root on. Each record also holds four
 * bytes of a hash over block and filter header: by them is known what does not belong to the chain after a kill, or was
 * changed on disk.
 */
export interface FilterHeaders {
  /** Height of the last one; one below the root where there is none. */
  height(): number;
  /** Of the block at this height; 32 zeros below the root. */
  at(height: number): InternalHash;
  /** Of the blocks behind `height()`. */
  append(headers: readonly InternalHash[]): void;
  /** Forgets all above. */
  rewind(height: number): void;
  close(): void;
}

const HASH_BYTES = 32;
const TAG_BYTES = 4;
const CHUNK = 2_000;
const RECORD_BYTES = HASH_BYTES + TAG_BYTES;

export function openFilterHeaders(path: string, chain: HeaderChain): FilterHeaders {
  const file = openRecordFile(path, RECORD_BYTES);
  const root = chain.root.height;
  const hashed = new Uint8Array(2 * HASH_BYTES);
  /** `undefined` where the chain has no block at this height. */
  function tagOf(height: number, header: Uint8Array): Buffer | undefined {
    const block = chain.hashAt(height);
    if (block === undefined) return undefined;
    hashed.set(block);
    hashed.set(header, HASH_BYTES);
    return hash('sha256', hashed, 'buffer').subarray(0, TAG_BYTES);
  }

  /** How many from the first on are as they were written, for blocks of the chain as it is now. */
  function sound(): number {
    const records = new Uint8Array(CHUNK * RECORD_BYTES);
    for (let at = 0; at < file.count; at += CHUNK) {
      const count = file.read(at, records);
      for (let i = 0; i < count; i++) {
        const record = records.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES);
        const tag = tagOf(root + at + i, record.subarray(0, HASH_BYTES));
        if (!tag?.equals(record.subarray(HASH_BYTES))) return at + i;
      }
    }
    return file.count;
  }

  // A reorganisation was written to the header log and not yet here, a write was torn, or a disk forgot a bit: what
  // follows is asked for again.
  file.truncate(sound());

  return {
    height: () => root + file.count - 1,
    at(height) {
      if (height < root) return new Uint8Array(HASH_BYTES) as InternalHash;
      const record = new Uint8Array(RECORD_BYTES);
      if (file.read(height - root, record) === 0) throw new RangeError(`there is no filter header at ${height}`);
      return record.slice(0, HASH_BYTES) as InternalHash;
    },
    append(headers) {
      const records = new Uint8Array(headers.length * RECORD_BYTES);
      for (const [i, header] of headers.entries()) {
        records.set(header, i * RECORD_BYTES);
        records.set(tagOf(root + file.count + i, header)!, i * RECORD_BYTES + HASH_BYTES);
      }
      file.append(records);
    },
    rewind: (height) => file.truncate(Math.max(0, height - root + 1)),
    close: () => file.close(),
  };
}
