import { z } from 'zod';
import { count, text } from '../codec/shapes.ts';
import { address, amount, chainId, hash, way } from '../evm/shapes.ts';

/** Words of the findings about vaults as they stand in JSON: strict. */
const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });
const facts = {
  ...{ spend: text, chainId, address, how: way, txHash: hash.nullable(), nonce: amount.nullable() },
  ...{ token: address.nullable(), amount },
};
const WHY = ['no-permit', 'other-bytes', 'no-allowance', 'more-than-allowed', 'expired'] as const;
export const cleared = z.strictObject({ vault: text, seq: count, sealed: z.boolean() });

export const vaultDetails = [
  z.strictObject({
    ...{ ...kind('signed-spend'), vault: text, permit: count, grant: text, amends: text.nullable(), ...facts },
    by: z.enum(['bytes', 'nonce', 'right', 'right-of-other', 'delegation']),
  }),
  z.strictObject({
    ...{ ...kind('unsigned-spend'), upTo: z.array(cleared), amends: text.nullable(), ...facts },
    why: z.enum(WHY),
  }),
  z.strictObject({
    ...{ ...kind('unclear-spend'), upTo: z.array(cleared), amends: text.nullable(), ...facts },
    ...{
      why: z.enum(['other-caller', 'unread', 'later-right', 'lost-history']),
      maybe: z.array(z.strictObject({ vault: text, permit: count })),
    },
  }),
  z.strictObject({ ...kind('vault-silent'), vaults: z.array(text), words: text, ...facts }),
  z.strictObject({
    ...{ ...kind('sealed-spend'), ...facts, why: z.enum(WHY) },
    since: z.array(z.strictObject({ vault: text, seq: count, atMs: count })),
  }),
  z.strictObject({
    ...{ ...kind('signed-unseen'), vault: text, permit: count, grant: text, chainId, address, nonce: amount },
    over: z.boolean(),
  }),
  z.strictObject({ ...kind('earlier-spends'), vault: text, chainId, address, sinceMs: count, count }),
  z.strictObject({ ...kind('spend-withdrawn'), spend: text, retracts: z.array(text) }),
  z.strictObject({
    kind: z.enum(['vault-down', 'vault-sealed', 'vault-rolled-back', 'vault-forked', 'vault-withholds']),
    ...{ vault: text, words: text, over: z.boolean() },
  }),
] as const;
