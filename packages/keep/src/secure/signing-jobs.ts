/**
 * What the keep's two threads say to each other about signatures: a ring of jobs in shared memory. No key is in it, only
 * where a key lies in the slab that both see, and the digest that was approved.
 */

/** Signatures of one job: so many take a millisecond or two. */
export const MAX_JOB = 32;
/** Jobs that are under way at most. A power of two, so that the counters may overflow. */
export const MAX_JOBS = 4;

const DIGEST = 32;
const SIGNATURE = 64;
const COUNTERS = 2;
const JOB_WORDS = 1 + MAX_JOB + MAX_JOB;
const JOB_BYTES = JOB_WORDS * 4 + MAX_JOB * (DIGEST + SIGNATURE);

/** Numbers of jobs, modulo 2^32. */
export const POSTED = 0;
export const DONE = 1;

/** Stands where a recovery id is expected: there is no signature. */
export const NOT_SIGNED = -1;

export interface SigningJobs {
  /** At {@link POSTED} and {@link DONE}. */
  readonly counters: Int32Array<SharedArrayBuffer>;
  readonly jobs: readonly SigningJob[];
}

export interface SigningJob {
  /** One word: how many signatures. */
  readonly count: Int32Array<SharedArrayBuffer>;
  /** Where each key begins in the slab. */
  readonly places: Int32Array<SharedArrayBuffer>;
  readonly recoveryIds: Int32Array<SharedArrayBuffer>;
  /** Digests (32 bytes) and signatures (64 bytes). */
  readonly digests: readonly Uint8Array<SharedArrayBuffer>[];
  readonly signatures: readonly Uint8Array<SharedArrayBuffer>[];
}

export function sharedForJobs(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTERS * 4 + MAX_JOBS * JOB_BYTES);
}

export function viewJobs(shared: SharedArrayBuffer): SigningJobs {
  const jobs: SigningJob[] = [];
  for (let i = 0; i < MAX_JOBS; i++) {
    const at = COUNTERS * 4 + i * JOB_BYTES;
    const digests = at + JOB_WORDS * 4;
    const signatures = digests + MAX_JOB * DIGEST;
    jobs.push({
      count: new Int32Array(shared, at, 1),
      places: new Int32Array(shared, at + 4, MAX_JOB),
      recoveryIds: new Int32Array(shared, at + 4 + MAX_JOB * 4, MAX_JOB),
      digests: placesFrom(shared, digests, DIGEST),
      signatures: placesFrom(shared, signatures, SIGNATURE),
    });
  }
  return { counters: new Int32Array(shared, 0, COUNTERS), jobs };
}

/** Made once: a view costs more than what is written through it. */
function placesFrom(shared: SharedArrayBuffer, start: number, size: number): Uint8Array<SharedArrayBuffer>[] {
  const places: Uint8Array<SharedArrayBuffer>[] = [];
  for (let i = 0; i < MAX_JOB; i++) places.push(new Uint8Array(shared, start + i * size, size));
  return places;
}

/** The job with this number. */
export function jobAt({ jobs }: SigningJobs, number: number): SigningJob {
  return jobs[number & (MAX_JOBS - 1)]!;
}
