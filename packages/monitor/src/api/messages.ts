import { z } from 'zod';

/**
 * What is said to a monitor: JSON-RPC 2.0. On its own machine each message is a line of a Unix-domain socket of mode 0600:
 * whoever can open it is the monitor's own user, and that is all of its authentication. Over a network each is one frame of a
 * session of the wire that the vault speaks too.
 */
export const requestSchema = z.strictObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.int(), z.string().max(64)]),
  method: z.string().max(64),
  params: z.unknown().optional(),
});
export type Request = z.infer<typeof requestSchema>;

/** The caller has taken so many items of a subscription, so that more may be sent. */
export const takenSchema = z.strictObject({
  jsonrpc: z.literal('2.0'),
  method: z.literal('taken'),
  params: z.strictObject({ subscription: z.union([z.int(), z.string().max(64)]), count: z.int().min(1).max(100_000) }),
});

const errorSchema = z.strictObject({
  code: z.int(),
  message: z.string(),
  data: z.strictObject({ code: z.string(), remedy: z.string().optional(), details: z.unknown().optional() }).optional(),
});
export const replySchema = z.union([
  z.strictObject({ jsonrpc: z.literal('2.0'), id: z.union([z.int(), z.string()]).nullable(), result: z.unknown() }),
  z.strictObject({
    jsonrpc: z.literal('2.0'),
    id: z.union([z.int(), z.string()]).nullable(),
    error: errorSchema,
  }),
  /** A member of a subscription: `params.subscription` is the id of the request that began it. */
  z.strictObject({
    jsonrpc: z.literal('2.0'),
    method: z.literal('item'),
    params: z.strictObject({ subscription: z.union([z.int(), z.string()]), item: z.unknown() }),
  }),
]);
export type Reply = z.infer<typeof replySchema>;

/** JSON-RPC 2.0 §5.1; `REFUSED` for everything that has a code of its own in `data`. */
export const RPC = {
  parse: -32_700,
  invalid: -32_600,
  unknown: -32_601,
  params: -32_602,
  internal: -32_603,
  refused: 1,
};

/** Amounts are decimal strings in JSON. */
export const toLine = (value: unknown): string =>
  `${JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? String(member) : member))}\n`;
