import { toHex } from '@keepwatch/base';
import type { NamedValue } from '../abi/value.ts';
import type { Address } from '../address.ts';
import { addressAt, amountOf, bytesAt, listAt, tupleAt, uintAt, ZERO_ADDRESS } from './arguments.ts';
import { harmless, type Call, type CallRoute, type Effect, type Leak, type Standard } from './route.ts';
import { erc20Leak } from './vaults.ts';

// Routers. What is paid goes to the router: through which markets, the caller chose, and may have made them, so that nobody
// can say that the payer gets anything for it. Who gets what comes out is written down besides, where it is not the payer.

/**
 * What comes out goes to somebody else: as much as there is. What stays with the router was counted when it was paid: it is
 * anybody's now, until a later call of the same batch takes it out, and that call comes through here again.
 */
export function proceeds(call: Call, asset: string, to: Address): Leak[] {
  return to === call.sender || to === call.contract ? [] : [{ account: call.contract, asset, amount: 'unlimited', to }];
}

export function paid(call: Call, token: Address, amount: bigint): Leak {
  return erc20Leak(call.sender, token, amountOf(amount), call.contract);
}

function routed(...lists: readonly (readonly Leak[])[]): Effect {
  return { does: 'call', leaks: lists.flat(), valueRoute: 'router' };
}

/** The tokens of a path of addresses: the first is paid with, the last is got. */
export function endsOf(path: readonly Address[]): { readonly first: Address; readonly last: Address } | undefined {
  return path.length < 2 ? undefined : { first: path[0]!, last: path[path.length - 1]! };
}

interface Places {
  /** Where the amount that is paid stands; `null`: it is the value. */
  readonly paid: number | null;
  readonly path: number;
  readonly to: number;
  readonly gets: 'token' | 'ether';
}

const swapV2 = (line: string, places: Places): CallRoute => ({
  line,
  route: 'router',
  says: `${places.paid === null ? 'the value' : 'the most that may be paid of the first token'}, to the router; what comes out goes to \`to\`, unlimited where that is not the payer`,
  effect: (call) => {
    const ends = endsOf(listAt(call.args, places.path) as readonly Address[]);
    if (!ends) return { does: 'opaque', why: 'malformed_path' };
    const to = addressAt(call.args, places.to);
    const asset = places.gets === 'ether' ? 'native' : `erc20:${ends.last}`;
    const payment = places.paid === null ? [] : [paid(call, ends.first, uintAt(call.args, places.paid))];
    return routed(payment, proceeds(call, asset, to));
  },
});

const FOT = 'SupportingFeeOnTransferTokens';
const TAIL = 'address[] path, address to, uint256 deadline';
const IN = `uint256 amountIn, uint256 amountOutMin, ${TAIL}`;
const OUT = `uint256 amountOut, uint256 amountInMax, ${TAIL}`;

export const uniswapV2Router: Standard = {
  name: 'uniswap-v2-router',
  title: 'Uniswap v2 routers and those that copy them',
  calls: [
    swapV2(`swapExactTokensForTokens(${IN})`, { paid: 0, path: 2, to: 3, gets: 'token' }),
    swapV2(`swapExactTokensForTokens${FOT}(${IN})`, { paid: 0, path: 2, to: 3, gets: 'token' }),
    swapV2(`swapTokensForExactTokens(${OUT})`, { paid: 1, path: 2, to: 3, gets: 'token' }),
    swapV2(`swapExactTokensForETH(${IN})`, { paid: 0, path: 2, to: 3, gets: 'ether' }),
    swapV2(`swapExactTokensForETH${FOT}(${IN})`, { paid: 0, path: 2, to: 3, gets: 'ether' }),
    swapV2(`swapTokensForExactETH(${OUT})`, { paid: 1, path: 2, to: 3, gets: 'ether' }),
    swapV2(`swapExactETHForTokens(uint256 amountOutMin, ${TAIL})`, { paid: null, path: 1, to: 2, gets: 'token' }),
    swapV2(`swapExactETHForTokens${FOT}(uint256 amountOutMin, ${TAIL})`, { paid: null, path: 1, to: 2, gets: 'token' }),
    swapV2(`swapETHForExactTokens(uint256 amountOut, ${TAIL})`, { paid: null, path: 1, to: 2, gets: 'token' }),
  ],
};

