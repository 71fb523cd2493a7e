import { CodedError, fromBase64url } from '@keepwatch/base';
import { checkReceipt, type Operator } from '@keepwatch/sdk';
import { command, type Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { describeEntry } from '../journal-words.ts';
import { readTextFile } from '../json-file.ts';
import { writeNewFile } from '../new-file.ts';
import { shownJson } from '../shown.ts';
import { fields } from '../table.ts';
import { parseCount, showCount, showTime } from '../values.ts';
import { knownReceiptKey, withOperator } from '../vault-session.ts';

const verify = command({
  name: 'journal verify',
  summary: 'Have every signature, hash and link checked from the first entry, and the state folded anew',
  run: (context) =>
    withOperator(context, async (operator) => {
      const report = await operator.query('journal.verify', {});
      if (!report.foldMatches) {
        throw new CodedError(
          'journal_fold_differs',
          'The journal is whole, but the vault’s state is not what follows from it.',
          {
            remedy: 'Seal the vault, keep a copy of its data, and report it.',
            details: { ...report },
          },
        );
      }
      const { paint } = context.terminal;
      return {
        json: report,
        text: fields([
          ['journal', paint.good('whole, and the state follows from it')],
          ['entries', `${report.entries} in ${report.batches} batches`],
          ['head', `${report.head.root} (epoch ${report.head.epoch}, up to entry ${report.head.lastSeq})`],
          ['time', showTime(report.head.timeMs)],
        ]),
      };
    }),
});

const PAGE = 200;

/** Entries from `from` on, until there are no more. */
async function* entriesFrom(operator: Operator, from: number) {
  for (let next = from; ;) {
    const { entries, head } = await operator.query('journal.read', { from: next, limit: PAGE });
    yield* entries;
    const last = entries.at(-1);
    if (!last || last.seq >= head.lastSeq) return;
    next = last.seq + 1;
  }
}

const exportJournal = command({
  name: 'journal export',
  summary: 'Every entry as one line of JSON',
  options: {
    from: { value: 'SEQ', words: 'from this entry on (default: 1)' },
    out: { value: 'FILE', words: 'into a new file instead of stdout' },
  },
  run: (context, options) =>
    withOperator(context, async (operator) => {
      const from = options.from === undefined ? 1 : parseCount(options.from, '--from');
      if (options.out === undefined) {
        await exportTo(operator, from, async (line) => void context.terminal.output.write(line));
        return undefined;
      }
      const entries = await writeNewFile(options.out, (file) => exportTo(operator, from, (line) => file.write(line)));
      const count = showCount(entries, 'entry', 'entries');
      return { json: { entries, file: options.out }, text: `${count} in ${options.out}.` };
    }),
});

async function exportTo(operator: Operator, from: number, write: (line: string) => Promise<void>): Promise<number> {
  let count = 0;
  for await (const { seq, entry } of entriesFrom(operator, from)) {
    await write(`${shownJson(`{"seq":${seq},"entry":${entry}}`)}\n`);
    count += 1;
  }
  return count;
}

const FOLLOW_MS = 1_000;

const tail = command({
  name: 'journal tail',
  summary: 'The last entries in words; with --follow, new ones as they come',
  options: {
    lines: { value: 'N', words: 'so many entries (default: 20)' },
    follow: { words: 'go on until Ctrl-C' },
  },
  run: (context, options) =>
    withOperator(context, async (operator) => {
      const lines = options.lines === undefined ? 20 : parseCount(options.lines, '--lines', 10_000);
      const { head } = await operator.status();
      const stopped = new AbortController();
      process.once('SIGINT', () => stopped.abort()).once('SIGTERM', () => stopped.abort());
      let next = Math.max(1, (head?.lastSeq ?? 0) - lines + 1);
      const shown: unknown[] = [];
      do {
        for await (const { seq, entry } of entriesFrom(operator, next)) {
          next = seq + 1;
          show(context, seq, entry, options.follow ? undefined : shown);
        }
        if (options.follow) await pause(FOLLOW_MS, stopped.signal);
      } while (options.follow && !stopped.signal.aborted);
      return options.follow || !context.json ? undefined : { json: { entries: shown }, text: '' };
    }),
});

/** With `--json` and without `--follow` there is one document in the end: `gathered` holds its entries. */
function show(context: Context, seq: number, entry: string, gathered: unknown[] | undefined): void {
  const parsed = JSON.parse(entry) as Readonly<Record<string, unknown>>;
  if (context.json && gathered) gathered.push({ seq, entry: parsed });
  else context.emit({ json: { seq, entry: parsed }, text: describeEntry(seq, parsed) });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const receipt = command({
  name: 'journal receipt',
  summary: 'The receipt of one entry: proof that needs no connection',
  positionals: ['SEQ'],
  run: (context, _, [seq = '']) =>
    withOperator(context, async (operator) => {
      const answer = await operator.query('journal.receipt', { seq: parseCount(seq, 'SEQ') });
      return { json: answer.receipt, text: JSON.stringify(answer.receipt, null, 2) };
    }),
});

const checkReceiptFile = command({
  name: 'journal check-receipt',
  summary: 'Check a receipt without any connection',
  positionals: ['FILE'],
  options: {
    'receipt-key': {
      value: 'KEY',
      words: 'the vault’s receipt key, base64url (default: the one that this profile knows)',
    },
    client: { words: 'take the key that the client of this profile knows, not the operator' },
  },
  async run(context, options, [file = '']) {
    const json = await readReceipt(file);
    const key = await receiptKey(context, options['receipt-key'], options.client ? 'client' : 'operator');
    const checked = checkReceipt(json, { receiptPublicKey: key });
    if (!checked.ok) {
      throw new CodedError(checked.error, 'The receipt does not hold.', {
        remedy: 'It was changed, or it is of another vault. Do not rely on it.',
      });
    }
    const { seq, entry } = checked.value;
    const { paint } = context.terminal;
    return {
      json: { holds: true, seq, entry },
      text: `${paint.good('The receipt holds.')} The vault’s journal says:\n${describeEntry(seq, entry)}`,
    };
  },
});

async function readReceipt(file: string): Promise<unknown> {
  const text = await readTextFile(file);
  try {
    return JSON.parse(text);
  } catch {
    throw new CodedError('receipt_malformed', `${file} holds no receipt.`, { remedy: 'A receipt is a JSON document.' });
  }
}

async function receiptKey(context: Context, given: string | undefined, role: 'operator' | 'client') {
  if (given === undefined) return knownReceiptKey(context, role);
  const key = fromBase64url(given);
  if (key?.length === 32) return key;
  throw usageError('receipt_key', '--receipt-key: that is not the base64url of 32 bytes.');
}

export const JOURNAL_COMMANDS = [verify, tail, exportJournal, receipt, checkReceiptFile];
