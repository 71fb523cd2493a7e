import type { Address } from '../address.ts';
import type { ContractEntry } from './registry.ts';

// Contracts that most wallets meet. They are claims like all entries: an operator takes them into the registry, or not.
// Tokens (address, symbol, decimals) by the Uniswap default token list, version 22.21.0 of 2026-09-23; stETH and wstETH by
// docs.lido.fi; other contracts by their makers' lists of deployments. Which standards a token follows: its source.

type Token = readonly [
  symbol: string,
  name: string,
  address: string,
  decimals: number,
  ...standards: readonly string[],
];

const ERC20 = ['erc20'] as const;
const PERMIT = ['erc20', 'eip2612'] as const;
const CIRCLE = ['erc20', 'eip2612', 'eip3009'] as const;
const WRAPPED = ['erc20', 'weth'] as const;

const TOKENS: Readonly<Record<number, readonly Token[]>> = {
  1: [
    ['USDT', 'Tether USD', '0xdAC17F958D2ee523a2206206994597C13D831ec7', 6, ...ERC20],
    ['USDC', 'USD Coin', '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48', 6, ...CIRCLE],
    ['DAI', 'Dai Stablecoin', '0x6B175474E89094C44Da98b954EedeAC495271d0F', 18, 'erc20', 'dai-permit'],
    ['USDS', 'USDS Stablecoin', '0xdC035D45d973E3EC169d2276DDab16f1e407384F', 18, ...PERMIT],
    ['PYUSD', 'PayPal USD', '0x6c3ea9036406852006290770BEdFcAbA0e23A0e8', 6, ...CIRCLE],
    ['EURC', 'Euro Coin', '0x1aBaEA1f7C830bD89Acc67eC4af516284b1bC33c', 6, ...CIRCLE],
    ['WETH', 'Wrapped Ether', '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2', 18, ...WRAPPED],
    ['WBTC', 'Wrapped BTC', '0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599', 8, ...ERC20],
    ['cbBTC', 'Coinbase Wrapped BTC', '0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf', 8, ...CIRCLE],
    ['stETH', 'Lido Staked Ether', '0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84', 18, 'erc20', 'eip2612', 'lido'],
    ['LINK', 'ChainLink Token', '0x514910771AF9Ca656af840dff83E8264EcF986CA', 18, 'erc20', 'erc677'],
    ['UNI', 'Uniswap', '0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984', 18, ...PERMIT],
    ['AAVE', 'Aave', '0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9', 18, ...PERMIT],
    ['COMP', 'Compound', '0xc00e94Cb662C3520282E6f5717214004A7f26888', 18, ...ERC20],
    ['MKR', 'Maker', '0x9f8F72aA9304c8B593d555F12eF6589cC3A579A2', 18, ...ERC20],
    ['CRV', 'Curve DAO Token', '0xD533a949740bb3306d119CC777fa900bA034cd52', 18, ...ERC20],
    ['ENS', 'Ethereum Name Service', '0xC18360217D8F7Ab5e7c516566761Ea12Ce7F9D72', 18, ...PERMIT],
  ],
  10: [
    ['USDC', 'USD Coin', '0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85', 6, ...CIRCLE],
    ['USDT', 'Tether USD', '0x94b008aA00579c1307B0EF2c499aD98a8ce58e58', 6, ...ERC20],
    ['DAI', 'Dai Stablecoin', '0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1', 18, ...PERMIT],
    ['WETH', 'Wrapped Ether', '0x4200000000000000000000000000000000000006', 18, ...WRAPPED],
    ['OP', 'Optimism', '0x4200000000000000000000000000000000000042', 18, ...PERMIT],
    ['WBTC', 'Wrapped BTC', '0x68f180fcCe6836688e9084f035309E29Bf0A2095', 8, ...ERC20],
  ],
  56: [
    ['USDT', 'Tether USD', '0x55d398326f99059fF775485246999027B3197955', 18, ...ERC20],
    ['USDC', 'USD Coin', '0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d', 18, ...ERC20],
    ['WBNB', 'Wrapped BNB', '0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c', 18, ...WRAPPED],
  ],
  137: [
    ['USDC', 'USD Coin', '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359', 6, ...CIRCLE],
    ['USDT', 'Tether USD', '0xc2132D05D31c914a87C6611C10748AEb04B58e8F', 6, ...ERC20],
    ['WETH', 'Wrapped Ether', '0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619', 18, ...ERC20],
    ['WMATIC', 'Wrapped Matic', '0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270', 18, ...WRAPPED],
    ['WBTC', 'Wrapped BTC', '0x1BFD67037B42Cf73acF2047067bd4F2C47D9BfD6', 8, ...ERC20],
  ],
  8453: [
    ['USDC', 'USD Coin', '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', 6, ...CIRCLE],
    ['EURC', 'EURC', '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42', 6, ...CIRCLE],
    ['WETH', 'Wrapped Ether', '0x4200000000000000000000000000000000000006', 18, ...WRAPPED],
    ['cbBTC', 'Coinbase Wrapped BTC', '0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf', 8, ...CIRCLE],
    ['DAI', 'Dai Stablecoin', '0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb', 18, ...PERMIT],
  ],
  42161: [
    ['USDC', 'USD Coin', '0xaf88d065e77c8cC2239327C5EDb3A432268e5831', 6, ...CIRCLE],
    ['USDT0', 'USDT0', '0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9', 6, ...PERMIT],
    ['DAI', 'Dai Stablecoin', '0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1', 18, ...PERMIT],
    ['WETH', 'Wrapped Ether', '0x82aF49447D8a07e3bd95BD0d56f35241523fBab1', 18, ...WRAPPED],
    ['WBTC', 'Wrapped BTC', '0x2f2a2543B76A4166549F7aaB2e75Bef0aefC5B0f', 8, ...ERC20],
    ['ARB', 'Arbitrum', '0x912CE59144191C1204E64559FE8253a0e49E6548', 18, ...PERMIT],
  ],
};

