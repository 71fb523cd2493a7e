import type { Wallet } from './state.ts';
import { NO_WALLETS, type WalletColumns } from './wallet-columns.ts';

/**
 * The vault's wallets by id and by name, in the order in which they came. Those of a snapshot stay in its columns until
 * somebody asks for them. A wallet that was handed out may be changed in place, by the fold alone; its name only by
 * `rename`.
 */
export interface WalletBook {
  readonly size: number;
  has(id: string): boolean;
  get(id: string): Wallet | undefined;
  add(wallet: Wallet): void;
  rename(id: string, name: string): void;
  /** The id of the wallet that has this name. */
  named(name: string): string | undefined;
  keys(): IterableIterator<string>;
  values(): IterableIterator<Wallet>;
  /** All of them, to read and not to keep: what stands in columns stays there. */
  readings(): readonly Readonly<Wallet>[];
}

export function createWalletBook(columns: WalletColumns = NO_WALLETS): WalletBook {
  /** A number is a place in the columns. */
  const wallets = new Map<string, Wallet | number>();
  for (let i = 0; i < columns.count; i++) wallets.set(columns.id(i), i);
  if (wallets.size !== columns.count) throw new TypeError('a wallet stands twice in the columns');
  let names: Map<string, string> | undefined;

  function get(id: string): Wallet | undefined {
    const found = wallets.get(id);
    if (typeof found !== 'number') return found;
    const wallet = columns.wallet(found);
    wallets.set(id, wallet);
    return wallet;
  }

  /** Made when a name is first looked for: signing needs none. */
  function byName(): Map<string, string> {
    if (names) return names;
    names = new Map();
    for (const [id, found] of wallets) names.set(typeof found === 'number' ? columns.name(found) : found.name, id);
    return names;
  }

  return {
    get size() {
      return wallets.size;
    },
    has: (id) => wallets.has(id),
    get,
    add(wallet) {
      const before = get(wallet.wallet);
      if (before) names?.delete(before.name);
      wallets.set(wallet.wallet, wallet);
      names?.set(wallet.name, wallet.wallet);
    },
    rename(id, name) {
      const wallet = get(id);
      if (!wallet) return;
      names?.delete(wallet.name);
      names?.set(name, id);
      wallet.name = name;
    },
    named: (name) => byName().get(name),
    keys: () => wallets.keys(),
    *values() {
      for (const id of [...wallets.keys()]) yield get(id)!;
    },
    readings: () => [...wallets.values()].map((found) => (typeof found === 'number' ? columns.wallet(found) : found)),
  };
}
