import { z } from 'zod';
import { FINDING_VERSION, SEVERITIES, type Finding, type FindingKind } from '../finding.ts';
import { evmDetails, evmEvidence } from '../evm/shapes.ts';
import { vaultDetails } from '../vault/shapes.ts';
import { block, count, grade, outpoint, sats, sum, text, txid, vout } from './shapes.ts';

const direction = z.enum(['received', 'spent', 'self-transfer', 'watched']);
const movement = {
  txid,
  amends: text.exactOptional(),
  receivedSats: sats,
  spentSats: sats,
  received: z.array(z.strictObject({ txid, vout, address: text.nullable(), sats })),
  spent: z.array(z.strictObject({ txid, vout, sats: sats.nullable() })),
};
const over = z.boolean();
const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });

export const detail = z.discriminatedUnion('kind', [
  z.strictObject({ ...kind('sighted'), direction, grade, ...movement }),
  z.strictObject({ ...kind('replaced'), txid, by: txid }),
  z.strictObject({ ...kind('evicted'), txid }),
  z.strictObject({ ...kind('double-spend'), txid, other: txid, outpoint }),
  z.strictObject({ kind: direction, ...movement }),
  z.strictObject({ ...kind('confirmed'), txid, depth: count, buried: z.boolean() }),
  z.strictObject({ ...kind('disconnected'), txid, retracts: z.array(text) }),
  z.strictObject({ ...kind('large-amount'), txid, sats, limitSats: sats }),
  z.strictObject({ kind: z.enum(['balance-above', 'balance-below']), sats: sum, limitSats: sats }),
  z.strictObject({ ...kind('dust'), txid, outpoint, sats }),
  z.strictObject({ ...kind('address-reuse'), txid, address: text }),
  z.strictObject({
    kind: z.enum(['timelock-expiry', 'unvault-started']),
    outpoint,
    opensAtHeight: count.exactOptional(),
    blocksLeft: count.exactOptional(),
    opensAtSeconds: count.exactOptional(),
    secondsLeft: count.exactOptional(),
    sats,
  }),
  z.strictObject({ ...kind('feerate-spike'), satPerVbyte: count, limit: count }),
  z.strictObject({ ...kind('tip-stalled'), lastBlock: block, forSeconds: count, over }),
  z.strictObject({ ...kind('tip-slow'), lastBlock: block, blocks: count, dueBlocks: count, inSeconds: count, over }),
  z.strictObject({ kind: z.enum(['source-down', 'source-behind']), source: text, words: text, over }),
  z.strictObject({ ...kind('sources-disagree'), about: text, others: z.array(text), over }),
  z.strictObject({ ...kind('quorum-lost'), over }),
  z.strictObject({ ...kind('disk-low'), freeBytes: count, over }),
  z.strictObject({ ...kind('clock-skew'), skewSeconds: z.int(), over }),
  z.strictObject({ ...kind('restarted'), downSeconds: count, fromHeight: z.int().min(-1) }),
  z.strictObject({ ...kind('gap-filled'), fromHeight: count, toHeight: count }),
  z.strictObject({ ...kind('backfilled'), toHeight: count, transactions: count }),
  z.strictObject({ ...kind('channel-dead'), channel: text, words: text, over }),
  ...evmDetails,
  ...vaultDetails,
]);

/** Every kind that the journal can hold. */
export const FINDING_KINDS: readonly FindingKind[] = detail.options.flatMap(({ shape }): FindingKind[] => {
  const named = shape.kind;
  return 'options' in named ? [...named.options] : [...named.values];
});

export const finding: z.ZodType<Finding> = z.strictObject({
  version: z.literal(FINDING_VERSION),
  id: text,
  wallet: text.nullable(),
  severity: z.enum(SEVERITIES),
  atMs: count,
  late: z.boolean(),
  evidence: z.strictObject({
    txid: txid.exactOptional(),
    block: block.exactOptional(),
    grade: grade.exactOptional(),
    evm: evmEvidence.exactOptional(),
    seenBy: z.array(text),
  }),
  detail,
});
