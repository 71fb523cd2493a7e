import { createHash } from 'node:crypto';
import type { BitcoindNode } from '@keepwatch/devnet';

/** What a server that indexes by script knows, read from a real node. */
export interface ScriptIndex {
  /** Reads what is new. Calls may overlap; they run one after the other. */
  refresh(): Promise<void>;
  readonly blocks: readonly IndexedBlock[];
  /** `hash`: SHA-256 of the script in hex, not reversed. Blocks first, then the mempool (height 0). */
  history(hash: string): readonly { readonly txid: string; readonly height: number }[];
  /** Goes up whenever something changed. */
  readonly version: number;
}

export interface IndexedBlock {
  readonly hash: string;
  readonly header: string;
  readonly txids: readonly string[];
}

interface RpcTx {
  readonly txid: string;
  readonly vin: readonly { readonly txid?: string; readonly vout?: number; readonly prevout?: RpcOutput }[];
  readonly vout: readonly RpcOutput[];
}

interface RpcOutput {
  readonly scriptPubKey: { readonly hex: string };
}

const hashOf = (script: string) => createHash('sha256').update(Buffer.from(script, 'hex')).digest('hex');

export function createScriptIndex(node: BitcoindNode): ScriptIndex {
  const blocks: (IndexedBlock & { readonly touched: ReadonlyMap<string, readonly string[]> })[] = [];
  let mempool = new Map<string, readonly string[]>();
  let version = 0;
  let running: Promise<void> = Promise.resolve();

  const touchedBy = (tx: RpcTx, inputs: readonly (RpcOutput | undefined)[]) =>
    [...inputs, ...tx.vout].flatMap((output) => (output ? [hashOf(output.scriptPubKey.hex)] : []));

  /** Whether the block builds on the newest one that is held. */
  async function readBlock(hash: string): Promise<boolean> {
    const block = await node.rpc<{ previousblockhash?: string; tx: RpcTx[] }>('getblock', hash, 3);
    if (blocks.length > 0 && block.previousblockhash !== blocks.at(-1)!.hash) return false;
    const header = await node.rpc<string>('getblockheader', hash, false);
    const touched = new Map<string, string[]>();
    for (const tx of block.tx) {
      for (const script of new Set(
        touchedBy(
          tx,
          tx.vin.map(({ prevout }) => prevout),
        ),
      )) {
        touched.set(script, [...(touched.get(script) ?? []), tx.txid]);
      }
    }
    blocks.push({ hash, header, txids: block.tx.map(({ txid }) => txid), touched });
    version++;
    return true;
  }

  /** False: the chain was reorganised while it was read. */
  async function readBlocks(): Promise<boolean> {
    const { blocks: height } = await node.rpc<{ blocks: number }>('getblockchaininfo');
    while (blocks.length > 0) {
      const at = blocks.length - 1;
      if (at <= height && (await node.rpc<string>('getblockhash', at)) === blocks[at]!.hash) break;
      blocks.pop();
      version++;
    }
    for (let at = blocks.length; at <= height; at++) {
      if (!(await readBlock(await node.rpc<string>('getblockhash', at)))) return false;
    }
    return true;
  }

  async function read(): Promise<void> {
    while (!(await readBlocks()));
    const txids = await node.rpc<string[]>('getrawmempool');
    const next = new Map<string, readonly string[]>();
    for (const txid of txids) {
      const known = mempool.get(txid);
      if (known) {
        next.set(txid, known);
        continue;
      }
      const tx = await node.rpc<RpcTx>('getrawtransaction', txid, true).catch(() => undefined);
      if (!tx) continue;
      const inputs = await Promise.all(
        tx.vin.map(
          async ({ txid: from, vout }) => (await node.rpc<RpcTx>('getrawtransaction', from, true)).vout[vout!],
        ),
      );
      next.set(txid, [...new Set(touchedBy(tx, inputs))]);
    }
    if (next.size !== mempool.size || [...next.keys()].some((txid) => !mempool.has(txid))) version++;
    mempool = next;
  }

  return {
    blocks,
    get version() {
      return version;
    },
    refresh: () => (running = running.catch(() => undefined).then(read)),
    history: (hash) => [
      ...blocks.flatMap(({ touched }, height) => (touched.get(hash) ?? []).map((txid) => ({ txid, height }))),
      ...[...mempool].flatMap(([txid, scripts]) => (scripts.includes(hash) ? [{ txid, height: 0 }] : [])),
    ],
  };
}
