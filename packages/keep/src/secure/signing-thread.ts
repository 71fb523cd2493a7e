import { Worker } from 'node:worker_threads';
import { mapEach } from '@keepwatch/base';
import { withAccess } from './access.ts';
import { secp256k1, sodium } from './native.ts';
import { PRIVATE_KEY_BYTES, signApprovedDigests, type ApprovedDigest, type RecoverableSignature } from './secp256k1.ts';
import {
  claim,
  countOf,
  createJobSigner,
  isAllClaimed,
  jobAt,
  MAX_JOB,
  MAX_JOBS,
  offer,
  sharedForJobs,
  viewJobs,
  type SigningJob,
} from './signing-jobs.ts';
import type { SigningWorkerData, SigningWorkerReady } from './signing-worker/main.ts';
import { slabOf, type PlacedSlot } from './slab.ts';

/**
 * A second thread that signs, so that the first one goes on deciding meanwhile, and signs with it when there is nothing
 * else to do (ADR 12). Keys stay where they are: it sees one slab of guarded memory, which the first thread keeps open for
 * reading as long as a job lasts.
 */
export interface SigningThread {
  /** Guarded memory that both threads see: to become the first slab of a `SecureMemory`. */
  readonly slab: Buffer;
  /**
   * As `signApprovedDigests`, later. `undefined` where that is to be done here and now: too few or too many, a key
   * outside of the slab, too much under way, or no second thread. A rejection is that of `signApprovedDigests`.
   */
  sign(batch: readonly ApprovedDigest[]): Promise<readonly RecoverableSignature[]> | undefined;
  /** Whether there are signatures that neither thread has begun. */
  hasUnclaimed(): boolean;
  /** Returns when no job is under way: the bytes of a key must not change under a signature. */
  quiesce(): void;
  end(): Promise<void>;
}

/** Signatures that the first thread makes in one turn of its event loop, where nobody else has claimed them. */
const AT_ONCE = 2;
/** Up to here waking another thread takes longer than signing. */
const MIN_JOB = 8;
/** Far more than any job takes, for a machine that is busy with other things. */
const QUIESCE_MS = 10_000;
const START_MS = 30_000;
/** The size of the first slab of a memory. */
const SLAB_BYTES = 64 * 1024;

/**
 * Starts the thread; `undefined` where Node's flags or the platform do not allow it, or where it could not give up its
 * rights: then everything is signed by the first thread. `onLost`: it has ended, by itself or by `end`. To be called before
 * the process drops the rights to add-ons, FFI and threads.
 */
export async function startSigningThread(onLost: () => void = () => undefined): Promise<SigningThread | undefined> {
  const slab = sodium.sodium_malloc(SLAB_BYTES);
  const shared = sharedForJobs();
  let worker: Worker;
  try {
    const address = process.getBuiltinModule('node:ffi').getRawPointer(slab);
    const data: SigningWorkerData = { address, length: slab.length, shared };
    worker = new Worker(new URL('./signing-worker/main.ts', import.meta.url), { workerData: data, env: {} });
  } catch {
    return undefined;
  }
  const ready = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), START_MS);
    const settle = (started: boolean) => {
      clearTimeout(timer);
      resolve(started);
    };
    worker.once('message', ({ held }: SigningWorkerReady) => settle(held.length === 0));
    worker.once('error', () => settle(false));
    worker.once('exit', () => settle(false));
  });
  if (ready) return createSigningThread({ worker, onLost }, slab, shared);
  await worker.terminate();
  return undefined;
}

/** The place is used again by a later job. `Uint8Array.from` would go through an iterator, and take twenty times as long. */
function copyOf(place: Uint8Array): Uint8Array {
  const copy = new Uint8Array(place.length);
  copy.set(place);
  return copy;
}

type Signed = readonly RecoverableSignature[] | undefined;

