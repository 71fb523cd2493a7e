import { fromHex } from '@keepwatch/base';
import { layoutTransaction, type Scanner, type Txid } from '@keepwatch/bitcoin';
import type { ChainEvent, MatchedTx, Outpoint } from '../source.ts';
import { inputsOf } from '../transaction-inputs.ts';
import { rpcErrorCode, type NodeRpc } from './rpc.ts';

/** Transactions asked for in one request. */
const BATCH = 200;

/**
 * What of a node's mempool touches the watch set. ZMQ only says where to look: every so often the whole list of ids is
 * compared with what is known, so a message that was dropped costs time and never an event.
 */
export interface MempoolWatch {
  /** A raw transaction that the node is said to have accepted. */
  hint(raw: Uint8Array): Promise<readonly ChainEvent[]>;
  /**
   * Looks at the whole mempool. `atTip`: whether the node's best block is the one that was told last; where it is not, what
   * left the mempool may have gone into a block that is told soon, and is looked at then.
   */
  reconcile(atTip: () => Promise<boolean>): Promise<readonly ChainEvent[]>;
  /** A block took these in, or conflicts with what is watched here. */
  confirmed(txids: ReadonlySet<Txid>, spentBy: (outpoint: Outpoint) => Txid | undefined): readonly ChainEvent[];
  /** The watch set changed: everything is looked at again. */
  rescan(): void;
  /** Outpoints that our sightings spend: a block that spends them otherwise is of interest. */
  readonly sighted: ReadonlyMap<Txid, MatchedTx>;
}

export function createMempoolWatch(rpc: NodeRpc, scanner: Scanner): MempoolWatch {
  /** Ids that were looked at. */
  let known = new Set<Txid>();
  const sighted = new Map<Txid, MatchedTx>();

  function look(raw: Uint8Array): MatchedTx | undefined {
    const layout = layoutTransaction(raw);
    if (!layout.ok) return undefined;
    const match = scanner.scanTransaction(layout.value);
    if (match) followOutputs(match);
    return match;
  }

  /** An unconfirmed coin of ours that is spent unconfirmed is of interest too. */
  function followOutputs({ txid, received }: MatchedTx): void {
    scanner.addOutpoints(received.map(({ vout }) => ({ txid, vout })));
  }

  function sight(tx: MatchedTx): ChainEvent[] {
    if (sighted.has(tx.txid)) return [];
    sighted.set(tx.txid, tx);
    known.add(tx.txid);
    return [{ kind: 'sighted', tx, grade: 'relayed' }];
  }

  async function raws(txids: readonly Txid[]): Promise<(Uint8Array | undefined)[]> {
    try {
      const hexes = await rpc.batch<string>(txids.map((txid) => ['getrawtransaction', [txid]]));
      return hexes.map(fromHex);
    } catch (error) {
      if (rpcErrorCode(error) === undefined) throw error;
      if (txids.length === 1) return [undefined];
      // One of them left the mempool meanwhile: ask for each.
      return (await Promise.all(txids.map((txid) => raws([txid])))).flat();
    }
  }

  /** Who spends an input of a transaction that is gone: the node's own index of its mempool (`gettxspendingprevout`). */
  async function successor({ raw, txid }: MatchedTx): Promise<Txid | undefined> {
    const outputs = inputsOf(raw).map(({ outpoint }) => outpoint);
    try {
      const spenders = await rpc.call<readonly { spendingtxid?: Txid }[]>('gettxspendingprevout', [outputs]);
      return spenders.map(({ spendingtxid }) => spendingtxid).find((by) => by !== undefined && by !== txid);
    } catch (error) {
      if (rpcErrorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  return {
    sighted,
    rescan: () => void (known = new Set(sighted.keys())),

    async hint(raw) {
      const match = look(raw);
      if (!match || sighted.has(match.txid)) return [];
      // bitcoind publishes the transactions of a block, too: only what its mempool holds was relayed.
      const held = await rpc.call('getmempoolentry', [match.txid]).then(
        () => true,
        (error: unknown) => {
          if (rpcErrorCode(error) === undefined) throw error;
          return false;
        },
      );
      return held ? sight(match) : [];
    },

    async reconcile(atTip) {
      const now = new Set(await rpc.call<readonly Txid[]>('getrawmempool'));
      const out: ChainEvent[] = [];
      const fresh = [...now].filter((txid) => !known.has(txid));
      for (let at = 0; at < fresh.length; at += BATCH) {
        for (const raw of await raws(fresh.slice(at, at + BATCH))) {
          const match = raw && look(raw);
          if (match) out.push(...sight(match));
        }
      }
      const gone = [...sighted].filter(([txid]) => !now.has(txid));
      if (gone.length > 0 && !(await atTip())) return out;
      for (const [txid, tx] of gone) {
        sighted.delete(txid);
        const by = await successor(tx);
        out.push(by === undefined ? { kind: 'evicted', txid } : { kind: 'replaced', txid, by });
      }
      known = now;
      return out;
    },

    confirmed(txids, spentBy) {
      const out: ChainEvent[] = [];
      for (const [txid, tx] of [...sighted]) {
        if (txids.has(txid)) {
          sighted.delete(txid);
          continue;
        }
        const by = inputsOf(tx.raw)
          .map(({ outpoint }) => spentBy(outpoint))
          .find((each) => each !== undefined);
        if (by === undefined) continue;
        sighted.delete(txid);
        out.push({ kind: 'replaced', txid, by });
      }
      return out;
    },
  };
}
