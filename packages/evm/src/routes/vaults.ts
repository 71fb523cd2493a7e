import type { Address } from '../address.ts';
import { addressAt, amountOf, uintAt } from './arguments.ts';
import type { RouteName } from '../intents/intent.ts';
import type { Call, CallRoute, Effect, Leak, Standard } from './route.ts';

// One thing is given and another got: vaults, wrappers, shares. What is given counts, and who gets the other thing.

export function leaks(...list: readonly Leak[]): Effect {
  return { does: 'call', leaks: list };
}

export function erc20Leak(account: Address, token: Address, amount: bigint | 'unlimited', to: Address): Leak {
  return { account, asset: `erc20:${token}`, amount, to };
}

/** `addEntry` made sure that entries of standards which need it have one. */
export function underlyingOf({ entry }: Call): Address {
  if (entry.underlying === undefined) throw new TypeError('an entry without its underlying token');
  return entry.underlying;
}

export const erc4626: Standard = {
  name: 'erc4626',
  title: 'ERC-4626 vaults (their shares are `erc20` besides)',
  needs: ['underlying'],
  calls: [
    {
      line: 'deposit(uint256 assets, address receiver)',
      route: 'vault-4626',
      says: '`assets` of the underlying token; the shares go to `receiver`',
      effect: (call) =>
        leaks(erc20Leak(call.sender, underlyingOf(call), amountOf(uintAt(call.args, 0)), addressAt(call.args, 1))),
    },
    {
      line: 'mint(uint256 shares, address receiver)',
      route: 'vault-4626',
      says: 'unlimited of the underlying token, for the price is not in the bytes; the shares go to `receiver`',
      effect: (call) => leaks(erc20Leak(call.sender, underlyingOf(call), 'unlimited', addressAt(call.args, 1))),
    },
    {
      line: 'withdraw(uint256 assets, address receiver, address owner)',
      route: 'vault-4626',
      says: '`assets` of the underlying token to `receiver`, for unlimited shares of `owner`: the price is not in the bytes',
      effect: (call) => {
        const [receiver, owner] = [addressAt(call.args, 1), addressAt(call.args, 2)];
        return leaks(
          erc20Leak(owner, call.contract, 'unlimited', receiver),
          erc20Leak(owner, underlyingOf(call), amountOf(uintAt(call.args, 0)), receiver),
        );
      },
    },
    {
      line: 'redeem(uint256 shares, address receiver, address owner)',
      route: 'vault-4626',
      says: '`shares` of `owner`; the underlying tokens go to `receiver`',
      effect: (call) =>
        leaks(
          erc20Leak(addressAt(call.args, 2), call.contract, amountOf(uintAt(call.args, 0)), addressAt(call.args, 1)),
        ),
    },
  ],
};

const wrapped = (call: Call, to: Address): Effect => ({
  does: 'call',
  leaks: [],
  valueTo: to,
  valueRoute: 'weth',
});

export const weth: Standard = {
  name: 'weth',
  title: 'Wrapped ether (an `erc20` besides)',
  calls: [
    {
      line: 'deposit()',
      route: 'weth',
      says: 'the value, in ether; the same in tokens comes back',
      effect: (call) => wrapped(call, call.contract),
    },
    {
      line: 'depositTo(address to)',
      route: 'weth',
      says: 'the value, in ether; the tokens go to `to`',
      effect: (call) => wrapped(call, addressAt(call.args, 0)),
    },
    {
      line: 'withdraw(uint256 amount)',
      route: 'weth',
      says: '`amount` of the token; the same in ether comes back',
      effect: (call) => leaks(erc20Leak(call.sender, call.contract, amountOf(uintAt(call.args, 0)), call.sender)),
    },
    {
      line: 'withdrawTo(address to, uint256 amount)',
      route: 'weth',
      says: '`amount` of the token; the ether goes to `to`',
      effect: (call) =>
        leaks(erc20Leak(call.sender, call.contract, amountOf(uintAt(call.args, 1)), addressAt(call.args, 0))),
    },
  ],
};

/** How many tokens a number of shares is, the contract knows at the time: no number in the bytes is a bound. */
function moveShares(call: Call, from: Address, to: Address): Effect {
  return {
    does: 'move',
    moves: [
      {
        standard: 'erc20',
        token: call.contract,
        id: null,
        amount: 'unlimited',
        from,
        to,
        route: 'shares',
        holds: 'spent',
        untilMs: null,
      },
    ],
  };
}

export const lido: Standard = {
  name: 'lido',
  title: 'stETH (an `erc20` besides)',
  calls: [
    {
      line: 'submit(address referral)',
      route: 'shares',
      says: 'the value, in ether; stETH comes back',
      effect: () => ({ does: 'call', leaks: [], valueRoute: 'shares' }),
    },
    {
      line: 'transferShares(address recipient, uint256 sharesAmount)',
      route: 'shares',
      says: 'unlimited of the token, to `recipient`: what a share is worth is not in the bytes',
      effect: (call) => moveShares(call, call.sender, addressAt(call.args, 0)),
    },
    {
      line: 'transferSharesFrom(address sender, address recipient, uint256 sharesAmount)',
      route: 'shares',
      says: 'unlimited of `sender`’s token, to `recipient`',
      effect: (call) => moveShares(call, addressAt(call.args, 0), addressAt(call.args, 1)),
    },
  ],
};

const rewrap = (line: string, says: string, token: (call: Call) => Address): CallRoute => ({
  line,
  route: 'shares' satisfies RouteName,
  says,
  effect: (call) => leaks(erc20Leak(call.sender, token(call), amountOf(uintAt(call.args, 0)), call.sender)),
});

export const wrapper: Standard = {
  name: 'wrapper',
  title: 'wstETH and wrappers like it (an `erc20` besides)',
  needs: ['underlying'],
  calls: [
    rewrap('wrap(uint256 amount)', '`amount` of the underlying token; wrapped ones come back', underlyingOf),
    rewrap(
      'unwrap(uint256 amount)',
      '`amount` of the wrapped token; underlying ones come back',
      (call) => call.contract,
    ),
  ],
};
