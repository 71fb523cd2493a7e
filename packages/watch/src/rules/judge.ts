import { assertNever } from '@keepwatch/base';
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

const DAY_MS = 86_400_000;

/** When each rule with a limit told last, by name: hand it in with the next finding. */
export type RuleTimes = ReadonlyMap<string, readonly number[]>;

export interface Judged {
  readonly verdicts: readonly Verdict[];
  readonly times: RuleTimes;
}

/** Asks all rules about a finding. `times` is what the call before gave; nothing else is remembered. */
export function judgeFinding(
  { rules, quiet }: Rules,
  times: RuleTimes,
  finding: Finding,
  wallet: RuleWallet | null,
  nowMs: number,
): Judged {
  const verdicts: Verdict[] = [];
  const next = new Map(times);
  for (const rule of rules) {
    const { holds, failed } = rule.when(finding, wallet);
    if (!holds) continue;
    const severity = rule.severity ?? finding.severity;
    const recent = (next.get(rule.name) ?? []).filter((at) => rule.limit && nowMs - at < rule.limit.seconds * 1_000);
    const when = whenOf(rule, quiet, severity, recent.length, nowMs);
    if (when === 'now' && rule.limit) next.set(rule.name, [...recent, nowMs]);
    verdicts.push({ rule: rule.name, finding: finding.id, severity, tell: rule.tell, when, failed });
  }
  return { verdicts, times: next };
}

function whenOf(rule: Rule, quiet: Rules['quiet'], severity: Severity, recent: number, nowMs: number): Verdict['when'] {
  if (severity === 'critical') return 'now';
  if (rule.digest || (rule.limit && recent >= rule.limit.count)) return 'digest';
  return quiet && isQuiet(quiet, nowMs) ? 'quiet' : 'now';
}

function isQuiet({ fromMinute, toMinute }: NonNullable<Rules['quiet']>, nowMs: number): boolean {
  const minute = Math.floor(nowMs / 60_000) % 1_440;
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
export function tellingsOf(rules: Rules, { detail, atMs }: Finding, verdicts: readonly Verdict[]): readonly Telling[] {
  const tellings = new Map<string, Telling>();
  for (const { severity, tell, when } of verdicts) {
    for (const to of tell) {
      // A channel is not told of its own death.
      if (detail.kind === 'channel-dead' && detail.channel === to) continue;
      const before = tellings.get(to);
      const sooner = before && WHENS.indexOf(before.when) <= WHENS.indexOf(when) ? before.when : when;
      const severer = before && compareSeverity(before.severity, severity) >= 0;
      const telling = { severity: severer ? before.severity : severity, when: sooner };
      tellings.set(to, { to, ...telling, atMs: momentOf(rules, sooner, atMs) });
    }
  }
  return [...tellings.values()];
}

function momentOf({ quiet, digestMinute }: Rules, when: Verdict['when'], nowMs: number): number {
  switch (when) {
    case 'now':
      return nowMs;
    case 'quiet':
      return quiet ? next(quiet.toMinute, nowMs) : nowMs;
    case 'digest': {
      const atMs = next(digestMinute, nowMs);
      return quiet && isQuiet(quiet, atMs) ? next(quiet.toMinute, atMs) : atMs;
    }
    default:
      return assertNever(when);
  }
}

/** When it is that minute of the day for the next time. */
function next(minute: number, nowMs: number): number {
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS + minute * 60_000;
  return today > nowMs ? today : today + DAY_MS;
}

/** What rules make of findings of the past, one after the other, each at its own time. Nothing is told. */
export function* dryRunRules(
  rules: Rules,
  findings: Iterable<Finding>,
  walletOf: (id: string) => RuleWallet | null,
): Generator<{ readonly finding: Finding; readonly verdicts: readonly Verdict[] }, void, undefined> {
  let times: RuleTimes = new Map();
  for (const finding of findings) {
    const wallet = finding.wallet === null ? null : walletOf(finding.wallet);
    const judged = judgeFinding(rules, times, finding, wallet, finding.atMs);
    times = judged.times;
    yield { finding, verdicts: judged.verdicts };
  }
}
