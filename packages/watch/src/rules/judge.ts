import { assertNever, nextTimeOfDay, type Zones } from '@keepwatch/base';
import { compareSeverity, type Finding, type Severity } from '../finding.ts';
import type { ConditionAnswer } from './condition.ts';
import type { RuleWallet } from './condition.ts';
import type { Rule, Rules } from './rules.ts';

/** What a rule makes of a finding. `digest`: told in the next summary; `quiet`: told when the quiet hours are over. */
export interface Verdict {
  readonly rule: string;
  readonly finding: string;
  readonly severity: Severity;
  readonly tell: readonly string[];
  readonly when: 'now' | 'digest' | 'quiet';
  /** The condition could not be asked, and so counts as met. */
  readonly failed: ConditionAnswer['failed'];
}

/** When each rule with a limit told last, by name: hand it in with the next finding. */
export type RuleTimes = ReadonlyMap<string, readonly number[]>;

export interface Judged {
  readonly verdicts: readonly Verdict[];
  readonly times: RuleTimes;
}

/** Asks all rules about a finding. `times` is what the call before gave; nothing else is remembered. */
export function judgeFinding(
  of: Rules,
  times: RuleTimes,
  finding: Finding,
  wallet: RuleWallet | null,
  nowMs: number,
  zones: Zones,
): Judged {
  const isQuietNow = isQuiet(of, nowMs, zones);
  const verdicts: Verdict[] = [];
  const next = new Map(times);
  for (const rule of of.rules) {
    const { holds, failed } = rule.when(finding, wallet);
    if (!holds) continue;
    const severity = rule.severity ?? finding.severity;
    const recent = (next.get(rule.name) ?? []).filter((at) => rule.limit && nowMs - at < rule.limit.seconds * 1_000);
    const when = whenOf(rule, isQuietNow, severity, recent.length);
    if (when === 'now' && rule.limit) next.set(rule.name, [...recent, nowMs]);
    verdicts.push({ rule: rule.name, finding: finding.id, severity, tell: rule.tell, when, failed });
  }
  return { verdicts, times: next };
}

function whenOf(rule: Rule, isQuietNow: boolean, severity: Severity, recent: number): Verdict['when'] {
  if (severity === 'critical') return 'now';
  if (rule.digest || (rule.limit && recent >= rule.limit.count)) return 'digest';
  return isQuietNow ? 'quiet' : 'now';
}

function isQuiet({ quiet, zone }: Rules, nowMs: number, zones: Zones): boolean {
  const minute = quiet === null ? undefined : zones.wallClock(zone, nowMs)?.minute;
  if (quiet === null || minute === undefined) return false;
  const { fromMinute, toMinute } = quiet;
  const isIn = (from: number, to: number) => minute >= from && minute < to;
  return fromMinute <= toMinute ? isIn(fromMinute, toMinute) : isIn(fromMinute, 1_440) || isIn(0, toMinute);
}

/** One whom a finding is told: the severest and the earliest of what the rules say for them. */
export interface Telling {
  readonly to: string;
  readonly severity: Severity;
  readonly when: Verdict['when'];
  /** The moment from which on it is told. */
  readonly atMs: number;
}

const WHENS: readonly Verdict['when'][] = ['now', 'quiet', 'digest'];

/** Whom a finding is told, by all verdicts about it: each of them once, in the order of the rules. */
export function tellingsOf(
  rules: Rules,
  { detail, atMs }: Finding,
  verdicts: readonly Verdict[],
  zones: Zones,
): readonly Telling[] {
  const tellings = new Map<string, Telling>();
  for (const { severity, tell, when } of verdicts) {
    for (const to of tell) {
      // A channel is not told of its own death.
      if (detail.kind === 'channel-dead' && detail.channel === to) continue;
      const before = tellings.get(to);
      const sooner = before && WHENS.indexOf(before.when) <= WHENS.indexOf(when) ? before.when : when;
      const severer = before && compareSeverity(before.severity, severity) >= 0;
      const telling = { severity: severer ? before.severity : severity, when: sooner };
      tellings.set(to, { to, ...telling, atMs: momentOf(rules, sooner, atMs, zones) });
    }
  }
  return [...tellings.values()];
}

function momentOf(rules: Rules, when: Verdict['when'], nowMs: number, zones: Zones): number {
  const { quiet, digestMinute, zone } = rules;
  switch (when) {
    case 'now':
      return nowMs;
    case 'quiet':
      return quiet ? nextTimeOfDay(quiet.toMinute, zone, nowMs, zones) : nowMs;
    case 'digest': {
      const atMs = nextTimeOfDay(digestMinute, zone, nowMs, zones);
      return quiet && isQuiet(rules, atMs, zones) ? nextTimeOfDay(quiet.toMinute, zone, atMs, zones) : atMs;
    }
    default:
      return assertNever(when);
  }
}

/** What rules make of findings of the past, one after the other, each at its own time. Nothing is told. */
export function* dryRunRules(
  rules: Rules,
  findings: Iterable<Finding>,
  walletOf: (id: string) => RuleWallet | null,
  zones: Zones,
): Generator<{ readonly finding: Finding; readonly verdicts: readonly Verdict[] }, void, undefined> {
  let times: RuleTimes = new Map();
  for (const finding of findings) {
    const wallet = finding.wallet === null ? null : walletOf(finding.wallet);
    const judged = judgeFinding(rules, times, finding, wallet, finding.atMs, zones);
    times = judged.times;
    yield { finding, verdicts: judged.verdicts };
  }
}
