import { canonicalJson, type Json } from '@keepwatch/base';
import type { EvmBlockFacts } from './facts.ts';

/** What upstreams said of one thing, as far as they answered. */
export interface Said<T> {
  readonly name: string;
  readonly value: T;
}

/** What enough of them say alike, who they are, and who says something else. */
export interface Agreed<T> {
  readonly value: T;
  readonly seenBy: readonly string[];
  readonly others: readonly string[];
}

/** The value that most say, and at least `enough`; undefined where no value has so many. */
export function agree<T>(said: readonly Said<T>[], enough: number, keyOf: (value: T) => string): Agreed<T> | undefined {
  const groups = new Map<string, Said<T>[]>();
  for (const each of said) {
    const key = keyOf(each.value);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  const [group] = [...groups.values()].sort((a, b) => b.length - a.length);
  if (!group || group.length < enough) return undefined;
  const others = said.filter((each) => !group.includes(each));
  return { value: group[0]!.value, seenBy: group.map(({ name }) => name), others: others.map(({ name }) => name) };
}

/** The parts of what is read of a block; each is compared by itself, so that a difference has a name. */
const PARTS = {
  accounts: ({ accounts }: EvmBlockFacts) => accounts.map((each) => ({ ...each, state: null })),
  balances: ({ accounts }: EvmBlockFacts) => accounts.map(({ address, state }) => ({ address, state })),
  transactions: ({ transactions, withdrawals, parentHash, block }: EvmBlockFacts) => ({
    ...{ transactions, withdrawals, parentHash, block },
  }),
  logs: ({ transfers, approvals }: EvmBlockFacts) => ({ transfers, approvals }),
} as const;
type Part = keyof typeof PARTS;

export interface AgreedBlock {
  readonly facts: EvmBlockFacts;
  readonly seenBy: readonly string[];
  /** Who has another block at this height. */
  readonly elsewhere: readonly string[];
  /** Parts about which somebody says something else: who. */
  readonly differing: readonly { readonly part: Part; readonly others: readonly string[] }[];
}

export type BlockVerdict =
  | ({ readonly kind: 'agreed' } & AgreedBlock)
  /** `about`: what too few say alike. */
  | { readonly kind: 'open'; readonly about: Part | 'hash'; readonly names: readonly string[] };

/** Compares what upstreams read of one block. `said` is not empty. */
export function agreeOnBlock(said: readonly Said<EvmBlockFacts>[], enough: number): BlockVerdict {
  const hashes = agree(said, enough, ({ block }) => block.hash);
  if (!hashes) return { kind: 'open', about: 'hash', names: said.map(({ name }) => name) };
  const same = said.filter(({ name }) => hashes.seenBy.includes(name));
  const differing: { part: Part; others: readonly string[] }[] = [];
  let facts = same[0]!.value;
  for (const part of Object.keys(PARTS) as Part[]) {
    // Some keep old states and some do not: those that do are compared, and too few of them leave it unknown.
    const able =
      part === 'balances' ? same.filter(({ value }) => value.accounts.every(({ state }) => state !== null)) : same;
    if (able.length < enough) {
      facts = { ...facts, accounts: facts.accounts.map((each) => ({ ...each, state: null })) };
      continue;
    }
    const found = agree(able, enough, (value) => canonicalJson(plain(PARTS[part](value))));
    if (!found) return { kind: 'open', about: part, names: able.map(({ name }) => name) };
    if (found.others.length > 0) differing.push({ part, others: found.others });
    facts = take(facts, part, found.value);
  }
  return { kind: 'agreed', facts, seenBy: hashes.seenBy, elsewhere: hashes.others, differing };
}

function take(facts: EvmBlockFacts, part: Part, from: EvmBlockFacts): EvmBlockFacts {
  switch (part) {
    case 'accounts':
      return {
        ...facts,
        accounts: from.accounts.map((each, i) => ({ ...each, state: facts.accounts[i]?.state ?? null })),
      };
    case 'balances':
      return {
        ...facts,
        accounts: facts.accounts.map((each, i) => ({ ...each, state: from.accounts[i]!.state })),
      };
    case 'transactions': {
      const { transactions, withdrawals, parentHash, block } = from;
      return { ...facts, transactions, withdrawals, parentHash, block };
    }
    case 'logs':
      return { ...facts, transfers: from.transfers, approvals: from.approvals };
  }
}

function plain(value: unknown): Json {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
