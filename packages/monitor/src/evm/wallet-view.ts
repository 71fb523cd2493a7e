import type { EvmState, EvmWalletRecord } from '@keepwatch/watch';

/** An account as commands and a console show it: plain JSON data, amounts as decimal strings of the smallest unit. */
export function evmWalletView({ chains }: EvmState, { wallet, account }: EvmWalletRecord) {
  const chain = chains.get(String(wallet.chainId));
  const amount = (value: bigint | null) => (value === null ? null : String(value));
  return {
    ...{ id: wallet.id, name: wallet.name, owner: wallet.owner, tags: wallet.tags },
    ...{ chainId: String(wallet.chainId), address: wallet.address, symbol: chain?.chain.symbol ?? 'ETH' },
    /** Null while no block was looked at. */
    block: account === null ? null : (chain?.tip?.number ?? null),
    balance: account === null ? null : String(account.balance),
    nonce: account === null ? null : String(account.nonce),
    code: account?.code ?? null,
    implementation: account?.implementation ?? null,
    tokens: wallet.tokens.map(({ token, symbol, decimals }) => ({
      ...{ token, symbol, decimals },
      balance: amount(account?.tokens.find((each) => each.token === token)?.balance ?? null),
    })),
    allowances: (account?.allowances ?? []).map(({ token, spender, amount: allowed }) => ({
      ...{ token, spender, amount: String(allowed) },
    })),
    limits: wallet.limits.map(({ token, large, above, below }) => ({
      ...{ token, large: amount(large), above: amount(above), below: amount(below) },
    })),
  };
}

export type EvmWalletView = ReturnType<typeof evmWalletView>;
