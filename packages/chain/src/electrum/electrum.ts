import { createHash } from 'node:crypto';
import { toHex } from '@keepwatch/base';
import type { ChainSource } from '../source.ts';
import {
  malformed,
  MAX_HEIGHT,
  MAX_TRANSACTION_BYTES,
  readHex,
  readInteger,
  readTxid,
  ServerFault,
  type ServerBackend,
  type ServerSession,
} from '../server/backend.ts';
import { bytesOf } from '../server/confirm.ts';
import { createServerSource, type ServerSourceDeps, type ServerSourceOptions } from '../server/source.ts';
import { ElectrumRefusal, openElectrum, type ElectrumClient } from './client.ts';
import type { LineEndpoint } from './lines.ts';

export interface ElectrumOptions extends ServerSourceOptions {
  readonly endpoint: LineEndpoint;
}

/** The protocol versions that are spoken: 1.4 to 1.6 (electrum-protocol.readthedocs.io). */
const VERSIONS = ['1.4', '1.6'];
/** Notifications come by themselves; a look in between finds one that was lost. */
const POLL_MS = 60_000;

/** An Electrum server as a source. What it learns of the owner, and what it can hide, is in docs/sources.md. */
export function createElectrumSource(deps: ServerSourceDeps, options: ElectrumOptions): ChainSource {
  const backend: ServerBackend = {
    pollMs: POLL_MS,
    open: (changed, signal) => openSession(options.endpoint, changed, signal),
  };
  return createServerSource('electrum', backend, deps, options);
}

/** How the protocol names a script: the SHA-256 of it, reversed, in hex. */
function scriptHash(script: Uint8Array): string {
  return toHex(new Uint8Array(createHash('sha256').update(script).digest()).reverse());
}

async function openSession(endpoint: LineEndpoint, changed: () => void, signal: AbortSignal): Promise<ServerSession> {
  const subscribed = new Set<string>();
  const dirty = new Set<string>();
  let tip = 0;
  const readTip = (value: unknown) => {
    const height = (value as { height?: unknown } | null)?.height;
    tip = readInteger(height, 0, MAX_HEIGHT, 'the height of a block');
  };
  const client = await openElectrum(
    endpoint,
    (method, params) => {
      try {
        if (method === 'blockchain.headers.subscribe') readTip(params[0]);
        if (method === 'blockchain.scripthash.subscribe' && typeof params[0] === 'string') dirty.add(params[0]);
      } catch {
        client.close();
      }
      changed();
    },
    changed,
    signal,
  );
  const call = (method: string, ...params: readonly unknown[]) => asked(client, method, params);
  try {
    await call('server.version', 'keepwatch', VERSIONS);
    readTip(await call('blockchain.headers.subscribe'));
  } catch (error) {
    client.close();
    throw error;
  }

  return {
    tipHeight: async () => tip,

    headers: async (start, count) => {
      const answer = (await call('blockchain.block.headers', start, count)) as Record<string, unknown> | null;
      const { hex, headers } = answer ?? {};
      // Since 1.6 they come one by one.
      const text = Array.isArray(headers) ? headers.map((one) => readHex(one, 80, 'a header')).join('') : hex;
      const bytes = bytesOf(readHex(text, count * 80, 'headers'));
      return bytes.length % 80 === 0 ? bytes : malformed('whole headers');
    },

    history: async (script) => {
      const hash = scriptHash(script);
      dirty.delete(hash);
      // Subscribed before it is asked for: what happens in between is told.
      if (!subscribed.has(hash)) await call('blockchain.scripthash.subscribe', hash);
      subscribed.add(hash);
      const items = await call('blockchain.scripthash.get_history', hash);
      if (!Array.isArray(items)) malformed('a history');
      return items.map((item: { tx_hash?: unknown; height?: unknown } | null) => ({
        txid: readTxid(item?.tx_hash),
        height: readInteger(item?.height, -1, MAX_HEIGHT, 'a height'),
      }));
    },

    stale: (script) => {
      const hash = scriptHash(script);
      return !subscribed.has(hash) || dirty.has(hash);
    },

    transaction: async (txid) => {
      try {
        return bytesOf(readHex(await call('blockchain.transaction.get', txid), MAX_TRANSACTION_BYTES, 'a transaction'));
      } catch (error) {
        if (error instanceof ElectrumRefusal) return undefined;
        throw error;
      }
    },

    merkleProof: async (txid, height) => {
      const answer = await refusedAsMoved(call('blockchain.transaction.get_merkle', txid, height));
      const { merkle, pos } = (answer ?? {}) as Record<string, unknown>;
      return { branch: branch(merkle), position: readInteger(pos, 0, 0x7fff_ffff, 'a position') };
    },

    coinbase: async (height) => {
      const answer = await refusedAsMoved(call('blockchain.transaction.id_from_pos', height, 0, true));
      const { tx_hash: txid, merkle } = (answer ?? {}) as Record<string, unknown>;
      return { txid: readTxid(txid), branch: branch(merkle) };
    },

    broadcast: async (transactions) => {
      try {
        if (transactions.length === 1) {
          readTxid(await call('blockchain.transaction.broadcast', transactions[0]));
          return { kind: 'taken' };
        }
        const answer = (await call('blockchain.transaction.broadcast_package', transactions, false)) as {
          success?: unknown;
          errors?: unknown;
        } | null;
        if (answer?.success === true) return { kind: 'taken' };
        return { kind: 'refused', reason: JSON.stringify(answer?.errors ?? answer).slice(0, 1_000) };
      } catch (error) {
        if (error instanceof ElectrumRefusal) return { kind: 'refused', reason: error.message };
        throw error;
      }
    },

    feerates: async (targets) => {
      const one = async (target: number) => {
        const bitcoinPerKvb = await call('blockchain.estimatefee', target).catch((error: unknown) => {
          if (error instanceof ElectrumRefusal) return -1;
          throw error;
        });
        const known = typeof bitcoinPerKvb === 'number' && bitcoinPerKvb >= 0 && bitcoinPerKvb < 10;
        return known ? Math.ceil(bitcoinPerKvb * 1e8) : null;
      };
      return Promise.all(targets.map(one));
    },

    close: () => client.close(),
  };
}

async function asked(client: ElectrumClient, method: string, params: readonly unknown[]): Promise<unknown> {
  return client.call(method, params);
}

/** A question about a block that the server no longer has. */
async function refusedAsMoved(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ElectrumRefusal)) throw error;
    throw new ServerFault(
      'transient',
      'server_moved_on',
      `The server cannot prove what it said: ${error.message}`,
      error,
    );
  }
}

function branch(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map((hash) => readHex(hash, 32, 'a hash')) : malformed('a merkle branch');
}
