import type { Address } from '@keepwatch/evm';
import { z } from 'zod';
import { count, text } from '../codec/shapes.ts';
import type { EvmCode } from './facts.ts';
import type { EvmBlockRef, EvmSpendWay, Hash32 } from './spend.ts';

/** Words of EVM events, snapshots and findings as they stand in JSON: strict. */
export const address = z.string().regex(/^0x[0-9a-f]{40}$/) as unknown as z.ZodType<Address>;
export const hash = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hash32>;
export const amount = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,79})$/)
  .transform(BigInt);
export const chainId = z
  .string()
  .regex(/^[1-9][0-9]{0,15}$/)
  .transform(BigInt);
export const block: z.ZodType<EvmBlockRef> = z.strictObject({ number: count, hash, timeMs: count });
export const way: z.ZodType<EvmSpendWay> = z.enum(['transaction', 'allowance', 'delegation', 'unexplained']);
export const code: z.ZodType<EvmCode> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('delegation'), to: address }),
  z.strictObject({ kind: z.literal('contract'), hash }),
]);

const asset = z.strictObject({
  ...{ token: address.nullable(), symbol: text, decimals: z.int().min(0).max(77), known: z.boolean() },
});
const moved = { chainId, asset, amount };
const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });

export const evmGrade = z.enum(['claimed', 'valid']);

export const evmDetails = [
  z.strictObject({
    ...{ ...kind('evm-sighted'), ...moved, direction: z.enum(['received', 'spent']), grade: evmGrade },
    ...{ from: address, to: address.nullable(), nonce: amount, amends: text.nullable() },
  }),
  z.strictObject({ ...kind('evm-counted'), chainId, nonce: amount, pending: amount, over: z.boolean() }),
  z.strictObject({ ...kind('evm-replaced'), chainId, by: hash.nullable(), sighted: text }),
  z.strictObject({ ...kind('evm-evicted'), chainId, sighted: text }),
  z.strictObject({ ...kind('evm-received'), ...moved, from: address.nullable() }),
  z.strictObject({
    ...{ ...kind('evm-spent'), ...moved, to: address.nullable(), how: way, caller: address },
    ...{ nonce: amount.nullable(), fee: amount.nullable(), failed: z.boolean() },
  }),
  z.strictObject({
    ...{ ...kind('evm-internal'), ...moved, direction: z.enum(['received', 'spent']), sinceBlock: count },
  }),
  z.strictObject({
    ...{ ...kind('evm-allowance'), ...moved, spender: address, before: amount.nullable(), how: way, caller: address },
  }),
  z.strictObject({ ...kind('evm-nonce'), chainId, expected: amount, nonce: amount }),
  z.strictObject({ ...kind('evm-code'), chainId, before: code, after: code }),
  z.strictObject({ ...kind('evm-upgraded'), chainId, before: address.nullable(), after: address.nullable() }),
  z.strictObject({ ...kind('evm-delegation'), chainId, before: address.nullable(), after: address.nullable() }),
  z.strictObject({
    ...{ ...kind('evm-confirmed'), chainId, depth: count, buried: z.boolean(), finalized: z.boolean() },
    about: z.array(text),
  }),
  z.strictObject({ ...kind('evm-disconnected'), chainId, retracts: z.array(text) }),
  z.strictObject({ ...kind('evm-large-amount'), ...moved, limit: amount }),
  z.strictObject({ kind: z.enum(['evm-balance-above', 'evm-balance-below']), ...moved, limit: amount }),
  z.strictObject({
    ...{ ...kind('evm-backfilled'), chainId, fromBlock: count, toBlock: count, entries: count },
    stateMissingBefore: count.nullable(),
  }),
] as const;

export const evmEvidence = z.strictObject({
  ...{ chainId, txHash: hash.exactOptional(), block: block.exactOptional() },
});
