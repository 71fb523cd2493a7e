import { simulateBudget } from './budget.ts';
import { simulateWatch } from './watch/watch.ts';

/** What one history came to. */
interface Played {
  /** In words, or null. */
  readonly fault: string | null;
  readonly counts: Readonly<Record<string, number>>;
}

interface Subject {
  readonly play: (seed: number) => Played;
  readonly holds: string;
}

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  budget: {
    holds: 'none exceeds its limit',
    play(seed) {
      const { fault, signed, denied, crashes, used } = simulateBudget(seed);
      return { fault, counts: { signed, denied, crashes, 'used their limit to 90% and more': used >= 90 ? 1 : 0 } };
    },
  },
  watch: {
    holds: 'no finding missed, doubled or out of order',
    play(seed) {
      const { fault, findings, crashes, reorgs, outages, settled } = simulateWatch(seed);
      return { fault, counts: { findings, crashes, reorganisations: reorgs, outages, 'settled outputs': settled } };
    },
  },
};
