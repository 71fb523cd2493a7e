import { setTimeout } from 'node:timers/promises';
import { CodedError } from '@keepwatch/base';
import { FINDING_KINDS, SEVERITIES, type ApiClient, type MonitorApi } from '@keepwatch/monitor';
import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { writeNewFile } from '../new-file.ts';
import { shownJson } from '../shown.ts';
import { fields, table } from '../table.ts';
import { parseCount, parseDuration, readTime, showCount, showTime } from '../values.ts';
import { answerWords, type Answering } from './answers.ts';
import type { FindingJson } from './finding-json.ts';
import { findingWords } from './finding-words.ts';
import type { MonitorPlace } from './options.ts';
import { withMonitor, withRunningMonitor } from './reach.ts';

export interface FilterOptions extends MonitorPlace {
  readonly wallet: string | undefined;
  readonly kind: readonly string[];
  readonly severity: string | undefined;
  readonly since: string | undefined;
}

interface Row {
  readonly seq: number;
  readonly finding: FindingJson;
  readonly answer?: Answering | null;
}

function filterOf({ wallet, kind, severity, since }: FilterOptions): object {
  const kinds = kind.flatMap((text) => text.split(','));
  const stranger = kinds.find((text) => !FINDING_KINDS.some((each) => each === text));
  if (stranger !== undefined) {
    throw usageError('kind', `--kind: “${stranger}” is no kind of finding.`, `Choose ${FINDING_KINDS.join(', ')}.`);
  }
  if (severity !== undefined && !SEVERITIES.some((each) => each === severity)) {
    throw usageError('severity', `--severity: “${severity}” is none.`, `Choose ${SEVERITIES.join(', ')}.`);
  }
  return {
    ...(wallet === undefined ? {} : { wallet }),
    ...(kind.length === 0 ? {} : { kinds }),
    ...(severity === undefined ? {} : { severity }),
    ...(since === undefined ? {} : { sinceMs: sinceOf(since) }),
  };
}

/** `2h` ago, or a day or time. */
export function sinceOf(text: string): number {
  if (/^[0-9]+\s*[smhdw]$/.test(text)) return Math.max(0, Date.now() - parseDuration(text, '--since') * 1_000);
  const ms = readTime(text);
  if (ms !== undefined) return ms;
  throw usageError('since', `--since: “${text}” is no time.`, 'Write one such as 2h, 7d or 2026-05-01.');
}

export function findingsList(
  context: Context,
  options: FilterOptions & { readonly limit: string | undefined; readonly before: string | undefined },
): Promise<Answer> {
  const limit = options.limit === undefined ? 50 : parseCount(options.limit, '--limit', 10_000);
  if (limit === 0) throw usageError('number', '--limit: at least one finding has to be asked for.');
  const before = options.before === undefined ? {} : { before: parseCount(options.before, '--before') };
  const filter = filterOf(options);
  return withMonitor(context, options, async (api) => {
    const findings = (await api.call('findings.list', { ...filter, limit, ...before })) as readonly Row[];
    const { paint } = context.terminal;
    if (findings.length === 0) return { json: { findings }, text: await noFinding(api, options.wallet) };
    const rows = findings.map((row) => cells(context, row));
    return {
      json: { findings },
      text: table([['SEQ', 'TIME', 'SEVERITY', 'WALLET', 'KIND', ''], ...rows], paint.title),
    };
  });
}

export function paintSeverity({ terminal: { paint } }: Context, severity: FindingJson['severity']): string {
  const paints = { info: paint.quiet, notice: paint.good, warning: paint.warning, critical: paint.bad };
  return paints[severity](severity);
}

/** Where no wallet has ever been called so, that is why: more likely a slip than a wallet to which nothing happened. */
async function noFinding(api: MonitorApi, wallet: string | undefined): Promise<string> {
  if (wallet === undefined) return 'No finding.';
  const lists = await Promise.all([api.call('wallet.list'), api.call('evm.list')]);
  const watched = lists.flat() as readonly { readonly id: string; readonly name: string }[];
  if (watched.some(({ id, name }) => id === wallet || name === wallet)) return 'No finding.';
  const former = (await api.call('findings.list', { wallet, limit: 1 })) as readonly Row[];
  return former.length > 0 ? 'No finding.' : `No finding. No wallet “${wallet}” is watched.`;
}

