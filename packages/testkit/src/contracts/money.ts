import { fromHex } from '@keepwatch/base';
import { addressToScript, type Txid } from '@keepwatch/bitcoin';
import type { BitcoindNode, Rpc } from '@keepwatch/devnet';

export const COIN_SATS = 500_000;

interface RpcCoin {
  readonly txid: Txid;
  readonly vout: number;
  readonly amount: number;
}

/** Somebody with a script of his own, who is paid and spends what he got. */
export async function moneyOf(node: BitcoindNode) {
  const payer: Rpc = await node.wallet('payer');
  const owner: Rpc = await node.wallet('owner');
  const address = await owner<string>('getnewaddress', '', 'bech32');
  const script = addressToScript(address, 'regtest');
  if (!script.ok) throw new Error(script.error);
  const coins = () => owner<RpcCoin[]>('listunspent', 0, 999, [address]);
  // The same in each call: it is replaced, and not sent elsewhere.
  const to = await payer<string>('getnewaddress', '', 'bech32');
  /** The coin as it was when it came: what spends it may wait in the mempool. */
  let coin: RpcCoin | undefined;
  const signed = async (
    inputs: readonly object[],
    outputs: readonly object[],
    prevouts: readonly object[] = [],
    version = 2,
  ) => {
    const made = await owner<string>('createrawtransaction', inputs, outputs);
    const raw = `0${version}${made.slice(2)}`;
    return (await owner<{ hex: string }>('signrawtransactionwithwallet', raw, prevouts)).hex;
  };
  const btc = (sats: number) => sats / 1e8;
  const spending = async () => {
    coin = (await coins())[0] ?? coin;
    return [{ txid: coin!.txid, vout: coin!.vout, sequence: 0xffff_fffd }];
  };
  const makeHex = async (fee: number) => signed(await spending(), [{ [to]: btc(COIN_SATS - fee) }]);
  return {
    script: script.value,
    coins,
    pay: () => payer<Txid>('sendtoaddress', address, btc(COIN_SATS)),
    make: async (fee: number) => fromHex(await makeHex(fee))!,
    spend: async (fee: number) => node.rpc<Txid>('sendrawtransaction', await makeHex(fee)),
    async makePackage(): Promise<readonly [Uint8Array, Uint8Array]> {
      const mine = await owner<string>('getnewaddress', '', 'bech32');
      // BIP431: only a TRUC transaction may pay nothing by itself.
      const parent = await signed(await spending(), [{ [mine]: btc(COIN_SATS) }], [], 3);
      const { txid, vout } = await node.rpc<{ txid: string; vout: { scriptPubKey: { hex: string } }[] }>(
        'decoderawtransaction',
        parent,
      );
      const scriptPubKey = vout[0]!.scriptPubKey.hex;
      const prevout = { txid, vout: 0, scriptPubKey, amount: btc(COIN_SATS) };
      const child = await signed([{ txid, vout: 0 }], [{ [to]: btc(COIN_SATS - 5_000) }], [prevout], 3);
      return [fromHex(parent)!, fromHex(child)!];
    },
  };
}
