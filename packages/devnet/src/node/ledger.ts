import { concat, fromHex, type Result } from '@keepwatch/base';
import {
  buildBasicFilter,
  consensusOf,
  filterHash,
  filterHeader,
  headerHash,
  layoutBlock,
  toDisplay,
  transactionAt,
  transactionBytes,
  type BlockHash,
  type InternalHash,
  type Txid,
} from '@keepwatch/bitcoin';
import { mineBlock, readRaw } from './block.ts';
import { inputsOf, keyOf, type Coin } from './coin.ts';
import { createMempool, type Mempool, type RefusalCode } from './mempool.ts';

export interface LedgerBlock {
  readonly height: number;
  readonly hash: InternalHash;
  readonly raw: Uint8Array;
  readonly header: Uint8Array;
  readonly timeSeconds: number;
  readonly filter: Uint8Array;
  readonly filterHash: InternalHash;
  readonly filterHeader: InternalHash;
}

/** A chain of regtest with its coins and what waits for a block. No network, no files: it is gone with its process. */
export interface Ledger {
  /** By height; the first is genesis. */
  readonly chain: readonly LedgerBlock[];
  /** Also one that a reorganisation took out. */
  block(hash: InternalHash): LedgerBlock | undefined;
  readonly mempool: Mempool;
  coin(key: string): Coin | undefined;
  accept(raw: Uint8Array): Result<Txid, RefusalCode>;
  /** The first of them takes in all that waits; each pays the script. Gives the keys of these coins. */
  mine(count: number, script: Uint8Array): readonly string[];
  /** Takes back so many blocks; what was in them waits again. */
  takeBack(depth: number): void;
}

/** What a block did to the coins, to take it back. */
interface Undo {
  readonly made: readonly string[];
  readonly spent: readonly (readonly [string, Coin])[];
  readonly transactions: readonly Uint8Array[];
}

/** Blocks that are mined at once look as if each had taken as long as blocks take. */
const SPACING_SECONDS = 600;
/** Bitcoin Core, kernel/chainparams.cpp, CreateGenesisBlock. */
const GENESIS_COINBASE =
  '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d6573' +
  '2030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b' +
  '73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f355' +
  '04e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000';
const NO_HASH = new Uint8Array(32) as InternalHash;

export function createLedger(nowSeconds: () => number): Ledger {
  const genesis = genesisBlock();
  const chain: LedgerBlock[] = [genesis];
  const undo: Undo[] = [];
  const byHash = new Map<string, LedgerBlock>([[idOf(genesis), genesis]]);
  const coins = new Map<string, Coin>();
  let salt = 0;

  const mempool = createMempool({ coin: (key) => coins.get(key), height: () => chain.length - 1 });

  function connect(raw: Uint8Array): void {
    const below = chain.at(-1)!;
    const layout = layoutBlock(raw);
    if (!layout.ok) throw new Error(`a block of our own is malformed: ${layout.error}`);
    const made: string[] = [];
    const spent: [string, Coin][] = [];
    const transactions: Uint8Array[] = [];
    for (let tx = 0; tx < layout.value.txCount; tx++) {
      const transaction = transactionAt(layout.value, tx);
      const bytes = transactionBytes(layout.value, tx);
      if (tx > 0) {
        transactions.push(bytes);
        for (const key of inputsOf(transaction)) {
          spent.push([key, coins.get(key)!]);
          coins.delete(key);
        }
      }
      const txid = toDisplay<Txid>(readRaw(bytes)!.txid);
      for (const [vout, { sats, script }] of transaction.outputs.entries()) {
        const key = keyOf(txid, vout);
        coins.set(key, { sats, script, minedAt: tx === 0 ? below.height + 1 : null });
        made.push(key);
      }
    }
    const hash = headerHash(raw);
    const previousScripts = spent.map(([, { script }]) => script);
    const filter = buildBasicFilter(layout.value, hash, previousScripts);
    const block = blockOf(below.height + 1, raw, filter, below.filterHeader);
    chain.push(block);
    byHash.set(idOf(block), block);
    undo.push({ made, spent, transactions });
  }

  function disconnect(): readonly Uint8Array[] {
    chain.pop();
    const { made, spent, transactions } = undo.pop()!;
    for (const [key, coin] of spent) coins.set(key, coin);
    // Behind what was spent: a coin that the same block made and spent is in both.
    for (const key of made) coins.delete(key);
    return transactions;
  }

  return {
    chain,
    block: (hash) => byHash.get(toDisplay(hash)),
    mempool,
    coin: (key) => coins.get(key),
    accept: (raw) => mempool.accept(raw),
    mine(count, script) {
      const paid: string[] = [];
      for (let left = count - 1; left >= 0; left--) {
        const { hash, height, timeSeconds } = chain.at(-1)!;
        const { transactions, fees } = mempool.all();
        const time = Math.max(timeSeconds + 1, nowSeconds() - left * SPACING_SECONDS);
        connect(
          mineBlock({
            previous: hash,
            height: height + 1,
            timeSeconds: time,
            transactions,
            fees,
            script,
            salt: ++salt,
          }),
        );
        mempool.clear();
        paid.push(undo.at(-1)!.made[0]!);
      }
      return paid;
    },
    takeBack(depth) {
      if (depth < 1 || depth >= chain.length) throw new RangeError('so many blocks cannot be taken back');
      const back: Uint8Array[] = [];
      for (let i = 0; i < depth; i++) back.unshift(...disconnect());
      const waiting = mempool.all().transactions.map(({ raw }) => raw);
      mempool.clear();
      for (const raw of [...back, ...waiting]) mempool.accept(raw);
    },
  };
}

const idOf = ({ hash }: LedgerBlock): BlockHash => toDisplay(hash);

/** The first block of every chain of bitcoin but test4. Nobody can spend what it pays: no coin comes of it. */
function genesisBlock(): LedgerBlock {
  const raw = concat(consensusOf('regtest').genesis, Uint8Array.of(1), fromHex(GENESIS_COINBASE)!);
  const layout = layoutBlock(raw);
  if (!layout.ok) throw new Error('the first block is malformed');
  return blockOf(0, raw, buildBasicFilter(layout.value, headerHash(raw), []), NO_HASH);
}

function blockOf(height: number, raw: Uint8Array, filter: Uint8Array, before: InternalHash): LedgerBlock {
  const ofFilter = filterHash(filter);
  const header = raw.subarray(0, 80);
  const timeSeconds = new DataView(raw.buffer, raw.byteOffset + 68).getUint32(0, true);
  return {
    ...{ height, hash: headerHash(raw), raw, header, timeSeconds, filter },
    ...{ filterHash: ofFilter, filterHeader: filterHeader(ofFilter, before) },
  };
}
