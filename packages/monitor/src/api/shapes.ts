import type { Json } from '@keepwatch/base';
import { FINDING_KINDS, SEVERITIES } from '@keepwatch/watch';
import { z } from 'zod';

/** What the methods of a monitor take. Nothing that is not named is taken. */

const text = (most: number) =>
  z.string().min(1, 'something is expected, and it is empty').max(most, `at most ${most} characters are taken`);
/** Whether anything of a text is seen where it stands: neither white space alone nor what only shapes the signs beside it. */
export const isSeen = (given: string): boolean => /[^\s\p{DI}]/u.test(given);
/**
 * A name as it stands in lists and messages: nothing in it moves a cursor, ends a line or turns the direction of writing, and
 * no two that look the same differ by blanks around them.
 */
const line = (most: number) =>
  text(most)
    .regex(/^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u, 'one line without control characters is expected')
    .refine(isSeen, 'something that can be seen is expected, and there are only blanks')
    .refine((given) => given === given.trim(), 'no blanks are taken at its beginning or end');
const count = z.int().nonnegative();
const sats = z
  .string()
  .regex(/^\d{1,16}$/, 'a whole number of satoshi is expected')
  .transform(BigInt);

export const none = z.strictObject({});
/** By its id, or by its name: as long as names can be. */
const walletNamed = text(100);
export const walletId = z.strictObject({ wallet: walletNamed });

export const birthday = z.union([z.strictObject({ height: count }), z.strictObject({ timeSeconds: count })]);

/** What nodes relay is smaller, and what a message holds is larger. */
export const MAX_TRANSACTION_BYTES = 400_000;
const WHOLE_TRANSACTION = new RegExp(`^([0-9a-fA-F]{2}){10,${MAX_TRANSACTION_BYTES}}$`);

/** As explorers show it. */
export const transactionNamed = z.strictObject({
  txid: z.string().regex(/^[0-9a-f]{64}$/, 'a transaction id has 64 digits, 0–9 and a–f'),
});

/** `addr:…`, `tx:TXID`, `output:TXID:VOUT`, `input:TXID:VIN`, `pubkey:…`, `xpub:…` (BIP329). */
const labels = z.record(text(1_010), z.string().max(10_000));

const walletLimits = z.strictObject({
  largeSats: sats.nullable().exactOptional(),
  aboveSats: sats.nullable().exactOptional(),
  belowSats: sats.nullable().exactOptional(),
  dustSats: sats.nullable().exactOptional(),
  timelockBlocks: count.nullable().exactOptional(),
});

export const walletPut = z.strictObject({
  /** Of a wallet that is to be changed; a new one gets its id from its name. */
  id: text(64).exactOptional(),
  name: line(100),
  owner: line(200).nullable().exactOptional(),
  tags: z.array(line(64)).max(100).exactOptional(),
  labels: labels.exactOptional(),
  /** Null: it is new and has no past. */
  birthday: birthday.nullable().exactOptional(),
  gapLimit: z.int().min(1).max(10_000).exactOptional(),
  descriptors: z.array(text(20_000)).max(1_000).exactOptional(),
  /** Where coins wait for a time lock on their way out of a vault. */
  unvault: z.array(text(20_000)).max(1_000).exactOptional(),
  outpoints: z
    .array(z.strictObject({ txid: z.string().regex(/^[0-9a-f]{64}$/), vout: count.max(0xffff_ffff) }))
    .max(10_000)
    .exactOptional(),
  /** Whole transactions in hex, to be watched by their ids. */
  transactions: z
    .array(z.string().regex(WHOLE_TRANSACTION, 'a whole transaction in hex is expected'))
    .max(100)
    .exactOptional(),
  limits: walletLimits.exactOptional(),
});

/** Whose it is and what it is called; what is left out stays. */
const about = {
  name: line(100).exactOptional(),
  owner: line(200).nullable().exactOptional(),
  tags: z.array(line(64)).max(100).exactOptional(),
};
const changesSomething = (given: object) => Object.keys(given).length > 1;
const nothing = 'nothing is to be changed: name, owner, tags or limits can be';

/** Limits that are left out stay; null: not watched for. */
export const walletSet = z
  .strictObject({ wallet: walletNamed, ...about, limits: walletLimits.exactOptional() })
  .refine(changesSomething, nothing);

/** `gapLimit`: how far it is looked from now on. */
export const walletRescan = z.strictObject({
  wallet: walletNamed,
  gapLimit: z.int().min(1).max(10_000).exactOptional(),
});

