import { CodedError } from '@keepwatch/base';
import { parseAddress, type Address } from '@keepwatch/evm';
import type { Journal } from '@keepwatch/journal';
import { evmWallet, type EvmLimit, type EvmToken, type EvmWalletRecord } from '@keepwatch/watch';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { z } from 'zod';
import type { Methods } from '../api/server.ts';
import { evmPast, evmToken, none, walletId, type evmPut, type evmSet, type evmTokenGiven } from '../api/shapes.ts';
import { freshId, requireFreeName } from '../api/wallet-methods.ts';
import type { Engine } from '../engine/engine.ts';
import type { Changes } from '../orders/order-desk.ts';
import { requireWallet } from './owned-wallet.ts';
import { newestOfPast } from './past-entries.ts';
import type { RunningEvm } from './run.ts';
import { evmWalletView } from './wallet-view.ts';

export interface EvmMethodsDeps {
  readonly engine: Engine;
  readonly journal: Journal;
  /** Null where no chain is followed. */
  readonly running: () => RunningEvm | null;
}

/** What can be asked and said of accounts of EVM chains. */
export function evmMethods({ engine, journal, running }: EvmMethodsDeps): {
  readonly methods: Methods;
  readonly changes: Changes;
} {
  const { evm } = engine.state;
  const known = (name: string) => requireWallet(evm.wallets, name);
  const view = (record: EvmWalletRecord) => {
    const [pasts, chains] = [running()?.pasts() ?? [], running()?.health() ?? []];
    const shown = (chainId: bigint) => {
      const upstreams = chains.find((each) => each.chainId === chainId)?.upstreams ?? [];
      return upstreams.length === 0 ? null : [...new Set(upstreams.flatMap(({ pending }) => pending))];
    };
    return evmWalletView(evm, record, { pasts, shown });
  };

  async function tokenOf(chainId: bigint, given: z.infer<typeof evmTokenGiven>): Promise<EvmToken> {
    const at = addressOf(given.token, 'token');
    // Where the chain cannot be asked, `watch show` says later that the token gives no balance.
    if ((await running()?.hasCode(chainId, at)) === false) {
      throw new CodedError(
        'evm_token_no_contract',
        `There is no contract at ${at} on chain ${chainId}: it is no token.`,
        {
          remedy: 'Look the address of the token up again, and whether the chain is the right one.',
        },
      );
    }
    if (given.symbol !== undefined && given.decimals !== undefined) {
      return { token: at, symbol: given.symbol, decimals: given.decimals };
    }
    const found = await running()?.token(chainId, at);
    if (found) return { token: at, symbol: given.symbol ?? found.symbol, decimals: given.decimals ?? found.decimals };
    throw new CodedError(
      'evm_token_unknown',
      `What the token ${at} is called, and how many decimals it has, is not known.`,
      {
        remedy: `Write it as ${at}:SYMBOL:DECIMALS, or try again while the monitor follows the chain.`,
      },
    );
  }

  /** Throws where the chain is followed, and none of its upstreams has a block of this number yet. */
  function requireBegun(chainId: bigint, birthday: number): void {
    const chain = running()
      ?.health()
      .find((each) => each.chainId === chainId);
    const heads = (chain?.upstreams ?? []).flatMap(({ health }) => health.head ?? []);
    const last = Math.max(...heads);
    if (heads.length === 0 || birthday <= last + 1) return;
    const words = `There is no block ${birthday} yet on chain ${chainId}: the last one is ${last}.`;
    throw new CodedError('watched_wallet_refused', words, {
      remedy: 'Give the first block that may concern it, or leave the birthday out for an account that is new.',
    });
  }

  return {
    methods: {
      /** What a token is called: as it was given, or as its contract says. */
      'evm.token': {
        params: evmToken,
        call: async ({ chainId, ...given }: z.infer<typeof evmToken>) => tokenOf(BigInt(chainId), given),
      },
      'evm.list': {
        params: none,
        call: () => Promise.resolve([...evm.wallets.values()].map(view)),
      },
      'evm.show': {
        params: walletId,
        call: async ({ wallet }: z.infer<typeof walletId>) => view(known(wallet)),
      },
      /** `before` goes on from the first one of an answer. */
      'evm.past': {
        params: evmPast,
        async call({ wallet: name, limit = 100, before }: z.infer<typeof evmPast>) {
          return newestOfPast(journal, known(name).wallet.id, limit, before);
        },
      },
    },
    changes: {
      'evm.put': {
        async plan({ name, owner = null, tags = [], chainId: digits, address, ...given }: z.infer<typeof evmPut>) {
          const { birthday: born = null } = given;
          const chainId = BigInt(digits);
          if (running()?.follows(chainId) === false) {
            throw new CodedError('evm_chain_not_followed', `The monitor follows no chain ${chainId}.`, {
              remedy: 'Give it an upstream, by `monitor run --evm` or in chain.json, and start it anew.',
            });
          }
          if (born !== null && 'height' in born) requireBegun(chainId, born.height);
          const tokens: EvmToken[] = [];
          for (const each of given.tokens ?? []) tokens.push(await tokenOf(chainId, each));
          const account = addressOf(address, 'account');
          const limits = (given.limits ?? []).map((limit) => {
            return { ...limit, token: limit.token === null ? null : addressOf(limit.token, 'token') };
          });
          const birthday =
            born === null ? null : 'height' in born ? { number: born.height } : { timeMs: born.timeSeconds * 1_000 };
          return () => {
            const id = freshId(name, engine);
            const read = evmWallet({ id, name, owner, tags, chainId, address: account, tokens, limits, birthday });
            if (!read.ok) throw new CodedError('watched_wallet_refused', `${read.error.message} (${read.error.code})`);
            return {
              inputs: [{ room: 'evm', input: { kind: 'evm-wallet', wallet: read.value } }],
              answer: () => view(known(id)),
            };
          };
        },
      },
      'evm.set': {
        plan: ({ wallet: which, limits = [], ...about }: z.infer<typeof evmSet>) => {
          const given = limits.map(({ token, ...amounts }) => {
            return { token: token === null ? null : addressOf(token, 'token'), amounts };
          });
          return () => {
            const { wallet } = known(which);
            if (about.name !== undefined) requireFreeName(about.name, engine.state, wallet.id);
            const changed = given.reduce(withLimit, wallet.limits);
            const read = evmWallet({ ...wallet, ...about, limits: changed });
            if (!read.ok) throw new CodedError('watched_wallet_refused', `${read.error.message} (${read.error.code})`);
            return {
              inputs: [{ room: 'evm', input: { kind: 'evm-wallet', wallet: read.value } }],
              answer: () => view(known(wallet.id)),
            };
          };
        },
      },
      'evm.remove': {
        plan:
          ({ wallet: name }: z.infer<typeof walletId>) =>
          () => {
            const { id } = known(name).wallet;
            return {
              inputs: [{ room: 'evm', input: { kind: 'evm-wallet-removed', wallet: id } }],
              answer: () => ({ removed: id }),
            };
          },
      },
    },
  };
}

/** What is said of a token is changed, the rest stays; a limit that watches for nothing is none. */
function withLimit(
  limits: readonly EvmLimit[],
  { token, amounts }: { readonly token: Address | null; readonly amounts: Partial<EvmLimit> },
): readonly EvmLimit[] {
  const known = limits.find((each) => each.token === token) ?? { token, large: null, above: null, below: null };
  const changed = { ...known, ...amounts };
  const isNone = changed.large === null && changed.above === null && changed.below === null;
  const others = limits.filter((each) => each !== known);
  return isNone ? others : [...others, changed];
}

function addressOf(given: string, what: string): Address {
  const read = parseAddress(given, keccak_256);
  if (read.ok) return read.value;
  const why = read.error === 'wrong_checksum' ? 'has a wrong checksum' : 'is no address';
  throw new CodedError('evm_address_invalid', `The ${what} ${given} ${why}.`, { remedy: 'Copy it again, whole.' });
}
