import type { InternalHash, Network, SharedWatch } from '@keepwatch/bitcoin';

/** What a worker is started with. */
export interface WorkerStart {
  readonly network: Network;
  readonly watch: SharedWatch;
}

/** A block in shared memory, to be checked against its header and looked through. */
export interface WorkerJob {
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
  readonly hash: InternalHash;
  readonly height: number;
  /** Outpoints that came to the watch since the last job: 36 bytes each. */
  readonly outpoints: Uint8Array;
}

/** `fault`: a code of `readBlock`. One answer for each job, in the order of the jobs. */
export type WorkerAnswer = { readonly touches: boolean } | { readonly fault: string };
