import { cpus } from 'node:os';

/**
 * How much of the machine other processes take. Counted only while this one computes and what it has started is asked for
 * nothing: all that is busy besides is somebody else's.
 */
export interface OtherWork {
  /** Runs it, and counts meanwhile. */
  watch<T>(alone: () => T): T;
  /** Of one core, on average over all that was watched: 0.5 is half a core. */
  readonly cores: () => number;
}

/** What the machine has been busy for and this process has, in ms. */
export interface BusyTimes {
  readonly machine: number;
  readonly own: number;
  readonly now: number;
}

export function createOtherWork(read: () => BusyTimes = readBusyTimes): OtherWork {
  let others = 0;
  let watched = 0;
  return {
    watch(alone) {
      const before = read();
      const result = alone();
      const after = read();
      others += after.machine - before.machine - (after.own - before.own);
      watched += after.now - before.now;
      return result;
    },
    // The machine counts in ticks, this process exactly: what is left of nothing may be below it.
    cores: () => (watched === 0 ? 0 : Math.max(0, others / watched)),
  };
}

function readBusyTimes(): BusyTimes {
  let machine = 0;
  for (const { times } of cpus()) machine += times.user + times.nice + times.sys + times.irq;
  const { user, system } = process.cpuUsage();
  return { machine, own: (user + system) / 1_000, now: performance.now() };
}
