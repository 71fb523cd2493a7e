import { err, ok, parseWei, type Result } from '@keepwatch/base';
import { MAX_WINDOW_SECONDS, windowKey, type Charge, type WindowId } from './grant.ts';
import {
  addCharge,
  cloneRollingWindow,
  createRollingWindow,
  marksOf,
  MAX_MARKS,
  sumAt,
  type RollingWindow,
  type RollingWindowView,
} from './rolling-window.ts';

/**
 * What every grant's rolling windows hold. **It is changed in place** by {@link charge} and {@link forgetGrant}; everything
 * else only reads it, so that a refusal leaves no trace and a replay of the charges gives the same usage again.
 *
 * Time does not go backwards in it: a time before the latest charge is taken for the time of that charge.
 */
export interface Usage {
  /** The latest time at which anything was charged, in milliseconds since the Unix epoch. */
  lastMs: number;
  /** By grant id, then by window key. */
  readonly grants: Map<string, Map<string, { readonly id: WindowId; readonly window: RollingWindow }>>;
}

/** Usage that the holder cannot change. */
export interface UsageView {
  readonly lastMs: number;
  readonly grants: ReadonlyMap<
    string,
    ReadonlyMap<string, { readonly id: WindowId; readonly window: RollingWindowView }>
  >;
}

/** Usage as it stands in a snapshot: times in milliseconds, amounts as decimal strings, everything in a fixed order. */
export interface UsageJson {
  readonly version: 1;
  readonly lastMs: number;
  readonly grants: readonly {
    readonly id: string;
    readonly windows: readonly {
      readonly rule: WindowId['rule'];
      readonly windowSeconds: number;
      readonly marks: readonly (readonly [timeMs: number, amount: string])[];
    }[];
  }[];
}

/** The largest time that is taken, in the year 255,000: every window's end is still a valid date. */
const MAX_TIME_MS = 8_000_000_000_000_000;

export function createUsage(): Usage {
  return { lastMs: 0, grants: new Map() };
}

/** The time that `usage` goes by at `nowMs`. Throws a RangeError where `nowMs` is not a whole number of milliseconds. */
export function effectiveTime(usage: UsageView, nowMs: number): number {
  if (!isTime(nowMs)) throw new RangeError('a time is a whole number of milliseconds since 1970');
  return Math.max(nowMs, usage.lastMs);
}

/**
 * Takes the charges of a permitted request from a grant's windows, in place. The caller has just evaluated the request at
 * the same time: `charge` does not look at limits. Throws a RangeError for a negative amount, before it charges anything.
 */
export function charge(usage: Usage, grantId: string, charges: readonly Charge[], nowMs: number): void {
  const now = effectiveTime(usage, nowMs);
  if (charges.some(({ amount }) => amount < 0n)) throw new RangeError('a charge is not negative');
  usage.lastMs = now;
  for (const { rule, windowSeconds, amount } of charges) {
    if (amount > 0n) addCharge(windowFor(usage, grantId, { rule, windowSeconds }), amount, now);
  }
}

function windowFor(usage: Usage, grantId: string, id: WindowId): RollingWindow {
  let windows = usage.grants.get(grantId);
  if (windows === undefined) usage.grants.set(grantId, (windows = new Map()));
  const key = windowKey(id);
  let entry = windows.get(key);
  if (entry === undefined) windows.set(key, (entry = { id, window: createRollingWindow(id.windowSeconds) }));
  return entry.window;
}

/** One window of one grant, where anything was ever charged to it. */
export function findWindow(usage: UsageView, grantId: string, id: WindowId): RollingWindowView | undefined {
  return usage.grants.get(grantId)?.get(windowKey(id))?.window;
}

/** What a grant's window holds at `nowMs`: base units for `volume`, transactions for `count`. */
export function spent(usage: UsageView, grantId: string, id: WindowId, nowMs: number): bigint {
  const window = findWindow(usage, grantId, id);
  return window === undefined ? 0n : sumAt(window, effectiveTime(usage, nowMs));
}

/** Drops, in place, what a revoked grant used. Grant ids are never used again. */
export function forgetGrant(usage: Usage, grantId: string): void {
  usage.grants.delete(grantId);
}

export function cloneUsage(usage: UsageView): Usage {
  const grants: Usage['grants'] = new Map();
  for (const [grantId, windows] of usage.grants) {
    const copies: [string, { id: WindowId; window: RollingWindow }][] = [];
    for (const [key, { id, window }] of windows) copies.push([key, { id, window: cloneRollingWindow(window) }]);
    grants.set(grantId, new Map(copies));
  }
  return { lastMs: usage.lastMs, grants };
}

/** The same usage gives the same JSON, whatever the order in which it came about. */
export function serialiseUsage(usage: UsageView): UsageJson {
  const grants = [...usage.grants].sort(byKey).map(([id, windows]) => ({
    id,
    windows: [...windows].sort(byKey).map(
      ([
        ,
        {
          id: { rule, windowSeconds },
          window,
        },
      ]) => ({
        rule,
        windowSeconds,
        marks: marksOf(window).map(([timeMs, amount]) => [timeMs, amount.toString()] as const),
      }),
    ),
  }));
  return { version: 1, lastMs: usage.lastMs, grants };
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

/** The inverse of {@link serialiseUsage}. `invalid_usage`: no usage would have been serialised to this. */
export function restoreUsage(json: unknown): Result<Usage, 'invalid_usage'> {
  if (!isRecord(json) || json['version'] !== 1 || !isTime(json['lastMs'])) return err('invalid_usage');
  const usage = createUsage();
  usage.lastMs = json['lastMs'];
  if (!Array.isArray(json['grants'])) return err('invalid_usage');
  for (const grant of json['grants'] as unknown[]) {
    if (!isRecord(grant) || typeof grant['id'] !== 'string' || usage.grants.has(grant['id']))
      return err('invalid_usage');
    const windows = restoreWindows(grant['windows'], usage.lastMs);
    if (windows === undefined) return err('invalid_usage');
    usage.grants.set(grant['id'], windows);
  }
  return ok(usage);
}

type Windows = Map<string, { id: WindowId; window: RollingWindow }>;

function restoreWindows(json: unknown, lastMs: number): Windows | undefined {
  if (!Array.isArray(json)) return undefined;
  const windows: Windows = new Map();
  for (const item of json as unknown[]) {
    if (!isRecord(item)) return undefined;
    const { rule, windowSeconds, marks } = item;
    if ((rule !== 'volume' && rule !== 'count') || !isWindowSeconds(windowSeconds)) return undefined;
    const id: WindowId = { rule, windowSeconds };
    const window = createRollingWindow(windowSeconds);
    if (windows.has(windowKey(id)) || !restoreMarks(window, marks, lastMs)) return undefined;
    windows.set(windowKey(id), { id, window });
  }
  return windows;
}

function restoreMarks(window: RollingWindow, marks: unknown, lastMs: number): boolean {
  if (!Array.isArray(marks) || marks.length > MAX_MARKS) return false;
  let previous = -1;
  let total = 0n;
  for (const mark of marks as unknown[]) {
    if (!Array.isArray(mark) || mark.length !== 2) return false;
    const [timeMs, text] = mark as [unknown, unknown];
    const amount = typeof text === 'string' ? parseWei(text) : undefined;
    if (!isTime(timeMs) || timeMs <= previous || timeMs > lastMs || !amount?.ok || amount.value === 0n) return false;
    previous = timeMs;
    total += amount.value;
    window.times.push(timeMs);
    window.totals.push(total);
  }
  return true;
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TIME_MS;
}

function isWindowSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_WINDOW_SECONDS;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
