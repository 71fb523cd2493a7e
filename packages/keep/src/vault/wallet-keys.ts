import type { Slot } from '../secure/index.ts';

/** The opened keys of the wallets, by wallet id. */
export interface WalletKeys {
  readonly size: number;
  get(wallet: string): Slot | undefined;
  set(wallet: string, key: Slot): void;
  clear(): void;
}

/**
 * A start brings its keys in the order of their ids, so they are found by halving: to hash a hundred thousand ids for a
 * table would take a noticeable part of the start. What is used or added later is in a table.
 */
export interface OpenedKeys extends WalletKeys {
  /** The next key of the start: its id lies behind those before it. */
  push(wallet: string, key: Slot): void;
}

export function createWalletKeys(): OpenedKeys {
  let ids: string[] = [];
  let keys: Slot[] = [];
  const used = new Map<string, Slot>();
  let added = 0;

  function find(wallet: string): Slot | undefined {
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ids[middle]! < wallet) low = middle + 1;
      else high = middle;
    }
    return ids[low] === wallet ? keys[low] : undefined;
  }

  return {
    get size() {
      return ids.length + added;
    },
    push(wallet, key) {
      const last = ids.at(-1);
      if (last !== undefined && !(last < wallet))
        throw new RangeError('the keys of a start come in the order of their ids');
      ids.push(wallet);
      keys.push(key);
    },
    get(wallet) {
      const known = used.get(wallet);
      if (known) return known;
      const found = find(wallet);
      if (found) used.set(wallet, found);
      return found;
    },
    set(wallet, key) {
      if (!used.has(wallet) && !find(wallet)) added++;
      used.set(wallet, key);
    },
    clear() {
      ids = [];
      keys = [];
      used.clear();
      added = 0;
    },
  };
}
