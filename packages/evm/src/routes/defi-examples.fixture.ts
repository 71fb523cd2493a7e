import { maxUint160, maxUint256 } from 'viem';
import type { Address } from '../address.ts';
import {
  type RouteExample,
  ZERO,
  B32,
  SIG,
  coin,
  LATER,
  LATER_MS,
  of,
  paying,
  opaque,
  SINGLE,
  BATCH,
  ONE,
  MANY,
  details,
} from './route-example.fixture.ts';
import { ALICE, BOB, COIN, COIN2, contractOf, UNDERLYING, WALLET, type Flow } from './world.fixture.ts';

export function permit2Examples(): RouteExample[] {
  const permit2 = of('permit2');
  const approve = 'approve(address token, address spender, uint160 amount, uint48 expiration)';
  const held = (token: Address, amount: Flow[2], until: number | null = LATER_MS, owner: Flow[0] = 'wallet'): Flow => [
    owner,
    coin(token),
    amount,
    BOB,
    'permit2',
    'allowance',
    until,
  ];
  const sent = (token: Address, amount: Flow[2], from: Flow[0] = 'wallet'): Flow => [
    from,
    coin(token),
    amount,
    BOB,
    'permit2-transfer',
  ];
  const one = [
    { permitted: { token: COIN, amount: 9n }, nonce: 0n, deadline: LATER },
    { to: BOB, requestedAmount: 5n },
    WALLET,
  ];
  const many = [
    {
      permitted: [
        { token: COIN, amount: 9n },
        { token: COIN2, amount: 9n },
      ],
      nonce: 0n,
      deadline: LATER,
    },
    [
      { to: BOB, requestedAmount: 5n },
      { to: BOB, requestedAmount: 6n },
    ],
    ALICE,
  ];
  const manySent = [sent(COIN, 5n, ALICE), sent(COIN2, 6n, ALICE)];
  const witness = 'bytes32 witness, string witnessTypeString, bytes signature';
  return [
    permit2(approve, [COIN, BOB, 5n, Number(LATER)], held(COIN, 5n)),
    permit2(approve, [COIN, BOB, maxUint160, 0], held(COIN, 'unlimited', null)),
    permit2(approve, [COIN, BOB, 5n, 2 ** 48 - 1], held(COIN, 5n, null)),
    opaque('permit2', 'not_a_fungible_token', approve, [contractOf('erc721'), BOB, 5n, 0]),
    permit2(
      `permit(address owner, ${SINGLE} permitSingle, bytes signature)`,
      [WALLET, { details: details(COIN, 5n), spender: BOB, sigDeadline: 1n }, '0x'],
      held(COIN, 5n),
    ),
    permit2(
      `permit(address owner, ${SINGLE} permitSingle, bytes signature)`,
      [WALLET, { details: details(COIN, 5n, 0), spender: BOB, sigDeadline: LATER }, '0x'],
      held(COIN, 5n),
    ),
    permit2(
      `permit(address owner, ${BATCH} permitBatch, bytes signature)`,
      [ALICE, { details: [details(COIN, 5n), details(COIN2, maxUint160)], spender: BOB, sigDeadline: 1n }, '0x'],
      held(COIN, 5n, LATER_MS, ALICE),
      held(COIN2, 'unlimited', LATER_MS, ALICE),
    ),
    permit2(
      'transferFrom(address from, address to, uint160 amount, address token)',
      [WALLET, BOB, 5n, COIN],
      sent(COIN, 5n),
    ),
    opaque('permit2', 'not_a_fungible_token', 'transferFrom(address from, address to, uint160 amount, address token)', [
      WALLET,
      BOB,
      5n,
      contractOf('erc721'),
    ]),
    permit2(
      'transferFrom((address from, address to, uint160 amount, address token)[] transferDetails)',
      [
        [
          { from: WALLET, to: BOB, amount: 5n, token: COIN },
          { from: ALICE, to: BOB, amount: 6n, token: COIN2 },
        ],
      ],
      sent(COIN, 5n),
      sent(COIN2, 6n, ALICE),
    ),
    permit2(`permitTransferFrom(${ONE}, bytes signature)`, [...one, '0x'], sent(COIN, 5n)),
    permit2(`permitTransferFrom(${MANY}, bytes signature)`, [...many, '0x'], ...manySent),
    permit2(`permitWitnessTransferFrom(${ONE}, ${witness})`, [...one, B32, 'w', '0x'], sent(COIN, 5n)),
    permit2(`permitWitnessTransferFrom(${MANY}, ${witness})`, [...many, B32, 'w', '0x'], ...manySent),
    permit2('lockdown((address token, address spender)[] approvals)', [[{ token: COIN, spender: BOB }]]),
    permit2('invalidateNonces(address token, address spender, uint48 newNonce)', [COIN, BOB, 1]),
    permit2('invalidateUnorderedNonces(uint256 wordPos, uint256 mask)', [0n, 1n]),
  ];
}

