import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { readJsonFile } from '../json-file.ts';
import { nextCommand } from '../next-command.ts';
import { table } from '../table.ts';
import { parseCount, showCount, showTime } from '../values.ts';
import type { FindingJson } from './finding-json.ts';
import { findingWords } from './finding-words.ts';
import { paintSeverity, sinceOf } from './findings.ts';
import { samePlace, type MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';

/** A document that was accepted: what is left out in it has its default. */
interface RulesJson {
  readonly rules: readonly {
    readonly name: string;
    readonly when: string;
    readonly severity?: string;
    readonly tell?: readonly string[];
    readonly limit?: { readonly count: number; readonly seconds: number };
    readonly digest?: boolean;
  }[];
  readonly quiet?: { readonly from: string; readonly to: string };
  readonly digestAt?: string;
  readonly zone?: string;
}

interface DryRow {
  readonly seq: number;
  readonly finding: FindingJson;
  readonly rules: readonly { readonly rule: string; readonly failed: string | null }[];
  readonly told: readonly {
    readonly to: string;
    readonly severity: string;
    readonly when: 'now' | 'digest' | 'quiet';
    readonly atMs: number;
  }[];
}

export async function rulesApply(context: Context, file: string, place: MonitorPlace): Promise<Answer> {
  const document = await readJsonFile(file);
  return withMonitor(context, place, async (api) => {
    const applied = (await api.call('rules.apply', { rules: document })) as { readonly rules: number };
    const held = applied.rules === 1 ? '1 rule holds' : `${showCount(applied.rules, 'rule')} hold`;
    const { rules = [] } = document as Partial<RulesJson>;
    const isHeard = rules.some(({ tell = [] }) => tell.length > 0);
    const rest = 'What none of them speaks of is kept, and told to nobody.';
    // It may be meant so, for a ladder tells as well; mostly it is not.
    const clear = nextCommand('rules clear', samePlace(place));
    const nobody = `They tell nobody anything: only a ladder still does. To do without rules: ${clear}`;
    return { json: applied, text: `${held} from now on. ${isHeard ? rest : nobody}` };
  });
}

export function rulesClear(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => ({
    json: await api.call('rules.clear'),
    text: 'No rules hold: each channel is told what is severe enough for it.',
  }));
}

export function rulesShow(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const shown = (await api.call('rules.show')) as { readonly rules: RulesJson | null; readonly version: number };
    return { json: shown, text: `${rulesText(context, shown.rules)}\nVersion ${shown.version}.` };
  });
}

function rulesText({ terminal: { paint } }: Context, document: RulesJson | null): string {
  if (document === null) return 'No rules hold: each channel is told what is severe enough for it.';
  const { rules, quiet, digestAt, zone = 'UTC' } = document;
  const rows = rules.map(({ name, severity, tell = [], limit, digest, when }) => [
    name,
    tell.join(', ') || '–',
    severity ?? 'its own',
    [digest ? 'in the digest' : 'at once', ...(limit ? [`at most ${limit.count} in ${limit.seconds} s`] : [])].join(
      ', ',
    ),
    when,
  ]);
  return [
    table([['RULE', 'TELLS', 'SEVERITY', 'WHEN', 'CONDITION'], ...rows], paint.title),
    '',
    `Digest at ${digestAt ?? '08:00'}; quiet hours: ${quiet ? `${quiet.from} to ${quiet.to}` : 'none'}; zone ${zone}.`,
  ].join('\n');
}

export async function rulesDryRun(
  context: Context,
  file: string,
  options: MonitorPlace & { readonly since: string | undefined; readonly limit: string | undefined },
): Promise<Answer> {
  const limit = options.limit === undefined ? 1_000 : parseCount(options.limit, '--limit', 10_000);
  if (limit === 0) throw usageError('number', '--limit: at least one finding has to be asked for.');
  const since = options.since === undefined ? {} : { sinceMs: sinceOf(options.since) };
  const rules = await readJsonFile(file);
  return withMonitor(context, options, async (api) => {
    const answer = (await api.call('rules.dryRun', { rules, limit, ...since })) as {
      readonly findings: readonly DryRow[];
    };
    const { findings } = answer;
    if (findings.length === 0)
      return { json: answer, text: 'The rules can be applied. There is no finding to try them on.' };
    const { paint } = context.terminal;
    const told = findings.filter((row) => row.told.length > 0).length;
    const rows = findings.map((row) => [
      ...[String(row.seq), showTime(row.finding.atMs), paintSeverity(context, row.finding.severity)],
      ...[row.finding.wallet ?? '–', row.finding.detail.kind],
      row.told.map(toldWords).join(', ') || paint.quiet('told to nobody'),
      row.rules.map(({ rule, failed }) => (failed ? paint.bad(`${rule} (${FAILED})`) : rule)).join(', ') || '–',
      findingWords(row.finding),
    ]);
    return {
      json: answer,
      text: [
        table([['SEQ', 'TIME', 'SEVERITY', 'WALLET', 'KIND', 'TOLD', 'RULES', ''], ...rows], paint.title),
        '',
        `Of ${showCount(findings.length, 'finding')} ${told} would have been told, and ${findings.length - told} not.`,
      ].join('\n'),
    };
  });
}

const FAILED = 'its condition failed, which counts as met';

function toldWords({ to, severity, when, atMs }: DryRow['told'][number]): string {
  return when === 'now' ? `${to} (${severity})` : `${to} (${severity}, ${showTime(atMs)})`;
}