export const walletLabels = z.strictObject({
  wallet: walletNamed,
  labels,
});

const severity = z.enum(SEVERITIES);
const kind = z.enum(FINDING_KINDS, { error: `is no kind of finding. There are ${FINDING_KINDS.join(', ')}.` });
const filter = {
  wallet: walletNamed.optional(),
  kinds: z.array(kind).max(100).optional(),
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

const json = z.json() as unknown as z.ZodType<Json>;

const evmAmount = z
  .string()
  .regex(/^\d{1,78}$/, 'a whole number of the smallest unit is expected')
  .transform(BigInt)
  .nullable();
const chainId = z.string().regex(/^[1-9]\d{0,15}$/, 'the number of a chain is expected');
export const evmTokenGiven = z.strictObject({
  token: text(42),
  symbol: line(32).exactOptional().describe('left out, the contract is asked'),
  decimals: z.int().min(0).max(77).exactOptional(),
});
export const evmPut = z.strictObject({
  name: line(100),
  owner: line(200).nullable().exactOptional(),
  tags: z.array(line(64)).max(100).exactOptional(),
  chainId,
  address: text(42),
  tokens: z.array(evmTokenGiven).max(64).exactOptional(),
  limits: z
    .array(
      z.strictObject({
        token: text(42).nullable().describe('null: the chain’s own coin'),
        large: evmAmount,
        above: evmAmount,
        below: evmAmount,
      }),
    )
    .max(65)
    .exactOptional(),
  birthday: birthday.nullable().exactOptional().describe('left out or null: it is taken as new'),
});
export const evmSet = z
  .strictObject({
    ...{ wallet: walletNamed, ...about },
    limits: z
      .array(
        z.strictObject({
          token: text(42).nullable().describe('null: the chain’s own coin'),
          large: evmAmount.exactOptional(),
          above: evmAmount.exactOptional(),
          below: evmAmount.exactOptional(),
        }),
      )
      .max(65)
      .exactOptional(),
  })
  .refine(changesSomething, nothing);
export const evmPast = z.strictObject({
  ...walletId.shape,
  limit: z.int().min(1).max(1_000).exactOptional(),
  before: z.int().min(1).exactOptional().describe('entries of the journal before this one'),
});
export const evmToken = z.strictObject({ chainId, ...evmTokenGiven.shape });

export const vaultAdd = z.strictObject({
  name: text(64),
  connection: text(2_000),
  as: text(64).describe('what the vault shall call this monitor'),
});
export const vaultNamed = z.strictObject({ name: text(64) });
export const vaultSet = z.strictObject({
  name: text(64),
  unseenMs: z.int().min(1_000).max(10_000_000_000).nullable().describe('null: never'),
});

export const channelPut = z.strictObject({
  channel: json.describe('as docs/channels.md has it, with its secrets'),
  replace: z.boolean().exactOptional().describe('a channel of this name may be there, and is set anew'),
});
export const channelNamed = z.strictObject({ name: text(64) });
export const channelVerify = z.strictObject({ text: z.string().max(200_000) });

export const rulesGiven = z.strictObject({ rules: json });
export const rulesDryRun = z.strictObject({
  rules: json,
  limit: z.int().min(1).max(10_000).optional(),
  sinceMs: count.optional(),
});
export const ladderGiven = z.strictObject({ ladder: json });
export const scheduleGiven = z.strictObject({ schedule: json });

export const acknowledgement = z.strictObject({
  what: z
    .union([text(500), z.int().positive()])
    .describe('a code, or the id of a finding, or its number in the journal'),
  by: line(64).exactOptional().describe('on its own machine: who has seen it. Over a network it is the peer'),
});

const peerName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name has a–z, 0–9 and dashes');
export const peerSelf = z.strictObject({ name: peerName.exactOptional() });
export const peerNamed = z.strictObject({ peer: text(64).describe('its id, or its name') });
export const peerApproval = z.strictObject({
  peer: text(64),
  name: peerName.exactOptional(),
  right: z.enum(['operator', 'reader']),
});
export const peerRename = z.strictObject({ peer: text(64), name: peerName });

export const ordersList = z.strictObject({
  limit: z.int().min(1).max(1_000).optional(),
  before: count.optional().describe('only those whose number is smaller'),
});
/** By a peer: signed. */
export const commandSigned = z.strictObject({ jws: text(3 << 20) });
/** By the monitor's own user: not signed, and for the rest the same. */
export const commandOfOwner = z.strictObject({
  method: text(64),
  params: json,
  expects: count.exactOptional().describe('the version that was seen; left out, it is not compared'),
});
