import { CodedError } from '@keepwatch/base';
import type { ScanEvent } from './source.ts';

/** Between two reports of progress, ms. */
const REPORT_MS = 500;

/** Says how far a scan is, how fast it goes and how long it will take; now and then, and at the end. */
export function createScanPace(
  from: number,
  to: number,
  nowMs: () => number,
): (height: number) => Extract<ScanEvent, { kind: 'progress' }> | undefined {
  const started = nowMs();
  let reported = started;
  return (height) => {
    const now = nowMs();
    if (now - reported < REPORT_MS && height < to) return undefined;
    reported = now;
    const done = height - from + 1;
    const total = to - from + 1;
    const seconds = (now - started) / 1_000;
    const perSecond = seconds > 0 ? done / seconds : 0;
    const etaSeconds = perSecond > 0 ? (total - done) / perSecond : null;
    return { kind: 'progress', height, done, total, perSecond, etaSeconds };
  };
}

/** Blocks that a scan looked at are no longer on the chain: what was found in them may be wrong. */
export function reorganised(height: number): CodedError {
  return new CodedError('scan_reorganised', `The chain was reorganised while block ${height} was to be looked at.`, {
    remedy: 'Scan again from some blocks before.',
  });
}
