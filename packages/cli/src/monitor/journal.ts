import { assertNever, CodedError } from '@keepwatch/base';
import { signatureOf, type OrderRow } from '@keepwatch/monitor';
import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { table } from '../table.ts';
import { parseCount, showTime } from '../values.ts';
import type { MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';

export interface JournalOptions extends MonitorPlace {
  readonly lines: string | undefined;
  readonly before: string | undefined;
}

export function monitorJournal(context: Context, options: JournalOptions): Promise<Answer> {
  const limit = options.lines === undefined ? 50 : parseCount(options.lines, '--lines', 1_000);
  if (limit === 0) throw usageError('number', '--lines: at least one has to be asked for.');
  const before = options.before === undefined ? {} : { before: parseCount(options.before, '--before') };
  return withMonitor(context, options, async (api) => {
    const said = (await api.call('journal.orders', { limit, ...before })) as {
      readonly identity: string;
      readonly orders: readonly OrderRow[];
    };
    // Over the network the identity is the one that was proved, and not what is claimed here.
    const identity = 'identity' in api && typeof api.identity === 'string' ? api.identity : said.identity;
    const rows = said.orders.map((row) => ({ ...row, signature: signatureOf(row, identity) }));
    const { paint } = context.terminal;
    if (rows.length === 0) return { json: { identity, orders: rows }, text: 'Nobody has ordered anything yet.' };
    const lines = rows.map((row) => [
      ...[String(row.seq), showTime(row.atMs), row.method, row.about ?? '', whoWords(row)],
      signatureWords(context, row.signature),
    ]);
    const bad = rows.filter(({ signature }) => signature === 'bad');
    if (bad.length > 0) {
      throw new CodedError('order_forged', `The signature of entry ${bad[0]!.seq} does not hold.`, {
        remedy: 'Do not rely on this monitor. Compare with what the operator says that is named there.',
        details: { entries: bad.map(({ seq }) => seq) },
      });
    }
    const head = ['SEQ', 'TIME', 'ORDER', 'OF', 'BY', 'SIGNATURE'];
    return { json: { identity, orders: rows }, text: table([head, ...lines], paint.title) };
  });
}

function whoWords({ by }: OrderRow): string {
  switch (by.kind) {
    case 'peer':
      return `${by.name} (${by.peer})`;
    case 'owner':
      return by.way === 'socket' ? 'its own user' : 'its own user, while it did not run';
    case 'token':
      return 'the one-time token';
    case 'unrecorded':
      return 'not recorded by that version';
    default:
      return assertNever(by);
  }
}

function signatureWords({ terminal: { paint } }: Context, signature: ReturnType<typeof signatureOf>): string {
  switch (signature) {
    case 'good':
      return paint.good('good');
    case 'bad':
      return paint.bad('does not hold');
    case 'none':
      return paint.quiet('–');
    case 'withheld':
      return paint.quiet('holds a secret: see findings verify');
    default:
      return assertNever(signature);
  }
}
