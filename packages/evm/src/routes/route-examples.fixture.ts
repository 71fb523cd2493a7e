import { concat, encodeAbiParameters, encodePacked, maxUint160, maxUint256, parseAbiParameters, type Hex } from 'viem';
import type { Address } from '../address.ts';
import {
  ALICE,
  BOB,
  COIN,
  COIN2,
  contractOf,
  hexdata,
  STRANGER,
  UNDERLYING,
  WALLET,
  type Flow,
} from './world.fixture.ts';

/** One call of a function, and all that may leave by it, written down by hand from the contracts' documentation. */
export interface RouteExample {
  readonly standard: string;
  readonly line: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
  readonly flows?: readonly Flow[];
  readonly opaque?: string;
}

const ZERO: Address = `0x${'0'.repeat(40)}`;
const B32: Hex = `0x${'11'.repeat(32)}`;
const SIG = [27, B32, B32] as const;
const coin = (address: Address) => `erc20:${address}`;
const LATER = 2_000_000_000n;
const LATER_MS = 2_000_000_000_000;

const of =
  (standard: string) =>
  (line: string, args: readonly unknown[], ...flows: readonly Flow[]): RouteExample => ({
    standard,
    line,
    args,
    flows,
  });
const paying = (value: bigint, example: RouteExample): RouteExample => ({ ...example, value });
const opaque = (standard: string, why: string, line: string, args: readonly unknown[]): RouteExample => ({
  standard,
  line,
  args,
  opaque: why,
});

