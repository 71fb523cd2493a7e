import { CodedError, mapEach, viewFrom, type Entropy, type MaybePromise } from '@keepwatch/base';
import type { Appended, RecordWrite } from '@keepwatch/journal';
import type { ReceiptJson } from '@keepwatch/protocol';
import { headToJson, receiptToJson, wholeText, type EntryText, type ReceiptParts } from '@keepwatch/wire';
import { base64url } from '../crypto/base64url.ts';
import { createEntryWriter } from '../state/entry-text.ts';
import { stampEntry, type Entry, type VaultEvent } from '../state/events.ts';
import { fold } from '../state/fold.ts';
import type { State } from '../state/state.ts';
import type { SignEffect } from '../step/step.ts';

/**
 * The one place where state changes: journal → state → effects (DESIGN §1). Whatever arrived while the previous commit
 * ran is decided as one batch, committed once, and only then are its effects performed and its answers given.
 */

/** What a job decided. Nothing of it is true before the batch is durable. */
export interface Decided {
  readonly events: readonly VaultEvent[];
  /** Records that become durable together with the events. */
  readonly writes?: readonly RecordWrite[];
  readonly sign?: SignEffect | null;
}

export interface Job {
  /** Decides against the state that all earlier jobs have left. Synchronous and without I/O. */
  readonly decide: (state: State, nowMs: number) => Decided;
  /** After the commit. There is a receipt for each event; `signature` where a signature was asked for. */
  readonly done: (result: JobResult) => void;
  /** The batch was not committed: nothing has happened. */
  readonly failed: (error: CodedError) => void;
  /** May use the space that is held back for it when the disk is full. */
  readonly tightens?: boolean;
}

export interface JobResult {
  /** How many events were journaled. */
  readonly events: number;
  /** The receipt of the i-th event. */
  readonly receipt: (i: number) => ReceiptJson;
  /** The same as text. */
  readonly receiptParts: (i: number) => ReceiptParts;
  readonly firstSeq: number;
  readonly signature: Signature | null;
}

export interface Signature {
  /** r ‖ s, 64 bytes, low s. */
  readonly rs: Uint8Array;
  readonly yParity: 0 | 1;
}

export interface EngineDeps {
  readonly state: State;
  readonly entropy: Entropy;
  /** The keep's time in ms; never behind the journal. */
  readonly now: () => number;
  readonly append: (
    entries: readonly Uint8Array[],
    writes: readonly RecordWrite[],
    timeMs: number,
    tightens: boolean,
  ) => MaybePromise<Appended>;
  /**
   * Signs each approval, or gives null where it no longer holds. Where it takes a while, the next batch does not wait for
   * it.
   */
  readonly sign: (effects: readonly SignEffect[]) => MaybePromise<readonly (Signature | null)[]>;
  /** Records that mirror the state and become durable with it (the boot table). */
  readonly mirror: (state: State, versionBefore: number) => readonly RecordWrite[];
  /** Every committed event, for observers. */
  readonly committed: (event: VaultEvent, seq: number, receipt: () => ReceiptJson) => void;
  /**
   * A commit failed after the state was folded: the state in memory is ahead of the journal and must go. `tightening`:
   * jobs of the batch that only tighten, which deserve another try without the others.
   */
  readonly broken: (error: CodedError, tightening: readonly Job[]) => void;
  /** Whether signatures of earlier batches wait until somebody makes them. */
  readonly signaturesWait: () => boolean;
  /** Runs the function once the events that already arrived have been read, and a few waiting signatures made. */
  readonly soon: (run: () => void) => void;
}

export interface Engine {
  submit(job: Job): void;
  /** No further batch starts; queued jobs fail with the error. */
  stop(error: CodedError): void;
  readonly queued: () => number;
}

/** The most jobs in one batch: keeps the answer of the first from waiting for thousands of signatures. */
const MAX_BATCH = 256;

/**
 * Jobs whose signatures are asked for at once, and answered when they are there: in a large batch the first need not wait
 * for the last, and two threads share it.
 */
const SIGNED_TOGETHER = 32;

/**
 * While signatures wait, a batch of fewer jobs waits so many turns that it may grow: a thread signs in each of them, and a
 * batch costs as much as several of its jobs.
 */
const SMALL_BATCH = 20;
const TURNS_TO_GROW = 10;

interface Pending {
  readonly job: Job;
  readonly decided: Decided;
  readonly first: number;
}

/** What was journaled: the events, the texts of their entries, and where they stand. */
interface Batch {
  readonly events: readonly VaultEvent[];
  readonly texts: readonly EntryText[];
  readonly appended: Appended | null;
}

const NOTHING: Batch = { events: [], texts: [], appended: null };

