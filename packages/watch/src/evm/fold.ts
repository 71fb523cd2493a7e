import { assertNever, canonicalJson } from '@keepwatch/base';
import type { Finding } from '../finding.ts';
import type { EvmEvent } from './event.ts';
import {
  blockKey,
  pendingKey,
  type EvmBlockPart,
  type EvmPastRecord,
  type EvmState,
  type EvmWalletRecord,
} from './state.ts';
import type { EvmBlockRef } from './spend.ts';
import type { EvmWallet } from './wallet.ts';

/** Brings an event into the state: the only place where it changes. Events of one journal, in order, each once. */
export function applyEvmEvent(state: EvmState, event: EvmEvent): void {
  switch (event.kind) {
    case 'finding':
      return foldFinding(state, event.finding);
    case 'evm-started':
      state.startedMs = event.atMs;
      return;
    case 'evm-chain': {
      const key = String(event.chain.chainId);
      const known = state.chains.get(key) ?? { tip: null, finalized: -1, lowest: 0 };
      state.chains.set(key, { ...known, chain: event.chain });
      return;
    }
    case 'evm-wallet-put': {
      const { wallet } = event;
      const { account = null, since = null, counted = null, ...known } = state.wallets.get(wallet.id) ?? {};
      state.wallets.set(wallet.id, { wallet, account, since, counted, past: pastOf(wallet, known) });
      return;
    }
    case 'evm-wallet-dropped':
      return foldDropped(state, event.wallet);
    case 'evm-block':
      return foldBlock(state, event.chainId, event.block);
    case 'evm-account': {
      const record = state.wallets.get(event.wallet)!;
      changePart(state, event.wallet, (part) => part);
      const since = record.since ?? state.chains.get(String(record.wallet.chainId))!.tip!.number;
      state.wallets.set(event.wallet, { ...record, since, account: event.account });
      return;
    }
    case 'evm-spend':
      state.spends.set(event.id, event.spend);
      changePart(state, event.spend.wallet, (part) => ({ ...part, spends: [...part.spends, event.id] }));
      return;
    case 'evm-block-back':
      return foldBlockBack(state, event);
    case 'evm-finalized': {
      const record = state.chains.get(String(event.chainId))!;
      state.chains.set(String(event.chainId), { ...record, finalized: event.number });
      return;
    }
    case 'evm-pending': {
      const { wallet, hash } = event.record;
      state.sightings++;
      state.pending.set(pendingKey(wallet, hash), event.record);
      return;
    }
    case 'evm-pending-passed': {
      const { wallet, hash, replacedBy, block } = event;
      const key = pendingKey(wallet, hash);
      const known = state.pending.get(key);
      if (known) state.pending.set(key, { ...known, replacedBy, block });
      return;
    }
    case 'evm-pending-gone':
      state.pending.delete(pendingKey(event.wallet, event.hash));
      return;
    case 'evm-counted': {
      const record = state.wallets.get(event.wallet);
      if (!record) return;
      const { pending } = event;
      if (pending !== null) state.sightings++;
      const counted = pending === null ? null : { pending, number: state.sightings };
      state.wallets.set(event.wallet, { ...record, counted });
      return;
    }
    case 'evm-past-block':
      return;
    case 'evm-past': {
      const record = state.wallets.get(event.wallet);
      if (record) state.wallets.set(event.wallet, { ...record, past: event.past });
      return;
    }
    default:
      assertNever(event);
  }
}

/** What was read of the past stays, unless the wallet has another birthday now. */
function pastOf(wallet: EvmWallet, known: Partial<EvmWalletRecord>): EvmPastRecord | null {
  const { birthday } = wallet;
  if (birthday === null) return null;
  if (known.past && canonicalJson({ ...known.wallet?.birthday }) === canonicalJson({ ...birthday })) return known.past;
  // The first block of a chain holds no transaction: what accounts have in it is where they begin.
  const from = 'number' in birthday ? Math.max(1, birthday.number) : null;
  return { from, next: from, account: null, allowances: [], entries: 0, stateMissingBefore: null };
}

