import {
  createEvmSource,
  type EvmChainConfiguration,
  type EvmHealth,
  type EvmUpstreamHealth,
  type EvmWatched,
} from '@keepwatch/chain';
import type { Address } from '@keepwatch/evm';
import { EVM_CHAIN_DEFAULTS, evmAwaited, evmCursor, evmUnreadAllowances, type EvmState } from '@keepwatch/watch';
import { tellSourcesGone } from '../chain/sources-gone.ts';
import type { Engine, EngineInput } from '../engine/engine.ts';
import { createPasts, type PastStanding } from './pasts.ts';
import { chainName, isEvmSource, upstreamNames } from './source-names.ts';

export interface EvmRunDeps {
  readonly engine: Engine;
  readonly chains: readonly EvmChainConfiguration[];
  /** The past of a wallet cannot be read at present: it is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

/** How a chain fares, with its upstreams. */
export interface EvmChainHealth {
  readonly chainId: bigint;
  readonly all: EvmHealth;
  readonly upstreams: readonly EvmUpstreamHealth[];
}

export interface RunningEvm {
  /** Of the chains that are followed, and of those that wallets are on and nobody follows. */
  health(): readonly EvmChainHealth[];
  follows(chainId: bigint): boolean;
  /** How far pasts are read that are being read. */
  pasts(): readonly PastStanding[];
  /** What the chain says of a token; undefined where it says nothing that can be used. */
  token(chainId: bigint, token: Address): Promise<{ symbol: string; decimals: number } | undefined>;
  /** Whether the chain has code at an address; undefined where it does not say. */
  hasCode(chainId: bigint, address: Address): Promise<boolean | undefined>;
  /** Rejects where the journal refused or a source broke its word. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

const TOKEN_MS = 20_000;
const NOT_FOLLOWED = {
  state: 'down',
  head: null,
  problem: {
    code: 'chain_not_followed',
    words: 'Accounts of this chain are watched, and no upstream of it is configured.',
  },
} as const;

/** Follows the EVM chains of a configuration: each block is stepped and durable before the next one is read. */
export async function runEvm({ engine, chains, onTrouble }: EvmRunDeps): Promise<RunningEvm> {
  const stop = new AbortController();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const submit = (input: EngineInput) => engine.submit(input);

  await submit({ room: 'evm', input: { kind: 'evm-started' } });
  for (const { chainId, symbol, depths } of chains) {
    const settings = {
      ...EVM_CHAIN_DEFAULTS,
      ...(symbol === null ? {} : { symbol }),
      ...(depths === null ? {} : { depths }),
    };
    await submit({ room: 'evm', input: { kind: 'evm-chain', chain: { chainId, ...settings } } });
  }

  const followed = new Set(chains.map(({ chainId }) => chainId));
  const missing = () => {
    const all = [...engine.state.evm.wallets.values()].map(({ wallet }) => wallet.chainId);
    return [...new Set(all)].filter((chainId) => !followed.has(chainId));
  };
  for (const chainId of missing()) {
    const { state, problem } = NOT_FOLLOWED;
    await submit({
      room: 'watch',
      input: { kind: 'source', source: chainName(chainId), state, mempool: 'relayed', peers: 0, problem },
    });
  }

  const names = new Set(missing().map(chainName));
  for (const { chainId, source } of chains) {
    names.add(chainName(chainId));
    const upstreams = source.upstreams.map(({ name }) => name);
    for (const name of upstreamNames(chainId, upstreams)) names.add(name);
  }
  await tellSourcesGone(engine, names, isEvmSource);

  const sources = chains.map(({ source }) => createEvmSource(source));
  const pasts = sources.map((source) => createPasts({ engine, source, onTrouble }));
  const running = sources.map(async (source, i) => {
    const { chainId } = source;
    const name = chainName(chainId);
    const named = (upstreams: readonly string[]) => upstreamNames(chainId, upstreams);
    const cursor = evmCursor(engine.state.evm, chainId);
    for await (const event of source.events(cursor, () => watchedOf(engine.state.evm, chainId), stop.signal)) {
      switch (event.kind) {
        case 'connected':
          await submit({
            room: 'evm',
            input: { kind: 'evm-connected', facts: event.facts, seenBy: named(event.seenBy) },
          });
          pasts[i]!.wake();
          break;
        case 'disconnected': {
          const { block, seenBy } = event;
          const input = { kind: 'evm-disconnected', chainId, block, seenBy: named(seenBy) } as const;
          await submit({ room: 'evm', input });
          break;
        }
        case 'finality':
          await submit({ room: 'evm', input: { kind: 'evm-finality', chainId, number: event.number } });
          pasts[i]!.wake();
          break;
        case 'sighted': {
          const { transaction, seenBy } = event;
          const input = { kind: 'evm-sighted', chainId, transaction, seenBy: named(seenBy) } as const;
          await submit({ room: 'evm', input });
          break;
        }
        case 'counted': {
          const { count, seenBy } = event;
          await submit({ room: 'evm', input: { kind: 'evm-counted', chainId, count, seenBy: named(seenBy) } });
          break;
        }
        case 'evicted': {
          const { hash, seenBy } = event;
          await submit({ room: 'evm', input: { kind: 'evm-evicted', chainId, hash, seenBy: named(seenBy) } });
          break;
        }
        case 'health': {
          const { state, problem } = event.health;
          // It may be asked again: what was under way when the monitor went down goes on without waiting for a block.
          if (event.name === null && state === 'live') pasts[i]!.wake();
          const about = event.name === null ? name : `${name}/${event.name}`;
          await submit({
            room: 'watch',
            input: { kind: 'source', source: about, state, mempool: 'relayed', peers: 0, problem },
          });
          break;
        }
        case 'disagreement': {
          const { about, over, seenBy, others } = event;
          const input = { kind: 'disagreement', about: `${name}: ${about}`, over } as const;
          const who = { seenBy: named(seenBy), others: named(others) };
          await submit({ room: 'watch', input: { ...input, ...who } });
          break;
        }
      }
    }
  });
  for (const each of running) {
    each.catch((error: unknown) => {
      if (!stop.signal.aborted) fail(error);
    });
  }

  const sourceOf = (chainId: bigint) => sources.find((each) => each.chainId === chainId);
  const untilLate = () => AbortSignal.any([stop.signal, AbortSignal.timeout(TOKEN_MS)]);

  return {
    follows: (chainId) => followed.has(chainId),
    pasts: () => pasts.flatMap((each) => each.standing()),
    health: () => [
      ...sources.map((source) => ({ chainId: source.chainId, ...source.health() })),
      ...missing().map((chainId) => ({ chainId, all: NOT_FOLLOWED, upstreams: [] })),
    ],
    token: async (chainId, token) => sourceOf(chainId)?.token(token, untilLate()),
    hasCode: async (chainId, address) => sourceOf(chainId)?.hasCode(address, untilLate()),
    failed,
    async stop() {
      stop.abort();
      await Promise.allSettled([...running, ...pasts.map((each) => each.stop())]);
      for (const source of sources) source.close();
    },
  };
}

/** Accounts of a chain, each once, whatever number of wallets has it. */
export function watchedOf(evm: EvmState, chainId: bigint): readonly EvmWatched[] {
  const found = new Map<Address, EvmWatched>();
  const awaited = evmAwaited(evm);
  for (const record of evm.wallets.values()) {
    const { wallet, account } = record;
    if (wallet.chainId !== chainId) continue;
    const known = found.get(wallet.address);
    const tokens = new Set([...(known?.tokens ?? []), ...wallet.tokens.map(({ token }) => token)]);
    // A token that was added later has no balance yet: it is read like one of a new wallet.
    const isRead =
      account !== null && wallet.tokens.every(({ token }) => account.tokens.some((each) => each.token === token));
    found.set(wallet.address, {
      ...{ address: wallet.address, fresh: (known?.fresh ?? false) || !isRead, tokens: [...tokens] },
      allowances: [...(known?.allowances ?? []), ...(account?.allowances ?? [])],
      unread: [...(known?.unread ?? []), ...evmUnreadAllowances(record)],
      pending: merged(known?.pending ?? [], awaited.get(wallet.id) ?? []),
    });
  }
  return [...found.values()];
}

/** Each transaction once; one that some wallet does not know as proven is asked for until each does. */
function merged(known: EvmWatched['pending'], more: EvmWatched['pending']): EvmWatched['pending'] {
  const all = new Map(known.map((each) => [each.hash, each]));
  for (const each of more) {
    all.set(each.hash, { ...each, proven: each.proven && (all.get(each.hash)?.proven ?? true) });
  }
  return [...all.values()];
}