export function createEngine(deps: EngineDeps): Engine {
  const write = createEntryWriter();
  let queue: Job[] = [];
  let scheduled = false;
  let turnsWaited = 0;
  let stopped: CodedError | null = null;

  function submit(job: Job): void {
    if (stopped) return job.failed(stopped);
    queue.push(job);
    schedule();
  }

  function schedule(): void {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    deps.soon(flush);
  }

  function flush(): void {
    if (stopped) return;
    if (queue.length < SMALL_BATCH && turnsWaited < TURNS_TO_GROW && deps.signaturesWait()) {
      turnsWaited++;
      return deps.soon(flush);
    }
    turnsWaited = 0;
    const jobs = queue.length > MAX_BATCH ? queue.splice(0, MAX_BATCH) : queue;
    if (jobs === queue) queue = [];
    const settled = runBatch(jobs);
    const next = () => {
      scheduled = false;
      schedule();
    };
    if (settled instanceof Promise) void settled.then(next);
    else next();
  }

  function runBatch(jobs: readonly Job[]): MaybePromise<void> {
    const now = deps.now();
    const stamped: Entry[] = [];
    const events: VaultEvent[] = [];
    const writes: RecordWrite[] = [];
    const pending: Pending[] = [];
    const versionBefore = deps.state.version;
    const firstSeq = deps.state.seq + 1;
    const salts = createSalts(deps.entropy, jobs.length);
    let tightens = true;
    for (const job of jobs) {
      let decided: Decided;
      try {
        decided = job.decide(deps.state, now);
      } catch (cause) {
        job.failed(new CodedError('internal_error', 'A decision failed.', { cause }));
        continue;
      }
      pending.push({ job, decided, first: stamped.length });
      if (!job.tightens) tightens = false;
      if (decided.writes) for (const write of decided.writes) writes.push(write);
      for (const event of decided.events) {
        const entry = stampEntry(event, now, salts());
        stamped.push(entry);
        events.push(event);
        fold(deps.state, deps.state.seq + 1, entry);
      }
    }
    // Each step for the whole batch before the next step: the code of one fits the processor's cache, that of all does not.
    const texts = mapEach(stamped, write);
    if (texts.length === 0) return finish(pending, NOTHING, firstSeq);
    const entries = mapEach(texts, (text) => Buffer.from(wholeText(text)));
    writes.push(...deps.mirror(deps.state, versionBefore));
    // What fails after the commit is a bug and ends the process: nobody may be told that nothing has happened.
    let appended: MaybePromise<Appended>;
    try {
      appended = deps.append(entries, writes, now, tightens);
    } catch (cause) {
      return fail(pending, cause);
    }
    if (!(appended instanceof Promise)) return finish(pending, { events, texts, appended }, firstSeq);
    return appended.then(
      (done) => finish(pending, { events, texts, appended: done }, firstSeq),
      (cause: unknown) => fail(pending, cause),
    );
  }

  function finish(pending: readonly Pending[], batch: Batch, firstSeq: number): void {
    const { events, texts, appended } = batch;
    const head = appended ? headToJson(appended.head) : undefined;
    const headText = JSON.stringify(head);
    // The paths of a batch share most of their nodes.
    const encode = memoised(base64url);
    const receipt = (i: number) => receiptToJson(appended!.receipt(i), head, encode);
    const partsOf = (i: number): ReceiptParts => {
      const { seq, index, path } = appended!.receipt(i);
      return { entry: texts[i]!, seq, index, path: mapEach(path, encode), head: headText };
    };
    for (const { decided, first } of pending) {
      const until = first + decided.events.length;
      for (let i = first; i < until; i++) deps.committed(events[i]!, firstSeq + i, () => receipt(i));
    }
    const conclude = ({ job, decided, first }: Pending, signature: Signature | null) =>
      job.done({
        events: decided.events.length,
        receipt: (i) => receipt(first + i),
        receiptParts: (i) => partsOf(first + i),
        firstSeq: firstSeq + first,
        signature,
      });
    for (let start = 0; start < pending.length; start += SIGNED_TOGETHER) {
      signAndConclude(pending, start, Math.min(start + SIGNED_TOGETHER, pending.length), conclude);
    }
  }

  /** Of the jobs from `start` up to `end`. */
  function signAndConclude(
    pending: readonly Pending[],
    start: number,
    end: number,
    conclude: (pending: Pending, signature: Signature | null) => void,
  ): void {
    const effects: SignEffect[] = [];
    for (let i = start; i < end; i++) if (pending[i]!.decided.sign) effects.push(pending[i]!.decided.sign!);
    const concludeAll = (signatures: readonly (Signature | null)[]) => {
      let next = 0;
      for (let i = start; i < end; i++) {
        const each = pending[i]!;
        conclude(each, each.decided.sign ? (signatures[next++] ?? null) : null);
      }
    };
    const signatures = effects.length > 0 ? deps.sign(effects) : [];
    if (!(signatures instanceof Promise)) return concludeAll(signatures);
    // Without signatures: what was decided is journaled, and the client's own retry signs it.
    void signatures.then(concludeAll, () => concludeAll([]));
  }

  function fail(pending: readonly Pending[], cause: unknown): void {
    const error =
      cause instanceof CodedError ? cause : new CodedError('storage_failed', 'The journal did not commit.', { cause });
    const again = error.code === 'storage_full' && pending.some(({ job }) => !job.tightens);
    const tightening = again ? pending.filter(({ job }) => job.tightens).map(({ job }) => job) : [];
    for (const { job } of pending) if (!tightening.includes(job)) job.failed(error);
    deps.broken(error, tightening);
  }

  function stop(error: CodedError): void {
    stopped = error;
    const left = queue;
    queue = [];
    for (const job of left) job.failed(error);
  }

  return { submit, stop, queued: () => queue.length };
}

/** 16 random bytes each, drawn at once for the batch. */
function createSalts(entropy: Entropy, count: number): () => string {
  const pool = entropy(16 * count);
  let at = 0;
  return () => {
    if (at + 16 > pool.length) return base64url(entropy(16));
    at += 16;
    return base64url(viewFrom(pool, at - 16, at));
  };
}

/** By identity of the argument. */
function memoised<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) made.set(key, (value = make(key)));
    return value;
  };
}
