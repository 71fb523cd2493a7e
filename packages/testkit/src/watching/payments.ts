import { scriptToAddress } from '@keepwatch/bitcoin';
import type { BitcoindNode } from '@keepwatch/devnet';

/** Payments that no mempool has seen: each comes in a block of its own. */
export interface Payments {
  /**
   * A block on top of the tip with one payment to the script, ready to be handed to the node.
   */
  block(script: Uint8Array): Promise<{ readonly hex: string; readonly txid: string }>;
}

interface Unspent {
  readonly txid: string;
  readonly vout: number;
  readonly amount: number;
}

/** Blocks until a coinbase can be spent (a consensus rule). */
const MATURITY = 100;
/** In bitcoin, as the node's RPC has amounts: what a payment gives, and what it costs. */
const AMOUNT = 0.01;
const FEE = 0.0001;

/** Mines until there are coins for so many payments. */
export async function createPayments(node: BitcoindNode, count: number): Promise<Payments> {
  const wallet = await node.wallet('payer');
  const address = await wallet<string>('getnewaddress');
  await node.mine(count + MATURITY, address);
  // Those of lower subsidy last: on regtest it halves every 150 blocks.
  const coins = (await wallet<Unspent[]>('listunspent')).sort((a, b) => a.amount - b.amount);
  return {
    async block(script) {
      const coin = coins.pop();
      if (!coin || coin.amount <= AMOUNT + FEE) throw new Error('there are no coins left to pay with');
      const to = scriptToAddress(script, 'regtest');
      if (to === undefined) throw new TypeError('the script has no address');
      const change = Number((coin.amount - AMOUNT - FEE).toFixed(8));
      const inputs = [{ txid: coin.txid, vout: coin.vout }];
      const raw = await wallet<string>('createrawtransaction', inputs, [{ [to]: AMOUNT }, { [address]: change }]);
      const signed = await wallet<{ hex: string }>('signrawtransactionwithwallet', raw);
      const { txid } = await node.rpc<{ txid: string }>('decoderawtransaction', signed.hex);
      const { hex } = await node.rpc<{ hex: string }>('generateblock', address, [signed.hex], false);
      return { hex, txid };
    },
  };
}