// SwapRouter (v3): the zero address means the router. SwapRouter02: 1 is the sender, 2 the router.
const SENDER_MARK: Address = `0x${'1'.padStart(40, '0')}`;
const ROUTER_MARK: Address = `0x${'2'.padStart(40, '0')}`;

function recipientV3(call: Call, to: Address): Address {
  return to === ZERO_ADDRESS ? call.contract : to;
}

export function recipient02(call: Call, to: Address): Address {
  if (to === SENDER_MARK) return call.sender;
  return to === ROUTER_MARK ? call.contract : to;
}

/** A v3 path: token (20 bytes), fee (3), token, fee, token, … */
export function endsOfPacked(path: Uint8Array): { readonly first: Address; readonly last: Address } | undefined {
  if (path.length < 43 || (path.length - 20) % 23 !== 0) return undefined;
  return { first: `0x${toHex(path.subarray(0, 20))}`, last: `0x${toHex(path.subarray(path.length - 20))}` };
}

interface V3Places {
  readonly paid: number;
  readonly recipient: number;
  readonly ends: (params: readonly NamedValue[]) => { first: Address; last: Address } | undefined;
  readonly recipientOf: (call: Call, to: Address) => Address;
}

const swapV3 = (line: string, places: V3Places): CallRoute => ({
  line,
  route: 'router',
  says: 'the most that may be paid of the token, to the router; what comes out goes to `recipient`, unlimited where that is not the payer',
  effect: (call) => {
    const params = tupleAt(call.args, 0);
    const ends = places.ends(params);
    if (!ends) return { does: 'opaque', why: 'malformed_path' };
    const to = places.recipientOf(call, addressAt(params, places.recipient));
    return routed([paid(call, ends.first, uintAt(params, places.paid))], proceeds(call, `erc20:${ends.last}`, to));
  },
});

const single = (params: readonly NamedValue[]) => ({ first: addressAt(params, 0), last: addressAt(params, 1) });
const packed = (params: readonly NamedValue[]) => endsOfPacked(bytesAt(params, 0));
/** For an exact output the path runs backwards, from what is got to what is paid with. */
const packedBackwards = (params: readonly NamedValue[]) => {
  const ends = packed(params);
  return ends && { first: ends.last, last: ends.first };
};

const swapsV3 = (deadline: string, recipientOf: V3Places['recipientOf']): CallRoute[] => {
  const shift = deadline === '' ? 0 : 1;
  const pool = `address tokenIn, address tokenOut, uint24 fee, address recipient, ${deadline}`;
  return [
    swapV3(`exactInputSingle((${pool}uint256 amountIn, uint256 amountOutMinimum, uint160 sqrtPriceLimitX96) params)`, {
      paid: 4 + shift,
      recipient: 3,
      ends: single,
      recipientOf,
    }),
    swapV3(`exactOutputSingle((${pool}uint256 amountOut, uint256 amountInMaximum, uint160 sqrtPriceLimitX96) params)`, {
      paid: 5 + shift,
      recipient: 3,
      ends: single,
      recipientOf,
    }),
    swapV3(
      `exactInput((bytes path, address recipient, ${deadline}uint256 amountIn, uint256 amountOutMinimum) params)`,
      {
        paid: 2 + shift,
        recipient: 1,
        ends: packed,
        recipientOf,
      },
    ),
    swapV3(
      `exactOutput((bytes path, address recipient, ${deadline}uint256 amountOut, uint256 amountInMaximum) params)`,
      { paid: 3 + shift, recipient: 1, ends: packedBackwards, recipientOf },
    ),
  ];
};

