/** A rest that ends by itself, by a ring, or by an abort, whichever is first. A ring before the rest is not lost. */
export interface Alarm {
  ring(): void;
  rest(ms: number): Promise<void>;
}

export function createAlarm(signal: AbortSignal): Alarm {
  let rung = false;
  let wake: () => void = () => undefined;
  signal.addEventListener('abort', () => wake());
  return {
    ring() {
      rung = true;
      wake();
    },
    async rest(ms) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
    },
  };
}