function tokenExamples(): RouteExample[] {
  const erc20 = of('erc20');
  const burnable = of('erc20-burnable');
  const [a2612, dai, a3009] = [of('eip2612'), of('dai-permit'), of('eip3009')];
  const [a777, a677, a1363] = [of('erc777'), of('erc677'), of('erc1363')];
  const self = (standard: string) => coin(contractOf(standard));
  const transfer = 'transfer(address to, uint256 amount)';
  const approve = 'approve(address spender, uint256 amount)';
  const transferFrom = 'transferFrom(address from, address to, uint256 amount)';
  const auth = 'address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce';
  const authorized: Flow = ['wallet', self('eip3009'), 5n, BOB, 'eip3009'];
  const permit = 'address owner, address spender, uint256 value, uint256 deadline';
  return [
    erc20(transfer, [BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'transfer']),
    erc20(transfer, [BOB, maxUint256], ['wallet', coin(COIN), 'unlimited', BOB, 'transfer']),
    paying(
      3n,
      erc20(transfer, [BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'transfer'], ['wallet', 'native', 3n, COIN, 'value']),
    ),
    erc20(transferFrom, [WALLET, BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'transfer-from']),
    erc20(transferFrom, [ALICE, BOB, 5n], [ALICE, coin(COIN), 5n, BOB, 'transfer-from']),
    erc20(approve, [BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'approve', 'allowance']),
    erc20(approve, [BOB, maxUint256], ['wallet', coin(COIN), 'unlimited', BOB, 'approve', 'allowance']),
    erc20(approve, [BOB, 0n], ['wallet', coin(COIN), 0n, BOB, 'approve', 'allowance']),
    ...['increaseAllowance', 'increaseApproval'].map((name) =>
      erc20(
        `${name}(address spender, uint256 addedValue)`,
        [BOB, 5n],
        ['wallet', coin(COIN), 5n, BOB, 'increase-allowance', 'allowance'],
      ),
    ),
    ...['decreaseAllowance', 'decreaseApproval'].map((name) =>
      erc20(
        `${name}(address spender, uint256 subtractedValue)`,
        [BOB, 5n],
        ['wallet', coin(COIN), 0n, BOB, 'approve', 'allowance'],
      ),
    ),
    burnable('burn(uint256 amount)', [5n], ['wallet', self('erc20-burnable'), 5n, ZERO, 'transfer']),
    burnable(
      'burnFrom(address account, uint256 amount)',
      [ALICE, 5n],
      [ALICE, self('erc20-burnable'), 5n, ZERO, 'transfer'],
    ),
    a2612(
      `permit(${permit}, uint8 v, bytes32 r, bytes32 s)`,
      [WALLET, BOB, 5n, LATER, ...SIG],
      ['wallet', self('eip2612'), 5n, BOB, 'permit', 'allowance'],
    ),
    a2612(
      `permit(${permit}, bytes signature)`,
      [ALICE, BOB, maxUint256, LATER, '0x'],
      [ALICE, self('eip2612'), 'unlimited', BOB, 'permit', 'allowance'],
    ),
    ...[true, false].map((allowed) =>
      dai(
        'permit(address holder, address spender, uint256 nonce, uint256 expiry, bool allowed, uint8 v, bytes32 r, bytes32 s)',
        [WALLET, BOB, 0n, LATER, allowed, ...SIG],
        ['wallet', self('dai-permit'), allowed ? 'unlimited' : 0n, BOB, 'dai-permit', 'allowance'],
      ),
    ),
    ...['transferWithAuthorization', 'receiveWithAuthorization'].flatMap((name) => [
      a3009(`${name}(${auth}, uint8 v, bytes32 r, bytes32 s)`, [WALLET, BOB, 5n, 0n, LATER, B32, ...SIG], authorized),
      a3009(`${name}(${auth}, bytes signature)`, [WALLET, BOB, 5n, 0n, LATER, B32, '0x'], authorized),
    ]),
    a3009('cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)', [
      WALLET,
      B32,
      ...SIG,
    ]),
    a3009('cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)', [WALLET, B32, '0x']),
    a777(
      'send(address recipient, uint256 amount, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc777'), 5n, BOB, 'erc777'],
    ),
    opaque('erc777', 'callback_data', 'send(address recipient, uint256 amount, bytes data)', [BOB, 5n, '0x01']),
    a777(
      'operatorSend(address sender, address recipient, uint256 amount, bytes data, bytes operatorData)',
      [ALICE, BOB, 5n, '0x', '0x'],
      [ALICE, self('erc777'), 5n, BOB, 'erc777'],
    ),
    opaque(
      'erc777',
      'callback_data',
      'operatorSend(address sender, address recipient, uint256 amount, bytes data, bytes operatorData)',
      [ALICE, BOB, 5n, '0x', '0x01'],
    ),
    a777('burn(uint256 amount, bytes data)', [5n, '0x01'], ['wallet', self('erc777'), 5n, ZERO, 'transfer']),
    a777(
      'authorizeOperator(address operator)',
      [BOB],
      ['wallet', self('erc777'), 'unlimited', BOB, 'erc777', 'allowance'],
    ),
    a777('revokeOperator(address operator)', [BOB], ['wallet', self('erc777'), 0n, BOB, 'erc777', 'allowance']),
    a677(
      'transferAndCall(address to, uint256 value, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc677'), 5n, BOB, 'transfer-and-call'],
    ),
    opaque('erc677', 'callback_data', 'transferAndCall(address to, uint256 value, bytes data)', [BOB, 5n, '0x01']),
    a1363(
      'transferAndCall(address to, uint256 value)',
      [BOB, 5n],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'transferAndCall(address to, uint256 value, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'transferFromAndCall(address from, address to, uint256 value)',
      [ALICE, BOB, 5n],
      [ALICE, self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'transferFromAndCall(address from, address to, uint256 value, bytes data)',
      [WALLET, BOB, 5n, '0x'],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'approveAndCall(address spender, uint256 value)',
      [BOB, 5n],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call', 'allowance'],
    ),
    a1363(
      'approveAndCall(address spender, uint256 value, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call', 'allowance'],
    ),
    opaque('erc1363', 'callback_data', 'approveAndCall(address spender, uint256 value, bytes data)', [BOB, 5n, '0x01']),
  ];
}

