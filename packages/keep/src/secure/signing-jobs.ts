import type { Secp256k1 } from './native.ts';

/**
 * What the keep's two threads say to each other about signatures: a ring of jobs in shared memory. No key is in it, only
 * where a key lies in the slab that both see, and the digest that was approved. Both threads sign: each claims one
 * signature after another, until none is left.
 */

/** Signatures of one job: so many take a millisecond or two. */
export const MAX_JOB = 32;
/** Jobs that are under way at most. A power of two, so that their numbers may overflow. */
export const MAX_JOBS = 16;

const KEY = 32;
const DIGEST = 32;
const SIGNATURE = 64;
const JOB_WORDS = 2 + MAX_JOB + MAX_JOB;
const JOB_BYTES = JOB_WORDS * 4 + MAX_JOB * (DIGEST + SIGNATURE);

/** Stands where a recovery id is expected: there is no signature. */
const NOT_SIGNED = -1;

export interface SigningJobs {
  /** One word: how many jobs were ever posted, modulo 2^32. */
  readonly posted: Int32Array<SharedArrayBuffer>;
  readonly jobs: readonly SigningJob[];
}

export interface SigningJob {
  /**
   * One word: how many signatures, and below that how many of them were claimed; together, so that a claim is for the
   * job that it counts in, even where the place was taken by a later one meanwhile.
   */
  readonly claims: Int32Array<SharedArrayBuffer>;
  /** One word: how many signatures were made, or found impossible. */
  readonly finished: Int32Array<SharedArrayBuffer>;
  /** Where each key begins in the slab. */
  readonly places: Int32Array<SharedArrayBuffer>;
  readonly recoveryIds: Int32Array<SharedArrayBuffer>;
  /** Digests (32 bytes) and signatures (64 bytes). */
  readonly digests: readonly Uint8Array<SharedArrayBuffer>[];
  readonly signatures: readonly Uint8Array<SharedArrayBuffer>[];
}

export function sharedForJobs(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 + MAX_JOBS * JOB_BYTES);
}

export function viewJobs(shared: SharedArrayBuffer): SigningJobs {
  const jobs: SigningJob[] = [];
  for (let i = 0; i < MAX_JOBS; i++) {
    const at = 4 + i * JOB_BYTES;
    const digests = at + JOB_WORDS * 4;
    const signatures = digests + MAX_JOB * DIGEST;
    jobs.push({
      claims: new Int32Array(shared, at, 1),
      finished: new Int32Array(shared, at + 4, 1),
      places: new Int32Array(shared, at + 8, MAX_JOB),
      recoveryIds: new Int32Array(shared, at + 8 + MAX_JOB * 4, MAX_JOB),
      digests: placesFrom(shared, digests, DIGEST),
      signatures: placesFrom(shared, signatures, SIGNATURE),
    });
  }
  return { posted: new Int32Array(shared, 0, 1), jobs };
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

const COUNT_SHIFT = 16;
const CLAIMED = 0xffff;

/** Offers the signatures of a job whose places and digests are written. Nothing of it may change until it is done. */
export function offer({ claims, finished }: SigningJob, count: number): void {
  finished[0] = 0;
  Atomics.store(claims, 0, count << COUNT_SHIFT);
}

export function isAllClaimed({ claims }: SigningJob): boolean {
  const word = Atomics.load(claims, 0);
  return (word & CLAIMED) >= word >>> COUNT_SHIFT;
}

/** The number of a signature that is now the caller's to make; `undefined` where none is left. */
export function claim({ claims }: SigningJob): number | undefined {
  const word = Atomics.add(claims, 0, 1);
  const next = word & CLAIMED;
  return next < word >>> COUNT_SHIFT ? next : undefined;
}

export function countOf({ claims }: SigningJob): number {
  return Atomics.load(claims, 0) >>> COUNT_SHIFT;
}

/** Says that a claimed signature is there. True: it was the last one of its job. */
export function finish(job: SigningJob): boolean {
  const count = countOf(job);
  return Atomics.add(job.finished, 0, 1) + 1 === count;
}

/**
 * Makes the claimed signature of a job and says so, as {@link finish}. For either thread, with its own instance of the
 * add-on: keys lie in `memory` from `start` on, which has to be open for reading as long as the job lasts.
 */
export function createJobSigner(
  secp256k1: Pick<Secp256k1, 'ecdsaSign'>,
  memory: ArrayBufferLike,
  start: number,
): (job: SigningJob, i: number) => boolean {
  const digest = new Uint8Array(DIGEST);
  const signature = new Uint8Array(SIGNATURE);
  return (job, i) => {
    digest.set(job.digests[i]!);
    try {
      const key = new Uint8Array(memory, start + job.places[i]!, KEY);
      job.recoveryIds[i] = secp256k1.ecdsaSign(digest, key, {}, signature).recid;
      job.signatures[i]!.set(signature);
    } catch {
      job.recoveryIds[i] = NOT_SIGNED;
    }
    return finish(job);
  };
}
