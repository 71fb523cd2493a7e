import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * Records of one length, one behind the other, in one file. Added at the end and made durable; a write that was torn by a
 * kill leaves less than a record, which the next opening cuts off. An append that throws (a full disk) added nothing. What
 * the records say their reader checks.
 */
export interface RecordFile {
  readonly count: number;
  append(records: Uint8Array): void;
  /** Fills the bytes with records from the given one on, and gives how many: fewer than would fit only at the end. */
  read(from: number, into: Uint8Array): number;
  /** Keeps the first `count`. */
  truncate(count: number): void;
  close(): void;
}

export function openRecordFile(path: string, recordBytes: number): RecordFile {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  let count = Math.floor(fstatSync(fd).size / recordBytes);
  ftruncateSync(fd, count * recordBytes);
  return {
    get count() {
      return count;
    },
    append(records) {
      if (records.length % recordBytes !== 0) throw new RangeError('not a whole number of records');
      // By position: what an append that failed has left is written over.
      const start = count * recordBytes;
      for (let at = 0; at < records.length;) at += writeSync(fd, records, at, records.length - at, start + at);
      fdatasyncSync(fd);
      count += records.length / recordBytes;
    },
    read(from, into) {
      const wanted = Math.max(0, Math.min(Math.floor(into.length / recordBytes), count - from));
      const length = wanted * recordBytes;
      for (let at = 0; at < length;) {
        const got = readSync(fd, into, at, length - at, from * recordBytes + at);
        if (got === 0) throw new Error(`${path} became shorter while it was read`);
        at += got;
      }
      return wanted;
    },
    truncate(kept) {
      if (kept >= count) return;
      ftruncateSync(fd, kept * recordBytes);
      fdatasyncSync(fd);
      count = kept;
    },
    close: () => closeSync(fd),
  };
}
