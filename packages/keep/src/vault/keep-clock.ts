import type { Instant } from '@keepwatch/base';

/**
 * What the keep believes of time (DESIGN §5.10). The wall clock can be set, the boot clock cannot: where they run
 * apart, somebody moved the wall clock, and limits that depend on time freeze. Where the boot clock (which counts
 * sleep) runs ahead of the monotonic one (which does not), the machine has slept. Pure: instants come in as values.
 */
export interface ClockWatch {
  /** Wall minus boot when the time was last confirmed, ms. */
  readonly offsetMs: number;
  readonly confirmedBootMs: number;
  /** Boot minus monotonic at the last look, ms. */
  readonly sleptMs: number;
}

export type ClockVerdict =
  | { readonly kind: 'steady' }
  | { readonly kind: 'jumped'; readonly expectedMs: number; readonly byMs: number }
  | { readonly kind: 'slept'; readonly forMs: number };

/** A clock may be slewed by time synchronisation: 5 s at once, and 500 parts per million of the time since (RFC 5905). */
const JUMP_MS = 5_000;
const SLEW = 0.0005;
const SLEPT_MS = 2_000;

export function watchClock(now: Instant): ClockWatch {
  return { offsetMs: now.wallMs - now.bootMs, confirmedBootMs: now.bootMs, sleptMs: now.bootMs - now.monotonicMs };
}

/** Looks at the clocks again. After `slept` the caller seals; after `jumped` it freezes until an operator confirms. */
export function lookAtClock(watch: ClockWatch, now: Instant): { verdict: ClockVerdict; watch: ClockWatch } {
  const sleptMs = now.bootMs - now.monotonicMs;
  const next = { ...watch, sleptMs };
  if (sleptMs - watch.sleptMs > SLEPT_MS) {
    return { verdict: { kind: 'slept', forMs: sleptMs - watch.sleptMs }, watch: next };
  }
  const { expectedMs, byMs, jumped } = compare(watch, now);
  return { verdict: jumped ? { kind: 'jumped', expectedMs, byMs } : { kind: 'steady' }, watch: next };
}

/**
 * The wall clock, or, where it jumped, what it would say if it had not. Between a jump and the next look at the clocks
 * no budget comes back early, and no time that nobody confirmed gets into the journal, behind which the keep never goes.
 */
export function steadyTime(watch: ClockWatch, now: Instant): number {
  const { expectedMs, jumped } = compare(watch, now);
  return jumped ? Math.floor(expectedMs) : now.wallMs;
}

function compare(watch: ClockWatch, now: Instant) {
  const expectedMs = now.bootMs + watch.offsetMs;
  const byMs = now.wallMs - expectedMs;
  const allowed = JUMP_MS + SLEW * Math.max(0, now.bootMs - watch.confirmedBootMs);
  return { expectedMs, byMs, jumped: Math.abs(byMs) > allowed };
}