/** The wallet's part of the tip; it is begun with what the account is now. */
function changePart(state: EvmState, wallet: string, change: (part: EvmBlockPart) => EvmBlockPart): void {
  const record = state.wallets.get(wallet)!;
  const { chainId } = record.wallet;
  const { tip } = state.chains.get(String(chainId))!;
  const key = blockKey(chainId, tip!.number);
  const block = state.blocks.get(key)!;
  const known = block.parts.find((part) => part.wallet === wallet);
  const part = change(known ?? { wallet, before: record.account, told: [], spends: [] });
  state.blocks.set(key, { ...block, parts: [...block.parts.filter((each) => each.wallet !== wallet), part] });
}

function foldBlock(state: EvmState, chainId: bigint, block: EvmBlockRef): void {
  const key = String(chainId);
  const record = state.chains.get(key)!;
  state.blocks.set(blockKey(chainId, block.number), { block, parts: [] });
  // Behind a gap what lies before it cannot be taken back block by block any more.
  const isNext = record.tip !== null && record.tip.number === block.number - 1;
  const settled = isNext ? block.number - record.chain.keptBlocks : block.number - 1;
  const lowest = record.tip === null ? block.number : Math.max(record.lowest, settled + 1);
  if (record.tip !== null) {
    for (let number = record.lowest; number < lowest && number <= record.tip.number; number++) {
      const old = state.blocks.get(blockKey(chainId, number));
      for (const { spends } of old?.parts ?? []) for (const id of spends) state.spends.delete(id);
      state.blocks.delete(blockKey(chainId, number));
    }
  }
  for (const [pending, { wallet, block: passed }] of state.pending.entries()) {
    const isHere = state.wallets.get(wallet)?.wallet.chainId === chainId;
    if (isHere && passed !== null && passed.number < lowest) state.pending.delete(pending);
  }
  for (const [returned, { number }] of state.returned.entries()) {
    if (number < lowest && returned.startsWith(`${key}/`)) state.returned.delete(returned);
  }
  state.chains.set(key, { ...record, tip: block, lowest });
}

function foldBlockBack(state: EvmState, event: Extract<EvmEvent, { kind: 'evm-block-back' }>): void {
  const { chainId, block } = event;
  const key = blockKey(chainId, block.number);
  for (const { wallet, before, spends } of state.blocks.get(key)?.parts ?? []) {
    const record = state.wallets.get(wallet);
    // Where it was looked at first in that block, it is looked at first in another one.
    if (record) state.wallets.set(wallet, { ...record, account: before, since: before === null ? null : record.since });
    for (const id of spends) state.spends.delete(id);
  }
  // What it held, or made void, waits again.
  for (const [pending, record] of [...state.pending.entries()]) {
    if (record.block?.hash === block.hash) state.pending.set(pending, { ...record, block: null });
  }
  state.blocks.delete(key);
  const returned = blockKey(chainId, block.hash);
  const times = (state.returned.get(returned)?.times ?? 0) + 1;
  state.returned.set(returned, { number: block.number, times });
  const record = state.chains.get(String(chainId))!;
  const tip = state.blocks.get(blockKey(chainId, block.number - 1))?.block ?? null;
  state.chains.set(String(chainId), { ...record, tip });
}

function foldDropped(state: EvmState, id: string): void {
  state.wallets.delete(id);
  state.dropped.set(id, (state.dropped.get(id) ?? 0) + 1);
  for (const [key, { block, parts }] of state.blocks.entries()) {
    const kept = parts.filter(({ wallet }) => wallet !== id);
    if (kept.length < parts.length) state.blocks.set(key, { block, parts: kept });
  }
  for (const [key, { wallet }] of [...state.pending.entries()]) if (wallet === id) state.pending.delete(key);
  for (const [key, { wallet }] of state.spends.entries()) if (wallet === id) state.spends.delete(key);
}

/** What was told of a block is remembered with it, so that it can be taken back. */
function foldFinding(state: EvmState, { id, wallet, evidence, detail }: Finding): void {
  const { chainId, block } = evidence.evm ?? {};
  if (wallet === null || chainId === undefined || block === undefined || detail.kind === 'evm-disconnected') return;
  const key = blockKey(chainId, block.number);
  const record = state.blocks.get(key);
  if (record?.block.hash !== block.hash) return;
  const parts = record.parts.map((part) => (part.wallet === wallet ? { ...part, told: [...part.told, id] } : part));
  state.blocks.set(key, { ...record, parts });
}
