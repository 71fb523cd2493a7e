import { toHex } from '@keepwatch/base';
import { descriptorChecksum } from '@keepwatch/bitcoin';
import { HDKey } from '@scure/bip32';
import { p2wpkh, TEST_NETWORK, Transaction } from '@scure/btc-signer';
import type { Coin } from './coin.ts';

/** Keys of one account on a test network (BIP84), from a seed that lives as long as its process. */
export interface Wallet {
  /** The next fresh script that receives, or takes change. */
  next(branch: Branch): Uint8Array;
  readonly descriptor: string;
  /** Notes the coins of a transaction or a block that are ours; what a reorganisation made void is left out in `spend`. */
  learn(key: string, script: Uint8Array): void;
  /** A signed transaction that pays the script. `null`: its coins do not suffice. */
  spend(order: SpendOrder): Spending | null;
}

type Branch = 0 | 1;

export interface SpendOrder {
  readonly script: Uint8Array;
  readonly sats: bigint;
  /** Whole sat/vB. */
  readonly feerate: bigint;
  /** What may be spent now; `undefined`: no such coin, or not yet. */
  readonly coin: (key: string) => Coin | undefined;
  /** Spends these coins and no others: what an earlier one spent, to replace it. Its change stays its change. */
  readonly instead?: Spending;
}

export interface Spending {
  readonly raw: Uint8Array;
  readonly inputs: readonly string[];
  readonly change: Uint8Array;
}

const VERSIONS = { public: 0x043587cf, private: 0x04358394 };
const ACCOUNT = "m/84'/1'/0'";
/** BIP125: it says that it may be replaced. */
const REPLACEABLE = 0xffff_fffd;
/** Of a spend with one input and two outputs of version 0 and 20 bytes; each further input takes 68. */
const BASE_VSIZE = 73n;
const INPUT_VSIZE = 68n;
const DUST = 294n;

export function createWallet(seed: Uint8Array): Wallet {
  const master = HDKey.fromMasterSeed(seed, VERSIONS);
  const account = master.derive(ACCOUNT);
  const nexts: [number, number] = [0, 0];
  const keys = new Map<string, { readonly branch: Branch; readonly index: number }>();
  const ours = new Map<string, Uint8Array>();
  const fingerprint = (master.fingerprint >>> 0).toString(16).padStart(8, '0');
  const words = `wpkh([${fingerprint}${ACCOUNT.slice(1).replaceAll("'", 'h')}]${account.publicExtendedKey}/<0;1>/*)`;

  const keyAt = (branch: Branch, index: number) => account.deriveChild(branch).deriveChild(index);

  function next(branch: Branch): Uint8Array {
    const index = nexts[branch]++;
    const { script } = p2wpkh(keyAt(branch, index).publicKey!, TEST_NETWORK);
    keys.set(toHex(script), { branch, index });
    return script;
  }

  return {
    next,
    descriptor: `${words}#${descriptorChecksum(words)!}`,
    learn(key, script) {
      if (keys.has(toHex(script))) ours.set(key, script);
    },
    spend({ script, sats, feerate, coin, instead }) {
      const taken: (readonly [string, Coin])[] = [];
      const fee = () => feerate * (BASE_VSIZE + INPUT_VSIZE * BigInt(taken.length));
      const missing = () => sats + fee() - taken.reduce((total, [, each]) => total + each.sats, 0n);
      for (const key of instead?.inputs ?? ours.keys()) {
        if (!instead && taken.length > 0 && missing() <= 0n) break;
        const known = coin(key);
        if (known) taken.push([key, known]);
      }
      if (missing() > 0n) return null;
      const change = instead?.change ?? next(1);
      const transaction = new Transaction();
      for (const [key, { sats: amount, script: of }] of taken) {
        const [txid, vout] = key.split(':') as [string, string];
        transaction.addInput({
          ...{ txid, index: Number(vout), sequence: REPLACEABLE, witnessUtxo: { script: of, amount } },
        });
      }
      transaction.addOutput({ script, amount: sats });
      if (-missing() > DUST) transaction.addOutput({ script: change, amount: -missing() });
      for (const [input, [, { script: of }]] of taken.entries()) {
        const { branch, index } = keys.get(toHex(of))!;
        transaction.signIdx(keyAt(branch, index).privateKey!, input);
      }
      transaction.finalize();
      return { raw: transaction.extract(), inputs: taken.map(([key]) => key), change };
    },
  };
}
