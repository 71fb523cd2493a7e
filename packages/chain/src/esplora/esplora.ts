import { createHash } from 'node:crypto';
import { concat } from '@keepwatch/base';
import { encodeHeader, toInternal, type Header } from '@keepwatch/bitcoin';
import type { ChainSource } from '../source.ts';
import {
  malformed,
  MAX_HEIGHT,
  MAX_TRANSACTION_BYTES,
  readHex,
  readInteger,
  readTxid,
  ServerFault,
  type HistoryItem,
  type ServerBackend,
  type ServerSession,
} from '../server/backend.ts';
import { createServerSource, type ServerSourceDeps, type ServerSourceOptions } from '../server/source.ts';
import { createEsploraHttp, jsonOf, textOf, type Answer, type EsploraEndpoint, type EsploraHttp } from './http.ts';

export interface EsploraOptions extends ServerSourceOptions {
  readonly endpoint: EsploraEndpoint;
  /** How often everything is asked for again, ms: an Esplora server tells nothing by itself. 15,000 by default. */
  readonly pollMs?: number;
}

const POLL_MS = 15_000;
/** What `/blocks/:height` gives at a time, the highest first. */
const BLOCKS_A_PAGE = 10;
/** What a page of confirmed transactions holds. */
const TXS_A_PAGE = 25;
const MAX_JSON_BYTES = 32 * 1024 * 1024;

/**
 * An Esplora server (HTTP) as a source. It has no headers in bulk, ten blocks a question: give it a directory to keep them,
 * or a header chain that starts at a checkpoint.
 */
export function createEsploraSource(deps: ServerSourceDeps, options: EsploraOptions): ChainSource {
  const backend: ServerBackend = {
    pollMs: options.pollMs ?? POLL_MS,
    open: async () => createSession(createEsploraHttp(options.endpoint)),
  };
  return createServerSource('esplora', backend, deps, options);
}

function createSession(http: EsploraHttp): ServerSession {
  const found = async (path: string, maxBytes = MAX_JSON_BYTES): Promise<Answer> => {
    const answer = await http.get(path, maxBytes);
    if (answer.status === 200) return answer;
    throw new ServerFault('transient', 'server_moved_on', `The server answered ${answer.status} for ${path}.`);
  };

  const blocksAt = async (height: number): Promise<readonly Uint8Array[]> => {
    const blocks = jsonOf(await found(`/blocks/${height}`));
    if (!Array.isArray(blocks)) malformed('a list of blocks');
    return blocks.map((block: unknown) => encodeHeader(readHeader(block))).reverse();
  };

  return {
    tipHeight: async () =>
      readInteger(Number(textOf(await found('/blocks/tip/height', 64))), 0, MAX_HEIGHT, 'a height'),

    headers: async (start, count) => {
      const headers: Uint8Array[] = [];
      while (headers.length < count) {
        const first = start + headers.length;
        const top = Math.min(first + BLOCKS_A_PAGE, start + count) - 1;
        const page = await blocksAt(top);
        const wanted = page.slice(-(top - first + 1));
        if (wanted.length === 0) break;
        headers.push(...wanted);
      }
      return concat(...headers);
    },

    history: async (script) => {
      const base = `/scripthash/${createHash('sha256').update(script).digest('hex')}/txs`;
      const items: HistoryItem[] = [];
      items.push(...readTransactions(jsonOf(await found(`${base}/mempool`))));
      for (let last = ''; ;) {
        const page = readTransactions(jsonOf(await found(`${base}/chain${last}`)));
        items.push(...page);
        if (page.length < TXS_A_PAGE) return items;
        last = `/${page.at(-1)!.txid}`;
      }
    },

    // It tells nothing by itself, so anything may have changed.
    stale: () => true,

    transaction: async (txid) => {
      const answer = await http.get(`/tx/${txid}/raw`, MAX_TRANSACTION_BYTES);
      return answer.status === 200 ? answer.bytes : undefined;
    },

    merkleProof: (txid) => proofOf(found, txid),

    coinbase: async (_height, blockHash) => {
      const txid = readTxid(textOf(await found(`/block/${blockHash}/txid/0`, 256)).trim());
      return { txid, branch: (await proofOf(found, txid)).branch };
    },

    broadcast: async (transactions) => {
      const one = transactions.length === 1;
      const answer = one
        ? await http.post('/tx', transactions[0]!, 'text/plain')
        : await http.post('/txs/package', JSON.stringify(transactions), 'application/json');
      const text = textOf(answer).slice(0, 1_000);
      if (answer.status !== 200) return { kind: 'refused', reason: text };
      if (one) return { kind: 'taken' };
      // The answer of bitcoind's submitpackage, as it is.
      const message = (jsonOf(answer) as { package_msg?: unknown } | null)?.package_msg;
      return message === 'success' ? { kind: 'taken' } : { kind: 'refused', reason: text };
    },

    feerates: async (targets) => {
      const estimates = jsonOf(await found('/fee-estimates')) as Record<string, unknown> | null;
      return targets.map((target) => {
        const rate = estimates?.[String(target)];
        return typeof rate === 'number' && rate >= 0 && rate < 1e6 ? Math.ceil(rate * 1_000) : null;
      });
    },

    close: () => http.close(),
  };
}

async function proofOf(found: (path: string) => Promise<Answer>, txid: string) {
  const { merkle, pos } = (jsonOf(await found(`/tx/${txid}/merkle-proof`)) ?? {}) as Record<string, unknown>;
  if (!Array.isArray(merkle)) malformed('a merkle branch');
  return {
    branch: merkle.map((hash: unknown) => readHex(hash, 32, 'a hash')),
    position: readInteger(pos, 0, 0x7fff_ffff, 'a position'),
  };
}

function readTransactions(value: unknown): HistoryItem[] {
  if (!Array.isArray(value)) malformed('a list of transactions');
  return value.map((item: { txid?: unknown; status?: { confirmed?: unknown; block_height?: unknown } } | null) => {
    const txid = readTxid(item?.txid);
    if (item?.status?.confirmed !== true) return { txid, height: 0 };
    return { txid, height: readInteger(item.status.block_height, 0, MAX_HEIGHT, 'a height') };
  });
}

/** A block's header from its JSON; the hash of what comes out is checked against our own chain, so nothing need be believed. */
function readHeader(value: unknown): Header {
  const block = (value ?? {}) as Record<string, unknown>;
  const hash = (name: string, absent?: string) => {
    const text = block[name] ?? absent;
    return (typeof text === 'string' ? toInternal(text) : undefined) ?? malformed('a hash');
  };
  return {
    version: readInteger(block['version'], -0x8000_0000, 0xffff_ffff, 'a version') | 0,
    // The first block has none before it.
    previous: hash('previousblockhash', '0'.repeat(64)),
    merkleRoot: hash('merkle_root'),
    timeSeconds: readInteger(block['timestamp'], 0, 0xffff_ffff, 'a time'),
    bits: readInteger(block['bits'], 0, 0xffff_ffff, 'a target'),
    nonce: readInteger(block['nonce'], 0, 0xffff_ffff, 'a nonce'),
  };
}
