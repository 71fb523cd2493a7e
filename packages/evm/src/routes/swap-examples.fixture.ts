import { encodeAbiParameters, encodePacked, parseAbiParameters, type Hex } from 'viem';
import type { Address } from '../address.ts';
import {
  type RouteExample,
  ZERO,
  SIG,
  coin,
  LATER,
  LATER_MS,
  of,
  paying,
  opaque,
  DETAILS,
  details,
} from './route-example.fixture.ts';
import { BOB, COIN, COIN2, contractOf, UNDERLYING, WALLET, type Flow } from './world.fixture.ts';

const FOT = 'SupportingFeeOnTransferTokens';
const TAIL = 'address[] path, address to, uint256 deadline';
const V2_IN = `uint256 amountIn, uint256 amountOutMin, ${TAIL}`;
const V2_OUT = `uint256 amountOut, uint256 amountInMax, ${TAIL}`;
const PATH = [COIN, UNDERLYING, COIN2];
const v3Path = (first: Address, last: Address) => encodePacked(['address', 'uint24', 'address'], [first, 500, last]);
const ONE_MARK: Address = `0x${'1'.padStart(40, '0')}`;
const TWO_MARK: Address = `0x${'2'.padStart(40, '0')}`;

export function swapExamples(): RouteExample[] {
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

export function v3Examples(standard: 'uniswap-v3-router' | 'uniswap-swap-router-02'): RouteExample[] {
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

export function router02Examples(): RouteExample[] {
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
export function commandExamples(): RouteExample[] {
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
