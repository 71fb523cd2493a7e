import type { Address } from '@keepwatch/evm';
import {
  createEvmSource,
  type EvmEvent,
  type EvmPendingMeans,
  type EvmSourceOptions,
  type EvmWatched,
} from '@keepwatch/chain';
import {
  applyEvmEvent,
  createEvmState,
  decodeEvmState,
  encodeEvmState,
  evmAwaited,
  evmCursor,
  evmStep,
  type EvmInput,
  type EvmSpend,
  type EvmToken,
  type EvmWallet,
  type Finding,
} from '@keepwatch/watch';

/** A source and the engine behind it, as a monitor joins them, with all that was told in memory. */
export interface Follower {
  readonly findings: readonly Finding[];
  readonly events: readonly EvmEvent[];
  /** Those that still stand, by id. */
  spends(): ReadonlyMap<string, EvmSpend>;
  tip(): number;
  /** What each upstream shows of what is in no block. */
  shown(): readonly (readonly EvmPendingMeans[])[];
  /** Resolves with the finding once there is one; throws after a minute. */
  finding(is: (finding: Finding) => boolean): Promise<Finding>;
  event(is: (event: EvmEvent) => boolean): Promise<EvmEvent>;
  /** Resolves once the engine has got so far. */
  reached(number: number): Promise<void>;
  /** Ends the run and begins another with what a snapshot holds. */
  restart(options?: Partial<EvmSourceOptions>): Promise<void>;
  stop(): Promise<void>;
}

const CHAIN = 31_337n;
const LIMIT_MS = 60_000;

function pendingInput(event: Extract<EvmEvent, { kind: 'sighted' | 'counted' | 'evicted' }>): EvmInput {
  switch (event.kind) {
    case 'sighted':
      return { ...event, kind: 'evm-sighted', chainId: CHAIN };
    case 'counted':
      return { ...event, kind: 'evm-counted', chainId: CHAIN };
    case 'evicted':
      return { ...event, kind: 'evm-evicted', chainId: CHAIN };
  }
}

export function startFollower(
  options: Omit<EvmSourceOptions, 'chainId'>,
  wallets: Readonly<Record<string, { readonly address: Address; readonly tokens?: readonly EvmToken[] }>>,
): Follower {
  let state = createEvmState();
  let current = { chainId: CHAIN, pollMs: 100, pendingMs: 100, evictMs: 1_500, patienceMs: 1_000, ...options };
  const findings: Finding[] = [];
  const events: EvmEvent[] = [];
  let wakers: (() => void)[] = [];

  function tell(input: EvmInput): void {
    for (const event of evmStep(state, input, Date.now())) {
      applyEvmEvent(state, event);
      if (event.kind === 'finding') findings.push(event.finding);
    }
    for (const wake of wakers.splice(0)) wake();
  }

  const chain = { chainId: CHAIN, symbol: 'ETH', depths: [3], keptBlocks: 64 };
  tell({ kind: 'evm-chain', chain });
  for (const [id, { address, tokens = [] }] of Object.entries(wallets)) {
    const wallet: EvmWallet = {
      id,
      name: id,
      owner: null,
      tags: [],
      chainId: CHAIN,
      address,
      tokens,
      limits: [],
      birthday: null,
    };
    tell({ kind: 'evm-wallet', wallet });
  }

  const watching = (): readonly EvmWatched[] =>
    [...state.wallets.values()].map(({ wallet, account }) => ({
      ...{ address: wallet.address, fresh: account === null, tokens: wallet.tokens.map(({ token }) => token) },
      ...{ allowances: account?.allowances ?? [], unread: [], pending: evmAwaited(state).get(wallet.id) ?? [] },
    }));

  function run() {
    const stop = new AbortController();
    const source = createEvmSource(current);
    const running = (async () => {
      for await (const event of source.events(evmCursor(state, CHAIN), watching, stop.signal)) {
        events.push(event);
        if (event.kind === 'connected') tell({ kind: 'evm-connected', facts: event.facts, seenBy: event.seenBy });
        else if (event.kind === 'disconnected') {
          tell({ kind: 'evm-disconnected', chainId: CHAIN, block: event.block, seenBy: event.seenBy });
        } else if (event.kind === 'finality') tell({ kind: 'evm-finality', chainId: CHAIN, number: event.number });
        else if (event.kind === 'sighted' || event.kind === 'counted' || event.kind === 'evicted') {
          tell(pendingInput(event));
        }
        for (const wake of wakers.splice(0)) wake();
      }
    })();
    running.catch(() => undefined);
    return {
      shown: () => source.health().upstreams.map(({ pending }) => pending),
      async stop() {
        stop.abort();
        await running;
        source.close();
      },
    };
  }
  let running = run();

  async function until<T>(look: () => T | undefined, what: string): Promise<T> {
    for (const end = Date.now() + LIMIT_MS; ;) {
      const found = look();
      if (found !== undefined) return found;
      const left = end - Date.now();
      if (left <= 0) {
        const kinds = findings.map(({ id }) => id).join('\n');
        throw new Error(`${what} did not come. Told:\n${kinds}\nEvents: ${events.map(({ kind }) => kind).join(' ')}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 1_000));
        wakers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  return {
    findings,
    events,
    spends: () => new Map(state.spends.entries()),
    tip: () => state.chains.get(String(CHAIN))?.tip?.number ?? -1,
    shown: () => running.shown(),
    finding: (is) => until(() => findings.find(is), `A finding (${String(is)})`),
    event: (is) => until(() => events.find(is), `An event (${String(is)})`),
    reached: (number) =>
      until(
        () => ((state.chains.get(String(CHAIN))?.tip?.number ?? -1) >= number ? number : undefined),
        `Block ${number}`,
      ).then(() => undefined),
    async restart(more = {}) {
      await running.stop();
      const read = decodeEvmState(encodeEvmState(state));
      if (!read.ok) throw new Error(read.error);
      state = read.value;
      current = { ...current, ...more };
      running = run();
    },
    async stop() {
      await running.stop();
      wakers = [];
    },
  };
}