function cells(context: Context, { seq, finding, answer }: Row): readonly string[] {
  const { paint } = context.terminal;
  const { severity, wallet, atMs, late, detail } = finding;
  return [
    ...[String(seq), showTime(atMs), paintSeverity(context, severity), wallet ?? '–', detail.kind],
    [
      `${findingWords(finding)}${late ? paint.quiet(' (late)') : ''}`,
      ...(answer ? [answerWords(context, answer)] : []),
    ].join('; '),
  ];
}

const lineOf = (context: Context, row: Row): Answer => ({ json: row, text: cells(context, row).join('  ') });

/** What ends when the monitor is back, or the network. */
const PASSING = new Set([
  ...['monitor_gone', 'monitor_not_running', 'monitor_unreachable', 'monitor_locked'],
  ...['connection_failed', 'connection_lost', 'connection_timeout'],
]);
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** From a cursor on, without a gap; goes on until Ctrl-C, with `retry` also over the monitor's end or the network's. */
export async function findingsTail(
  context: Context,
  options: FilterOptions & { readonly after: string | undefined; readonly retry: boolean },
): Promise<void> {
  let after = options.after === undefined ? undefined : parseCount(options.after, '--after');
  const filter = filterOf(options);
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  let waitMs = FIRST_WAIT_MS;

  async function follow(api: ApiClient): Promise<void> {
    if (after === undefined) {
      const last = (await api.call('findings.list', { ...filter, limit: 10 })) as readonly Row[];
      for (const row of last) context.emit(lineOf(context, row));
      after = last.at(-1)?.seq ?? 0;
    }
    for await (const item of api.subscribe('findings.follow', { ...filter, after, follow: true }, stop.signal)) {
      const row = item as Row;
      context.emit(lineOf(context, row));
      after = row.seq;
      waitMs = FIRST_WAIT_MS;
    }
  }

  while (!stop.signal.aborted) {
    try {
      return await withRunningMonitor(context, options, follow);
    } catch (error) {
      if (!options.retry || !(error instanceof CodedError) || !PASSING.has(error.code)) throw error;
      context.note(`${error.message} Trying again in ${waitMs / 1_000} s.`);
      await setTimeout(waitMs, undefined, { signal: stop.signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  }
}

export function findingsExport(
  context: Context,
  options: FilterOptions & { readonly after: string | undefined; readonly out: string | undefined },
): Promise<Answer | undefined> {
  const after = options.after === undefined ? 0 : parseCount(options.after, '--after');
  const filter = filterOf(options);
  return withMonitor(context, options, async (api) => {
    if (options.out === undefined) {
      await exportTo(api, { ...filter, after }, async (line) => void context.terminal.output.write(line));
      return undefined;
    }
    const findings = await writeNewFile(options.out, (file) =>
      exportTo(api, { ...filter, after }, (line) => file.write(line)),
    );
    return { json: { findings, file: options.out }, text: `${showCount(findings, 'finding')} in ${options.out}.` };
  });
}

async function exportTo(api: MonitorApi, params: object, write: (line: string) => Promise<void>): Promise<number> {
  let count = 0;
  const rows = api.subscribe('findings.follow', { ...params, follow: false }, new AbortController().signal);
  for await (const row of rows) {
    await write(`${shownJson(JSON.stringify(row))}\n`);
    count += 1;
  }
  return count;
}

export function findingsVerify(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const report = (await api.call('findings.verify')) as {
      readonly monitor: string;
      readonly entries: number;
      readonly batches: number;
      readonly findings: number;
      readonly orders: { readonly signed: number; readonly unsigned: number };
      readonly sameState: boolean;
    };
    if (!report.sameState) {
      throw new CodedError('journal_fold_differs', 'The journal is whole, but the state is not what follows from it.', {
        remedy: 'Stop the monitor, keep a copy of its data, and report it.',
        details: { ...report },
      });
    }
    return {
      json: report,
      text: fields([
        ['journal', context.terminal.paint.good('whole, and the state follows from it')],
        ['entries', `${report.entries} in ${showCount(report.batches, 'batch', 'batches')}`],
        ['findings', String(report.findings)],
        [
          'orders',
          `${showCount(report.orders.signed, 'signature')} by who might order it, ${report.orders.unsigned} on its own machine`,
        ],
        ['monitor', report.monitor],
      ]),
    };
  });
}