type Contract = readonly [name: string, address: string, chains: readonly number[], ...standards: readonly string[]];

const ALL = [1, 10, 56, 137, 8453, 42161];
const V3 = [1, 10, 137, 42161];
const CONTRACTS: readonly Contract[] = [
  ['Permit2', '0x000000000022D473030F116dDEE9F6B43aC78BA3', ALL, 'permit2'],
  ['Multicall3', '0xcA11bde05977b3631167028862bE2a173976CA11', ALL, 'multicall3'],
  ['Safe MultiSendCallOnly 1.4.1', '0x9641d764fc13c8B624c04430C7356C1C7C8102e2', ALL, 'safe-multisend'],
  ['Safe MultiSendCallOnly 1.3.0', '0x40A2aCCbd92BCA938b02010E17A5b8929b49130D', ALL, 'safe-multisend'],
  ['Uniswap v2 Router', '0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D', [1], 'uniswap-v2-router'],
  ['Uniswap v3 SwapRouter', '0xE592427A0AEce92De3Edee1F18E0157C05861564', V3, 'uniswap-v3-router', 'multicall'],
  ['Uniswap SwapRouter02', '0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45', V3, 'uniswap-swap-router-02', 'multicall'],
  ['Seaport 1.6', '0x0000000000000068F116a894984e2DB1123eB395', ALL, 'seaport'],
  ['CoW Settlement', '0x9008D19f58AAbD9eD0D60971565AA8510560ab41', [1, 8453, 42161], 'cow-settlement'],
  ['1inch Router v6', '0x111111125421cA6dc452d289314280a0f8842A65', ALL, '1inch-limit-orders'],
  ['0x Exchange Proxy', '0xDef1C0ded9bec7F1a1670819833240f027b25EfF', [1, 56, 137], '0x-orders'],
  ['Aave v3 Pool', '0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2', [1], 'aave-v3-pool'],
];

/** The addresses as their sources spell them, with the checksum of EIP-55. */
export function bundledSpellings(): readonly string[] {
  const tokens = Object.values(TOKENS).flatMap((list) => list.map(([, , address]) => address));
  return [...tokens, WSTETH, ...CONTRACTS.map(([, address]) => address)];
}

const WSTETH = '0x7f39C581F595B53c5cb19bD0b3f8dA6c935E2Ca0';

/** Every entry that comes with the program. */
export function bundledEntries(): readonly ContractEntry[] {
  const tokens = Object.entries(TOKENS).flatMap(([chainId, list]) =>
    list.map(([symbol, name, address, decimals, ...standards]): ContractEntry => ({
      ...described(Number(chainId), name, address, standards),
      symbol,
      decimals,
    })),
  );
  const contracts = CONTRACTS.flatMap(([name, address, chains, ...standards]) =>
    chains.map((chainId) => described(chainId, name, address, standards)),
  );
  const steth = tokens.find(({ symbol }) => symbol === 'stETH')!.address;
  const wsteth: ContractEntry = {
    ...described(1, 'Wrapped stETH', WSTETH, ['erc20', 'eip2612', 'wrapper']),
    symbol: 'wstETH',
    decimals: 18,
    underlying: steth,
  };
  return [...tokens, wsteth, ...contracts];
}

function described(chainId: number, name: string, address: string, standards: readonly string[]): ContractEntry {
  return { chain: `eip155:${chainId}`, address: address.toLowerCase() as Address, name, standards, functions: [] };
}
