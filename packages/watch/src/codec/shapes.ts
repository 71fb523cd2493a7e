import { fromHex, MAX_SATS } from '@keepwatch/base';
import { NETWORKS, type BlockHash, type Txid } from '@keepwatch/bitcoin';
import { z } from 'zod';

/** The words of events and snapshots as they stand in JSON: strict, so that nothing unknown is passed over. */
const hash = z.string().regex(/^[0-9a-f]{64}$/);
export const txid = hash as unknown as z.ZodType<Txid>;
export const blockHash = hash as unknown as z.ZodType<BlockHash>;
export const count = z.int().nonnegative();
export const text = z.string();
export const bytes = z
  .string()
  .regex(/^([0-9a-f]{2})*$/)
  .transform((hex) => fromHex(hex)!);

/** Sums of a wallet can pass below zero while it is not known whole; amounts cannot. */
export const sum = z
  .string()
  .regex(/^(0|-?[1-9][0-9]{0,17})$/)
  .transform(BigInt);
export const sats = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/)
  .transform(BigInt)
  .refine((value) => value <= MAX_SATS);

export const outpointKey = z.string().regex(/^[0-9a-f]{64}:(0|[1-9][0-9]{0,9})$/);
export const vout = z.int().min(0).max(0xffff_ffff);
export const outpoint = z.strictObject({ txid, vout });
export const block = z.strictObject({ height: count, hash: blockHash, timeSeconds: count });
export const looseGrade = z.enum(['claimed', 'valid', 'relayed']);
export const grade = z.enum(['claimed', 'valid', 'relayed', 'confirmed']);

export const settings = z.strictObject({
  network: z.enum(NETWORKS as [(typeof NETWORKS)[number], ...(typeof NETWORKS)[number][]]),
  depths: z.array(z.int().min(2)),
  keptBlocks: z.int().min(1),
  stalledAfterSeconds: z.int().min(1),
  blockSpacingSeconds: z.int().min(1).nullable().exactOptional(),
  sourceGraceSeconds: count,
  lateAfterSeconds: count,
  feerateLimit: z.int().min(1).nullable(),
  diskLowBytes: count,
  clockSkewSeconds: count,
});

const descriptor = z.strictObject({
  text,
  ranged: z.boolean(),
  branches: z.int().min(1),
  locks: z.array(
    z.union([
      z.strictObject({ kind: z.enum(['older', 'after']), blocks: count }),
      z.strictObject({ kind: z.literal('older-time'), units: count }),
      z.strictObject({ kind: z.literal('after-time'), seconds: count }),
    ]),
  ),
  unvault: z.literal(true).exactOptional(),
});

export const wallet = z.strictObject({
  id: text,
  name: text,
  owner: text.nullable(),
  tags: z.array(text),
  labels: z.record(text, text),
  birthdaySeconds: count.nullable(),
  gapLimit: z.int().min(1),
  descriptors: z.array(descriptor),
  outpoints: z.array(outpoint),
  txids: z.array(z.strictObject({ txid, scripts: z.array(bytes), inputs: z.array(outpoint) })).default([]),
  limits: z.strictObject({
    largeSats: sats.nullable(),
    aboveSats: sats.nullable(),
    belowSats: sats.nullable(),
    dustSats: sats.nullable(),
    timelockBlocks: count.nullable(),
  }),
});

/** A range of scripts without their bytes. */
export const place = z.strictObject({
  wallet: text,
  descriptor: count,
  branch: count,
  from: count,
  to: count,
  lengths: z.array(z.int().min(1)).min(1),
});

export const range = z.strictObject({ ...place.shape, bytes }).refine(({ from, to, lengths, bytes: all }) => {
  const stride = lengths.reduce((total, length) => total + length, 0);
  return from < to && all.length === stride * (to - from);
});

export const money = z.strictObject({
  inputs: count,
  pays: z.array(z.strictObject({ to: z.string().regex(/^[0-9a-f]{32}$/), sats })),
});

export const fact = z.strictObject({
  txid,
  coinbase: z.boolean(),
  outputs: count,
  received: z.array(z.strictObject({ vout, script: bytes, sats })),
  spent: z.array(outpoint),
  money: money.exactOptional(),
});

export const source = z.strictObject({
  // What was written before there was this word.
  mempool: z.enum(['whole', 'relayed']).default('relayed'),
  state: z.enum(['starting', 'syncing', 'live', 'stale', 'behind', 'down']),
  words: text,
  sinceMs: count,
});
