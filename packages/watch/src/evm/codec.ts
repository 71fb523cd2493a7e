import { canonicalBytes, err, ok, parseJsonBytes, type Json, type Result } from '@keepwatch/base';
import { z } from 'zod';
import { finding } from '../codec/finding.ts';
import { isOtherVersion } from '../codec/event.ts';
import { count, text } from '../codec/shapes.ts';
import { toJson } from '../json.ts';
import type { EvmEvent, EvmPastEntry } from './event.ts';
import { address, amount, block, chainId, code, evmDetails, evmGrade, hash, way } from './shapes.ts';
import { blockKey, pendingKey, type EvmState } from './state.ts';

/** The versions of the shapes below; another one is refused, never guessed. */
export const EVM_EVENT_VERSION = 1;
export const EVM_STATE_VERSION = 3;

const chain = z.strictObject({
  chainId,
  symbol: text,
  depths: z.array(z.int().min(2)),
  keptBlocks: z.int().min(1),
});
const wallet = z.strictObject({
  ...{ id: text, name: text, owner: text.nullable(), tags: z.array(text), chainId, address },
  tokens: z.array(z.strictObject({ token: address, symbol: text, decimals: z.int().min(0).max(77) })),
  limits: z.array(
    z.strictObject({
      ...{ token: address.nullable(), large: amount.nullable() },
      ...{ above: amount.nullable(), below: amount.nullable() },
    }),
  ),
  // Journals of earlier versions know no birthday.
  birthday: z
    .union([z.strictObject({ number: count }), z.strictObject({ timeMs: count })])
    .nullable()
    .default(null),
});
const account = z.strictObject({
  ...{ unreadSince: count.nullable(), balance: amount, nonce: amount, code, implementation: address.nullable() },
  explained: z
    .string()
    .regex(/^(0|-?[1-9][0-9]{0,80})$/)
    .transform(BigInt),
  ownTransactions: amount,
  tokens: z.array(z.strictObject({ token: address, balance: amount })),
  allowances: z.array(z.strictObject({ token: address, spender: address, amount })),
  passed: z.array(text),
});
export const spend = z.strictObject({
  ...{ wallet: text, chainId, address, how: way, txHash: hash.nullable(), nonce: amount.nullable() },
  ...{ caller: address.nullable(), token: address.nullable(), amount, seenAtMs: count, block: block.nullable() },
  ...{ digest: hash.exactOptional(), callee: address.exactOptional(), spender: address.exactOptional() },
  ...{ recipient: address.exactOptional(), delegate: address.exactOptional() },
  uses: z.strictObject({ from: amount, to: amount }).exactOptional(),
});

const past = z.strictObject({
  allowances: z.array(z.strictObject({ token: address, spender: address, amount })),
  ...{ from: count.nullable(), next: count.nullable(), account: account.nullable(), entries: count },
  stateMissingBefore: count.nullable(),
});
const pending = z.strictObject({
  ...{ wallet: text, hash, from: address, nonce: amount, direction: z.enum(['received', 'spent']), grade: evmGrade },
  ...{ told: text, replacedBy: hash.nullable(), block: block.nullable() },
});
const pastEntry: z.ZodType<EvmPastEntry> = z.strictObject({
  ...{ id: text, txHash: hash.nullable() },
  detail: z.discriminatedUnion('kind', [...evmDetails]),
});

const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });
const event: z.ZodType<EvmEvent> = z.discriminatedUnion('kind', [
  z.strictObject({ ...kind('finding'), finding }),
  z.strictObject({ ...kind('evm-started'), atMs: count }),
  z.strictObject({ ...kind('evm-chain'), chain }),
  z.strictObject({ ...kind('evm-wallet-put'), wallet }),
  z.strictObject({ ...kind('evm-wallet-dropped'), wallet: text }),
  z.strictObject({ ...kind('evm-block'), chainId, block }),
  z.strictObject({ ...kind('evm-account'), wallet: text, account }),
  z.strictObject({ ...kind('evm-spend'), id: text, spend }),
  z.strictObject({ ...kind('evm-block-back'), chainId, block, withdrawn: z.array(text) }),
  z.strictObject({ ...kind('evm-finalized'), chainId, number: count }),
  z.strictObject({ ...kind('evm-pending'), id: text, record: pending, spend: spend.nullable() }),
  z.strictObject({
    ...{ ...kind('evm-pending-passed'), wallet: text, hash, replacedBy: hash.nullable(), block: block.nullable() },
  }),
  z.strictObject({ ...kind('evm-pending-gone'), wallet: text, hash }),
  z.strictObject({ ...kind('evm-counted'), wallet: text, pending: amount.nullable() }),
  z.strictObject({
    ...{ ...kind('evm-past-block'), wallet: text, block, entries: z.array(pastEntry) },
    // Journals of earlier versions say nothing of these.
    spends: z.array(z.strictObject({ id: text, spend })).default([]),
  }),
  z.strictObject({ ...kind('evm-past'), wallet: text, past }),
]);
const entry = z.strictObject({ v: z.literal(EVM_EVENT_VERSION), event });

