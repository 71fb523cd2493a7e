import { userInfo } from 'node:os';
import type { Answer, Context } from '../command.ts';
import { readJsonFile } from '../json-file.ts';
import { fields, table } from '../table.ts';
import { showCount, showTime } from '../values.ts';
import type { FindingJson } from './finding-json.ts';
import { findingWords } from './finding-words.ts';
import type { MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';

/** How it stands with the answer to a finding, as the monitor says it. */
export type Answering =
  | { readonly state: 'awaited'; readonly who: string; readonly sinceMs: number }
  | { readonly state: 'nobody'; readonly atMs: number }
  | { readonly state: 'answered'; readonly by: string; readonly way: string; readonly atMs: number };

type Happening = { readonly atMs: number } & (
  | { readonly what: 'told'; readonly channel: string; readonly number: number }
  | { readonly what: 'not-told-yet'; readonly channel: string; readonly words: string }
  | { readonly what: 'gathered'; readonly channel: string }
  | { readonly what: 'asked'; readonly who: readonly string[]; readonly step: number; readonly why: string }
  | { readonly what: 'nobody-answered' }
  | { readonly what: 'answered'; readonly by: string; readonly way: string; readonly channel: string | null }
);

interface ShownFinding {
  readonly seq: number;
  readonly finding: FindingJson;
  readonly answer: Answering | null;
  readonly history: readonly Happening[];
}

/** A document that was accepted: what is left out in it has its default. */
export interface LadderJson {
  readonly rungs: readonly { readonly who: string; readonly tell: readonly string[]; readonly wait: string }[];
  readonly rounds?: number;
  readonly climbs?: {
    readonly from?: string;
    readonly kinds?: readonly string[];
    readonly except?: readonly string[];
  };
  readonly page?: string;
  readonly codes?: string;
}

const numberOr = (text: string) => (/^[0-9]{1,15}$/.test(text) ? Number(text) : text);

export function findingsShow(context: Context, named: string, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const shown = (await api.call('findings.show', { finding: numberOr(named) })) as ShownFinding;
    const { finding, seq, answer, history } = shown;
    const { paint } = context.terminal;
    const about = fields([
      ['finding', `${seq} ${finding.id}`],
      ['severity', finding.severity],
      ['wallet', finding.wallet ?? undefined],
      ['time', showTime(finding.atMs)],
      ['what', findingWords(finding)],
      ['answer', answer ? answerWords(context, answer) : undefined],
    ]);
    const rows = history.map((each) => [showTime(each.atMs), happeningWords(each)]);
    const lines = history.length === 0 ? ['Nobody was told.'] : [table([['TIME', ''], ...rows], paint.title)];
    return { json: shown, text: [about, '', ...lines].join('\n') };
  });
}

export function answerWords({ terminal: { paint } }: Context, answer: Answering): string {
  switch (answer.state) {
    case 'awaited':
      return paint.warning(`awaited from ${answer.who}`);
    case 'nobody':
      return paint.bad('nobody has answered');
    case 'answered':
      return paint.good(`answered by ${answer.by}`);
  }
}

const WHY: Readonly<Record<string, string>> = {
  opened: '',
  'no-answer': ', for nobody answered in time',
  unreachable: ', for nobody before could be reached',
  replanned: ', by another ladder',
};

function happeningWords(each: Happening): string {
  switch (each.what) {
    case 'told':
      return `delivered by ${each.channel}, message ${each.number}`;
    case 'not-told-yet':
      return `not delivered by ${each.channel}: ${each.words}`;
    case 'gathered':
      return `gathered into one message with others on ${each.channel}`;
    case 'asked':
      return `${each.who.join(', ')} asked${WHY[each.why] ?? ''}`;
    case 'nobody-answered':
      return 'nobody answered';
    case 'answered':
      return `answered by ${each.by} (${each.way}${each.channel === null ? '' : ` of ${each.channel}`})`;
  }
}

export function findingsAcknowledge(
  context: Context,
  what: string,
  options: MonitorPlace & { readonly by: string | undefined },
): Promise<Answer> {
  return withMonitor(context, options, async (api, { here }) => {
    // Over the network a peer answers in its own name.
    const by = options.by ?? (here ? userInfo().username : undefined);
    // Eight digits are a code; numbers of findings are shorter for a long time, and then their ids remain.
    const named = /^[0-9]{8}$/.test(what) ? what : numberOr(what);
    const json = await api.call('findings.acknowledge', { what: named, ...(by === undefined ? {} : { by }) });
    return { json, text: 'Thank you. The others are told that you have seen it.' };
  });
}

export async function ladderApply(context: Context, file: string, place: MonitorPlace): Promise<Answer> {
  const document = await readJsonFile(file);
  return withMonitor(context, place, async (api) => {
    const applied = (await api.call('ladder.apply', { ladder: document })) as {
      readonly rungs: number;
      readonly page: string | null;
      readonly warnings: readonly string[];
    };
    const { paint } = context.terminal;
    const lines = [
      `A ladder of ${showCount(applied.rungs, 'rung')} holds from now on.`,
      ...(applied.page === null
        ? []
        : [`Links lead to ${applied.page}…: hand requests for that on to the monitor’s HTTP port.`]),
      ...applied.warnings.map((each) => paint.warning(each)),
    ];
    return { json: applied, text: lines.join('\n') };
  });
}

export function ladderShow(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const shown = (await api.call('ladder.show')) as {
      readonly ladder: LadderJson | null;
      readonly warnings: readonly string[];
      readonly version: number;
    };
    const { paint } = context.terminal;
    const version = `Version ${shown.version}.`;
    if (shown.ladder === null) {
      return { json: shown, text: `No ladder: findings are told, and no answer is awaited.\n${version}` };
    }
    const { rungs } = shown.ladder;
    const rows = rungs.map(({ who, tell, wait }, i) => [String(i + 1), who, tell.join(', '), wait]);
    const lines = [
      table([['RUNG', 'WHO', 'TOLD BY', 'WAITS'], ...rows], paint.title),
      ...['', fields(ladderFields(shown.ladder)), '', version],
      ...shown.warnings.map((each) => paint.warning(each)),
    ];
    return { json: shown, text: lines.join('\n') };
  });
}

export function ladderFields({ climbs = {}, rounds = 3, page, codes = '24h' }: LadderJson): [string, string][] {
  const { from = 'critical', kinds = [], except = [] } = climbs;
  const named = kinds.length === 0 ? '' : `, and ${kinds.join(', ')}`;
  const never = except.length === 0 ? '' : `; never ${except.join(', ')}`;
  return [
    ['climbs', `what is ${from === 'critical' ? '' : 'at least '}${from}${named}${never}`],
    ['rounds', String(rounds)],
    ['page', page ?? 'none'],
    ['codes', `hold for ${codes}`],
  ];
}

export function ladderClear(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const cleared = (await api.call('ladder.clear')) as { readonly open: readonly string[] };
    const left = cleared.open.length;
    const rest = left === 0 ? '' : ` ${showCount(left, 'finding')} still wait for an answer: acknowledge them.`;
    return { json: cleared, text: `No answer is asked for any more.${rest}` };
  });
}
