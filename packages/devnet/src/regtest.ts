import { fileURLToPath } from 'node:url';
import { CodedError } from '@keepwatch/base';
import type { Bitcoind } from './bitcoind/find.ts';
import { startBitcoind } from './bitcoind/node.ts';
import type { Rpc } from './bitcoind/rpc.ts';
import { startChild } from './child.ts';
import type { Answer, Order } from './orders.ts';

/** A chain of regtest to play with: the owner of a wallet, others who pay and mine, and one node as a process. */
export interface Regtest {
  readonly kind: 'bitcoind' | 'devnet';
  /** For people: what it is. */
  readonly words: string;
  readonly p2p: string;
  /** The owner's wallet, without a private key. */
  readonly descriptors: readonly string[];
  /** Somebody pays the owner. Gives the transaction's id. */
  receive(sats: bigint): Promise<string>;
  /** The owner pays somebody, at so many sat/vB. */
  spend(sats: bigint, feerate: bigint): Promise<string>;
  /** The owner pays the same again, at higher fees. */
  replace(txid: string, feerate: bigint): Promise<string>;
  mine(count: number): Promise<RegtestTip>;
  /** Other blocks take the place of the last `depth` ones, and one more. What was in them is in the first of these. */
  reorg(depth: number): Promise<RegtestTip>;
  stop(): Promise<void>;
}

export interface RegtestTip {
  readonly height: number;
  readonly hash: string;
}

/** Told when the node ends and nobody asked it to. */
export type OnEnd = (words: string) => void;

const MATURE = 101;
const SATS = 100_000_000n;

/** The small node of this package, in a process of its own. */
export async function startDevnetProcess(
  environment: Readonly<Record<string, string | undefined>>,
  onEnd: OnEnd,
): Promise<Regtest> {
  const child = startChild(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], environment);
  let stopping = false;
  void child.ended.then((code) => {
    if (!stopping) onEnd(`The devnet ended with code ${code}. ${child.lastErrors()}`);
  });
  const lineOf = async <T>(): Promise<T> => {
    const line = await child.nextLine();
    if (line === undefined) throw new CodedError('devnet_failed', `The devnet ended.\n${child.lastErrors()}`);
    return JSON.parse(line) as T;
  };
  async function ask<T extends Answer>(order: Order): Promise<T> {
    child.send(JSON.stringify(order));
    const answer = await lineOf<Answer>();
    if ('error' in answer) throw new CodedError(answer.error.code, answer.error.message);
    return answer as T;
  }
  const txid = async (order: Order) => (await ask<{ txid: string }>(order)).txid;
  const { p2pPort, descriptor } = await lineOf<{ p2pPort: number; descriptor: string }>();
  return {
    kind: 'devnet',
    words: 'no bitcoind, but a small node of our own, which speaks the same protocol between peers',
    p2p: `127.0.0.1:${p2pPort}`,
    descriptors: [descriptor],
    receive: (sats) => txid({ type: 'receive', sats: String(sats) }),
    spend: (sats, feerate) => txid({ type: 'spend', sats: String(sats), feerate: String(feerate) }),
    replace: (before, feerate) => txid({ type: 'replace', txid: before, feerate: String(feerate) }),
    mine: (count) => ask<RegtestTip>({ type: 'mine', count }),
    reorg: (depth) => ask<RegtestTip>({ type: 'reorg', depth }),
    async stop() {
      stopping = true;
      await child.stop();
    },
  };
}

/** A real node, with wallets of its own for the owner and for the others. */
export async function startBitcoindRegtest(bitcoind: Bitcoind, onEnd: OnEnd): Promise<Regtest> {
  const node = await startBitcoind(bitcoind, { onEnd, args: ['-addresstype=bech32', '-changetype=bech32'] });
  try {
    const [owner, others] = [await node.wallet('owner'), await node.wallet('others')];
    const miner = await newAddress(others);
    const mine = async (count: number) => {
      await node.mine(count, miner);
      return node.tip();
    };
    await mine(MATURE);
    const { descriptors } = await owner<{ descriptors: { desc: string }[] }>('listdescriptors');
    return {
      kind: 'bitcoind',
      words: bitcoind.version,
      p2p: `127.0.0.1:${node.p2pPort}`,
      descriptors: descriptors.map(({ desc }) => desc).filter((desc) => desc.startsWith('wpkh(')),
      receive: async (sats) => send(others, await newAddress(owner), sats, 2n),
      spend: async (sats, feerate) => send(owner, await newAddress(others), sats, feerate),
      async replace(txid, feerate) {
        return (await owner<{ txid: string }>('bumpfee', txid, { fee_rate: Number(feerate) })).txid;
      },
      mine,
      async reorg(depth) {
        await node.reorg(depth, depth + 1, miner);
        return node.tip();
      },
      stop: node.stop,
    };
  } catch (error) {
    await node.stop();
    throw error;
  }
}

const newAddress = (wallet: Rpc) => wallet<string>('getnewaddress', '', 'bech32');

/** Amounts go as decimal text: a float would not hold them. */
const send = (wallet: Rpc, address: string, sats: bigint, feerate: bigint) => {
  const btc = `${sats / SATS}.${String(sats % SATS).padStart(8, '0')}`;
  return wallet<string>('sendtoaddress', address, btc, '', '', false, true, null, 'unset', false, Number(feerate));
};
