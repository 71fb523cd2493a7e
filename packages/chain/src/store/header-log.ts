import { HEADER_BYTES, type AcceptedHeaders, type HeaderChain } from '@keepwatch/bitcoin';
import { openRecordFile } from './record-file.ts';

/**
 * Every header that was accepted, in the order in which it came, side branches included. Reading it again gives the same
 * tree by the same rules, so nothing in the file has to be trusted, and nothing is ever rewritten.
 */
export interface HeaderLog {
  /** Accepts headers into the chain and keeps what is new. */
  accept(headers: Uint8Array, nowSeconds: number): AcceptedHeaders;
  close(): void;
}

const CHUNK = 2_000;

/** Fills the chain from the file. A header that does not hold, and what follows it, is cut off: it is asked for again. */
export function openHeaderLog(path: string, chain: HeaderChain): HeaderLog {
  const file = openRecordFile(path, HEADER_BYTES);
  for (let at = 0; at < file.count;) {
    const read = file.read(at, CHUNK);
    // They were not from the future when they came. A clock that went back since then must not cost them.
    const { fault } = chain.accept(read, Infinity);
    if (fault) {
      file.truncate(at + fault.index);
      break;
    }
    at += read.length / HEADER_BYTES;
  }
  return {
    accept(headers, now) {
      const accepted = chain.accept(headers, now);
      if (accepted.added > 0) {
        // Known ones between new ones do no harm: they are known again when the file is read.
        const taken = accepted.fault ? headers.subarray(0, accepted.fault.index * HEADER_BYTES) : headers;
        file.append(taken);
      }
      return accepted;
    },
    close: () => file.close(),
  };
}
