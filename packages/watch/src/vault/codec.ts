import {
  canonicalBytes,
  err,
  fromBase64url,
  ok,
  parseJsonBytes,
  toBase64url,
  type Json,
  type Result,
} from '@keepwatch/base';
import { z } from 'zod';
import { isOtherVersion } from '../codec/event.ts';
import { finding } from '../codec/finding.ts';
import { count, text } from '../codec/shapes.ts';
import { spend } from '../evm/codec.ts';
import { address, amount, chainId, hash } from '../evm/shapes.ts';
import { toJson } from '../json.ts';
import { keySetBytes, keySetOf } from '../key-set.ts';
import type { VaultEvent } from './event.ts';
import { isEnding } from './rights.ts';
import { cleared } from './shapes.ts';
import { createVaultState, isOpen, UNSEEN_MS, walletKey, type VaultState } from './state.ts';

/** The versions of the shapes below; another one is refused, never guessed. */
export const VAULT_EVENT_VERSION = 1;
export const VAULT_STATE_VERSION = 2;

const record = z.strictObject({
  ...{ vault: text, place: z.json() as unknown as z.ZodType<Json>, lastSeq: count, words: text },
  phase: z.enum(['unknown', 'uninitialised', 'sealed', 'unsealed']),
  ...{ downSinceMs: count.nullable(), conditions: z.record(text, count) },
  // Journals of before say nothing of these.
  unseenMs: count.nullable().default(UNSEEN_MS),
  seal: z
    .strictObject({ seq: count, atMs: count, wallets: z.array(text) })
    .nullable()
    .default(null),
  lost: z.array(z.strictObject({ fromMs: count, toMs: count })).default([]),
});
const waitingRecord = z.strictObject({
  ...{ vault: text, wallet: text, chainId, nonce: amount, permit: count, grant: text },
  ...{ dueMs: count, told: count.nullable() },
});
const wallet = z.strictObject({
  ...{ vault: text, wallet: text, address, createdMs: count },
  // What journals of before have was not looked through.
  isPastRead: z.boolean().default(false),
});
const permit = z.strictObject({
  ...{ seq: count, chainId, digest: hash, nonce: amount.nullable(), grant: text },
  form: z.enum(['transaction', 'typed-data', 'message', 'delegation']),
  rights: z.array(
    z.strictObject({
      ...{ token: address, to: address, amount: amount.nullable(), signed: z.boolean() },
      // What was read before these were known says nothing of them.
      ...{
        gets: z.boolean().default(false),
        once: z.boolean().default(false),
        untilMs: count.nullable().default(null),
      },
    }),
  ),
  ...{ atMs: count.default(0), delegate: address.nullable().default(null), unread: z.boolean().default(false) },
});
const usedRight = z.strictObject({
  wallet: text,
  permit: count,
  right: count,
  amount: amount.nullable().default(null),
  to: address.nullable().default(null),
  piece: count.nullable().default(null),
});
const used = z.array(usedRight);
/** Journals of before have one right, or none. */
const usedOnce = usedRight.nullable().transform((each) => (each === null ? [] : [each]));

const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });
const event: z.ZodType<VaultEvent> = z.discriminatedUnion('kind', [
  z.strictObject({ ...kind('finding'), finding }),
  z.strictObject({ ...kind('vault'), record }),
  z.strictObject({ ...kind('vault-dropped'), vault: text }),
  z.strictObject({ ...kind('wallet'), wallet }),
  z.strictObject({ ...kind('wallet-dropped'), vault: text, wallet: text }),
  z.strictObject({ ...kind('permits'), vault: text, wallet: text, permits: z.array(permit) }),
  z.strictObject({ ...kind('condition'), vault: text, condition: text, open: z.boolean() }),
  z.strictObject({ ...kind('spend'), id: text, key: text, spend, atMs: count, past: z.boolean().default(false) }),
  z.strictObject({ ...kind('spend-gone'), key: text }),
  z.strictObject({ ...kind('spend-back'), key: text, members: z.array(text).min(1) }),
  z.strictObject({ ...kind('waiting'), key: text, record: waitingRecord }),
  z.strictObject({ ...kind('waited'), key: text }),
  z.strictObject({ ...kind('cleared'), key: text, ...cleared.shape }),
  z.strictObject({
    ...{ ...kind('verdict'), key: text, told: text.nullable(), used: used.or(usedOnce) },
    verdict: z.enum(['silent', 'signed', 'unsigned', 'unclear']),
  }),
  z.strictObject({ ...kind('past-read'), vault: text, wallet: text }),
  z.strictObject({ ...kind('settled'), chainId, number: count, timeMs: count }),
  z.strictObject({ ...kind('earlier'), id: text, wallet: text, spend }),
  z.strictObject({ ...kind('earlier-told'), key: text, count }),
]);
const entry = z.strictObject({ v: z.literal(VAULT_EVENT_VERSION), event });

export function encodeVaultEvent(value: VaultEvent): Uint8Array {
  return canonicalBytes({ v: VAULT_EVENT_VERSION, event: toJson(value) });
}

