import type { Keccak256 } from '@keepwatch/base';
import { multicall3, safe, safeMultiSend, selfMulticall } from './batches.ts';
import { aaveDebt, aavePool, compoundV2, compoundV3 } from './lending.ts';
import { permit2 } from './permit2.ts';
import type { Standard } from './route.ts';
import { uniswapSwapRouter02, uniswapV2Router, uniswapV3Router } from './swaps.ts';
import {
  daiPermit,
  eip2612,
  eip3009,
  erc1155,
  erc1363,
  erc20,
  erc20Burnable,
  erc677,
  erc721,
  erc777,
} from './tokens.ts';
import { createUniversalRouter } from './universal-router.ts';
import { erc4626, lido, weth, wrapper } from './vaults.ts';

/** The table of all routes: every standard whose functions have a meaning here. docs/routes.md is written from it. */
export function createStandards(keccak: Keccak256): readonly Standard[] {
  return [
    erc20,
    erc20Burnable,
    eip2612,
    daiPermit,
    eip3009,
    erc777,
    erc677,
    erc1363,
    erc721,
    erc1155,
    permit2,
    erc4626,
    weth,
    lido,
    wrapper,
    aavePool,
    aaveDebt,
    compoundV2,
    compoundV3,
    multicall3,
    selfMulticall,
    safe,
    safeMultiSend,
    uniswapV2Router,
    uniswapV3Router,
    uniswapSwapRouter02,
    createUniversalRouter(keccak),
  ];
}
