/**
 * Collects what arrives while the last batch is being made durable, and hands it over as the next one: one append for all
 * of it, without a timer. A batch is never larger than `most`, so that no input waits behind a long one.
 */
export interface Batcher<I> {
  /** Resolves once the batch that holds it is durable, with what `work` gave for it. */
  submit<O>(input: I): Promise<O>;
  readonly waiting: number;
  /** Resolves when fewer than so many wait. */
  below(count: number): Promise<void>;
  /** Takes nothing more, and resolves when what waits is done. */
  close(): Promise<void>;
}

interface Waiting<I> {
  readonly input: I;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** `work` is synchronous; what it throws is the end of everything that waits and of all that comes. */
export function createBatcher<I>(work: (inputs: readonly I[]) => readonly unknown[], most: number): Batcher<I> {
  let queue: Waiting<I>[] = [];
  let scheduled = false;
  let ended: { readonly error: unknown } | undefined;
  let relieved: (() => void)[] = [];

  function run(): void {
    scheduled = false;
    const batch = queue.slice(0, most);
    queue = queue.slice(most);
    if (batch.length > 0) {
      try {
        const results = work(batch.map(({ input }) => input));
        for (const [i, { resolve }] of batch.entries()) resolve(results[i] as never);
      } catch (error) {
        ended = { error };
        for (const { reject } of [...batch, ...queue]) reject(error);
        queue = [];
      }
    }
    if (queue.length > 0) schedule();
    for (const each of relieved.splice(0)) each();
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(run);
  }

  const below = async (count: number) => {
    while (queue.length >= count && !ended) await new Promise<void>((resolve) => relieved.push(resolve));
  };

  return {
    submit(input) {
      if (ended) return Promise.reject(ended.error as Error);
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      queue.push({ input, resolve, reject });
      schedule();
      return promise;
    },
    get waiting() {
      return queue.length;
    },
    below,
    async close() {
      await below(1);
      ended ??= { error: new Error('the monitor is ending') };
      relieved = [];
    },
  };
}
