import {
  encodeTransaction,
  type BlockHash,
  type InternalHash,
  type MatchedTx,
  type Outpoint,
  type Txid,
} from '@keepwatch/bitcoin';
import type { BlockRef } from './chain-input.ts';
import type { WatchEvent } from './event.ts';
import type { Finding } from './finding.ts';
import { applyWatchEvent } from './fold.ts';
import type { WatchInput } from './input.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { createWatchState, type WatchState } from './state.ts';
import { watchStep } from './step.ts';
import { watchedWallet, type WalletSpec, type WatchedWallet } from './wallet.ts';

/** A watch on regtest, and words to tell it a story in. */
export const START_MS = 1_700_000_000_000;

export const txidOf = (n: number) => n.toString(16).padStart(64, '0') as Txid;

export function blockOf(height: number, branch = 0): BlockRef {
  const hash = `b${branch.toString(16)}${height.toString(16).padStart(62, '0')}` as BlockHash;
  return { height, hash, timeSeconds: START_MS / 1_000 + height * 600 };
}

/** A script that pays to a taproot key of its own. */
export const scriptOf = (n: number) => Uint8Array.from([0x51, 0x20, ...new Uint8Array(31), n]);
const FOREIGN = Uint8Array.from([0x51, 0x20, ...new Uint8Array(31).fill(7), 0]);

/** Pays `pays` ([script number, sats], from output 0 on), then as many strangers as `others` says. */
export function paymentOf(
  txid: Txid,
  pays: readonly (readonly [number, bigint])[],
  spends: readonly Outpoint[] = [],
  others = 1,
): MatchedTx {
  const received = pays.map(([n, sats], vout) => ({ vout, script: scriptOf(n), sats }));
  const strangers = Array.from({ length: others }, () => ({ sats: 1_000n, script: FOREIGN }));
  const raw = encodeTransaction({
    version: 2,
    inputs: [
      {
        previous: new Uint8Array(32).fill(9) as InternalHash,
        vout: 0,
        scriptSig: new Uint8Array(0),
        sequence: 0,
        witness: [],
      },
    ],
    outputs: [...received.map(({ sats, script }) => ({ sats, script })), ...strangers],
    lockTime: 0,
  });
  return { txid, raw, received, spent: spends.map((outpoint, vin) => ({ vin, outpoint })) };
}

export function walletOf(spec: WalletSpec): WatchedWallet {
  const read = watchedWallet(spec, 'regtest');
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

/** A wallet of the scripts with these numbers. */
export function scriptsWallet(id: string, numbers: readonly number[], more: Partial<WalletSpec> = {}): WatchedWallet {
  const descriptors = numbers.map(
    (n) => `raw(${[...scriptOf(n)].map((byte) => byte.toString(16).padStart(2, '0')).join('')})`,
  );
  return walletOf({ id, descriptors, ...more });
}

export interface Watch {
  state: WatchState;
  nowMs: number;
  readonly events: WatchEvent[];
  /** Hands in an input and gives what was found. */
  readonly tell: (input: WatchInput) => Finding[];
  /** A watched wallet, its scripts handed in. */
  readonly add: (wallet: WatchedWallet, numbers: readonly number[]) => void;
  readonly connect: (height: number, matches?: readonly MatchedTx[], branch?: number) => Finding[];
  readonly disconnect: (height: number, branch?: number) => Finding[];
}

export function createWatch(settings: Partial<typeof DEFAULT_SETTINGS> = {}): Watch {
  const watch: Watch = {
    state: createWatchState({ ...DEFAULT_SETTINGS, network: 'regtest', ...settings }),
    nowMs: START_MS,
    events: [],
    tell(input) {
      const events = watchStep(watch.state, input, watch.nowMs);
      for (const event of events) applyWatchEvent(watch.state, event);
      watch.events.push(...events);
      return events.flatMap((event) => (event.kind === 'finding' ? [event.finding] : []));
    },
    add(wallet, numbers) {
      watch.tell({ kind: 'wallet', wallet });
      numbers.forEach((n, descriptor) => {
        const bytes = scriptOf(n);
        const at = { wallet: wallet.id, descriptor, branch: 0, from: 0, to: 1 };
        watch.tell({ kind: 'scripts', ...at, lengths: [bytes.length], bytes });
      });
    },
    connect(height, matches = [], branch = 0) {
      const block = blockOf(height, branch);
      watch.nowMs = Math.max(watch.nowMs, block.timeSeconds * 1_000);
      return watch.tell({ kind: 'connected', block, matches, seenBy: ['node'] });
    },
    disconnect(height, branch = 0) {
      return watch.tell({
        kind: 'disconnected',
        block: blockOf(height, branch),
        fork: blockOf(height - 1),
        seenBy: ['node'],
      });
    },
  };
  return watch;
}