function createSigningThread(
  { worker, onLost }: { worker: Worker; onLost: () => void },
  slab: Buffer,
  shared: SharedArrayBuffer,
): SigningThread {
  const work = viewJobs(shared);
  const signClaimed = createJobSigner(secp256k1, slab.buffer, slab.byteOffset);
  const waiting: ((signed: Signed) => void)[] = [];
  let posted = 0;
  let taken = 0;
  let helping = false;
  let gone = false;

  function collect(): void {
    while (!gone && taken !== posted) {
      const job = jobAt(work, taken);
      const count = countOf(job);
      if (Atomics.load(job.finished, 0) !== count) return;
      taken = (taken + 1) | 0;
      const signed: RecoverableSignature[] = [];
      for (let i = 0; i < count; i++) {
        const recid = job.recoveryIds[i];
        if (recid === 0 || recid === 1) signed.push({ rs: copyOf(job.signatures[i]!), yParity: recid });
      }
      waiting.shift()!(signed.length === count ? signed : undefined);
    }
  }

  /** The first job of which neither thread has claimed all. */
  function unclaimed(): SigningJob | undefined {
    for (let number = taken; !gone && number !== posted; number = (number + 1) | 0) {
      const job = jobAt(work, number);
      if (!isAllClaimed(job)) return job;
    }
    return undefined;
  }

  /** Signs one that nobody has claimed. False: there is none. */
  function signOne(): boolean {
    for (let job = unclaimed(); job; job = unclaimed()) {
      const i = claim(job);
      // The other thread was faster.
      if (i === undefined) continue;
      if (signClaimed(job, i)) collect();
      return true;
    }
    return false;
  }

  /** A few in each turn of the event loop, so that requests which arrive meanwhile do not wait for all of them. */
  function help(): void {
    if (helping) return;
    helping = true;
    setImmediate(() => {
      helping = false;
      for (let i = 0; i < AT_ONCE; i++) if (!signOne()) return;
      help();
    });
  }

  function lose(): void {
    if (gone) return;
    collect();
    gone = true;
    for (const settle of waiting.splice(0)) settle(undefined);
    onLost();
  }

  worker.on('message', collect);
  worker.on('error', lose);
  worker.on('exit', lose);
  worker.unref();

  function post(batch: readonly ApprovedDigest[], places: readonly number[]): Promise<Signed> {
    const job = jobAt(work, posted);
    for (let i = 0; i < batch.length; i++) {
      job.places[i] = places[i]!;
      job.digests[i]!.set(batch[i]!.digest);
    }
    offer(job, batch.length);
    posted = (posted + 1) | 0;
    Atomics.store(work.posted, 0, posted);
    Atomics.notify(work.posted, 0);
    help();
    return new Promise((resolve) => waiting.push(resolve));
  }

  function quiesce(): void {
    while (signOne());
    const until = performance.now() + QUIESCE_MS;
    for (let number = taken; !gone && number !== posted; number = (number + 1) | 0) {
      const job = jobAt(work, number);
      for (let done = Atomics.load(job.finished, 0); done !== countOf(job); done = Atomics.load(job.finished, 0)) {
        // What a thread that hangs may still write is taken by nobody.
        if (performance.now() > until) return lose();
        Atomics.wait(job.finished, 0, done, QUIESCE_MS);
      }
    }
  }
  // A thread that Node stops in the middle of a signature takes the process down: the add-on cannot be interrupted.
  process.once('exit', quiesce);

  return {
    slab,
    hasUnclaimed: () => unclaimed() !== undefined,
    quiesce,

    sign(batch) {
      if (gone || batch.length < MIN_JOB || batch.length > MAX_JOB || waiting.length === MAX_JOBS) return undefined;
      const places: number[] = [];
      for (const { key } of batch) {
        const { bytes, slotBytes } = slabOf(key as PlacedSlot);
        if (bytes !== slab || key.size !== PRIVATE_KEY_BYTES) return undefined;
        places.push((key as PlacedSlot).index * slotBytes);
      }
      const signed = withAccess(
        mapEach(batch, ({ key }) => key),
        [],
        () => post(batch, places),
      );
      // What it could not sign, the first thread tries and says why.
      return signed.then((done) => done ?? signApprovedDigests(batch));
    },

    async end() {
      process.removeListener('exit', quiesce);
      quiesce();
      lose();
      await worker.terminate();
    },
  };
}
