import { CodedError } from '@keepwatch/base';
import { parseAddress, type Address } from '@keepwatch/evm';
import { evmWallet, type EvmToken } from '@keepwatch/watch';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import type { Methods } from '../api/server.ts';
import { none, walletId } from '../api/shapes.ts';
import { freshId } from '../api/wallet-methods.ts';
import type { Engine } from '../engine/engine.ts';
import type { RunningEvm } from './run.ts';
import { evmWalletView } from './wallet-view.ts';

const text = (most: number) => z.string().min(1).max(most);
const amount = z
  .string()
  .regex(/^\d{1,78}$/, 'a whole number of the smallest unit is expected')
  .transform(BigInt)
  .nullable();
const token = z.strictObject({
  token: text(42),
  /** Left out, the contract is asked. */
  symbol: text(32).exactOptional(),
  decimals: z.int().min(0).max(77).exactOptional(),
});
const put = z.strictObject({
  name: text(100),
  owner: text(200).nullable().exactOptional(),
  tags: z.array(text(64)).max(100).exactOptional(),
  chainId: z.string().regex(/^[1-9]\d{0,15}$/),
  address: text(42),
  tokens: z.array(token).max(64).exactOptional(),
  /** `token` null: the chain's own coin. */
  limits: z
    .array(z.strictObject({ token: text(42).nullable(), large: amount, above: amount, below: amount }))
    .max(65)
    .exactOptional(),
});

/** What can be asked and said of accounts of EVM chains. `running`: null where no chain is followed. */
export function evmMethods({ engine, running }: { engine: Engine; running: () => RunningEvm | null }): Methods {
  const { evm } = engine.state;
  const known = (name: string) => {
    const found = evm.wallets.get(name) ?? [...evm.wallets.values()].find(({ wallet }) => wallet.name === name);
    if (found) return found;
    throw new CodedError('watched_wallet_unknown', `No wallet “${name}” is watched.`, {
      remedy: '`keepwatch watch list` shows those that are.',
    });
  };

  async function tokenOf(chainId: bigint, given: z.infer<typeof token>): Promise<EvmToken> {
    const at = addressOf(given.token, 'token');
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

  return {
    'evm.put': {
      params: put,
      async call({ name, owner = null, tags = [], chainId: digits, address, ...given }: z.infer<typeof put>) {
        const chainId = BigInt(digits);
        if (running()?.follows(chainId) === false) {
          throw new CodedError('evm_chain_not_followed', `The monitor follows no chain ${chainId}.`, {
            remedy: 'Give it an upstream, by `monitor run --evm` or in chain.json, and start it anew.',
          });
        }
        const tokens: EvmToken[] = [];
        for (const each of given.tokens ?? []) tokens.push(await tokenOf(chainId, each));
        const read = evmWallet({
          ...{ id: freshId(name, engine), name, owner, tags, chainId, address: addressOf(address, 'account'), tokens },
          limits: (given.limits ?? []).map((limit) => {
            return { ...limit, token: limit.token === null ? null : addressOf(limit.token, 'token') };
          }),
        });
        if (!read.ok) throw new CodedError('watched_wallet_refused', `${read.error.message} (${read.error.code})`);
        await engine.submit({ room: 'evm', input: { kind: 'evm-wallet', wallet: read.value } });
        return evmWalletView(evm, known(read.value.id));
      },
    },
    /** What a token is called: as it was given, or as its contract says. */
    'evm.token': {
      params: z.strictObject({ chainId: put.shape.chainId, ...token.shape }),
      async call({ chainId, ...given }: { readonly chainId: string } & z.infer<typeof token>) {
        return tokenOf(BigInt(chainId), given);
      },
    },
    'evm.list': {
      params: none,
      call: () => Promise.resolve([...evm.wallets.values()].map((record) => evmWalletView(evm, record))),
    },
    'evm.show': {
      params: walletId,
      call: async ({ wallet }: z.infer<typeof walletId>) => evmWalletView(evm, known(wallet)),
    },
    'evm.remove': {
      params: walletId,
      async call({ wallet: name }: z.infer<typeof walletId>) {
        const { wallet } = known(name);
        await engine.submit({ room: 'evm', input: { kind: 'evm-wallet-removed', wallet: wallet.id } });
        return { removed: wallet.id };
      },
    },
  };
}

function addressOf(given: string, what: string): Address {
  const read = parseAddress(given, keccak_256);
  if (read.ok) return read.value;
  const why = read.error === 'wrong_checksum' ? 'has a wrong checksum' : 'is no address';
  throw new CodedError('evm_address_invalid', `The ${what} ${given} ${why}.`, { remedy: 'Copy it again, whole.' });
}
