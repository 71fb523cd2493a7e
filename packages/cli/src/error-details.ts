import { showSpan } from './chain/progress.ts';
import { showTime } from './values.ts';

/** The details of an error for people: those that help, a short line each. With `--json` all of them are printed. Pure. */

const MAX_LINES = 12;
const MAX_LISTED = 12;
const MAX_CHARS = 200;

/** No detail may hold a secret; what calls itself one is not printed all the same. */
const SECRET = /pass(word|phrase)|secret|mnemonic|seed|private|token/i;
/** Said in other words, or for programs alone. */
const LEFT_OUT = new Set(['sentences', 'issues', 'retryAfterMs', 'approval', 'needed', 'given', 'expires', 'receipt']);

/** What stands in `message` already is not said again. */
export function detailLines(details: Readonly<Record<string, unknown>> | undefined, message: string): string[] {
  if (details === undefined) return [];
  const lines = [...sentencesOf(details), ...issuesOf(details), ...waitOf(details), ...approvalOf(details)];
  for (const [name, value] of Object.entries(details)) {
    if (LEFT_OUT.has(name) || SECRET.test(name)) continue;
    const words = wordsOf(name, value);
    // A digit or two stand in many a message by chance.
    const isSaid = words !== undefined && words.length > 2 && message.includes(words);
    if (words !== undefined && !isSaid) lines.push(`${nameInWords(name)}: ${words}`);
  }
  const short = [...new Set(lines)].filter((line) => !message.includes(line)).map(oneLine);
  return short.length > MAX_LINES ? [...short.slice(0, MAX_LINES), `… and ${short.length - MAX_LINES} more`] : short;
}

type Details = Readonly<Record<string, unknown>>;

/** A denial says in words which rule of which grant stood in the way. */
function sentencesOf({ sentences }: Details): readonly string[] {
  return Array.isArray(sentences) ? sentences.filter((sentence) => typeof sentence === 'string') : [];
}

/** What of the parameters does not fit: `name: Too short`, or the two of them apart. */
function issuesOf({ issues }: Details): readonly string[] {
  if (!Array.isArray(issues)) return [];
  return issues.flatMap((issue: unknown) => {
    if (typeof issue === 'string') return [issue];
    if (typeof issue !== 'object' || issue === null) return [];
    const { path, message } = issue as { readonly path?: unknown; readonly message?: unknown };
    if (typeof message !== 'string') return [];
    const where = Array.isArray(path) ? path.join('.') : path;
    return [typeof where === 'string' && where !== '' ? `${where}: ${message}` : message];
  });
}

function waitOf({ retryAfterMs }: Details): readonly string[] {
  if (typeof retryAfterMs !== 'number' || !(retryAfterMs > 0)) return [];
  return [`The next try is taken in ${showSpan(Math.ceil(retryAfterMs / 1_000))}.`];
}

function approvalOf({ approval, needed, given, expires }: Details): readonly string[] {
  if (typeof approval !== 'string') return [];
  const agreed = typeof needed === 'number' && typeof given === 'number' ? `, ${given} of ${needed} agreed` : '';
  const until = typeof expires === 'number' && isTime(expires) ? `, until ${showTime(expires)}` : '';
  return [`approval: ${approval}${agreed}${until}`];
}

const isTime = (ms: number) => Math.abs(ms) <= 8.64e15;

/** Undefined: nothing that fits into a line. */
function wordsOf(name: string, value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const listed = value.slice(0, MAX_LISTED).map((each) => wordsOf('', each));
    if (listed.length === 0 || listed.includes(undefined)) return undefined;
    return listed.join(', ') + (value.length > MAX_LISTED ? `, and ${value.length - MAX_LISTED} more` : '');
  }
  switch (typeof value) {
    case 'number':
      // A moment since 1970 is a large number of milliseconds, and a span of time a small one.
      if (name.endsWith('Ms') && isTime(value)) return value > 1e11 ? showTime(value) : showSpan(value / 1_000);
      return String(value);
    case 'boolean':
      return value ? 'yes' : 'no';
    case 'string':
      return value === '' ? undefined : value;
    default:
      return undefined;
  }
}

/** `lastSeq` → `last seq`. */
const nameInWords = (name: string) => name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS)}…` : line;
}
