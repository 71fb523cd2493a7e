import { encodeTransaction, type InternalHash, type Txid } from '@keepwatch/bitcoin';
import {
  applyWatchEvent,
  createWatchState,
  DEFAULT_SETTINGS,
  watchedWallet,
  watchStep,
  type WatchInput,
} from '@keepwatch/watch';
import { expect, it } from 'vitest';
import { createDesk } from './desk/desk.ts';
import { walletDetails } from './wallet-view.ts';

it('shows coins of the wallet, and not those that a transaction spends which is watched by its id', () => {
  const state = createWatchState({ ...DEFAULT_SETTINGS, network: 'regtest' });
  const tell = (input: WatchInput) => {
    for (const event of watchStep(state, input, 1_700_000_000_000)) applyWatchEvent(state, event);
  };
  const raw = encodeTransaction({
    version: 2,
    inputs: [
      {
        previous: new Uint8Array(32).fill(9) as InternalHash,
        vout: 1,
        ...{ scriptSig: new Uint8Array(0), sequence: 0, witness: [] },
      },
    ],
    outputs: [{ sats: 1_000n, script: Uint8Array.of(0x51) }],
    lockTime: 0,
  });
  const own = { txid: '7'.repeat(64) as Txid, vout: 3 };
  const read = watchedWallet({ id: 'payout', transactions: [raw], outpoints: [own] }, 'regtest');
  if (!read.ok) throw new Error(read.error.message);
  const [{ txid, inputs }] = read.value.txids as [(typeof read.value.txids)[number]];
  tell({ kind: 'wallet', wallet: read.value });
  const spent = inputs.map((outpoint, vin) => ({ vin, outpoint }));
  tell({ kind: 'sighted', tx: { txid, raw, received: [], spent }, grade: 'relayed', seenBy: ['node'] });
  expect(state.coins.get(`${inputs[0]!.txid}:1`)).toMatchObject({ sats: null, spenders: [txid] });

  const { coins, transactions } = walletDetails({ watch: state, desk: createDesk() }, state.wallets.get('payout')!, []);
  expect(transactions).toEqual([txid]);
  // One that is watched by itself is shown, seen or not.
  expect(coins).toEqual([{ ...own, sats: null, address: null, block: null, spentBy: null }]);
});
