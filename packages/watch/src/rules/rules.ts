import { err, minuteOfDay, ok, type Result, type Zones } from '@keepwatch/base';
import { z } from 'zod';
import { SEVERITIES, type Severity } from '../finding.ts';
import { readCondition, type Condition } from './condition.ts';

/** Which findings matter to whom. The rules are asked in their order, and all that hold apply. */
export interface Rules {
  readonly rules: readonly Rule[];
  /** The owner's time zone: times of day are in it. */
  readonly zone: string;
  /** Nothing but what is critical is told at once between these minutes of the day; `from` may lie behind `to`. */
  readonly quiet: { readonly fromMinute: number; readonly toMinute: number } | null;
  /** The minute of the day when what went into the digest is told. */
  readonly digestMinute: number;
}

export interface Rule {
  readonly name: string;
  readonly when: Condition;
  /** Another severity than the finding's own; null: its own. */
  readonly severity: Severity | null;
  /** Names of those to tell; none: the finding is only kept. */
  readonly tell: readonly string[];
  /** At most so many at once in a time; what is more goes into the digest. Critical ones are never held back. */
  readonly limit: { readonly count: number; readonly seconds: number } | null;
  readonly digest: boolean;
}

/** `path`: where in the configuration, as `rules[2].when`. */
export interface RulesError {
  readonly code: 'rules_malformed' | 'rule_bad_condition' | 'rule_too_costly' | 'rule_name_repeated';
  readonly path: string;
  readonly message: string;
}

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day as 22:30 is expected');
const shape = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64),
        when: z.string(),
        severity: z.enum(SEVERITIES).optional(),
        tell: z.array(z.string().min(1)).default([]),
        limit: z.strictObject({ count: z.int().min(1).max(1_000), seconds: z.int().min(1) }).optional(),
        digest: z.boolean().default(false),
      }),
    )
    .max(200),
  quiet: z.strictObject({ from: timeOfDay, to: timeOfDay }).optional(),
  digestAt: timeOfDay.default('08:00'),
  zone: z.string().max(64).default('UTC'),
});

/** `zones`: which time zones there are. */
export function readRules(value: unknown, zones: Zones): Result<Rules, RulesError> {
  const read = shape.safeParse(value);
  if (!read.success) {
    const issue = read.error.issues[0]!;
    return fault('rules_malformed', pathOf(issue.path), issue.message);
  }
  const names = new Set<string>();
  const rules: Rule[] = [];
  for (const [i, { when, severity = null, limit = null, ...rest }] of read.data.rules.entries()) {
    if (names.has(rest.name)) return fault('rule_name_repeated', `rules[${i}].name`, 'Another rule has this name.');
    names.add(rest.name);
    const condition = readCondition(when);
    if (!condition.ok) return fault(condition.error.code, `rules[${i}].when`, condition.error.words);
    rules.push({ ...rest, when: condition.value, severity, limit });
  }
  const { quiet, digestAt, zone } = read.data;
  if (!zones.wallClock(zone, 0)) return fault('rules_malformed', 'zone', 'There is no time zone of this name.');
  return ok({
    ...{ rules, zone, digestMinute: minuteOfDay(digestAt)! },
    quiet: quiet ? { fromMinute: minuteOfDay(quiet.from)!, toMinute: minuteOfDay(quiet.to)! } : null,
  });
}

function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

function fault(code: RulesError['code'], path: string, message: string) {
  return err({ code, path, message });
}
