import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Secp256k1 } from '../native.ts';
import { claim, createJobSigner, jobAt, viewJobs } from '../signing-jobs.ts';

/**
 * The keep's second thread. It signs digests with keys in the one slab that it was shown, and can do nothing else: its
 * rights are dropped before the first job. It never allocates, frees or protects memory of keys; the first thread opens
 * the slab for as long as a job lasts.
 */
export interface SigningWorkerData {
  /** Address and length of the slab. */
  readonly address: bigint;
  readonly length: number;
  readonly shared: SharedArrayBuffer;
}

/** Its first message: the rights that it still has. */
export interface SigningWorkerReady {
  readonly held: readonly string[];
}

const { address, length, shared } = workerData as SigningWorkerData;
// Its own instance of the add-on, whose self-test the first thread has made.
const secp256k1 = createRequire(import.meta.url)('secp256k1/bindings.js') as Secp256k1;
const slab = process.getBuiltinModule('node:ffi').toArrayBuffer(address, length, false);
for (const right of ['addon', 'ffi', 'worker', 'fs']) process.permission?.drop(right);
const rights = ['addon', 'ffi', 'worker', 'fs.read', 'fs.write', 'net', 'child', 'inspector', 'wasi'];
const held = rights.filter((right) => process.permission?.has(right) ?? false);

const blinding = randomFillSync(new Uint8Array(32));
secp256k1.contextRandomize(blinding);
blinding.fill(0);

yieldToTheFirst();
const work = viewJobs(shared);
const signClaimed = createJobSigner(secp256k1, slab, 0);

/**
 * Where both want the same core, the thread that decides has it: it can sign as well, and this one cannot decide. On Linux
 * a niceness is a thread's own (setpriority(2), "C library/kernel differences"); elsewhere it would be the process's.
 */
function yieldToTheFirst(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.min(getPriority(0) + 5, 19));
  } catch {
    // Not permitted here: then both are alike.
  }
}

parentPort!.postMessage({ held } satisfies SigningWorkerReady);

for (let number = 0; ; number = (number + 1) | 0) {
  while (Atomics.load(work.posted, 0) === number) Atomics.wait(work.posted, 0, number);
  const job = jobAt(work, number);
  let last = false;
  for (let i = claim(job); i !== undefined; i = claim(job)) {
    last = signClaimed(job, i);
    Atomics.notify(job.finished, 0);
  }
  if (last) parentPort!.postMessage('done');
}
