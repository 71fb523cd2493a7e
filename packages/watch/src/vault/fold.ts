import { assertNever } from '@keepwatch/base';
import type { VaultEvent } from './event.ts';
import { walletKey, type SpendRecord, type VaultState } from './state.ts';

/** Brings an event into the state: the only place where it changes. Events of one journal, in order, each once. */
export function applyVaultEvent(state: VaultState, event: VaultEvent): void {
  switch (event.kind) {
    case 'finding':
      return;
    case 'vault':
      state.vaults.set(event.record.vault, event.record);
      return;
    case 'vault-dropped':
      state.vaults.delete(event.vault);
      return;
    case 'wallet': {
      const { wallet } = event;
      const key = walletKey(wallet.vault, wallet.wallet);
      state.wallets.set(key, wallet);
      const owners = state.owners.get(wallet.address) ?? [];
      if (!owners.includes(key)) state.owners.set(wallet.address, [...owners, key]);
      return;
    }
    case 'wallet-dropped': {
      const key = walletKey(event.vault, event.wallet);
      const known = state.wallets.get(key);
      if (!known) return;
      state.wallets.delete(key);
      state.permits.delete(key);
      for (const [each, { vault, wallet }] of [...state.waiting.entries()]) {
        if (vault === event.vault && wallet === event.wallet) state.waiting.delete(each);
      }
      const owners = (state.owners.get(known.address) ?? []).filter((each) => each !== key);
      if (owners.length === 0) state.owners.delete(known.address);
      else state.owners.set(known.address, owners);
      return;
    }
    case 'permits': {
      const key = walletKey(event.vault, event.wallet);
      state.permits.set(key, [...(state.permits.get(key) ?? []), ...event.permits]);
      return;
    }
    case 'condition': {
      const record = state.vaults.get(event.vault);
      if (!record) return;
      const { [event.condition]: _, ...others } = record.conditions;
      const conditions = event.open ? { ...others, [event.condition]: ++state.counter } : others;
      state.vaults.set(event.vault, { ...record, conditions });
      return;
    }
    case 'spend':
      return foldSpend(state, event);
    case 'spend-gone': {
      for (const member of state.spends.get(event.key)?.members ?? []) state.members.delete(member);
      state.spends.delete(event.key);
      state.open.delete(event.key);
      return;
    }
    case 'spend-back': {
      const { key, members } = event;
      for (const member of state.spends.get(key)?.members ?? []) {
        if (!members.includes(member)) state.members.delete(member);
      }
      return change(state, key, ({ spend }) => ({ members, spend: { ...spend, block: null } }));
    }
    case 'waiting':
      state.waiting.set(event.key, event.record);
      if (event.record.told !== null) state.counter = Math.max(state.counter, event.record.told);
      return;
    case 'waited':
      state.waiting.delete(event.key);
      return;
    case 'cleared': {
      const { key, vault, seq, sealed } = event;
      return change(state, key, ({ cleared }) => ({
        cleared: [...cleared.filter((each) => each.vault !== vault), { vault, seq, sealed }],
      }));
    }
    case 'verdict': {
      const { key, verdict, told, used } = event;
      if (verdict !== 'silent') state.open.delete(key);
      return change(state, key, () => ({ verdict, told, used }));
    }
    default:
      assertNever(event);
  }
}

/** Of spends on which all was said so many are kept, so that a reorganisation can take it back. */
const KEPT_SPENDS = 10_000;

function foldSpend(state: VaultState, { id, key, spend, atMs }: Extract<VaultEvent, { kind: 'spend' }>): void {
  state.order++;
  state.members.set(id, key);
  const known = state.spends.get(key);
  if (known) {
    // Sighted outside blocks, it stands in one now.
    const { block } = known.spend.block === null ? spend : known.spend;
    state.spends.set(key, { ...known, members: [...known.members, id], spend: { ...known.spend, block } });
    return;
  }
  const fresh = { verdict: 'open', told: null, cleared: [], used: [] } as const;
  state.spends.set(key, { key, order: state.order, spend, members: [id], sinceMs: atMs, ...fresh });
  state.open.set(key, true);
  if (state.order % KEPT_SPENDS === 0) forgetOld(state);
}

function forgetOld(state: VaultState): void {
  for (const { key, order, verdict, members, used } of [...state.spends.values()]) {
    // What took of a right is needed to know what is left of it.
    if (state.order - order < KEPT_SPENDS || used.length > 0 || verdict === 'open' || verdict === 'silent') continue;
    for (const member of members) state.members.delete(member);
    state.spends.delete(key);
  }
}

function change(state: VaultState, key: string, what: (record: SpendRecord) => Partial<SpendRecord>): void {
  const record = state.spends.get(key);
  if (record) state.spends.set(key, { ...record, ...what(record) });
}
