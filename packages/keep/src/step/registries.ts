import type { Keccak256 } from '@keepwatch/base';
import { createStandardBook, createStandards, restoreRegistry, type Registry } from '@keepwatch/evm';
import type { TokenName } from '@keepwatch/permission';
import type { ContractBook } from '../state/contract-book.ts';

/** The contracts of a book with their selectors, and the names of their tokens by chain and asset. */
export interface Registries {
  readonly of: (book: ContractBook) => Registry;
  readonly tokens: (book: ContractBook, chain: string) => Readonly<Record<string, TokenName>>;
}

const NO_TOKENS: Readonly<Record<string, TokenName>> = {};

/** Makes a registry once for each book: a book changes when an operator says something of a contract, and never else. */
export function createRegistries(keccak: Keccak256): Registries {
  const standards = createStandardBook(createStandards(keccak), keccak);
  let made: { book: ContractBook; registry: Registry; tokens: Map<string, Record<string, TokenName>> } | undefined;

  function forBook(book: ContractBook) {
    if (made?.book !== book) {
      const registry = restoreRegistry(standards, book.version, book.entries, keccak);
      made = { book, registry, tokens: tokensOf(book) };
    }
    return made;
  }

  return {
    of: (book) => forBook(book).registry,
    tokens: (book, chain) => forBook(book).tokens.get(chain) ?? NO_TOKENS,
  };
}

function tokensOf({ entries }: ContractBook): Map<string, Record<string, TokenName>> {
  const byChain = new Map<string, Record<string, TokenName>>();
  for (const { entry } of entries) {
    const { chain, address, symbol, decimals } = entry;
    if (symbol === undefined || decimals === undefined) continue;
    const tokens = byChain.get(chain) ?? {};
    tokens[`erc20:${address}`] = { symbol, decimals };
    byChain.set(chain, tokens);
  }
  return byChain;
}
