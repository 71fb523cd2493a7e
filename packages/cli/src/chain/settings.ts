import { existsSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { NETWORKS, type Network } from '@keepwatch/bitcoin';
import {
  keepYoungHeapSmall,
  openSource,
  readChainConfiguration,
  type ChainConfiguration,
  type ChainSource,
} from '@keepwatch/chain';
import type { Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { readJsonFile } from '../json-file.ts';
import type { ChainOptions } from './options.ts';
import { createProgress } from './progress.ts';

export interface ChainSettings {
  readonly configuration: ChainConfiguration;
  /** Of this network. */
  readonly data: string;
  /** Where the sources were read from; null: from options, or nothing. */
  readonly file: string | null;
}

const BY_OPTION = ['peer', 'bitcoind', 'cookie', 'electrum', 'certificate', 'esplora', 'evm'] as const;

export async function chainSettings(context: Context, options: ChainOptions): Promise<ChainSettings> {
  const given = BY_OPTION.filter((name) => {
    const value = options[name];
    return typeof value === 'object' ? value.length > 0 : value;
  });
  const file = options.config ?? (given.length === 0 ? defaultFile(context) : undefined);
  if (options.config !== undefined && given.length > 0) {
    throw usageError(
      'options_conflict',
      `--config and --${given[0]} exclude each other.`,
      'Put all sources in the file.',
    );
  }
  const value = file === undefined ? fromOptions(options) : await readJsonFile(file);
  const read = readChainConfiguration(value);
  if (!read.ok) {
    const { where, words } = read.error;
    if (file === undefined) throw usageError('chain_source', `${optionOf(where, value)}: ${words}.`);
    throw new CodedError('chain_configuration_invalid', `${file}: ${where ? `${where}: ` : ''}${words}.`, {
      remedy: 'Correct it; docs/sources.md shows what such a file holds.',
      details: { file, where },
    });
  }
  const configuration = only(read.value, options.source);
  if (file !== undefined && options.network !== undefined && options.network !== configuration.network) {
    throw usageError(
      'options_conflict',
      `${file} is of ${configuration.network}, and --network says ${options.network}.`,
    );
  }
  const base = options.data === undefined ? context.directories.chain : resolve(options.data);
  return { configuration, data: join(base, configuration.network), file: file ?? null };
}

function defaultFile(context: Context): string | undefined {
  const file = join(context.directories.home, 'chain.json');
  return existsSync(file) ? file : undefined;
}

function fromOptions(options: ChainOptions): unknown {
  const network = options.network ?? 'main';
  if (!NETWORKS.includes(network as Network)) {
    throw usageError('network', `There is no network “${network}”.`, `There are: ${NETWORKS.join(', ')}.`);
  }
  if (options.cookie !== undefined && options.bitcoind === undefined) {
    throw usageError('option_missing', '--bitcoind is missing.', '--cookie opens a bitcoind: name its URL too.');
  }
  const servers = options.electrum.map((server) => ({
    kind: 'electrum',
    server,
    certificate: options.certificate ?? 'first-use',
  }));
  const sources = [
    ...(options.peer.length > 0 ? [{ kind: 'p2p', peers: options.peer }] : []),
    ...(options.bitcoind === undefined
      ? []
      : [{ kind: 'bitcoind', url: options.bitcoind, cookieFile: options.cookie ?? defaultCookie(network as Network) }]),
    ...servers,
    ...options.esplora.map((url) => ({ kind: 'esplora', url })),
  ];
  const evm = evmOf(options.evm ?? []);
  return {
    network,
    // Whoever names EVM chains alone does not ask for a light client of bitcoin.
    sources: sources.length + evm.length > 0 ? sources : [{ kind: 'p2p' }],
    ...(evm.length > 0 ? { evm } : {}),
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
  };
}

/** Upstreams of one chain stand together, in the order in which they were named. */
function evmOf(given: readonly string[]): readonly object[] {
  const chains = new Map<number, { url: string }[]>();
  for (const text of given) {
    const [, digits, url] = /^([1-9][0-9]{0,14})=(.+)$/.exec(text) ?? [];
    // Never the text itself: the URL may hold a key.
    if (digits === undefined) throw usageError('chain_source', '--evm: CHAIN_ID=URL is expected, such as 1=https://….');
    const upstreams = chains.get(Number(digits)) ?? [];
    chains.set(Number(digits), [...upstreams, { url: url! }]);
  }
  return [...chains].map(([chainId, upstreams]) => ({ chainId, upstreams }));
}

/** Where bitcoind keeps it (doc/files.md). */
function defaultCookie(network: Network): string {
  const folder = { main: '', test4: 'testnet4', signet: 'signet', regtest: 'regtest' }[network];
  return join(homedir(), '.bitcoin', folder, '.cookie');
}

/** The option that a member of {@link fromOptions} comes from. */
function optionOf(where: string, value: unknown): string {
  const [, at] = /^sources\.(\d+)/.exec(where) ?? [];
  const kind = (value as { sources: readonly { kind: string }[] }).sources[Number(at)]?.kind;
  if (where.startsWith('evm')) return '--evm';
  if (where.endsWith('certificate')) return '--certificate';
  if (kind === undefined) return `--${where}`;
  return kind === 'p2p' ? '--peer' : `--${kind}`;
}

function only(configuration: ChainConfiguration, names: readonly string[]): ChainConfiguration {
  if (names.length === 0) return configuration;
  const all = configuration.sources.map(({ name }) => name);
  const stranger = names.find((name) => !all.includes(name));
  if (stranger !== undefined) {
    throw usageError('unknown_name', `There is no source “${stranger}”.`, `There are: ${all.join(', ')}.`);
  }
  const sources = configuration.sources.filter(({ name }) => names.includes(name));
  // What is left of the sets; where nothing is, those that were asked for have to agree.
  const left = configuration.quorum.suffices.filter((set) => set.every((name) => names.includes(name)));
  const suffices = left.length > 0 ? left : [sources.map(({ name }) => name)];
  return { ...configuration, sources, quorum: { ...configuration.quorum, suffices } };
}

/** Opens the sources for as long as `use` runs. An end by Ctrl-C aborts the signal and is an error in the end. */
export async function withSources<T>(
  context: Context,
  { configuration, data }: ChainSettings,
  use: (sources: readonly ChainSource[], signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: Date.now };
  keepYoungHeapSmall();
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  const sources: ChainSource[] = [];
  if (configuration.sources.length === 0) {
    throw usageError('chain_source', 'No source of a bitcoin chain is configured.', 'docs/sources.md shows how.');
  }
  const progress = createProgress(context, Date.now);
  try {
    // Headers that were kept are judged again: of the main chain, for some seconds.
    progress.say('reading what is kept');
    for (const source of configuration.sources) sources.push(openSource(source, configuration, data, deps));
    progress.clear();
    const result = await use(sources, stop.signal);
    if (stop.signal.aborted) throw interrupted();
    return result;
  } finally {
    progress.clear();
    process.off('SIGINT', end).off('SIGTERM', end);
    await Promise.all(sources.map((source) => source.close()));
  }
}

const interrupted = () =>
  new CodedError('interrupted', 'Stopped.', { remedy: 'What was done is kept: the same command goes on from there.' });
