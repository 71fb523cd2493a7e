import type { Address } from '../address.ts';
import { addressAt, amountOf, boolAt, uintAt } from './arguments.ts';
import { harmless, type Call, type CallRoute, type Effect, type Leak, type Standard } from './route.ts';
import { erc20Leak, leaks, underlyingOf } from './vaults.ts';

// Lending: Aave v3, Compound v2 and v3. A debt is counted like a payment of what was borrowed: it is credit that is used.

/**
 * Who takes something out of an Aave pool gives lending tokens for it, one for one. Where the lending token is
 * registered (as of that pool, for that asset), it counts besides: its budget cannot be passed by the pool.
 */
function takeOut(call: Call, asset: Address, amount: bigint | 'unlimited', to: Address): Leak[] {
  const out = [erc20Leak(call.sender, asset, amount, to)];
  for (const { entry } of call.registry.contracts.get(call.chain)?.values() ?? []) {
    if (entry.issuer === call.contract && entry.underlying === asset && entry.standards.includes('erc20')) {
      out.push(erc20Leak(call.sender, entry.address, amount, to));
    }
  }
  return out;
}

const supply = (line: string): CallRoute => ({
  line,
  route: 'lending',
  says: '`amount` of `asset`; it is `onBehalfOf`’s from then on',
  effect: (call) =>
    leaks(erc20Leak(call.sender, addressAt(call.args, 0), amountOf(uintAt(call.args, 1)), addressAt(call.args, 2))),
});

const repay = (line: string): CallRoute => ({
  line,
  route: 'lending',
  says: '`amount` of `asset`, for the debt of `onBehalfOf`; 2^256−1, the whole debt, is unlimited',
  effect: (call) =>
    leaks(erc20Leak(call.sender, addressAt(call.args, 0), amountOf(uintAt(call.args, 1)), addressAt(call.args, 3))),
});

const PERMIT = 'uint256 deadline, uint8 permitV, bytes32 permitR, bytes32 permitS';

export const aavePool: Standard = {
  name: 'aave-v3-pool',
  title: 'Aave v3 pools',
  calls: [
    supply('supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)'),
    supply('deposit(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)'),
    supply(`supplyWithPermit(address asset, uint256 amount, address onBehalfOf, uint16 referralCode, ${PERMIT})`),
    {
      line: 'withdraw(address asset, uint256 amount, address to)',
      route: 'aave-withdraw',
      says: '`amount` of `asset`, and of its lending token where that is registered, to `to`; 2^256−1 is unlimited',
      effect: (call) =>
        leaks(...takeOut(call, addressAt(call.args, 0), amountOf(uintAt(call.args, 1)), addressAt(call.args, 2))),
    },
    {
      line: 'borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf)',
      route: 'lending',
      says: '`amount` of `asset` in credit of `onBehalfOf`; the caller gets it',
      effect: (call) =>
        leaks(erc20Leak(addressAt(call.args, 4), addressAt(call.args, 0), amountOf(uintAt(call.args, 1)), call.sender)),
    },
    repay('repay(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf)'),
    repay(`repayWithPermit(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf, ${PERMIT})`),
    {
      line: 'repayWithATokens(address asset, uint256 amount, uint256 interestRateMode)',
      route: 'lending',
      says: '`amount` of `asset`, and of its lending token where that is registered, for the caller’s own debt',
      effect: (call) => leaks(...takeOut(call, addressAt(call.args, 0), amountOf(uintAt(call.args, 1)), call.sender)),
    },
    harmless('setUserUseReserveAsCollateral(address asset, bool useAsCollateral)'),
    harmless('setUserEMode(uint8 categoryId)'),
  ],
};

/** What is lent in somebody's name comes out in the underlying token. */
function delegate(call: Call, from: Address, to: Address, amount: bigint): Effect {
  const token = underlyingOf(call);
  return leaks({ ...erc20Leak(from, token, amountOf(amount), to), holds: 'allowance' });
}

export const aaveDebt: Standard = {
  name: 'aave-v3-debt',
  title: 'Aave v3 debt tokens',
  needs: ['underlying'],
  calls: [
    {
      line: 'approveDelegation(address delegatee, uint256 amount)',
      route: 'aave-delegation',
      says: '`amount` of the underlying token in the caller’s credit, held for `delegatee`',
      effect: (call) => delegate(call, call.sender, addressAt(call.args, 0), uintAt(call.args, 1)),
    },
    {
      line: 'delegationWithSig(address delegator, address delegatee, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
      route: 'aave-delegation',
      says: '`value` of the underlying token in `delegator`’s credit, held for `delegatee`',
      effect: (call) => delegate(call, addressAt(call.args, 0), addressAt(call.args, 1), uintAt(call.args, 2)),
    },
  ],
};

