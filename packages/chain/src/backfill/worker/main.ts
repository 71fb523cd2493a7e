import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { consensusOf, createProbe, readBlock, type Layout } from '@keepwatch/bitcoin';
import type { WorkerAnswer, WorkerJob, WorkerStart } from '../messages.ts';

/** A thread that checks blocks and says which of them touch what is watched. It decides nothing. */
const { network, watch } = workerData as WorkerStart;
const params = consensusOf(network);
const probe = createProbe(watch, { entropy: (length) => Uint8Array.from(randomBytes(length)) });
let reuse: Layout | undefined;

parentPort!.on('message', ({ memory, offset, length, hash, height, outpoints }: WorkerJob) => {
  probe.addOutpoints(outpoints);
  const read = readBlock(new Uint8Array(memory, offset, length), { hash, height, params }, reuse);
  let answer: WorkerAnswer;
  if (read.ok) {
    reuse = read.value.layout;
    answer = { touches: probe.touches(reuse) };
  } else answer = { fault: read.error };
  parentPort!.postMessage(answer);
});
