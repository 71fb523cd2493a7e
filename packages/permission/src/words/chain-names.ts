/** How people call a chain and its coin. Words only: nothing is decided by them. */
interface ChainName {
  readonly name: string;
  readonly symbol: string;
}

/** By CAIP-2 id. The coin has 18 decimals on all of them. */
const CHAINS: Readonly<Record<string, ChainName>> = {
  'eip155:1': { name: 'Ethereum', symbol: 'ETH' },
  'eip155:10': { name: 'OP Mainnet', symbol: 'ETH' },
  'eip155:56': { name: 'BNB Smart Chain', symbol: 'BNB' },
  'eip155:100': { name: 'Gnosis', symbol: 'XDAI' },
  'eip155:137': { name: 'Polygon', symbol: 'POL' },
  'eip155:8453': { name: 'Base', symbol: 'ETH' },
  'eip155:42161': { name: 'Arbitrum One', symbol: 'ETH' },
  'eip155:43114': { name: 'Avalanche', symbol: 'AVAX' },
  'eip155:59144': { name: 'Linea', symbol: 'ETH' },
  'eip155:17000': { name: 'Holesky', symbol: 'ETH' },
  'eip155:560048': { name: 'Hoodi', symbol: 'ETH' },
  'eip155:11155111': { name: 'Sepolia', symbol: 'ETH' },
};

/** "Ethereum", and "chain 31337" where nobody gave it a name. */
export function chainName(chain: string): string {
  if (chain === 'any') return 'any chain';
  return CHAINS[chain]?.name ?? `chain ${chain.startsWith('eip155:') ? chain.slice('eip155:'.length) : chain}`;
}

/** What the chain's coin is called; `ETH` where nobody gave it a name. */
export function coinSymbol(chain: string): string {
  return CHAINS[chain]?.symbol ?? 'ETH';
}
