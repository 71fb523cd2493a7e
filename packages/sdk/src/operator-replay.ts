import type { GrantDraft, ReplayChange, ReplayStep, ReplayTotals } from '@keepwatch/protocol';
import type { Connection } from './connection.ts';

export interface ReplayOptions {
  /** Called after each step: journal entries that were looked at, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A request of the past that was not decided anew, and why. */
export type ReplayLeftOut = ReplayStep['leftOut'][number];

export type ReplayFinding =
  | { readonly kind: 'change'; readonly change: ReplayChange }
  | { readonly kind: 'left-out'; readonly leftOut: ReplayLeftOut };

/** Characters of JSON in one request, and grants: together with its frame it stays below what a vault takes. */
const PIECE_CHARS = 120_000;
const PIECE_GRANTS = 200;

/** Findings in the order of the journal; the totals at the end. The vault works only while somebody asks for more. */
export async function* replayGrants(
  connection: Pick<Connection, 'call'>,
  candidates: readonly GrantDraft[],
  { onProgress }: ReplayOptions,
): AsyncGenerator<ReplayFinding, ReplayTotals> {
  let from = 0;
  for (const grants of pieces(candidates)) {
    await connection.call('replay.load', { from, grants });
    from += grants.length;
  }
  for (;;) {
    const { changes, leftOut, totals, upTo, finished } = await connection.call('replay.step', {});
    for (const change of changes) yield { kind: 'change', change };
    for (const each of leftOut) yield { kind: 'left-out', leftOut: each };
    onProgress?.(totals.entries, upTo);
    if (finished) return totals;
  }
}

/** At least one piece, for no candidate at all is a candidate as well: it would permit nothing. */
function* pieces(candidates: readonly GrantDraft[]): Generator<GrantDraft[]> {
  let piece: GrantDraft[] = [];
  let chars = 0;
  for (const draft of candidates) {
    const { length } = JSON.stringify(draft);
    if (piece.length > 0 && (chars + length > PIECE_CHARS || piece.length === PIECE_GRANTS)) {
      yield piece;
      piece = [];
      chars = 0;
    }
    piece.push(draft);
    chars += length;
  }
  yield piece;
}