function itemExamples(): RouteExample[] {
  const [nft, multi] = [of('erc721'), of('erc1155')];
  const item = `erc721:${contractOf('erc721')}`;
  const items = `erc1155:${contractOf('erc1155')}`;
  const moved: Flow = ['wallet', item, 1n, BOB, 'transfer-from'];
  const batch = 'safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] amounts, bytes data)';
  return [
    nft('transferFrom(address from, address to, uint256 tokenId)', [WALLET, BOB, 7n], moved),
    nft('safeTransferFrom(address from, address to, uint256 tokenId)', [WALLET, BOB, 7n], moved),
    nft('safeTransferFrom(address from, address to, uint256 tokenId, bytes data)', [WALLET, BOB, 7n, '0x'], moved),
    opaque('erc721', 'callback_data', 'safeTransferFrom(address from, address to, uint256 tokenId, bytes data)', [
      WALLET,
      BOB,
      7n,
      '0x01',
    ]),
    nft('approve(address to, uint256 tokenId)', [BOB, 7n], ['wallet', item, 1n, BOB, 'approve', 'allowance']),
    nft('approve(address to, uint256 tokenId)', [ZERO, 7n], ['wallet', item, 0n, ZERO, 'approve', 'allowance']),
    nft(
      'setApprovalForAll(address operator, bool approved)',
      [BOB, true],
      ['wallet', item, 'unlimited', BOB, 'approval-for-all', 'allowance'],
    ),
    nft(
      'setApprovalForAll(address operator, bool approved)',
      [BOB, false],
      ['wallet', item, 0n, BOB, 'approval-for-all', 'allowance'],
    ),
    multi(
      'safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)',
      [WALLET, BOB, 7n, 5n, '0x'],
      ['wallet', `${items}/7`, 5n, BOB, 'transfer-from'],
    ),
    multi(
      batch,
      [ALICE, BOB, [7n, 8n], [5n, 6n], '0x'],
      [ALICE, `${items}/7`, 5n, BOB, 'transfer-from'],
      [ALICE, `${items}/8`, 6n, BOB, 'transfer-from'],
    ),
    opaque('erc1155', 'malformed_batch', batch, [ALICE, BOB, [7n, 8n], [5n], '0x']),
    opaque('erc1155', 'callback_data', batch, [ALICE, BOB, [7n], [5n], '0x01']),
    multi(
      'setApprovalForAll(address operator, bool approved)',
      [BOB, true],
      ['wallet', items, 'unlimited', BOB, 'approval-for-all', 'allowance'],
    ),
  ];
}

const DETAILS = 'address token, uint160 amount, uint48 expiration, uint48 nonce';
const SINGLE = `((${DETAILS}) details, address spender, uint256 sigDeadline)`;
const BATCH = `((${DETAILS})[] details, address spender, uint256 sigDeadline)`;
const PERMITTED = '(address token, uint256 amount)';
const REQUESTED = '(address to, uint256 requestedAmount)';
const ONE = `(${PERMITTED} permitted, uint256 nonce, uint256 deadline) permit, ${REQUESTED} transferDetails, address owner`;
const MANY = `(${PERMITTED}[] permitted, uint256 nonce, uint256 deadline) permit, ${REQUESTED}[] transferDetails, address owner`;
const details = (token: Address, amount: bigint, expiration = Number(LATER)) => ({
  token,
  amount,
  expiration,
  nonce: 0,
});