export type EvmCodecErrorCode =
  'evm_event_malformed' | 'evm_event_unknown_version' | 'evm_state_malformed' | 'evm_state_unknown_version';

/** One text for each event: canonical JSON, amounts as decimal strings. */
export function encodeEvmEvent(value: EvmEvent): Uint8Array {
  return canonicalBytes({ v: EVM_EVENT_VERSION, event: toJson(value) });
}

export function decodeEvmEvent(
  bytes: Uint8Array,
): Result<EvmEvent, 'evm_event_malformed' | 'evm_event_unknown_version'> {
  const value = parseJsonBytes(bytes);
  const read = entry.safeParse(value);
  if (read.success) return ok(read.data.event);
  return err(isOtherVersion(value, EVM_EVENT_VERSION) ? 'evm_event_unknown_version' : 'evm_event_malformed');
}

const part = z.strictObject({
  ...{ wallet: text, before: account.nullable(), told: z.array(text), spends: z.array(text) },
});
const shape = z.strictObject({
  chains: z.array(z.strictObject({ chain, tip: block.nullable(), finalized: z.int().min(-1), lowest: count })),
  wallets: z.array(
    z.strictObject({
      ...{ wallet, account: account.nullable(), since: count.nullable(), past: past.nullable() },
      counted: z.strictObject({ pending: amount, number: count }).nullable(),
    }),
  ),
  blocks: z.array(z.strictObject({ chainId, block, parts: z.array(part) })),
  spends: z.array(z.tuple([text, spend])),
  returned: z.array(z.tuple([text, z.strictObject({ number: count, times: count })])),
  dropped: z.array(z.tuple([text, count])),
  pending: z.array(pending),
  ...{ startedMs: count, sightings: count },
});
const snapshot = z.strictObject({ v: z.literal(EVM_STATE_VERSION), state: shape });

/** A snapshot of the state: canonical JSON. Maps are lists in the order in which they were filled. */
export function encodeEvmState(state: EvmState): Uint8Array {
  const list = (values: Iterable<unknown>): Json => [...values].map(toJson);
  const blocks = [...state.blocks.entries()].map(([key, record]) => ({ chainId: key.split('/')[0]!, ...record }));
  return canonicalBytes({
    v: EVM_STATE_VERSION,
    state: {
      ...{ chains: list(state.chains.values()), wallets: list(state.wallets.values()), blocks: list(blocks) },
      ...{ spends: list(state.spends.entries()), returned: list(state.returned.entries()) },
      ...{ pending: list(state.pending.values()), dropped: list(state.dropped.entries()) },
      ...{ startedMs: state.startedMs, sightings: state.sightings },
    },
  });
}

export function decodeEvmState(
  bytes: Uint8Array,
): Result<EvmState, 'evm_state_malformed' | 'evm_state_unknown_version'> {
  const value = parseJsonBytes(bytes);
  const read = snapshot.safeParse(value);
  if (!read.success) {
    return err(isOtherVersion(value, EVM_STATE_VERSION) ? 'evm_state_unknown_version' : 'evm_state_malformed');
  }
  const { chains, wallets, blocks, spends, returned, dropped, pending: waits, ...rest } = read.data.state;
  return ok({
    chains: new Map(chains.map((each) => [String(each.chain.chainId), each])),
    wallets: new Map(wallets.map((each) => [each.wallet.id, each])),
    blocks: new Map(blocks.map(({ chainId: chain, ...record }) => [blockKey(chain, record.block.number), record])),
    pending: new Map(waits.map((each) => [pendingKey(each.wallet, each.hash), each])),
    ...{ spends: new Map(spends), returned: new Map(returned), dropped: new Map(dropped), ...rest },
  });
}
