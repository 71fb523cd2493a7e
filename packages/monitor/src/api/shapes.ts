import { SEVERITIES } from '@keepwatch/watch';
import { z } from 'zod';

/** What the methods of a monitor take. Nothing that is not named is taken. */

const text = (most: number) => z.string().min(1).max(most);
const count = z.int().nonnegative();
const sats = z
  .string()
  .regex(/^\d{1,16}$/, 'a whole number of satoshi is expected')
  .transform(BigInt);

export const none = z.strictObject({});
export const walletId = z.strictObject({ wallet: text(64) });

export const birthday = z.union([z.strictObject({ height: count }), z.strictObject({ timeSeconds: count })]);

export const walletPut = z.strictObject({
  /** Of a wallet that is to be changed; a new one gets its id from its name. */
  id: text(64).exactOptional(),
  name: text(100),
  owner: text(200).nullable().exactOptional(),
  tags: z.array(text(64)).max(100).exactOptional(),
  labels: z.record(text(1_000), z.string().max(10_000)).exactOptional(),
  /** Null: it is new and has no past. */
  birthday: birthday.nullable().exactOptional(),
  gapLimit: z.int().min(1).max(10_000).exactOptional(),
  descriptors: z.array(text(20_000)).max(1_000).exactOptional(),
  outpoints: z
    .array(z.strictObject({ txid: z.string().regex(/^[0-9a-f]{64}$/), vout: count.max(0xffff_ffff) }))
    .max(10_000)
    .exactOptional(),
  /** Whole transactions in hex, to be watched by their ids. */
  transactions: z
    .array(z.string().regex(/^([0-9a-fA-F]{2}){10,400000}$/, 'a whole transaction in hex is expected'))
    .max(100)
    .exactOptional(),
  limits: z
    .strictObject({
      largeSats: sats.nullable().exactOptional(),
      aboveSats: sats.nullable().exactOptional(),
      belowSats: sats.nullable().exactOptional(),
      dustSats: sats.nullable().exactOptional(),
      timelockBlocks: count.nullable().exactOptional(),
    })
    .exactOptional(),
});

/** `gapLimit`: how far it is looked from now on. */
export const walletRescan = z.strictObject({
  wallet: text(64),
  gapLimit: z.int().min(1).max(10_000).exactOptional(),
});

export const walletLabels = z.strictObject({
  wallet: text(64),
  labels: z.record(text(1_000), z.string().max(10_000)),
});

const severity = z.enum(SEVERITIES);
const filter = {
  wallet: text(64).optional(),
  kinds: z.array(text(32)).max(100).optional(),
  severity: severity.optional(),
  sinceMs: count.optional(),
};
export const findingsList = z.strictObject({
  ...filter,
  limit: z.int().min(1).max(10_000).optional(),
  before: count.optional(),
});
/** `after`: the number of the last finding that the caller has; 0 for all. */
export const findingsFollow = z.strictObject({ ...filter, after: count, follow: z.boolean() });
/** By its id, or its number in the journal. */
export const findingNamed = z.strictObject({ finding: z.union([text(500), z.int().positive()]) });
export const unlock = z.strictObject({ passphrase: z.string().max(8_192) });
