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