const payUnderlying = (line: string, amountAt: number, to: (call: Call) => Address, says: string): CallRoute => ({
  line,
  route: 'lending',
  says,
  effect: (call) => leaks(erc20Leak(call.sender, underlyingOf(call), amountOf(uintAt(call.args, amountAt)), to(call))),
});
const itself = (call: Call): Address => call.sender;

export const compoundV2: Standard = {
  name: 'compound-v2',
  title: 'Compound v2 cTokens of tokens (an `erc20` besides)',
  needs: ['underlying'],
  calls: [
    payUnderlying('mint(uint256 mintAmount)', 0, itself, '`mintAmount` of the underlying token; cTokens come back'),
    {
      line: 'redeem(uint256 redeemTokens)',
      route: 'lending',
      says: '`redeemTokens` cTokens; underlying tokens come back',
      effect: (call) => leaks(erc20Leak(call.sender, call.contract, amountOf(uintAt(call.args, 0)), call.sender)),
    },
    {
      line: 'redeemUnderlying(uint256 redeemAmount)',
      route: 'lending',
      says: 'unlimited cTokens, for the price is not in the bytes; `redeemAmount` underlying tokens come back',
      effect: (call) => leaks(erc20Leak(call.sender, call.contract, 'unlimited', call.sender)),
    },
    payUnderlying('borrow(uint256 borrowAmount)', 0, itself, '`borrowAmount` in credit; the caller gets it'),
    payUnderlying('repayBorrow(uint256 repayAmount)', 0, itself, '`repayAmount` of the underlying token'),
    payUnderlying(
      'repayBorrowBehalf(address borrower, uint256 repayAmount)',
      1,
      (call) => addressAt(call.args, 0),
      '`repayAmount` of the underlying token, for the debt of `borrower`',
    ),
  ],
};

interface Places {
  readonly from?: number;
  readonly to?: number;
  readonly asset: number;
  readonly amount: number;
}

const comet = (line: string, places: Places, says: string): CallRoute => ({
  line,
  route: 'lending',
  says,
  effect: (call) => {
    const at = (index: number | undefined) => (index === undefined ? call.sender : addressAt(call.args, index));
    const amount = amountOf(uintAt(call.args, places.amount));
    return leaks(erc20Leak(at(places.from), addressAt(call.args, places.asset), amount, at(places.to)));
  },
});

function manage(call: Call, from: Address, to: Address, allowed: boolean): Effect {
  return leaks({
    ...erc20Leak(from, call.contract, allowed ? 'unlimited' : 0n, to),
    holds: 'allowance',
  });
}

export const compoundV3: Standard = {
  name: 'compound-v3',
  title: 'Compound v3 markets (an `erc20` besides)',
  calls: [
    comet('supply(address asset, uint256 amount)', { asset: 0, amount: 1 }, '`amount` of `asset`'),
    comet(
      'supplyTo(address dst, address asset, uint256 amount)',
      { to: 0, asset: 1, amount: 2 },
      '`amount` of `asset`; it is `dst`’s from then on',
    ),
    comet(
      'supplyFrom(address from, address dst, address asset, uint256 amount)',
      { from: 0, to: 1, asset: 2, amount: 3 },
      '`amount` of `from`’s `asset`; it is `dst`’s from then on',
    ),
    comet('withdraw(address asset, uint256 amount)', { asset: 0, amount: 1 }, '`amount` of `asset`, in credit too'),
    comet(
      'withdrawTo(address to, address asset, uint256 amount)',
      { to: 0, asset: 1, amount: 2 },
      '`amount` of `asset`, in credit too, to `to`',
    ),
    comet(
      'withdrawFrom(address src, address to, address asset, uint256 amount)',
      { from: 0, to: 1, asset: 2, amount: 3 },
      '`amount` of `src`’s `asset`, in credit too, to `to`',
    ),
    comet(
      'transferAsset(address dst, address asset, uint256 amount)',
      { to: 0, asset: 1, amount: 2 },
      '`amount` of `asset`, to `dst`',
    ),
    comet(
      'transferAssetFrom(address src, address dst, address asset, uint256 amount)',
      { from: 0, to: 1, asset: 2, amount: 3 },
      '`amount` of `src`’s `asset`, to `dst`',
    ),
    {
      line: 'allow(address manager, bool isAllowed)',
      route: 'compound-allow',
      says: 'unlimited of the market’s token, which stands for all that the account has there, held for `manager`',
      effect: (call) => manage(call, call.sender, addressAt(call.args, 0), boolAt(call.args, 1)),
    },
    {
      line: 'allowBySig(address owner, address manager, bool isAllowed, uint256 nonce, uint256 expiry, uint8 v, bytes32 r, bytes32 s)',
      route: 'compound-allow',
      says: 'the same, of `owner`',
      effect: (call) => manage(call, addressAt(call.args, 0), addressAt(call.args, 1), boolAt(call.args, 2)),
    },
  ],
};
