import { CodedError, fromHex } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import { watchedWallet } from '@keepwatch/watch';
import type { z } from 'zod';
import type { ScanStanding } from '../chain/scans.ts';
import type { Engine } from '../engine/engine.ts';
import { takenWallets } from '../evm/owned-wallet.ts';
import { walletDetails, walletSummary, type WalletRecord } from '../wallet-view.ts';
import type { Methods } from './server.ts';
import { none, walletId, walletLabels, walletPut, walletRescan } from './shapes.ts';

export interface WalletMethodsDeps {
  readonly engine: Engine;
  readonly scans: () => readonly ScanStanding[];
}

/** What can be asked and said of wallets. */
export function walletMethods({ engine, scans }: WalletMethodsDeps): Methods {
  const { watch } = engine.state;
  const known = (name: string): WalletRecord => {
    const record = watch.wallets.get(name) ?? [...watch.wallets.values()].find(({ wallet }) => wallet.name === name);
    if (record) return record;
    throw new CodedError('watched_wallet_unknown', `No wallet “${name}” is watched.`, {
      remedy: '`keepwatch watch list` shows those that are.',
    });
  };

  return {
    settings: { params: none, call: () => Promise.resolve(watch.settings) },
    'wallet.put': {
      params: walletPut,
      async call(given: z.infer<typeof walletPut>) {
        const before = given.id === undefined ? undefined : known(given.id);
        const id = before?.wallet.id ?? freshId(given.name, engine);
        const { birthday = null, outpoints = [], transactions = [], ...rest } = given;
        const read = watchedWallet(
          {
            ...rest,
            id,
            outpoints: outpoints.map(({ txid, vout }) => ({ txid: txid as Txid, vout })),
            transactions: transactions.map((hex) => fromHex(hex.toLowerCase())!),
            // A height stands for itself: the scan begins there, whatever the time was.
            birthdaySeconds: birthday === null ? null : 'height' in birthday ? 0 : birthday.timeSeconds,
          },
          watch.settings.network,
        );
        if (!read.ok) throw new CodedError('watched_wallet_refused', `${read.error.message} (${read.error.code})`);
        const height = birthday !== null && 'height' in birthday ? birthday.height : null;
        const moved = before !== undefined && (engine.state.desk.birthHeights.get(id) ?? null) !== height;
        const noted = engine.submit({ room: 'desk', event: { kind: 'birth-height', wallet: id, height } });
        await Promise.all([noted, engine.submit({ room: 'watch', input: { kind: 'wallet', wallet: read.value } })]);
        // The watch knows days alone: that another height is meant is no change to it.
        if (moved) await engine.submit({ room: 'watch', input: { kind: 'rescan', wallet: id } });
        return walletDetails(watch, known(id), scans());
      },
    },
    'wallet.labels': {
      params: walletLabels,
      async call({ wallet: name, labels }: z.infer<typeof walletLabels>) {
        const { wallet } = known(name);
        const changed = { ...wallet, labels: { ...wallet.labels, ...labels } };
        await engine.submit({ room: 'watch', input: { kind: 'wallet', wallet: changed } });
        return walletDetails(watch, known(wallet.id), scans());
      },
    },
    'wallet.rescan': {
      params: walletRescan,
      async call({ wallet: name, gapLimit }: z.infer<typeof walletRescan>) {
        const { wallet } = known(name);
        const changed = { ...wallet, gapLimit: gapLimit ?? wallet.gapLimit };
        // In this order, so that what is looked for is what is wanted now.
        await engine.submit({ room: 'watch', input: { kind: 'wallet', wallet: changed } });
        await engine.submit({ room: 'watch', input: { kind: 'rescan', wallet: wallet.id } });
        return walletDetails(watch, known(wallet.id), scans());
      },
    },
    'wallet.list': {
      params: none,
      call: () => Promise.resolve([...watch.wallets.values()].map((record) => walletSummary(record, scans()))),
    },
    'wallet.show': {
      params: walletId,

      call: async ({ wallet }: z.infer<typeof walletId>) => walletDetails(watch, known(wallet), scans()),
    },
    'wallet.remove': {
      params: walletId,
      async call({ wallet: name }: z.infer<typeof walletId>) {
        const { wallet } = known(name);
        await engine.submit({ room: 'watch', input: { kind: 'wallet-removed', wallet: wallet.id } });
        await engine.submit({ room: 'desk', event: { kind: 'birth-height', wallet: wallet.id, height: null } });
        return { removed: wallet.id };
      },
    },
  };
}

/** Made of the name, and another one where that is taken, by a wallet of whichever chain. */
export function freshId(name: string, { state }: Engine): string {
  const { ids, names } = takenWallets(state);
  if (names.has(name)) {
    throw new CodedError('watched_wallet_exists', `A wallet “${name}” is watched already.`, {
      remedy: 'Choose another name, or remove that one first.',
    });
  }
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 60);
  const stem = plain || 'wallet';
  for (let n = 1; ; n++) {
    const id = n === 1 ? stem : `${stem}-${n}`;
    if (!ids.has(id)) return id;
  }
}
