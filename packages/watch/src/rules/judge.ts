import type { Finding, Severity } from '../finding.ts';
import type { WatchedWallet } from '../wallet.ts';
import type { ConditionAnswer } from './condition.ts';
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
  { rules, quiet }: Rules,
  times: RuleTimes,
  finding: Finding,
  wallet: WatchedWallet | null,
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

/** What rules would have made of findings of the past, each at its own time. Nothing is told. */
export function dryRunRules(
  rules: Rules,
  findings: Iterable<Finding>,
  walletOf: (id: string) => WatchedWallet | null,
): readonly Verdict[] {
  const all: Verdict[] = [];
  let times: RuleTimes = new Map();
  for (const finding of findings) {
    const wallet = finding.wallet === null ? null : walletOf(finding.wallet);
    const judged = judgeFinding(rules, times, finding, wallet, finding.atMs);
    times = judged.times;
    all.push(...judged.verdicts);
  }
  return all;
}
