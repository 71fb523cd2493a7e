import { CodedError } from '@keepwatch/base';
import type { MonitorState } from '../engine/state.ts';

/** What wallets of all chains have in common: by it rules and messages know them. */
export interface OwnedWallet {
  readonly id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The wallet of this id, of whichever chain; no two have the same. */
export function ownedWallet({ watch, evm }: MonitorState, id: string): OwnedWallet | null {
  const wallet = watch.wallets.get(id)?.wallet;
  if (wallet) return wallet;
  const account = evm.wallets.get(id)?.wallet;
  return account ? { ...account, labels: {} } : null;
}

/** Records of wallets by their ids, of whichever chain. */
interface Records<R> {
  get(id: string): R | undefined;
  values(): Iterable<R>;
}
interface Named {
  readonly wallet: { readonly id: string; readonly name: string };
}

/** By its id, or else by its name: no wallet's name is another one's id. */
function findWallet<R extends Named>(records: Records<R>, named: string): R | undefined {
  return records.get(named) ?? [...records.values()].find(({ wallet }) => wallet.name === named);
}

/** The id of the wallet that is called so, of whichever chain. */
export function walletIdOf({ watch, evm }: MonitorState, named: string): string | undefined {
  return (findWallet(watch.wallets, named) ?? findWallet(evm.wallets, named))?.wallet.id;
}

/** The wallet that is called so; throws `watched_wallet_unknown` where there is none. */
export function requireWallet<R extends Named>(records: Records<R>, named: string): R {
  const found = findWallet(records, named);
  if (found) return found;
  throw new CodedError('watched_wallet_unknown', `No wallet “${named}” is watched.`, {
    remedy: '`keepwatch watch list` shows those that are.',
  });
}

/** Ids and names that are taken, by others than the wallet of this id. */
export function takenWallets(
  { watch, evm }: MonitorState,
  except?: string,
): { ids: ReadonlySet<string>; names: ReadonlySet<string> } {
  const all = [...watch.wallets.values(), ...evm.wallets.values()].flatMap(({ wallet }) =>
    wallet.id === except ? [] : [wallet],
  );
  return { ids: new Set(all.map(({ id }) => id)), names: new Set(all.map(({ name }) => name)) };
}