function permit2Examples(): RouteExample[] {
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

function vaultExamples(): RouteExample[] {
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

function lendingExamples(): RouteExample[] {
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

const SEND = hexdata('transfer(address to, uint256 amount)', [BOB, 5n]);
const SAFE_TX =
  'address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver';

/** MultiSend's own packing, by viem's encodePacked. */
export const packed = (
  ...calls: readonly (readonly [operation: number, to: Address, value: bigint, data: Hex])[]
): Hex =>
  concat(
    calls.map(([operation, to, value, data]) =>
      encodePacked(
        ['uint8', 'address', 'uint256', 'uint256', 'bytes'],
        [operation, to, value, BigInt(data.length / 2 - 1), data],
      ),
    ),
  );

function batchExamples(): RouteExample[] {
  const [multi, self, safe] = [of('multicall3'), of('multicall'), of('safe')];
  const [mc, account, ms] = [contractOf('multicall3'), contractOf('safe'), contractOf('safe-multisend')];
  const sentBy = (from: Flow[0]): Flow => [from, coin(COIN), 5n, BOB, 'transfer'];
  const call = { target: COIN, callData: SEND, allowFailure: false };
  const exec = `execTransaction(${SAFE_TX}, bytes signatures)`;
  const module = (name: string) => `${name}(address to, uint256 value, bytes data, uint8 operation)`;
  const handsOver: readonly (readonly [string, readonly unknown[]])[] = [
    ['addOwnerWithThreshold(address owner, uint256 threshold)', [BOB, 1n]],
    ['removeOwner(address prevOwner, address owner, uint256 threshold)', [ALICE, BOB, 1n]],
    ['swapOwner(address prevOwner, address oldOwner, address newOwner)', [ALICE, WALLET, BOB]],
    ['changeThreshold(uint256 threshold)', [1n]],
    ['enableModule(address module)', [BOB]],
    ['setGuard(address guard)', [BOB]],
    ['setModuleGuard(address moduleGuard)', [BOB]],
    ['setFallbackHandler(address handler)', [BOB]],
  ];
  return [
    multi('aggregate((address target, bytes callData)[] calls)', [[call]], sentBy(mc)),
    multi('tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls)', [true, [call]], sentBy(mc)),
    multi('blockAndAggregate((address target, bytes callData)[] calls)', [[call]], sentBy(mc)),
    multi(
      'tryBlockAndAggregate(bool requireSuccess, (address target, bytes callData)[] calls)',
      [true, [call]],
      sentBy(mc),
    ),
    paying(
      2n,
      multi(
        'aggregate3((address target, bool allowFailure, bytes callData)[] calls)',
        [[{ ...call, callData: hexdata('transferFrom(address from, address to, uint256 amount)', [WALLET, BOB, 5n]) }]],
        ['wallet', coin(COIN), 5n, BOB, 'transfer-from'],
        ['wallet', 'native', 2n, mc, 'value'],
      ),
    ),
    paying(
      10n,
      multi(
        'aggregate3Value((address target, bool allowFailure, uint256 value, bytes callData)[] calls)',
        [
          [
            { target: BOB, allowFailure: false, value: 4n, callData: '0x' },
            { target: ALICE, allowFailure: false, value: 9n, callData: '0x' },
          ],
        ],
        ['wallet', 'native', 4n, BOB, 'value'],
        // More than what is left of the wallet's ether is the multicall contract's own.
        [mc, 'native', 9n, ALICE, 'value'],
        ['wallet', 'native', 6n, mc, 'value'],
      ),
    ),
    opaque('multicall3', 'unregistered_contract', 'aggregate((address target, bytes callData)[] calls)', [
      [{ target: STRANGER, callData: SEND }],
    ]),
    opaque('multicall3', 'empty_batch', 'aggregate((address target, bytes callData)[] calls)', [[]]),
    opaque('multicall', 'unknown_function', 'multicall(bytes[] data)', [[SEND]]),
    opaque('multicall', 'empty_batch', 'multicall(uint256 deadline, bytes[] data)', [LATER, []]),
    opaque('multicall', 'no_selector', 'multicall(bytes32 previousBlockhash, bytes[] data)', [B32, ['0x00']]),
    paying(
      3n,
      self(
        'multicall(bytes[] data)',
        [[hexdata('ping(uint256 a)', [1n]), hexdata('multicall(bytes[] data)', [[hexdata('ping(uint256 a)', [2n])]])]],
        ['wallet', 'native', 3n, contractOf('multicall'), 'value'],
      ),
    ),
    safe(exec, [COIN, 0n, SEND, 0, 0n, 0n, 0n, ZERO, ZERO, '0x'], sentBy(account)),
    paying(
      2n,
      safe(
        exec,
        [BOB, 7n, '0x', 0, 0n, 0n, 0n, ZERO, ZERO, '0x'],
        ['wallet', 'native', 2n, account, 'value'],
        [account, 'native', 7n, BOB, 'value'],
      ),
    ),
    safe(
      exec,
      [BOB, 7n, '0x', 0, 0n, 0n, 1n, COIN, ALICE, '0x'],
      [account, coin(COIN), 'unlimited', ALICE, 'safe'],
      [account, 'native', 7n, BOB, 'value'],
    ),
    safe(
      exec,
      [BOB, 7n, '0x', 0, 0n, 0n, 1n, ZERO, ZERO, '0x'],
      [account, 'native', 'unlimited', WALLET, 'safe'],
      [account, 'native', 7n, BOB, 'value'],
    ),
    safe(
      exec,
      [
        ms,
        0n,
        hexdata('multiSend(bytes transactions)', [packed([0, COIN, 0n, SEND], [0, BOB, 7n, '0x'])]),
        1,
        0n,
        0n,
        0n,
        ZERO,
        ZERO,
        '0x',
      ],
      sentBy(account),
      [account, 'native', 7n, BOB, 'value'],
    ),
    opaque('safe', 'unregistered_contract', exec, [STRANGER, 0n, '0x', 1, 0n, 0n, 0n, ZERO, ZERO, '0x']),
    opaque('safe', 'delegatecall', exec, [COIN, 0n, SEND, 1, 0n, 0n, 0n, ZERO, ZERO, '0x']),
    opaque('safe', 'unknown_operation', exec, [COIN, 0n, SEND, 2, 0n, 0n, 0n, ZERO, ZERO, '0x']),
    safe(module('execTransactionFromModule'), [COIN, 0n, SEND, 0], sentBy(account)),
    safe(module('execTransactionFromModuleReturnData'), [COIN, 0n, SEND, 0], sentBy(account)),
    opaque('safe', 'approves_a_digest', 'approveHash(bytes32 hashToApprove)', [B32]),
    ...handsOver.map(([line, args]) => opaque('safe', 'hands_over_the_safe', line, args)),
    safe('disableModule(address prevModule, address module)', [ALICE, BOB]),
    opaque('safe-multisend', 'not_a_delegatecall', 'multiSend(bytes transactions)', [packed([0, BOB, 7n, '0x'])]),
  ];
}

const FOT = 'SupportingFeeOnTransferTokens';
const TAIL = 'address[] path, address to, uint256 deadline';
const V2_IN = `uint256 amountIn, uint256 amountOutMin, ${TAIL}`;
const V2_OUT = `uint256 amountOut, uint256 amountInMax, ${TAIL}`;
const PATH = [COIN, UNDERLYING, COIN2];
const v3Path = (first: Address, last: Address) => encodePacked(['address', 'uint24', 'address'], [first, 500, last]);
const ONE_MARK: Address = `0x${'1'.padStart(40, '0')}`;
const TWO_MARK: Address = `0x${'2'.padStart(40, '0')}`;

function swapExamples(): RouteExample[] {
  const v2 = of('uniswap-v2-router');
  const router = contractOf('uniswap-v2-router');
  const paid = (amount: bigint): Flow => ['wallet', coin(COIN), amount, router, 'router'];
  const got = (asset: string): Flow => [router, asset, 'unlimited', BOB, 'router'];
  const v2Examples = [
    v2(`swapExactTokensForTokens(${V2_IN})`, [5n, 1n, PATH, WALLET, LATER], paid(5n)),
    v2(`swapExactTokensForTokens(${V2_IN})`, [5n, 1n, PATH, BOB, LATER], paid(5n), got(coin(COIN2))),
    opaque('uniswap-v2-router', 'malformed_path', `swapExactTokensForTokens(${V2_IN})`, [
      5n,
      1n,
      [COIN],
      WALLET,
      LATER,
    ]),
    v2(`swapExactTokensForTokens${FOT}(${V2_IN})`, [5n, 1n, PATH, WALLET, LATER], paid(5n)),
    v2(`swapTokensForExactTokens(${V2_OUT})`, [1n, 5n, PATH, WALLET, LATER], paid(5n)),
    v2(`swapExactTokensForETH(${V2_IN})`, [5n, 1n, PATH, BOB, LATER], paid(5n), got('native')),
    v2(`swapExactTokensForETH${FOT}(${V2_IN})`, [5n, 1n, PATH, BOB, LATER], paid(5n), got('native')),
    v2(`swapTokensForExactETH(${V2_OUT})`, [1n, 5n, PATH, BOB, LATER], paid(5n), got('native')),
    ...[
      `swapExactETHForTokens(uint256 amountOutMin, ${TAIL})`,
      `swapExactETHForTokens${FOT}(uint256 amountOutMin, ${TAIL})`,
      `swapETHForExactTokens(uint256 amountOut, ${TAIL})`,
    ].map((line) =>
      paying(9n, v2(line, [1n, PATH, BOB, LATER], got(coin(COIN2)), ['wallet', 'native', 9n, router, 'router'])),
    ),
  ];
  return [
    ...v2Examples,
    ...v3Examples('uniswap-v3-router'),
    ...v3Examples('uniswap-swap-router-02'),
    ...router02Examples(),
  ];
}

function v3Examples(standard: 'uniswap-v3-router' | 'uniswap-swap-router-02'): RouteExample[] {
  const v3 = of(standard);
  const router = contractOf(standard);
  const old = standard === 'uniswap-v3-router';
  const deadline = old ? 'uint256 deadline, ' : '';
  const pool = `address tokenIn, address tokenOut, uint24 fee, address recipient, ${deadline}`;
  const paid: Flow = ['wallet', coin(COIN), 5n, router, 'router'];
  const got: Flow = [router, coin(COIN2), 'unlimited', BOB, 'router'];
  const one = (recipient: Address) => ({
    tokenIn: COIN,
    tokenOut: COIN2,
    fee: 500,
    recipient,
    deadline: LATER,
    sqrtPriceLimitX96: 0n,
  });
  const single = `exactInputSingle((${pool}uint256 amountIn, uint256 amountOutMinimum, uint160 sqrtPriceLimitX96) params)`;
  const vrs = 'uint8 v, bytes32 r, bytes32 s';
  const permit = (amount: Flow[2]): Flow => ['wallet', coin(COIN), amount, router, 'permit', 'allowance'];
  return [
    v3(single, [{ ...one(WALLET), amountIn: 5n, amountOutMinimum: 1n }], paid),
    v3(single, [{ ...one(BOB), amountIn: 5n, amountOutMinimum: 1n }], paid, got),
    // What stays with the router, by each router's own sign for itself.
    v3(single, [{ ...one(old ? ZERO : TWO_MARK), amountIn: 5n, amountOutMinimum: 1n }], paid),
    v3(single, [{ ...one(old ? TWO_MARK : ZERO), amountIn: 5n, amountOutMinimum: 1n }], paid, [
      router,
      coin(COIN2),
      'unlimited',
      old ? TWO_MARK : ZERO,
      'router',
    ]),
    v3(
      `exactOutputSingle((${pool}uint256 amountOut, uint256 amountInMaximum, uint160 sqrtPriceLimitX96) params)`,
      [{ ...one(WALLET), amountOut: 1n, amountInMaximum: 5n }],
      paid,
    ),
    v3(
      `exactInput((bytes path, address recipient, ${deadline}uint256 amountIn, uint256 amountOutMinimum) params)`,
      [{ path: v3Path(COIN, COIN2), recipient: BOB, deadline: LATER, amountIn: 5n, amountOutMinimum: 1n }],
      paid,
      got,
    ),
    v3(
      `exactOutput((bytes path, address recipient, ${deadline}uint256 amountOut, uint256 amountInMaximum) params)`,
      [{ path: v3Path(COIN2, COIN), recipient: BOB, deadline: LATER, amountOut: 1n, amountInMaximum: 5n }],
      paid,
      got,
    ),
    opaque(
      standard,
      'malformed_path',
      `exactInput((bytes path, address recipient, ${deadline}uint256 amountIn, uint256 amountOutMinimum) params)`,
      [{ path: '0x01', recipient: BOB, deadline: LATER, amountIn: 5n, amountOutMinimum: 1n }],
    ),
    v3('unwrapWETH9(uint256 amountMinimum, address recipient)', [1n, WALLET]),
    v3(
      'unwrapWETH9(uint256 amountMinimum, address recipient)',
      [1n, BOB],
      [router, 'native', 'unlimited', BOB, 'router'],
    ),
    v3('sweepToken(address token, uint256 amountMinimum, address recipient)', [COIN2, 1n, BOB], got),
    v3('refundETH()', []),
    ...['selfPermit', 'selfPermitIfNecessary'].map((name) =>
      v3(`${name}(address token, uint256 value, uint256 deadline, ${vrs})`, [COIN, 5n, LATER, ...SIG], permit(5n)),
    ),
    ...['selfPermitAllowed', 'selfPermitAllowedIfNecessary'].map((name) =>
      v3(
        `${name}(address token, uint256 nonce, uint256 expiry, ${vrs})`,
        [COIN, 5n, LATER, ...SIG],
        permit('unlimited'),
      ),
    ),
  ];
}

function router02Examples(): RouteExample[] {
  const router02 = of('uniswap-swap-router-02');
  const router = contractOf('uniswap-swap-router-02');
  const paid: Flow = ['wallet', coin(COIN), 5n, router, 'router'];
  return [
    router02(
      'swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to)',
      [5n, 1n, PATH, ONE_MARK],
      paid,
    ),
    router02(
      'swapTokensForExactTokens(uint256 amountOut, uint256 amountInMax, address[] path, address to)',
      [1n, 5n, PATH, BOB],
      paid,
      [router, coin(COIN2), 'unlimited', BOB, 'router'],
    ),
    router02('unwrapWETH9(uint256 amountMinimum)', [1n]),
    router02('sweepToken(address token, uint256 amountMinimum)', [COIN, 1n]),
    router02('wrapETH(uint256 value)', [1n]),
    router02('pull(address token, uint256 value)', [COIN, 5n], paid),
  ];
}

/** One command of the Universal Router: its number, its input, and what may leave. */
function commandExamples(): RouteExample[] {
  const router = contractOf('uniswap-universal-router');
  const paid = (amount: bigint): Flow => ['wallet', coin(COIN), amount, router, 'router'];
  const got = (asset: string): Flow => [router, asset, 'unlimited', BOB, 'router'];
  const single = 'PermitSingle permit, bytes signature';
  const structs = [
    `struct PermitDetails { ${DETAILS.replaceAll(', ', '; ')}; }`,
    'struct PermitSingle { PermitDetails details; address spender; uint256 sigDeadline; }',
    'struct PermitBatch { PermitDetails[] details; address spender; uint256 sigDeadline; }',
  ];
  const input = (types: string, values: readonly unknown[]) =>
    encodeAbiParameters(parseAbiParameters([types, ...structs] as never) as never, values as never);
  const v3 = 'address a, uint256 b, uint256 c, bytes d, bool e';
  const v2 = 'address a, uint256 b, uint256 c, address[] d, bool e';
  const held: Flow = ['wallet', coin(COIN), 5n, BOB, 'permit2', 'allowance', LATER_MS];
  const commands: readonly (readonly [Hex, Hex, readonly Flow[]])[] = [
    ['0x00', input(v3, [ONE_MARK, 5n, 1n, v3Path(COIN, COIN2), true]), [paid(5n)]],
    ['0x80', input(v3, [BOB, 5n, 1n, v3Path(COIN, COIN2), false]), [got(coin(COIN2))]],
    ['0x01', input(v3, [BOB, 1n, 5n, v3Path(COIN2, COIN), true]), [paid(5n), got(coin(COIN2))]],
    [
      '0x02',
      input('address a, address b, uint160 c', [COIN, BOB, 5n]),
      [['wallet', coin(COIN), 5n, BOB, 'permit2-transfer']],
    ],
    [
      '0x03',
      input('PermitBatch permit, bytes signature', [
        { details: [details(COIN, 5n)], spender: BOB, sigDeadline: 1n },
        '0x',
      ]),
      [held],
    ],
    ['0x04', input('address a, address b, uint256 c', [COIN2, BOB, 1n]), [got(coin(COIN2))]],
    ['0x04', input('address a, address b, uint256 c', [ZERO, ONE_MARK, 1n]), []],
    ['0x05', input('address a, address b, uint256 c', [ZERO, BOB, 1n]), [got('native')]],
    ['0x06', input('address a, address b, uint256 c', [COIN2, BOB, 25n]), [got(coin(COIN2))]],
    ['0x08', input(v2, [BOB, 5n, 1n, PATH, true]), [paid(5n), got(coin(COIN2))]],
    ['0x09', input(v2, [ONE_MARK, 1n, 5n, PATH, true]), [paid(5n)]],
    ['0x0a', input(single, [{ details: details(COIN, 5n), spender: BOB, sigDeadline: 1n }, '0x']), [held]],
    ['0x0b', input('address a, uint256 b', [TWO_MARK, 1n]), []],
    ['0x0b', input('address a, uint256 b', [BOB, 1n]), [got('native')]],
    ['0x0c', input('address a, uint256 b', [BOB, 1n]), [got('native')]],
    [
      '0x0d',
      encodeAbiParameters(
        [
          {
            type: 'tuple[]',
            components: [
              { name: 'from', type: 'address' },
              { name: 'to', type: 'address' },
              { name: 'amount', type: 'uint160' },
              { name: 'token', type: 'address' },
            ],
          },
        ],
        [[{ from: WALLET, to: BOB, amount: 5n, token: COIN }]],
      ),
      [['wallet', coin(COIN), 5n, BOB, 'permit2-transfer']],
    ],
  ];
  const execute = of('uniswap-universal-router');
  const timed = 'execute(bytes commands, bytes[] inputs, uint256 deadline)';
  const plain = 'execute(bytes commands, bytes[] inputs)';
  const standard = 'uniswap-universal-router';
  return [
    ...commands.map(([number, data, flows]) => execute(timed, [number, [data], LATER], ...flows)),
    paying(
      9n,
      execute(
        plain,
        ['0x0b', [input('address a, uint256 b', [TWO_MARK, 9n])]],
        ['wallet', 'native', 9n, router, 'router'],
      ),
    ),
    opaque(standard, 'unknown_command', plain, ['0x10', ['0x']]),
    opaque(standard, 'unknown_command', plain, ['0x40', [input(v3, [ONE_MARK, 5n, 1n, v3Path(COIN, COIN2), true])]]),
    opaque(standard, 'malformed_batch', plain, ['0x0b', []]),
    opaque(standard, 'malformed_command', plain, ['0x08', [input(v2, [ONE_MARK, 5n, 1n, [COIN], true])]]),
    opaque(standard, 'malformed_command', plain, [
      '0x02',
      [input('address a, address b, uint160 c', [contractOf('erc721'), BOB, 5n])],
    ]),
    opaque(standard, 'abi_truncated', plain, ['0x0b', ['0x']]),
  ];
}

export const routeExamples: readonly RouteExample[] = [
  ...tokenExamples(),
  ...itemExamples(),
  ...permit2Examples(),
  ...vaultExamples(),
  ...lendingExamples(),
  ...batchExamples(),
  ...swapExamples(),
  ...commandExamples(),
];