export function vaultExamples(): RouteExample[] {
  const [vault, weth, lido, wrapper] = [of('erc4626'), of('weth'), of('lido'), of('wrapper')];
  const shares = coin(contractOf('erc4626'));
  const wrapped = coin(contractOf('weth'));
  const steth = coin(contractOf('lido'));
  return [
    vault('deposit(uint256 assets, address receiver)', [5n, BOB], ['wallet', coin(UNDERLYING), 5n, BOB, 'vault-4626']),
    vault(
      'mint(uint256 shares, address receiver)',
      [5n, BOB],
      ['wallet', coin(UNDERLYING), 'unlimited', BOB, 'vault-4626'],
    ),
    vault(
      'withdraw(uint256 assets, address receiver, address owner)',
      [5n, BOB, ALICE],
      [ALICE, shares, 'unlimited', BOB, 'vault-4626'],
      [ALICE, coin(UNDERLYING), 5n, BOB, 'vault-4626'],
    ),
    vault(
      'redeem(uint256 shares, address receiver, address owner)',
      [5n, BOB, WALLET],
      ['wallet', shares, 5n, BOB, 'vault-4626'],
    ),
    paying(5n, weth('deposit()', [], ['wallet', 'native', 5n, contractOf('weth'), 'weth'])),
    paying(5n, weth('depositTo(address to)', [BOB], ['wallet', 'native', 5n, BOB, 'weth'])),
    weth('withdraw(uint256 amount)', [5n], ['wallet', wrapped, 5n, WALLET, 'weth']),
    weth('withdrawTo(address to, uint256 amount)', [BOB, 5n], ['wallet', wrapped, 5n, BOB, 'weth']),
    paying(5n, lido('submit(address referral)', [ZERO], ['wallet', 'native', 5n, contractOf('lido'), 'shares'])),
    lido(
      'transferShares(address recipient, uint256 sharesAmount)',
      [BOB, 5n],
      ['wallet', steth, 'unlimited', BOB, 'shares'],
    ),
    lido(
      'transferSharesFrom(address sender, address recipient, uint256 sharesAmount)',
      [ALICE, BOB, 5n],
      [ALICE, steth, 'unlimited', BOB, 'shares'],
    ),
    wrapper('wrap(uint256 amount)', [5n], ['wallet', coin(UNDERLYING), 5n, WALLET, 'shares']),
    wrapper('unwrap(uint256 amount)', [5n], ['wallet', coin(contractOf('wrapper')), 5n, WALLET, 'shares']),
  ];
}

