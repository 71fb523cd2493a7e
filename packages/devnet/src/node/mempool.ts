import { err, ok, type Result } from '@keepwatch/base';
import {
  isCoinbase,
  layoutTransaction,
  toDisplay,
  transactionAt,
  verifyInput,
  virtualSize,
  type Transaction,
  type TransactionOutput,
  type Txid,
} from '@keepwatch/bitcoin';
import { readRaw, type Raw } from './block.ts';
import { inputsOf, keyOf, type Coin } from './coin.ts';

export type RefusalCode =
  | 'transaction_malformed'
  | 'coinbase'
  /** It spends what is not there, or was spent in a block. */
  | 'coins_missing'
  /** A coinbase lies for 100 blocks before it can be spent. */
  | 'coinbase_immature'
  | 'outputs_exceed_inputs'
  /** Less than 1 sat/vB. */
  | 'fee_too_low'
  /** A lock time that has not come, or a relative one (BIP68), which this node does not compute. */
  | 'not_final'
  | 'script_invalid'
  /** It does not pay more than all that it would push out, and for its own relay besides (BIP125 rules 3 and 4). */
  | 'replacement_underpays';

/** What waits for a block: valid against the chain and against each other, parents before children. */
export interface Mempool {
  /** Takes a transaction, and pushes out what it replaces. One that is there already is taken again. */
  accept(raw: Uint8Array): Result<Txid, RefusalCode>;
  find(txid: string): Pooled | undefined;
  findByWitness(wtxid: string): Pooled | undefined;
  all(): { readonly transactions: readonly Raw[]; readonly fees: bigint };
  clear(): void;
  /** Whether something that waits spends the coin. */
  spends(key: string): boolean;
}

export interface Pooled extends Raw {
  readonly id: Txid;
  readonly transaction: Transaction;
  readonly feeSats: bigint;
  readonly vsize: number;
  readonly inputs: readonly string[];
}

const MATURITY = 100;
const MIN_FEERATE = 1n;
const FINAL = 0xffff_ffff;
const NO_RELATIVE_LOCK = 0x8000_0000;

export function createMempool(chain: {
  readonly coin: (key: string) => Coin | undefined;
  readonly height: () => number;
}): Mempool {
  const pooled = new Map<Txid, Pooled>();
  const spenders = new Map<string, Pooled>();

  function coinOf(key: string): Coin | undefined {
    const known = chain.coin(key);
    if (known) return known;
    const [txid, vout] = key.split(':') as [Txid, string];
    const output = pooled.get(txid)?.transaction.outputs[Number(vout)];
    return output && { ...output, minedAt: null };
  }

  function remove(each: Pooled): void {
    pooled.delete(each.id);
    for (const key of each.inputs) spenders.delete(key);
  }

  /** What would have to go: those that spend the same coins, and all that spend theirs. */
  function conflictsOf(inputs: readonly string[]): Set<Pooled> {
    const found = new Set<Pooled>();
    const look = (keys: readonly string[]) => {
      for (const key of keys) {
        const spender = spenders.get(key);
        if (!spender || found.has(spender)) continue;
        found.add(spender);
        look(spender.transaction.outputs.map((_, vout) => keyOf(spender.id, vout)));
      }
    };
    look(inputs);
    return found;
  }

  function judge(raw: Uint8Array): Result<Pooled, RefusalCode> {
    const layout = layoutTransaction(raw);
    const hashes = readRaw(raw);
    if (!layout.ok || !hashes) return err('transaction_malformed');
    if (isCoinbase(layout.value, 0)) return err('coinbase');
    const transaction = transactionAt(layout.value, 0);
    const inputs = inputsOf(transaction);
    const spent = inputs.map(coinOf);
    if (spent.includes(undefined) || new Set(inputs).size < inputs.length) return err('coins_missing');
    const coins = spent as Coin[];
    const next = chain.height() + 1;
    if (coins.some(({ minedAt }) => minedAt !== null && next - minedAt < MATURITY)) return err('coinbase_immature');
    if (!isFinal(transaction, next)) return err('not_final');
    const feeSats = sum(coins) - sum(transaction.outputs);
    if (feeSats < 0n) return err('outputs_exceed_inputs');
    const vsize = virtualSize(layout.value, 0);
    if (feeSats < MIN_FEERATE * BigInt(vsize)) return err('fee_too_low');
    const holds = inputs.every((_, input) => verifyInput(transaction, input, coins).kind === 'valid');
    if (!holds) return err('script_invalid');
    return ok({ ...hashes, id: toDisplay<Txid>(hashes.txid), transaction, feeSats, vsize, inputs });
  }

  return {
    accept(raw) {
      const judged = judge(raw);
      if (!judged.ok) return judged;
      const fresh = judged.value;
      if (pooled.has(fresh.id)) return ok(fresh.id);
      const conflicts = conflictsOf(fresh.inputs);
      if (conflicts.size > 0) {
        const fees = [...conflicts].reduce((total, { feeSats }) => total + feeSats, 0n);
        if (fresh.feeSats < fees + MIN_FEERATE * BigInt(fresh.vsize)) return err('replacement_underpays');
        // A child of what it pushes out has lost its coin.
        const lost = [...conflicts].some(({ id }) => fresh.inputs.some((key) => key.startsWith(id)));
        if (lost) return err('coins_missing');
        for (const each of conflicts) remove(each);
      }
      pooled.set(fresh.id, fresh);
      for (const key of fresh.inputs) spenders.set(key, fresh);
      return ok(fresh.id);
    },
    find: (txid) => pooled.get(txid as Txid),
    findByWitness: (wtxid) => [...pooled.values()].find((each) => toDisplay(each.wtxid) === wtxid),
    all: () => ({
      transactions: [...pooled.values()],
      fees: [...pooled.values()].reduce((total, { feeSats }) => total + feeSats, 0n),
    }),
    clear() {
      pooled.clear();
      spenders.clear();
    },
    spends: (key) => spenders.has(key),
  };
}

function isFinal({ version, lockTime, inputs }: Transaction, height: number): boolean {
  const locked = lockTime >= height && inputs.some(({ sequence }) => sequence !== FINAL);
  const relative = ({ sequence }: { readonly sequence: number }) =>
    sequence < NO_RELATIVE_LOCK && (sequence & 0xffff) !== 0;
  return !locked && !(version >= 2 && inputs.some(relative));
}

const sum = (outputs: readonly Pick<TransactionOutput, 'sats'>[]) =>
  outputs.reduce((total, { sats }) => total + sats, 0n);