export function decodeVaultEvent(
  bytes: Uint8Array,
): Result<VaultEvent, 'vault_event_malformed' | 'vault_event_unknown_version'> {
  const value = parseJsonBytes(bytes);
  const read = entry.safeParse(value);
  if (read.success) return ok(read.data.event);
  return err(isOtherVersion(value, VAULT_EVENT_VERSION) ? 'vault_event_unknown_version' : 'vault_event_malformed');
}

const spendRecord = z.strictObject({
  ...{ key: text, order: count, spend, members: z.array(text).min(1), sinceMs: count, past: z.boolean() },
  verdict: z.enum(['open', 'silent', 'signed', 'unsigned', 'unclear']),
  ...{ told: text.nullable(), cleared: z.array(cleared), used },
});
const heldRight = z.strictObject({
  ...{ token: address, to: address, gets: z.boolean(), amount: amount.nullable(), signed: z.boolean() },
  ...{ once: z.boolean(), untilMs: count.nullable(), permit: count, right: count, grant: text, atMs: count },
  ...{ gone: amount, times: count, pending: count },
});
const holder = z.strictObject({
  ...{ pieces: count, open: z.array(count), endless: z.array(text), had: z.boolean() },
});
const delegation = z.strictObject({
  ...{ seq: count, nonce: amount.nullable(), delegate: address.nullable(), grant: text },
});
const earlier = z.strictObject({ watched: text, wallet: text, chainId, count, told: count });
const keys = z
  .string()
  .transform((base64) => fromBase64url(base64))
  .transform((bytes) => bytes && keySetOf(bytes))
  .refine((set) => set !== undefined);

const listed = <T extends z.ZodType>(value: T) => z.array(z.tuple([text, value]));
const snapshot = z.strictObject({
  v: z.literal(VAULT_STATE_VERSION),
  state: z.strictObject({
    ...{ vaults: z.array(record), wallets: z.array(wallet), spends: z.array(spendRecord) },
    ...{
      permits: listed(z.strictObject({ count, last: count })),
      signed: listed(text),
      unread: listed(z.array(count)),
    },
    ...{ delegations: listed(z.array(delegation)), rights: listed(z.array(heldRight)), holders: listed(holder) },
    ...{ holdersOf: listed(z.array(address)), settled: listed(keys), swept: listed(count), earlier: listed(earlier) },
    ...{ taken: listed(z.strictObject({ used, records: count })), waiting: listed(waitingRecord) },
    ...{ order: count, counter: count },
  }),
});

/** A snapshot of the state: canonical JSON. Indexes follow from the rest. */
export function encodeVaultState(state: VaultState): Uint8Array {
  const { order, counter } = state;
  const list = (each: Iterable<unknown>): Json => [...each].map(toJson);
  const settled = [...state.settled.entries()].map(([key, set]) => [key, toBase64url(keySetBytes(set))]);
  return canonicalBytes({
    v: VAULT_STATE_VERSION,
    state: {
      ...{ vaults: list(state.vaults.values()), wallets: list(state.wallets.values()) },
      ...{ spends: list(state.spends.values()), permits: list(state.permits.entries()) },
      ...{ signed: list(state.signed.entries()), unread: list(state.unread.entries()) },
      ...{ delegations: list(state.delegations.entries()), rights: list(state.rights.entries()) },
      ...{ holders: list(state.holders.entries()), holdersOf: list(state.holdersOf.entries()), settled: list(settled) },
      ...{ swept: list(state.swept.entries()), earlier: list(state.earlier.entries()) },
      ...{ taken: list(state.taken.entries()), waiting: list(state.waiting.entries()), order, counter },
    },
  });
}

export function decodeVaultState(
  bytes: Uint8Array,
): Result<VaultState, 'vault_state_malformed' | 'vault_state_unknown_version'> {
  const value = parseJsonBytes(bytes);
  const read = snapshot.safeParse(value);
  if (!read.success) {
    return err(isOtherVersion(value, VAULT_STATE_VERSION) ? 'vault_state_unknown_version' : 'vault_state_malformed');
  }
  const { vaults, wallets, spends, order, counter, ...lists } = read.data.state;
  const state: VaultState = {
    ...{ ...createVaultState(), order, counter },
    ...{ permits: new Map(lists.permits), signed: new Map(lists.signed), unread: new Map(lists.unread) },
    ...{ delegations: new Map(lists.delegations), rights: new Map(lists.rights), holders: new Map(lists.holders) },
    ...{ holdersOf: new Map(lists.holdersOf), settled: new Map(lists.settled), swept: new Map(lists.swept) },
    ...{ earlier: new Map(lists.earlier), taken: new Map(lists.taken), waiting: new Map(lists.waiting) },
  };
  for (const key of state.holders.keys()) if (isEnding(state, key)) state.ending.set(key, true);
  for (const each of vaults) state.vaults.set(each.vault, each);
  for (const each of wallets) {
    const key = walletKey(each.vault, each.wallet);
    state.wallets.set(key, each);
    state.owners.set(each.address, [...(state.owners.get(each.address) ?? []), key]);
  }
  for (const each of spends) {
    state.spends.set(each.key, each);
    for (const member of each.members) state.members.set(member, each.key);
    if (isOpen(each)) state.open.set(each.key, true);
  }
  return ok(state);
}