export function lendingExamples(): RouteExample[] {
  const [aave, debt, v2, v3] = [of('aave-v3-pool'), of('aave-v3-debt'), of('compound-v2'), of('compound-v3')];
  const permit = 'uint256 deadline, uint8 permitV, bytes32 permitR, bytes32 permitS';
  const lent: Flow = ['wallet', coin(COIN), 5n, BOB, 'lending'];
  const ctoken = coin(contractOf('compound-v2'));
  const market = coin(contractOf('compound-v3'));
  const back = (amount: Flow[2], asset: string): Flow => ['wallet', asset, amount, WALLET, 'lending'];
  return [
    aave('supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)', [COIN, 5n, BOB, 0], lent),
    aave('deposit(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)', [COIN, 5n, BOB, 0], lent),
    aave(
      `supplyWithPermit(address asset, uint256 amount, address onBehalfOf, uint16 referralCode, ${permit})`,
      [COIN, 5n, BOB, 0, LATER, ...SIG],
      lent,
    ),
    aave(
      'withdraw(address asset, uint256 amount, address to)',
      [COIN, maxUint256, BOB],
      ['wallet', coin(COIN), 'unlimited', BOB, 'aave-withdraw'],
    ),
    aave(
      'borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf)',
      [COIN, 5n, 2n, 0, ALICE],
      [ALICE, coin(COIN), 5n, WALLET, 'lending'],
    ),
    aave(
      'repay(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf)',
      [COIN, 5n, 2n, BOB],
      lent,
    ),
    aave(
      `repayWithPermit(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf, ${permit})`,
      [COIN, 5n, 2n, BOB, LATER, ...SIG],
      lent,
    ),
    aave(
      'repayWithATokens(address asset, uint256 amount, uint256 interestRateMode)',
      [COIN, 5n, 2n],
      back(5n, coin(COIN)),
    ),
    aave('setUserUseReserveAsCollateral(address asset, bool useAsCollateral)', [COIN, true]),
    aave('setUserEMode(uint8 categoryId)', [1]),
    debt(
      'approveDelegation(address delegatee, uint256 amount)',
      [BOB, 5n],
      ['wallet', coin(UNDERLYING), 5n, BOB, 'aave-delegation', 'allowance'],
    ),
    debt(
      'delegationWithSig(address delegator, address delegatee, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
      [ALICE, BOB, maxUint256, LATER, ...SIG],
      [ALICE, coin(UNDERLYING), 'unlimited', BOB, 'aave-delegation', 'allowance'],
    ),
    v2('mint(uint256 mintAmount)', [5n], back(5n, coin(UNDERLYING))),
    v2('redeem(uint256 redeemTokens)', [5n], back(5n, ctoken)),
    v2('redeemUnderlying(uint256 redeemAmount)', [5n], back('unlimited', ctoken)),
    v2('borrow(uint256 borrowAmount)', [5n], back(5n, coin(UNDERLYING))),
    v2('repayBorrow(uint256 repayAmount)', [maxUint256], back('unlimited', coin(UNDERLYING))),
    v2(
      'repayBorrowBehalf(address borrower, uint256 repayAmount)',
      [BOB, 5n],
      ['wallet', coin(UNDERLYING), 5n, BOB, 'lending'],
    ),
    v3('supply(address asset, uint256 amount)', [COIN, 5n], back(5n, coin(COIN))),
    v3('supplyTo(address dst, address asset, uint256 amount)', [BOB, COIN, 5n], lent),
    v3(
      'supplyFrom(address from, address dst, address asset, uint256 amount)',
      [ALICE, BOB, COIN, 5n],
      [ALICE, coin(COIN), 5n, BOB, 'lending'],
    ),
    v3('withdraw(address asset, uint256 amount)', [COIN, 5n], back(5n, coin(COIN))),
    v3('withdrawTo(address to, address asset, uint256 amount)', [BOB, COIN, 5n], lent),
    v3(
      'withdrawFrom(address src, address to, address asset, uint256 amount)',
      [ALICE, BOB, COIN, 5n],
      [ALICE, coin(COIN), 5n, BOB, 'lending'],
    ),
    v3('transferAsset(address dst, address asset, uint256 amount)', [BOB, COIN, 5n], lent),
    v3(
      'transferAssetFrom(address src, address dst, address asset, uint256 amount)',
      [ALICE, BOB, COIN, 5n],
      [ALICE, coin(COIN), 5n, BOB, 'lending'],
    ),
    v3(
      'allow(address manager, bool isAllowed)',
      [BOB, true],
      ['wallet', market, 'unlimited', BOB, 'compound-allow', 'allowance'],
    ),
    v3(
      'allow(address manager, bool isAllowed)',
      [BOB, false],
      ['wallet', market, 0n, BOB, 'compound-allow', 'allowance'],
    ),
    v3(
      'allowBySig(address owner, address manager, bool isAllowed, uint256 nonce, uint256 expiry, uint8 v, bytes32 r, bytes32 s)',
      [ALICE, BOB, true, 0n, LATER, ...SIG],
      [ALICE, market, 'unlimited', BOB, 'compound-allow', 'allowance'],
    ),
  ];
}
