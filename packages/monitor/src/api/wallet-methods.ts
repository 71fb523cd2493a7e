import { CodedError, fromHex, toHex } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import type { Quorum } from '@keepwatch/chain';
import { watchedWallet } from '@keepwatch/watch';
import type { z } from 'zod';
import { readTransaction } from '../chain/transaction.ts';
import type { ScanStanding } from '../chain/scans.ts';
import type { Engine } from '../engine/engine.ts';
import type { MonitorState } from '../engine/state.ts';
import { requireWallet, takenWallets } from '../evm/owned-wallet.ts';
import { walletDetails, walletSummary, type WalletRecord } from '../wallet-view.ts';
import type { Changes } from '../orders/order-desk.ts';
import type { Methods } from './server.ts';
import {
  none,
  transactionNamed,
  walletId,
  type walletLabels,
  type walletPut,
  type walletRescan,
  type walletSet,
} from './shapes.ts';

export interface WalletMethodsDeps {
  readonly engine: Engine;
  readonly scans: () => readonly ScanStanding[];
  /** Null where the chain is not followed. */
  readonly transaction: () => Quorum['transaction'] | null;
}

/** What can be asked and said of wallets. */
export function walletMethods({ engine, scans, transaction }: WalletMethodsDeps): {
  readonly methods: Methods;
  readonly changes: Changes;
} {
  const { watch } = engine.state;
  const known = (name: string): WalletRecord => requireWallet(watch.wallets, name);
  const summary = (id: string) => () => walletSummary(known(id), scans());

  return {
    methods: {
      settings: {
        params: none,
        call: () => Promise.resolve({ ...watch.settings, version: engine.state.orders.version }),
      },
      'chain.transaction': {
        params: transactionNamed,
        async call({ txid }: z.infer<typeof transactionNamed>, signal) {
          return { txid, hex: toHex(await readTransaction(transaction(), txid as Txid, signal)) };
        },
      },
      'wallet.list': {
        params: none,
        call: () => Promise.resolve([...watch.wallets.values()].map((record) => walletSummary(record, scans()))),
      },
      'wallet.show': {
        params: walletId,
        call: async ({ wallet }: z.infer<typeof walletId>) => walletDetails(engine.state, known(wallet), scans()),
      },
    },
    changes: {
      'wallet.put': {
        plan(given: z.infer<typeof walletPut>) {
          const idNow = () => (given.id === undefined ? freshId(given.name, engine) : known(given.id).wallet.id);
          const { birthday = null, outpoints = [], transactions = [], ...rest } = given;
          // Read here, for many descriptors take a while; the id is settled when its turn has come.
          const read = watchedWallet(
            {
              ...rest,
              id: idNow(),
              outpoints: outpoints.map(({ txid, vout }) => ({ txid: txid as Txid, vout })),
              transactions: transactions.map((hex) => fromHex(hex.toLowerCase())!),
              // A height stands for itself: the scan begins there, whatever the time was.
              birthdaySeconds: birthday === null ? null : 'height' in birthday ? 0 : birthday.timeSeconds,
            },
            watch.settings.network,
          );
          if (!read.ok) throw new CodedError('watched_wallet_refused', `${read.error.message} (${read.error.code})`);
          const height = birthday !== null && 'height' in birthday ? birthday.height : null;
          if (height !== null && watch.bestHeight >= 0 && height > watch.bestHeight + 1) {
            throw new CodedError(
              'watched_wallet_refused',
              `There is no block ${height} yet: the last one is ${watch.bestHeight}.`,
              {
                remedy:
                  'Give the first block that may hold a payment, or leave the birthday out for a wallet that is new.',
              },
            );
          }
          return () => {
            const id = idNow();
            if (given.id !== undefined) requireFreeName(given.name, engine.state, id);
            const isKnown = watch.wallets.has(id);
            const moved = isKnown && (engine.state.desk.birthHeights.get(id) ?? null) !== height;
            return {
              inputs: [
                { room: 'desk', event: { kind: 'birth-height', wallet: id, height } },
                { room: 'watch', input: { kind: 'wallet', wallet: { ...read.value, id } } },
                // The watch knows days alone: that another height is meant is no change to it.
                ...(moved ? [{ room: 'watch', input: { kind: 'rescan', wallet: id } } as const] : []),
              ],
              answer: summary(id),
            };
          };
        },
      },
      'wallet.set': {
        plan:
          ({ wallet: which, limits, ...about }: z.infer<typeof walletSet>) =>
          () => {
            const { wallet } = known(which);
            if (about.name !== undefined) requireFreeName(about.name, engine.state, wallet.id);
            const changed = { ...wallet, ...about, limits: { ...wallet.limits, ...limits } };
            return {
              inputs: [{ room: 'watch', input: { kind: 'wallet', wallet: changed } }],
              answer: summary(wallet.id),
            };
          },
      },
      'wallet.labels': {
        plan:
          ({ wallet: name, labels }: z.infer<typeof walletLabels>) =>
          () => {
            const { wallet } = known(name);
            const changed = { ...wallet, labels: { ...wallet.labels, ...labels } };
            return {
              inputs: [{ room: 'watch', input: { kind: 'wallet', wallet: changed } }],
              answer: summary(wallet.id),
            };
          },
      },
      'wallet.rescan': {
        plan:
          ({ wallet: name, gapLimit }: z.infer<typeof walletRescan>) =>
          () => {
            const { wallet } = known(name);
            const changed = { ...wallet, gapLimit: gapLimit ?? wallet.gapLimit };
            return {
              // In this order, so that what is looked for is what is wanted now.
              inputs: [
                { room: 'watch', input: { kind: 'wallet', wallet: changed } },
                { room: 'watch', input: { kind: 'rescan', wallet: wallet.id } },
              ],
              answer: summary(wallet.id),
            };
          },
      },
      'wallet.remove': {
        plan:
          ({ wallet: name }: z.infer<typeof walletId>) =>
          () => {
            const { id } = known(name).wallet;
            return {
              inputs: [
                { room: 'watch', input: { kind: 'wallet-removed', wallet: id } },
                { room: 'desk', event: { kind: 'birth-height', wallet: id, height: null } },
              ],
              answer: () => ({ removed: id }),
            };
          },
      },
    },
  };
}

/** Made of the name, and another one where that is taken, by a wallet of whichever chain. */
export function freshId(name: string, { state }: Engine): string {
  const { ids, names } = takenWallets(state);
  requireFreeName(name, state);
  const plain = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 60)
    .replace(/[-._]+$/, '');
  const stem = plain || 'wallet';
  for (let n = 1; ; n++) {
    const id = n === 1 ? stem : `${stem}-${n}`;
    if (!ids.has(id) && !names.has(id)) return id;
  }
}

/** A wallet is named by its id or its name: neither may be another one's. `except`: the id of the one that is renamed. */
export function requireFreeName(name: string, state: MonitorState, except?: string): void {
  const { ids, names } = takenWallets(state, except);
  if (!names.has(name) && !ids.has(name)) return;
  const what = names.has(name)
    ? `A wallet “${name}” is watched already.`
    : `“${name}” is the id of a wallet that is watched already.`;
  throw new CodedError('watched_wallet_exists', what, {
    remedy: 'Choose another name, or remove that one first.',
  });
}
