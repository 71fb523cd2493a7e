import { z } from 'zod';
import { evmChain, safeInteger, shortId } from './shapes.ts';

/** What candidate grants would have decided in the past, as the vault reports it step by step. */

const verdict = z.enum(['permit', 'deny', 'needs-approval']);

/** `grant`: what was charged; null where nothing was. `words`: why it was not permitted. */
const judgement = z.strictObject({ verdict, grant: z.string().nullable(), words: z.array(z.string()) });

/** A request of which the verdict is another than it was. `seq`: the entry that decided it. */
export const replayChange = z.strictObject({
  seq: safeInteger,
  at: safeInteger,
  client: shortId,
  wallet: shortId,
  chain: evmChain,
  asks: z.string(),
  was: judgement,
  now: judgement,
});

/**
 * - `too_long`: what was to be signed is longer than what is journaled
 * - `not_readable`: this version no longer understands it
 * - `nonce_taken`: the candidates gave its nonce to a request that was denied; what would have followed is unknown
 * - `undecided`: limits over time were frozen, too many requests waited, or a first answer was no longer in force
 */
const leftOut = z.enum(['too_long', 'not_readable', 'nonce_taken', 'undecided']);

const byVerdict = z.strictObject({ permit: safeInteger, deny: safeInteger, 'needs-approval': safeInteger });

/** `verdicts`: by what it was, then by what it would be. `otherGrant`: permitted both times, and charged to another grant. */
export const replayTotals = z.strictObject({
  entries: safeInteger.describe('journal entries that were looked at'),
  verdicts: z.strictObject({ permit: byVerdict, deny: byVerdict, 'needs-approval': byVerdict }),
  otherGrant: safeInteger,
  leftOut: safeInteger,
});

export const replayStep = z.strictObject({
  changes: z.array(replayChange),
  leftOut: z.array(z.strictObject({ seq: safeInteger, why: leftOut })),
  totals: replayTotals,
  upTo: safeInteger.describe('the last entry that is looked at'),
  finished: z.boolean(),
});

export type ReplayChange = z.infer<typeof replayChange>;
export type ReplayTotals = z.infer<typeof replayTotals>;
export type ReplayStep = z.infer<typeof replayStep>;
