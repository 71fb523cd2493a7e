import { recordPages, recordsOf, WRAPPED_SPACES } from './key-records.ts';
import type { KeyRecord, KeyRecordReader, KeyRecordWrite, KeySpace } from './key-records.ts';

/** Re-encryption in pieces, for a new root key and for a new scheme alike. */
export interface RewrapChunk {
  readonly writes: readonly KeyRecordWrite[];
  /** The last space was read to its end. */
  readonly done: boolean;
}

export interface Rewrapper {
  next(reader: KeyRecordReader, limit: number): Promise<RewrapChunk>;
}

interface Cursor {
  readonly space: number;
  readonly after: string | undefined;
}

const START: Cursor = { space: 0, after: undefined };

/**
 * Walks over the wrapped records and re-encrypts those that are behind. The cursor only spares reading again what this
 * process has done; after a restart, and after the end, the walk begins anew and passes over what is done.
 */
export function createRewrapper(
  isBehind: (value: Uint8Array) => boolean,
  rewrapAll: (space: KeySpace, records: readonly KeyRecord[]) => readonly KeyRecordWrite[],
): Rewrapper {
  let cursor = START;
  return {
    async next(reader, limit) {
      const from = cursor;
      const writes: KeyRecordWrite[] = [];
      for (let space = from.space; space < WRAPPED_SPACES.length; space++) {
        const name = WRAPPED_SPACES[space]!;
        const behind: KeyRecord[] = [];
        for await (const record of recordsOf(reader, name, space === from.space ? from.after : undefined)) {
          if (!isBehind(record.value)) continue;
          behind.push(record);
          if (writes.length + behind.length < limit) continue;
          cursor = { space, after: record.key };
          return { writes: [...writes, ...rewrapAll(name, behind)], done: false };
        }
        writes.push(...rewrapAll(name, behind));
      }
      cursor = START;
      return { writes, done: true };
    },
  };
}

export async function countBehind(reader: KeyRecordReader, isBehind: (value: Uint8Array) => boolean): Promise<number> {
  let count = 0;
  for (const space of WRAPPED_SPACES) {
    for await (const page of recordPages(reader, space)) for (const { value } of page) if (isBehind(value)) count += 1;
  }
  return count;
}
