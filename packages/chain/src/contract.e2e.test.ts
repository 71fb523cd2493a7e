import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  chainSourceContract,
  findBitcoind,
  loneSourceContract,
  startBitcoind,
  startElectrumEndpoint,
  startEsploraEndpoint,
  type BitcoindNode,
  type ElectrumEndpoint,
  type EsploraEndpoint,
  type SourceUnderContract,
  type SourceWorld,
} from '@keepwatch/testkit';
import { afterAll, beforeAll, describe } from 'vitest';
import { createBitcoindSource } from './bitcoind/source.ts';
import { createElectrumSource } from './electrum/electrum.ts';
import { createEsploraSource } from './esplora/esplora.ts';
import { createP2pSource } from './p2p/source.ts';
import { createQuorum } from './quorum/quorum-source.ts';
import type { QuorumEvent } from './quorum/step.ts';
import type { ChainEvent, ChainSource } from './source.ts';

// Every source keeps one contract, each against a real node; the two servers are endpoints of ours before that node.

const found = await findBitcoind();
const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: Date.now };
const network = 'regtest' as const;

describe.skipIf('missing' in found)(
  `the contract of sources${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    let node: BitcoindNode;
    let electrum: ElectrumEndpoint;
    let esplora: EsploraEndpoint;
    let dir: string;
    beforeAll(async () => {
      node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!, { zmq: true });
      const payer = await node.wallet('payer');
      await node.mine(130, await payer<string>('getnewaddress'));
      electrum = await startElectrumEndpoint(node, { protocol: '1.6' });
      esplora = await startEsploraEndpoint(node);
      dir = mkdtempSync(join(tmpdir(), 'keepwatch-contract-'));
    });
    afterAll(async () => {
      await electrum?.stop();
      await esplora?.stop();
      await node?.stop();
      if (dir) rmSync(dir, { recursive: true, force: true });
    });

    const nodeSource = (url = `http://127.0.0.1:${node.rpcPort}`, zmq = true) =>
      createBitcoindSource(deps, {
        ...{ name: 'own', network, pollMs: 300, ...(zmq ? { zmq: [node.zmqEndpoint!] } : {}) },
        access: { url, auth: { cookieFile: node.cookieFile } },
      });
    const client = (peer = `127.0.0.1:${node.p2pPort}`, dataDir = dir) =>
      createP2pSource(deps, {
        ...{ name: 'light', network, dataDir, peers: [peer] },
        tuning: { tickMs: 200, answerMs: 5_000, dialMs: 3_000, recheckMs: 500, broadcastMs: 20_000 },
      });
    const electrumSource = (port = electrum.port) =>
      createElectrumSource(deps, { name: 'electrum', network, endpoint: { host: '127.0.0.1', port, tls: null } });
    const esploraSource = (url = esplora.url) =>
      createEsploraSource(deps, { name: 'esplora', network, endpoint: { url }, pollMs: 200 });
    const worldOf = (open: () => SourceUnderContract, dead: () => SourceUnderContract) => (): SourceWorld => ({
      node,
      open: () => Promise.resolve(open()),
      openDead: () => Promise.resolve(dead()),
    });

    chainSourceContract(
      'bitcoind',
      { payment: 'relayed', spend: 'relayed', refused: 'rejected', packages: true },
      worldOf(nodeSource, () => nodeSource('http://127.0.0.1:1', false)),
    );
    chainSourceContract(
      'the light client',
      { payment: 'claimed', spend: 'valid', refused: 'unknown', packages: true },
      worldOf(client, () => client('127.0.0.1:1', join(dir, 'dead'))),
    );
    chainSourceContract(
      'Electrum',
      { payment: 'claimed', spend: 'valid', refused: 'rejected', packages: true },
      worldOf(electrumSource, () => electrumSource(1)),
    );
    chainSourceContract(
      'Esplora',
      { payment: 'claimed', spend: 'valid', refused: 'rejected', packages: true },
      worldOf(esploraSource, () => esploraSource('http://127.0.0.1:1')),
    );
    for (const [name, open] of [
      ['bitcoind', nodeSource],
      ['the light client', client],
      ['Electrum', electrumSource],
      ['Esplora', esploraSource],
    ] as const) {
      loneSourceContract(name, () => ({ node, open: () => Promise.resolve(open()) }));
    }
    // The node and a server together: what both agree on. What the better one answers for is what is told.
    chainSourceContract(
      'a quorum',
      { payment: 'relayed', spend: 'relayed', refused: 'rejected', packages: true },
      worldOf(
        () => asOne([nodeSource(), electrumSource()]),
        () => asOne([nodeSource('http://127.0.0.1:1', false), electrumSource(1)]),
      ),
    );
  },
);

/** A quorum of which both have to agree, told as one source would. */
function asOne(sources: readonly ChainSource[]): SourceUnderContract {
  const suffices = [sources.map(({ name }) => name)];
  const quorum = createQuorum({ sources, nowMs: Date.now }, { suffices, graceMs: 60_000, lagBlocks: 6 });
  return {
    ...quorum,
    async *events(from, signal) {
      for await (const event of quorum.events(from, signal)) yield* told(event);
    },
    async transaction(txid) {
      const fetched = await quorum.transaction(txid, AbortSignal.timeout(60_000));
      if (fetched.kind === 'found') return { kind: 'found', raw: fetched.stripped };
      const kinds = new Set(fetched.answers.map(({ kind }) => kind));
      return { kind: kinds.size === 1 ? [...kinds][0]! : 'failed', why: JSON.stringify(fetched.answers) };
    },
  };
}

function* told(event: QuorumEvent): Generator<ChainEvent> {
  if (event.kind === 'source-health') yield { kind: 'health', health: event.health };
  else if (['connected', 'disconnected', 'sighted', 'replaced', 'evicted'].includes(event.kind))
    yield event as ChainEvent;
}
