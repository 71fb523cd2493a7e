/** How EVM chains and their upstreams are called among the sources of the watch: by CAIP-2, and a name behind it. */
const PREFIX = 'eip155:';

export const chainName = (chainId: bigint) => `${PREFIX}${chainId}`;

export function upstreamNames(chainId: bigint, upstreams: readonly string[]): readonly string[] {
  return upstreams.map((name) => `${chainName(chainId)}/${name}`);
}

export const isEvmSource = (source: string) => source.startsWith(PREFIX);
