import { CodedError } from '@keepwatch/base';
import type { CommandParams } from '@keepwatch/protocol';
import { coded } from '../peers/sessions.ts';
import { sealTo, type Slot } from '../secure/index.ts';
import { stepAddWallets } from '../step/commands.ts';
import { decideAt, requireUnsealed, type CarriedOut, type Order } from './order.ts';
import { countTry, openEntry, passwordError, withEntries } from './lifecycle.ts';
import { saveBoot } from './boot-state.ts';
import { MNEMONIC_SPACE, WALLET_KEY_SPACE, type MadeWallets } from './wallet-room.ts';

/** Commands that touch wallets' keys. The keys are made first, then the pure step says whether the vault takes them. */

export async function addWallets(order: Order, params: CommandParams<'wallet.create'>): Promise<CarriedOut> {
  const { walletRoom } = requireUnsealed(order.vault);
  switch (params.kind) {
    case 'random':
      return take(order, walletRoom.random(params.name, params.count), []);
    case 'mnemonic':
      return take(order, walletRoom.mnemonic(params.name, params.words), []);
    case 'derived':
      return take(order, derive(order, params), []);
  }
}

function derive(order: Order, params: Extract<CommandParams<'wallet.create'>, { kind: 'derived' }>): MadeWallets {
  const { state, walletRoom } = requireUnsealed(order.vault);
  const from = state.wallets.get(params.from);
  if (!from) throw coded('wallet_unknown', { wallet: params.from });
  const seed = from.seed === null ? undefined : state.seeds.get(from.seed);
  if (from.seed === null || !seed) throw coded('wallet_not_derived');
  const text = openSecret(order, MNEMONIC_SPACE, from.seed);
  try {
    return walletRoom.derived(params.name, from.seed, text, seed.prefix, seed.next, params.count);
  } finally {
    order.vault.deps.ringMemory.free(text);
  }
}

export async function importWallet(order: Order, params: CommandParams<'wallet.import'>): Promise<CarriedOut> {
  const { vault, session } = order;
  const { walletRoom } = requireUnsealed(vault);
  const secret = openEntry(vault, session, 'wallet.import', params.secret);
  let made: MadeWallets;
  try {
    made =
      params.kind === 'key'
        ? walletRoom.importKey(params.name, secret)
        : walletRoom.importMnemonic(params.name, secret, params.path);
  } finally {
    vault.deps.memory.free(secret);
  }
  return take(order, made, params.nonceFloors);
}

async function take(
  order: Order,
  made: MadeWallets,
  nonceFloors: readonly { chain: string; floor: number }[],
): Promise<CarriedOut> {
  const unsealed = requireUnsealed(order.vault);
  try {
    const taken = await decideAt(order, (state) => {
      const outcome = stepAddWallets(state, made.wallets, nonceFloors, order.by);
      return outcome.kind === 'accepted' ? { ...outcome, writes: made.writes } : outcome;
    });
    for (const [i, { wallet }] of made.wallets.entries()) unsealed.walletKeys.set(wallet, made.keys[i]!);
    return taken;
  } catch (error) {
    // After a seal the memory is wiped already, and the slots with it.
    if (order.vault.unsealed === unsealed) for (const key of made.keys) order.vault.deps.ringMemory.free(key);
    throw error;
  }
}

/**
 * Hands a wallet's secret to the operator: the mnemonic where there is one, else the key, sealed to the operator's
 * one-time key. The password is asked for again, so that an unlocked screen is not enough, and tries are throttled.
 */
export async function backUpWallet(order: Order, params: CommandParams<'wallet.backup'>): Promise<CarriedOut> {
  const { vault, session, by } = order;
  return withEntries(vault, session, [['wallet.backup', params.password]], async (password) => {
    await requirePassword(order, password);
    const { state } = requireUnsealed(vault);
    const wallet = state.wallets.get(params.wallet);
    if (!wallet) throw coded('wallet_unknown', { wallet: params.wallet });
    const secret =
      wallet.seed === null
        ? openSecret(order, WALLET_KEY_SPACE, wallet.wallet)
        : openSecret(order, MNEMONIC_SPACE, wallet.seed);
    const sealed = sealTo(vault.deps.ringMemory, params.recipient, 'wallet.backup', session.id, secret);
    vault.deps.ringMemory.free(secret);
    if (!sealed.ok) throw coded(sealed.error);
    const value = { kind: wallet.seed === null ? 'key' : 'mnemonic', path: wallet.path, sealed: sealed.value };
    return decideAt(order, () => ({
      kind: 'accepted',
      events: [{ type: 'wallet.backed-up', wallet: wallet.wallet, ...by }],
      value,
    }));
  });
}

/** The vault's password once more; wrong ones are throttled as at the unseal. */
export async function requirePassword(order: Order, password: Slot): Promise<void> {
  const { vault } = order;
  await countTry(vault);
  const verified = await requireUnsealed(vault).ring.verifyPassword(password, vault.deps.store);
  if (!verified.ok) throw passwordError(vault, verified.error);
  await saveBoot(vault, { failedUnseals: { count: 0, lastMs: 0 } });
}

function openSecret(order: Order, space: typeof WALLET_KEY_SPACE | typeof MNEMONIC_SPACE, id: string): Slot {
  const value = order.vault.deps.store.get(space, id);
  if (!(value instanceof Uint8Array)) {
    throw new CodedError('key_record_damaged', `The record ${space}/${id} is missing.`, {
      remedy: 'Stop the keep, keep a copy of its data directory, and restore the vault from a backup.',
    });
  }
  return requireUnsealed(order.vault).ring.openSecret(space, { key: id, value });
}
