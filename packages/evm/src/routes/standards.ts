import type { Keccak256 } from '@keepwatch/base';
import { multicall3, safe, safeMultiSend, selfMulticall } from './batches.ts';
import { aaveDebt, aavePool, compoundV2, compoundV3 } from './lending.ts';
import { cow, oneInch, seaport, zeroExOrders } from './orders.ts';
import { permit2 } from './permit2.ts';
import type { Standard } from './route.ts';
import {
  aaveDebtTypes,
  compoundV3Types,
  daiTypes,
  eip2612Types,
  eip3009Types,
  permit2Types,
  safeTypes,
} from './signed-tokens.ts';
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
    { ...eip2612, types: eip2612Types },
    { ...daiPermit, types: daiTypes },
    { ...eip3009, types: eip3009Types },
    erc777,
    erc677,
    erc1363,
    erc721,
    erc1155,
    { ...permit2, types: permit2Types },
    erc4626,
    weth,
    lido,
    wrapper,
    aavePool,
    { ...aaveDebt, types: aaveDebtTypes },
    compoundV2,
    { ...compoundV3, types: compoundV3Types },
    multicall3,
    selfMulticall,
    { ...safe, types: safeTypes },
    safeMultiSend,
    uniswapV2Router,
    uniswapV3Router,
    uniswapSwapRouter02,
    createUniversalRouter(keccak),
    seaport,
    cow,
    oneInch,
    zeroExOrders,
  ];
}
