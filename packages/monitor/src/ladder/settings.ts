import { err, ok, type Json, type Result } from '@keepwatch/base';
import { checkLadder, type ChannelFacts, type Ladder, type LadderProblem } from '@keepwatch/notify';
import { compareSeverity, FINDING_KINDS, SEVERITIES, type Finding, type Severity } from '@keepwatch/watch';
import { z } from 'zod';
import { isSeen } from '../api/shapes.ts';

/** The ladder as its owner writes it down: who is told what must not go unanswered, by which channels, and who next. */
export interface LadderSettings {
  readonly ladder: Ladder;
  readonly climbs: {
    /** What is at least so severe climbs, by itself or by a rule. */
    readonly from: Severity;
    /** And these, however severe. */
    readonly kinds: readonly string[];
    /** But never these. */
    readonly except: readonly string[];
  };
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'a time such as 90s, 10m or 2h is expected')
  .transform((text) => Number(text.slice(0, -1)) * UNITS[text.at(-1) as keyof typeof UNITS]);
const kinds = z.array(z.string().regex(/^[a-z][a-z-]{1,31}$/, 'a kind of finding is expected')).max(100);
const schema = z.strictObject({
  rungs: z
    .array(
      z.strictObject({
        who: z.string().min(1).max(64),
        tell: z.array(z.string().min(1).max(64)).min(1).max(16),
        wait: duration,
      }),
    )
    .min(1)
    .max(32),
  rounds: z.int().min(1).max(100).default(3),
  climbs: z
    .strictObject({
      from: z.enum(SEVERITIES).default('critical'),
      kinds: kinds.default([]),
      except: kinds.default([]),
    })
    .prefault({}),
  /** Under which address people reach the page of acknowledgements; left out: there is none. */
  page: z.string().max(500).optional(),
  /** How long a code or a link can be used. */
  codes: duration.prefault('24h'),
});

/** `path`: where in the document. */
export interface LadderError {
  readonly path: string;
  readonly message: string;
}

export function readLadder(value: Json): Result<LadderSettings, LadderError> {
  const read = schema.safeParse(value);
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    return err({ path: path.join('.'), message });
  }
  const { rungs, rounds, climbs, page, codes: codeMs } = read.data;
  const pageUrl = page === undefined ? null : pageOf(page);
  if (pageUrl === undefined) {
    return err({
      path: 'page',
      message: 'an https address is expected, or http of an onion or of this machine itself',
    });
  }
  const asRungs = rungs.map(({ who, tell, wait }) => ({ who, channels: [...new Set(tell)], waitMs: wait }));
  return ok({ climbs, ladder: { rungs: asRungs, rounds, pageUrl, codeMs } });
}

const isKind = (text: string) => FINDING_KINDS.some((kind) => kind === text);

/**
 * What is certainly wrong with a ladder that can be read: a kind that there is not would never climb, and what is named
 * twice was meant to be something else. Of what is in the journal this is not asked: what was taken once goes on to hold.
 */
export function mistakeInLadder(document: Json): LadderError | null {
  const read = schema.safeParse(document);
  if (!read.success) return null;
  const { rungs, climbs } = read.data;
  const blank = rungs.findIndex(({ who }) => !isSeen(who));
  if (blank >= 0) return { path: `rungs.${blank}.who`, message: 'a name is expected, and there are only blanks' };
  for (const name of ['kinds', 'except'] as const) {
    const stranger = climbs[name].findIndex((kind) => !isKind(kind));
    if (stranger < 0) continue;
    const message = `“${climbs[name][stranger]}” is no kind of finding: there are ${FINDING_KINDS.join(', ')}`;
    return { path: `climbs.${name}.${stranger}`, message };
  }
  const lists: [string, readonly string[]][] = [
    ...rungs.map(({ tell }, i): [string, readonly string[]] => [`rungs.${i}.tell`, tell]),
    ['climbs.kinds', climbs.kinds],
    ['climbs.except', climbs.except],
  ];
  for (const [path, names] of lists) {
    const again = names.findIndex((name, i) => names.indexOf(name) < i);
    if (again >= 0) return { path: `${path}.${again}`, message: `“${names[again]}” is named twice` };
  }
  return null;
}

/** Where the page lies under the owner's address, and on the monitor's own port. */
export const PAGE_PATH = '/a/';

/** A link is as good as its code: nobody on the way may read it. */
function pageOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || url.search || url.hash || url.username || url.password) return undefined;
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isPrivate(url.hostname));
  return isSafe ? `${url.origin}${url.pathname.replace(/\/+$/, '')}${PAGE_PATH}` : undefined;
}

const isPrivate = (host: string) => /^(localhost|127(\.\d{1,3}){3}|\[::1\]|[a-z0-9.-]+\.onion)$/.test(host);

/** Whether a finding must not go unanswered. `severity`: the greatest of its own and what rules make of it. */
export function mustClimb({ climbs }: LadderSettings, { detail }: Finding, severity: Severity): boolean {
  if (('over' in detail && detail.over) || climbs.except.includes(detail.kind)) return false;
  return climbs.kinds.includes(detail.kind) || compareSeverity(severity, climbs.from) >= 0;
}

/** What stands in the way of a ladder, and what does not but should be known. */
export function judgeLadder(
  { ladder, climbs }: LadderSettings,
  channels: readonly ChannelFacts[],
): { readonly unknown: { readonly rung: number; readonly channel: string } | null; readonly warnings: string[] } {
  const problems = checkLadder(ladder, channels);
  const unknown = problems.find((each) => each.kind === 'unknown-channel') ?? null;
  const strangers = [...climbs.kinds, ...climbs.except].filter((kind) => !isKind(kind));
  const dead = strangers.map((kind) => `There is no kind of finding “${kind}”: nothing climbs by it, or is excepted.`);
  return { unknown, warnings: [...problems.flatMap(warningOf), ...dead] };
}

function warningOf(problem: LadderProblem): string[] {
  if (problem.kind !== 'not-independent') return [];
  return [
    'The channels of the first rung can all fail together: they are of one kind, or lean on one provider, server or proxy. Name two that do not.',
  ];
}
