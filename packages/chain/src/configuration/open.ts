import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertNever, type Entropy } from '@keepwatch/base';
import { createBitcoindSource } from '../bitcoind/source.ts';
import { createElectrumSource } from '../electrum/electrum.ts';
import { createEsploraSource } from '../esplora/esplora.ts';
import type { CertificateTrust } from '../net/connection.ts';
import { createP2pSource } from '../p2p/source.ts';
import type { ChainSource } from '../source.ts';
import { openCertificates, type Certificates } from './certificates.ts';
import { readPlace, type ChainConfiguration, type SourceConfiguration } from './configuration.ts';

export interface OpenDeps {
  readonly entropy: Entropy;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** One line of what happens between the light client and its peers. */
  readonly log?: (line: string) => void;
}

/**
 * Opens one source of a configuration. `dataDir` belongs to the network: the light client and servers keep headers there, and
 * the certificates of servers are remembered there. Throws the codes of {@link lockDirectory}.
 */
export function openSource(
  source: SourceConfiguration,
  { network, proxy }: Pick<ChainConfiguration, 'network' | 'proxy'>,
  dataDir: string,
  deps: OpenDeps,
): ChainSource {
  const { name } = source;
  const isolated = proxy ? { proxy: { ...proxy, isolation: name } } : {};
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  switch (source.kind) {
    case 'p2p':
      return createP2pSource(deps, {
        ...{ name, network, dataDir: join(dataDir, name), peers: source.peers ?? [] },
        ...(source.discover === undefined ? {} : { discover: source.discover }),
        ...(proxy ? { proxy: { ...proxy, isolate: true } } : {}),
      });
    case 'bitcoind': {
      const { url, cookieFile, user = '', passwordFile = '', zmq } = source;
      const auth = cookieFile === undefined ? { user, passwordFile } : { cookieFile };
      return createBitcoindSource(deps, { name, network, access: { url, auth }, ...(zmq ? { zmq } : {}) });
    }
    case 'electrum': {
      const tls = trustOf(source, openCertificates(join(dataDir, 'certificates.json')));
      return createElectrumSource(deps, {
        ...{ name, network, dataDir: join(dataDir, name) },
        endpoint: { ...readPlace(source.server), tls, ...isolated },
      });
    }
    case 'esplora':
      return createEsploraSource(deps, {
        ...{ name, network, dataDir: join(dataDir, name) },
        endpoint: { url: source.url, ...isolated },
      });
    default:
      return assertNever(source);
  }
}

function trustOf(
  { server, certificate }: Extract<SourceConfiguration, { kind: 'electrum' }>,
  certificates: Certificates,
): CertificateTrust | null {
  switch (certificate) {
    case 'none':
      return null;
    case 'authorities':
      return { kind: 'authorities' };
    case 'first-use':
      return {
        kind: 'first-use',
        known: certificates.of(server),
        remember: (sha256) => certificates.remember(server, sha256),
      };
    default:
      return { kind: 'pinned', sha256: certificate };
  }
}
