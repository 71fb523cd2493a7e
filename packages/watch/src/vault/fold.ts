import { assertNever } from '@keepwatch/base';
import type { VaultEvent } from './event.ts';
import { addRights } from './rights.ts';
import { release, remember, settle, take } from './settle.ts';
import { addSigned } from './signed.ts';
import { chainKey, earlierKey, walletKey, type SpendRecord, type VaultState } from './state.ts';

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
      return forgetVault(state, event.vault);
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
      // What it signed stays known: where it may be observed again, nobody says that once more.
      state.wallets.delete(key);
      for (const [each, { vault, wallet }] of [...state.waiting.entries()]) {
        if (vault === event.vault && wallet === event.wallet) state.waiting.delete(each);
      }
      const owners = (state.owners.get(known.address) ?? []).filter((each) => each !== key);
      if (owners.length === 0) state.owners.delete(known.address);
      else state.owners.set(known.address, owners);
      return;
    }
    case 'permits':
      return foldPermits(state, event);
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
      const record = state.spends.get(event.key);
      if (record) release(state, record, true);
      for (const member of record?.members ?? []) state.members.delete(member);
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
      const record = state.spends.get(key);
      if (record) take(state, record, used);
      return change(state, key, () => ({ verdict, told, used }));
    }
    case 'past-read': {
      const key = walletKey(event.vault, event.wallet);
      const known = state.wallets.get(key);
      if (known) state.wallets.set(key, { ...known, isPastRead: true });
      return;
    }
    case 'settled':
      return settle(state, event);
    case 'earlier': {
      const { id, spend, wallet } = event;
      const key = earlierKey(spend.wallet, wallet, spend.chainId);
      const { count, told } = state.earlier.get(key) ?? { count: 0, told: 0 };
      const about = { watched: spend.wallet, wallet, chainId: spend.chainId };
      state.earlier.set(key, { ...about, count: count + 1, told });
      remember(state, [{ id, spend }]);
      return;
    }
    case 'earlier-told': {
      const known = state.earlier.get(event.key);
      if (known) state.earlier.set(event.key, { ...known, told: event.count });
      return;
    }
    default:
      assertNever(event);
  }
}

/** Permits that a finding can name of those that could not be read. */
const KEPT_UNREAD = 16;

function foldPermits(state: VaultState, { vault, wallet, permits }: Extract<VaultEvent, { kind: 'permits' }>): void {
  const key = walletKey(vault, wallet);
  const { count, last } = state.permits.get(key) ?? { count: 0, last: 0 };
  state.permits.set(key, { count: count + permits.length, last: Math.max(last, ...permits.map(({ seq }) => seq)) });
  for (const permit of permits) {
    addSigned(state, key, permit);
    addRights(state, key, permit);
    if (!permit.unread) continue;
    const at = chainKey(key, permit.chainId);
    state.unread.set(at, [...(state.unread.get(at) ?? []), permit.seq].slice(-KEPT_UNREAD));
  }
}

/** All that it signed, with it. */
function forgetVault(state: VaultState, vault: string): void {
  const { permits, signed, delegations, unread, rights, holders, ending, holdersOf } = state;
  for (const layer of [permits, signed, delegations, unread, rights, holders, ending, holdersOf]) {
    for (const key of [...layer.keys()]) if (key.startsWith(`${vault}/`)) layer.delete(key);
  }
}

function foldSpend(state: VaultState, { id, key, spend, atMs, past }: Extract<VaultEvent, { kind: 'spend' }>): void {
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
  state.spends.set(key, { key, order: state.order, spend, members: [id], sinceMs: atMs, past, ...fresh });
  state.open.set(key, true);
}

function change(state: VaultState, key: string, what: (record: SpendRecord) => Partial<SpendRecord>): void {
  const record = state.spends.get(key);
  if (record) state.spends.set(key, { ...record, ...what(record) });
}
