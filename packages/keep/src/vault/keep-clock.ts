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
  const expectedMs = now.bootMs + watch.offsetMs;
  const byMs = now.wallMs - expectedMs;
  const allowed = JUMP_MS + SLEW * Math.max(0, now.bootMs - watch.confirmedBootMs);
  if (Math.abs(byMs) > allowed) return { verdict: { kind: 'jumped', expectedMs, byMs }, watch: next };
  return { verdict: { kind: 'steady' }, watch: next };
}
