import * as z from 'zod';
import type { EvmSourceOptions } from '../evm/source.ts';

/** EVM chains as people write them down: each with its upstreams, and how many of those have to agree. */
export const evmChainSchema = z.strictObject({
  chainId: z.int().min(1),
  /** Of the chain's own coin (default: ETH). */
  symbol: z.string().min(1).max(16).optional(),
  upstreams: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64).optional(),
        url: z.url({ protocol: /^https?$/ }),
        /** SHA-256 of the one certificate that is taken; otherwise the authorities of the system decide. */
        certificate: z
          .string()
          .regex(/^[0-9a-fA-F]{64}$/)
          .optional(),
        /** Questions in one request, at most. */
        batch: z.int().min(1).max(1_000).optional(),
        /** Of the same upstream: pending transactions are heard over it. */
        websocket: z.url({ protocol: /^wss?$/ }).optional(),
      }),
    )
    .min(1)
    .max(16),
  /** So many upstreams have to say the same (default: more than half). */
  agree: z.int().min(1).max(16).optional(),
  /** Depths at which what happened is told again (default: 12). */
  depths: z.array(z.int().min(2).max(200)).max(8).optional(),
  pollSeconds: z.number().min(0.1).max(600).optional(),
  lagBlocks: z.int().min(1).max(10_000).optional(),
  stalledSeconds: z.int().min(10).optional(),
  /** Between two rounds of questions about what stands in no block (default: 3); 0: nobody is asked. */
  pendingSeconds: z.number().min(0).max(600).optional(),
  /** How long nobody may have shown a transaction before it is told as gone (default: 60). */
  evictSeconds: z.number().min(1).max(86_400).optional(),
});

type Written = z.infer<typeof evmChainSchema>;

export interface EvmChainConfiguration {
  readonly chainId: bigint;
  readonly symbol: string | null;
  readonly depths: readonly number[] | null;
  readonly source: EvmSourceOptions;
}

/** What is wrong with chains that are of the right form; undefined: nothing. */
export function evmFault(chains: readonly Written[]): { readonly where: string; readonly words: string } | undefined {
  const ids = chains.map(({ chainId }) => chainId);
  for (const [i, { chainId, upstreams, agree = 1, depths = [] }] of chains.entries()) {
    const where = `evm.${i}`;
    if (ids.indexOf(chainId) !== i) return { where, words: `chain ${chainId} is there twice` };
    if (agree > upstreams.length)
      return { where: `${where}.agree`, words: 'there are fewer upstreams than have to agree' };
    const isOpen = ({ url, websocket = 'wss:' }: Written['upstreams'][number]) =>
      !url.startsWith('https:') || !websocket.startsWith('wss:');
    if (upstreams.some((each) => each.certificate !== undefined && isOpen(each)))
      return { where, words: 'a certificate is pinned for an address without TLS' };
    const hosts = upstreams.map(({ url, websocket = url }) => [new URL(url).hostname, new URL(websocket).hostname]);
    if (hosts.some(([host, other]) => host !== other))
      return { where, words: 'the WebSocket of an upstream is on another host: make it another upstream' };
    const names = upstreams.flatMap(({ name }) => name ?? []);
    if (new Set(names).size < names.length) return { where, words: 'two upstreams have one name' };
    if (depths.some((depth, at) => at > 0 && depth <= depths[at - 1]!)) {
      return { where: `${where}.depths`, words: 'depths have to rise' };
    }
  }
  return undefined;
}

/** `proxy`: for all upstreams but those on this machine. */
export function evmChain(
  { chainId, symbol, upstreams, agree, depths, ...times }: Written,
  proxy: { readonly host: string; readonly port: number } | null,
): EvmChainConfiguration {
  const taken = new Set(upstreams.flatMap(({ name }) => name ?? []));
  const named = upstreams.map(({ name, url, batch, certificate, websocket }) => {
    const { hostname } = new URL(url);
    let called = name ?? hostname;
    if (name === undefined) for (let n = 2; taken.has(called); n++) called = `${hostname}-${n}`;
    taken.add(called);
    const isHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
    return {
      ...{ name: called, url },
      ...(batch === undefined ? {} : { batch }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(websocket === undefined ? {} : { websocket }),
      ...(proxy === null || isHere ? {} : { proxy: { ...proxy, isolation: `evm-${chainId}-${called}` } }),
    };
  });
  const { pollSeconds, lagBlocks, stalledSeconds, pendingSeconds, evictSeconds } = times;
  return {
    chainId: BigInt(chainId),
    symbol: symbol ?? null,
    depths: depths ?? null,
    source: {
      chainId: BigInt(chainId),
      upstreams: named,
      agree: agree ?? Math.floor(named.length / 2) + 1,
      ...(pollSeconds === undefined ? {} : { pollMs: pollSeconds * 1_000 }),
      ...(lagBlocks === undefined ? {} : { lagBlocks }),
      ...(stalledSeconds === undefined ? {} : { stalledMs: stalledSeconds * 1_000 }),
      ...(pendingSeconds === undefined ? {} : { pendingMs: pendingSeconds === 0 ? null : pendingSeconds * 1_000 }),
      ...(evictSeconds === undefined ? {} : { evictMs: evictSeconds * 1_000 }),
    },
  };
}
