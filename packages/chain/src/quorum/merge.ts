import type { BroadcastResult, FeerateEstimate } from '../source.ts';

/** Answers of several sources to one question, made one. Pure. */

/**
 * What became of a broadcast. One that took it outweighs all that did not; `rejected` is said only where every source
 * rejects it: as long as one of them does not know, it may have gone out, and is to be sent again.
 */
export function mergeBroadcasts(results: ReadonlyMap<string, BroadcastResult>): BroadcastResult {
  const all = [...results.values()];
  const accepted = all.filter((result) => result.kind === 'accepted');
  const known = all.filter((result) => result.kind === 'already-known');
  if (known.some(({ confirmed }) => confirmed)) return { kind: 'already-known', confirmed: true };
  // One took it of us and another one had it: it is on its way through the network.
  const heard = accepted.some(({ heardBack }) => heardBack) || known.length > 0;
  if (accepted.length > 0) return { kind: 'accepted', heardBack: heard };
  if (known.length > 0) return { kind: 'already-known', confirmed: false };
  const words = [...results].map(([name, result]) => `${name}: ${wordsOf(result)}`).join('; ');
  const rejected = all.length > 0 && all.every(({ kind }) => kind === 'rejected');
  return rejected ? { kind: 'rejected', reason: words } : { kind: 'unknown', why: words || 'there is no source' };
}

function wordsOf(result: BroadcastResult): string {
  if (result.kind === 'rejected') return `rejected, ${result.reason}`;
  return result.kind === 'unknown' ? `unknown, ${result.why}` : result.kind;
}

/** The highest of what is known: who pays too much loses little, who pays too little may lose everything. */
export function mergeFeerates(
  targets: readonly number[],
  answers: readonly (readonly FeerateEstimate[])[],
): readonly FeerateEstimate[] {
  return targets.map((targetBlocks, i) => {
    const rates = answers.flatMap((answer) => answer[i]?.satPerVbyte ?? []);
    return { targetBlocks, satPerVbyte: rates.length > 0 ? Math.max(...rates) : null };
  });
}
