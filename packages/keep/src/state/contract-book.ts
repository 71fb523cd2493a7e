import type { ContractEntry } from '@keepwatch/evm';

/**
 * What operators said of contracts, as the journal has it. A value: each change gives another, so that what is made from
 * one (selectors, names) can be kept as long as the book itself.
 */
export interface ContractBook {
  /** Counts the changes; the version since when an entry is there stands beside it. */
  readonly version: number;
  readonly entries: readonly { readonly version: number; readonly entry: ContractEntry }[];
}

export const EMPTY_BOOK: ContractBook = { version: 0, entries: [] };

export function addContract({ version, entries }: ContractBook, entry: ContractEntry): ContractBook {
  return { version: version + 1, entries: [...entries, { version: version + 1, entry }] };
}

export function removeContract({ version, entries }: ContractBook, chain: string, address: string): ContractBook {
  return {
    version: version + 1,
    entries: entries.filter(({ entry }) => entry.chain !== chain || entry.address !== address),
  };
}
