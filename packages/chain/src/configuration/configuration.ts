import { err, ok, type Result } from '@keepwatch/base';
import { NETWORKS, type Network } from '@keepwatch/bitcoin';
import * as z from 'zod';
import type { QuorumConfig, Suffices } from '../quorum/step.ts';
import { evmChain, evmChainSchema, evmFault, type EvmChainConfiguration } from './evm.ts';

/**
 * Which sources of a chain are used, as people write it down in JSON. Nothing has a meaning that is not written: an
 * unknown member is refused, and so is a set that suffices which names no source.
 */
const place = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):[0-9]{1,5}$/, 'host:port is expected');
const named = { name: z.string().min(1).max(64).optional() };

const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('p2p'),
    ...named,
    /** Nodes that are always kept. */
    peers: z.array(z.string().min(1).max(300)).max(64).optional(),
    /** Whether other nodes are looked for: not on regtest, and elsewhere unless this is false. */
    discover: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('bitcoind'),
    ...named,
    url: z.url({ protocol: /^http$/ }),
    cookieFile: z.string().min(1).optional(),
    user: z.string().min(1).optional(),
    passwordFile: z.string().min(1).optional(),
    /** `tcp://…` of `-zmqpubhashblock` and `-zmqpubrawtx`. */
    zmq: z.array(z.url({ protocol: /^tcp$/ })).optional(),
  }),
  z.strictObject({
    kind: z.literal('electrum'),
    ...named,
    server: place,
    /** `authorities`, `first-use`, `none` (no TLS), or the SHA-256 of the certificate in hex. */
    certificate: z.union([z.enum(['authorities', 'first-use', 'none']), z.string().regex(/^[0-9a-f]{64}$/)]),
  }),
  z.strictObject({ kind: z.literal('esplora'), ...named, url: z.url({ protocol: /^https?$/ }) }),
]);

const schema = z.strictObject({
  network: z.enum(NETWORKS as [Network, ...Network[]]),
  /** Of bitcoin; none where EVM chains alone are watched. */
  sources: z.array(sourceSchema).max(16),
  evm: z.array(evmChainSchema).max(16).optional(),
  suffices: z.array(z.array(z.string()).min(1)).min(1).optional(),
  graceSeconds: z.number().min(0).max(86_400).optional(),
  lagBlocks: z.int().min(1).max(1_000).optional(),
  /** A SOCKS5 proxy (Tor) for everything but one’s own bitcoind. */
  proxy: place.optional(),
});

type Unnamed = z.infer<typeof sourceSchema>;
export type SourceConfiguration = Unnamed & { readonly name: string };

export interface ChainConfiguration {
  readonly network: Network;
  readonly sources: readonly SourceConfiguration[];
  readonly quorum: Omit<QuorumConfig, 'sources'>;
  readonly proxy: { readonly host: string; readonly port: number } | null;
  readonly evm: readonly EvmChainConfiguration[];
}

/** `where`: the member that is meant, such as `sources.0.url`. */
export interface ConfigurationFault {
  readonly where: string;
  readonly words: string;
}

/** A block takes its time through a network, and longer to a server's index. */
const GRACE_SECONDS = 120;
const LAG_BLOCKS = 2;

export function readChainConfiguration(value: unknown): Result<ChainConfiguration, ConfigurationFault> {
  const read = schema.safeParse(value);
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    return err({ where: path.join('.'), words: message });
  }
  const { evm = [] } = read.data;
  if (read.data.sources.length + evm.length === 0) return err({ where: 'sources', words: 'there is none' });
  const wrong = evmFault(evm);
  if (wrong) return err(wrong);
  const { network, proxy, suffices, graceSeconds = GRACE_SECONDS, lagBlocks = LAG_BLOCKS } = read.data;
  const sources = withNames(read.data.sources);
  const names = sources.map(({ name }) => name);
  const double = names.find((name, i) => names.indexOf(name) !== i);
  if (double !== undefined) return err({ where: 'sources', words: `two sources are called “${double}”` });
  const stranger = suffices?.flat().find((name) => !names.includes(name));
  if (stranger !== undefined) return err({ where: 'suffices', words: `no source is called “${stranger}”` });
  for (const [i, source] of sources.entries()) {
    if (source.kind !== 'bitcoind') continue;
    const byUser = source.user !== undefined && source.passwordFile !== undefined;
    if ((source.cookieFile !== undefined) !== byUser && (byUser || source.user === undefined)) continue;
    return err({ where: `sources.${i}`, words: 'either cookieFile, or user and passwordFile, is needed' });
  }
  const through = proxy === undefined ? null : readPlace(proxy);
  return ok({
    network,
    sources,
    quorum: { suffices: suffices ?? enough(sources), graceMs: graceSeconds * 1_000, lagBlocks },
    proxy: through,
    evm: evm.map((each) => evmChain(each, through)),
  });
}

/** `host:port` in its parts, the brackets of an IPv6 address taken off. */
export function readPlace(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}

/** What is not named is called by its kind. */
function withNames(sources: readonly Unnamed[]): readonly SourceConfiguration[] {
  const taken = new Set(sources.map(({ name }) => name));
  return sources.map((source) => {
    if (source.name !== undefined) return { ...source, name: source.name };
    let name: string = source.kind;
    for (let n = 2; taken.has(name); n++) name = `${source.kind}-${n}`;
    taken.add(name);
    return { ...source, name };
  });
}

/** A source that looks into the blocks itself suffices alone; of servers, which can be silent, all must agree. */
function enough(sources: readonly SourceConfiguration[]): Suffices {
  const alone = sources.filter(({ kind }) => kind === 'p2p' || kind === 'bitcoind').map(({ name }) => [name]);
  return alone.length > 0 ? alone : [sources.map(({ name }) => name)];
}
