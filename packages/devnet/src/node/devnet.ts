import { randomBytes } from 'node:crypto';
import { CodedError } from '@keepwatch/base';
import { addressToScript, toDisplay, type BlockHash, type Txid } from '@keepwatch/bitcoin';
import { startPeerServer } from '../peer-server.ts';
import { createLedger, type LedgerBlock } from './ledger.ts';
import { createWallet, type Spending, type Wallet } from './wallet.ts';

/**
 * A node of regtest in this process: its chain lives in memory, blocks are mined when told, and others follow it over the
 * same protocol that all nodes speak. It checks scripts, amounts and the rules of replacement; it follows nobody.
 */
export interface Devnet {
  readonly p2pPort: number;
  tip(): Tip;
  /** The owner's wallet, as what watches it needs it: without a private key. */
  readonly descriptor: string;
  /** Somebody pays the owner. Throws `devnet_refused`, as the others do. */
  receive(sats: bigint): Txid;
  /** The owner pays somebody; at so many sat/vB. */
  spend(sats: bigint, feerate: bigint): Txid;
  /** The owner pays the same again, with other fees, before the first is in a block. */
  replace(txid: string, feerate: bigint): Txid;
  /** A transaction that somebody made elsewhere. */
  submit(raw: Uint8Array): Txid;
  /** Somebody pays an address of this network. */
  payTo(address: string, sats: bigint): Txid;
  mine(count: number): Tip;
  /** Takes back so many blocks, and mines one more than that. What was in them waits again, and is in the first of them. */
  reorg(depth: number): Tip;
  /** What waits for a block, as it came. */
  waiting(): readonly { readonly txid: Txid; readonly raw: Uint8Array }[];
  /** `undefined`: the chain is not that high. */
  blockAt(height: number): { readonly raw: Uint8Array; readonly filter: Uint8Array } | undefined;
  stop(): Promise<void>;
}

export interface Tip {
  readonly height: number;
  readonly hash: BlockHash;
}

interface Paid {
  readonly wallet: Wallet;
  readonly script: Uint8Array;
  readonly sats: bigint;
  readonly spending: Spending;
}

/** So many blocks that the first coinbase can be spent. */
const FIRST_BLOCKS = 101;
const PAYMENT_FEERATE = 2n;
const REFUSED = 'The node of the devnet does not take the transaction';

export async function startDevnet(nowSeconds = () => Math.floor(Date.now() / 1_000)): Promise<Devnet> {
  const ledger = createLedger(nowSeconds);
  const [owner, others] = [createWallet(randomBytes(32)), createWallet(randomBytes(32))];
  const paid = new Map<Txid, Paid>();
  const at = (height: number): LedgerBlock => ledger.chain[height]!;

  const server = await startPeerServer(
    'regtest',
    {
      height: () => ledger.chain.length - 1,
      heightOf(hash) {
        const block = ledger.block(hash);
        return block && at(block.height) === block ? block.height : undefined;
      },
      hashAt: (height) => at(height).hash,
      headers: (from, to) => Buffer.concat(ledger.chain.slice(from, to + 1).map(({ header }) => header)),
      block: (hash) => ledger.block(hash)?.raw,
      transaction(hash) {
        const id = toDisplay(hash);
        return (ledger.mempool.find(id) ?? ledger.mempool.findByWitness(id))?.raw;
      },
      filters: {
        at: (height) => at(height).filter,
        hashAt: (height) => at(height).filterHash,
        headerAt: (height) => at(height)?.filterHeader ?? new Uint8Array(32),
      },
      // What a peer brings and is not taken: it hears nothing of it, as with every node.
      offered: (raw) => void take(raw),
    },
    '/keepwatch-devnet/',
  );

  function take(raw: Uint8Array): ReturnType<typeof ledger.accept> {
    const taken = ledger.accept(raw);
    if (!taken.ok) return taken;
    const pooled = ledger.mempool.find(taken.value)!;
    for (const [vout, { script }] of pooled.transaction.outputs.entries()) {
      for (const wallet of [owner, others]) wallet.learn(`${taken.value}:${vout}`, script);
    }
    server.announceTransaction(pooled);
    return taken;
  }

  function pay(wallet: Wallet, script: Uint8Array, sats: bigint, feerate: bigint, instead?: Spending): Txid {
    const next = ledger.chain.length;
    const spending = wallet.spend({
      ...{ script, sats, feerate },
      ...(instead ? { instead } : {}),
      coin(key) {
        const coin = ledger.coin(key);
        const ripe = coin && (coin.minedAt === null || next - coin.minedAt >= 100);
        return ripe && (instead || !ledger.mempool.spends(key)) ? coin : undefined;
      },
    });
    if (!spending) throw new CodedError('devnet_refused', 'The wallet has too little that it can spend now.');
    const taken = take(spending.raw);
    if (!taken.ok) throw new CodedError('devnet_refused', `${REFUSED} (${taken.error}).`);
    paid.set(taken.value, { wallet, script, sats, spending });
    return taken.value;
  }

  const tip = (): Tip => {
    const { height, hash } = ledger.chain.at(-1)!;
    return { height, hash: toDisplay<BlockHash>(hash) };
  };

  function mine(count: number): Tip {
    const from = ledger.chain.length;
    const script = others.next(0);
    for (const key of ledger.mine(count, script)) others.learn(key, script);
    server.announceBlocks(ledger.chain.slice(from).map(({ hash }) => hash));
    return tip();
  }

  mine(FIRST_BLOCKS);
  return {
    p2pPort: server.port,
    tip,
    descriptor: owner.descriptor,
    receive: (sats) => pay(others, owner.next(0), sats, PAYMENT_FEERATE),
    spend: (sats, feerate) => pay(owner, others.next(0), sats, feerate),
    replace(txid, feerate) {
      const before = paid.get(txid as Txid);
      if (!before) throw new CodedError('devnet_refused', 'No payment of this wallet has that id.');
      return pay(before.wallet, before.script, before.sats, feerate, before.spending);
    },
    submit(raw) {
      const taken = take(raw);
      if (!taken.ok) throw new CodedError('devnet_refused', `${REFUSED} (${taken.error}).`);
      return taken.value;
    },
    payTo(address, sats) {
      const script = addressToScript(address, 'regtest');
      if (!script.ok) throw new CodedError('devnet_refused', `This is no address of regtest: ${script.error}.`);
      return pay(others, script.value, sats, PAYMENT_FEERATE);
    },
    waiting: () => ledger.mempool.all().transactions.map(({ raw, txid }) => ({ raw, txid: toDisplay<Txid>(txid) })),
    blockAt: (height) => ledger.chain[height],
    mine,
    reorg(depth) {
      ledger.takeBack(depth);
      return mine(depth + 1);
    },
    stop: server.stop,
  };
}