/** What the router has, goes to somebody. */
const takeOut = (line: string, asset: (call: Call) => string, to: (call: Call) => Address): CallRoute => ({
  line,
  route: 'router',
  says: 'what the router holds, to the recipient: unlimited where that is not the sender',
  effect: (call) => routed(proceeds(call, asset(call), to(call))),
});

const VRS = 'uint8 v, bytes32 r, bytes32 s';
const selfPermit = (line: string, says: string, amount: (call: Call) => bigint | 'unlimited'): CallRoute => ({
  line,
  route: 'permit',
  says,
  effect: (call) =>
    routed([
      {
        ...erc20Leak(call.sender, addressAt(call.args, 0), amount(call), call.contract),
        holds: 'allowance',
        route: 'permit',
      },
    ]),
});

const periphery = (recipientOf: V3Places['recipientOf']): CallRoute[] => [
  takeOut(
    'unwrapWETH9(uint256 amountMinimum, address recipient)',
    () => 'native',
    (call) => recipientOf(call, addressAt(call.args, 1)),
  ),
  takeOut(
    'sweepToken(address token, uint256 amountMinimum, address recipient)',
    (call) => `erc20:${addressAt(call.args, 0)}`,
    (call) => recipientOf(call, addressAt(call.args, 2)),
  ),
  harmless('refundETH()', 'nothing: ether that is left comes back to the sender'),
  ...['selfPermit', 'selfPermitIfNecessary'].map((name) =>
    selfPermit(
      `${name}(address token, uint256 value, uint256 deadline, ${VRS})`,
      '`value` of `token`, held for the router',
      (call) => amountOf(uintAt(call.args, 1)),
    ),
  ),
  ...['selfPermitAllowed', 'selfPermitAllowedIfNecessary'].map((name) =>
    selfPermit(
      `${name}(address token, uint256 nonce, uint256 expiry, ${VRS})`,
      'unlimited of `token`, held for the router',
      () => 'unlimited',
    ),
  ),
];

export const uniswapV3Router: Standard = {
  name: 'uniswap-v3-router',
  title: 'Uniswap v3 SwapRouter (a `multicall` besides)',
  calls: [...swapsV3('uint256 deadline, ', recipientV3), ...periphery(recipientV3)],
};

const swap02 = (line: string, paidAt: number): CallRoute => ({
  line,
  route: 'router',
  says: 'the most that may be paid of the first token, to the router; what comes out goes to `to`, unlimited where that is not the payer',
  effect: (call) => {
    const ends = endsOf(listAt(call.args, 2) as readonly Address[]);
    if (!ends) return { does: 'opaque', why: 'malformed_path' };
    const to = recipient02(call, addressAt(call.args, 3));
    return routed([paid(call, ends.first, uintAt(call.args, paidAt))], proceeds(call, `erc20:${ends.last}`, to));
  },
});

/** SwapRouter02 takes the router’s own balance for an amount of zero: what is there already. */
export const uniswapSwapRouter02: Standard = {
  name: 'uniswap-swap-router-02',
  title: 'Uniswap SwapRouter02 (a `multicall` besides)',
  calls: [
    ...swapsV3('', recipient02),
    ...periphery((_, to) => to),
    swap02('swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to)', 0),
    swap02('swapTokensForExactTokens(uint256 amountOut, uint256 amountInMax, address[] path, address to)', 1),
    harmless('unwrapWETH9(uint256 amountMinimum)', 'nothing: what the router holds goes to the sender'),
    harmless('sweepToken(address token, uint256 amountMinimum)', 'nothing: what the router holds goes to the sender'),
    harmless('wrapETH(uint256 value)', 'nothing: ether of the router becomes tokens of the router'),
    {
      line: 'pull(address token, uint256 value)',
      route: 'router',
      says: '`value` of `token`, to the router',
      effect: (call) => routed([paid(call, addressAt(call.args, 0), uintAt(call.args, 1))]),
    },
  ],
};
