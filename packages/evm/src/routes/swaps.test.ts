import { describe, expect, it } from 'vitest';
import { BOB, COIN, COIN2, calldata, contractOf, flowsOf, judged, UNDERLYING, WALLET } from './world.fixture.ts';

const bytes = (length: number) => `0x${'00'.repeat(length)}`;
const tokenBytes = (token: string) => token.slice(2);

/** A v3 path is a token of 20 bytes, and for each step 3 bytes of fee and another token. */
function exactInput(path: string) {
  const line =
    'exactInput((bytes path, address recipient, uint256 deadline, uint256 amountIn, uint256 amountOutMinimum) params)';
  const params = { path, recipient: BOB, deadline: 9n, amountIn: 5n, amountOutMinimum: 1n };
  return judged({ to: contractOf('uniswap-v3-router'), data: calldata(line, [params]) });
}

describe('a packed path of tokens', () => {
  it.each([0, 19, 20, 42, 44, 65, 67])('of %i bytes is none, and the swap is not understood', (length) => {
    expect(exactInput(bytes(length)).opaque).toBe('malformed_path');
  });

  it.each([
    ['one step', `0x${tokenBytes(COIN)}0001f4${tokenBytes(COIN2)}`],
    ['two steps', `0x${tokenBytes(COIN)}0001f4${tokenBytes(UNDERLYING)}000bb8${tokenBytes(COIN2)}`],
  ])('of %s is paid with its first token, and gives its last', (_, path) => {
    const { opaque, outflows } = exactInput(path);
    expect(opaque).toBeNull();
    expect(flowsOf(outflows).map(([, asset, amount]) => [asset, amount])).toEqual([
      [`erc20:${COIN}`, 5n],
      [`erc20:${COIN2}`, 'unlimited'],
    ]);
  });
});

describe('a list of tokens', () => {
  const swap = (path: readonly string[]) =>
    judged({
      to: contractOf('uniswap-swap-router-02'),
      data: calldata('swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to)', [
        ...[5n, 1n, path, WALLET],
      ]),
    });

  it('of two is the shortest that can be swapped', () => {
    expect(swap([COIN]).opaque).toBe('malformed_path');
    expect(swap([]).opaque).toBe('malformed_path');
    const { opaque, outflows } = swap([COIN, COIN2]);
    expect(opaque).toBeNull();
    expect(flowsOf(outflows).map(([, asset, amount]) => [asset, amount])).toEqual([[`erc20:${COIN}`, 5n]]);
  });
});
