import type { OptionSpecs, OptionValues } from '../arguments.ts';

/** Which sources of the chain a command uses: by options, or by a configuration file, or the light client alone. */
export const CHAIN_OPTIONS = {
  network: { value: 'NAME', words: 'main, test4, signet or regtest (default: main)' },
  peer: { value: 'HOST:PORT', many: true, words: 'use the light client, and always keep this node' },
  bitcoind: { value: 'URL', words: 'use your own bitcoind, such as http://127.0.0.1:8332' },
  cookie: { value: 'FILE', words: 'its cookie file (default: in ~/.bitcoin)' },
  electrum: { value: 'HOST:PORT', many: true, words: 'use an Electrum server; it learns what you watch' },
  certificate: {
    value: 'WHICH',
    words: 'of Electrum servers: authorities, first-use (default), none, or its SHA-256',
  },
  esplora: { value: 'URL', many: true, words: 'use an Esplora server; it learns what you watch' },
  proxy: { value: 'HOST:PORT', words: 'a SOCKS5 proxy such as Tor, for all but bitcoind' },
  config: {
    value: 'FILE',
    words: 'sources in a file instead (default: chain.json beside the profiles, if it is there)',
  },
  source: { value: 'NAME', many: true, words: 'of the configuration, use only this one' },
  data: { value: 'DIR', words: 'where headers and scans are kept (default: $XDG_DATA_HOME/keepwatch/chain)' },
} as const satisfies OptionSpecs;

/** Of the monitor alone. */
export const EVM_OPTIONS = {
  evm: {
    value: 'CHAIN_ID=URL',
    many: true,
    words: 'follow an EVM chain by this JSON-RPC; with several of one chain more than half have to agree',
  },
} as const satisfies OptionSpecs;

export type ChainOptions = OptionValues<typeof CHAIN_OPTIONS> & Partial<OptionValues<typeof EVM_OPTIONS>>;
