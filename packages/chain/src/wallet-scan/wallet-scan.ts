import { CodedError, toHex } from '@keepwatch/base';
import type { Descriptor } from '@keepwatch/bitcoin';
import type { ChainSource, ScanEvent } from '../source.ts';
import { createWalletScripts, type WalletScripts } from './scripts.ts';
import { rewound, unspentOf, type FoundTx, type WalletScanState } from './state.ts';

export interface WalletScanOptions {
  readonly descriptors: readonly Descriptor[];
  /**
   * How many unused addresses in a row the wallet may have handed out. Behind the last used index of each branch at least
   * so many are watched at any height; a payment further away than that is not found.
   */
  readonly gapLimit: number;
  /** The last block to look at; null: the tip when the scan begins. */
  readonly to: number | null;
}

/** Progress as the source says it, over the whole scan; `state` is where it can go on after this event. */
export interface WalletScanProgress extends Omit<Extract<ScanEvent, { kind: 'progress' }>, 'kind'> {
  readonly state: WalletScanState;
}

/** Blocks to go back where the chain was reorganised, or may have been while nobody looked. */
const STEP_BACK = 144;

export function beginWalletScan(from: number, descriptors: readonly Descriptor[]): WalletScanState {
  return { from, next: from, derived: descriptors.map(({ branches }) => Array<number>(branches).fill(0)), found: [] };
}

/** A stored state, some blocks back: those that it ends with may have left the chain since. */
export const resumedWalletScan = (state: WalletScanState): WalletScanState => rewound(state, state.next - STEP_BACK);

/**
 * Looks through past blocks for the scripts of descriptors, with as many indices as are needed. Where a block uses an index
 * near the end of what is watched, more are derived and that block is looked at again with them: as wallets do that scan
 * while they derive. Ends at `to`, or at an abort; the last event has all that was found.
 */
export async function* scanWallet(
  source: Pick<ChainSource, 'scan'>,
  options: WalletScanOptions,
  begun: WalletScanState,
  signal: AbortSignal,
): AsyncGenerator<WalletScanProgress> {
  const { descriptors, gapLimit, to } = options;
  const scripts = createWalletScripts(descriptors);
  for (const [descriptor, branches] of begun.derived.entries()) {
    for (const [branch, count] of branches.entries())
      scripts.deriveTo({ descriptor, branch }, Math.max(count, gapLimit));
  }
  let state: WalletScanState = { ...begun, derived: scripts.counts() };
  for (let round: 'go on' | 'done' = 'go on'; round !== 'done' && !signal.aborted;) {
    const stop = new AbortController();
    const request = { scripts: scripts.all(), outpoints: unspentOf(state), from: state.next, to };
    try {
      round = 'done';
      for await (const event of source.scan(request, AbortSignal.any([signal, stop.signal]))) {
        if (event.kind === 'match') {
          const found = event.matches.map((tx) => foundTx(tx, event.block, scripts));
          if (extend(scripts, found, gapLimit)) {
            // This block, and all behind it, with the new scripts.
            state = { ...reached(state, event.block.height), derived: scripts.counts() };
            round = 'go on';
            stop.abort();
            break;
          }
          const before = reached(state, event.block.height);
          state = { ...before, found: [...before.found, ...found] };
        } else {
          const { kind: _, ...progress } = event;
          state = { ...state, next: event.height + 1 };
          const total = event.total + request.from - state.from;
          yield { ...progress, done: event.height - state.from + 1, total, state };
        }
      }
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'scan_reorganised') throw error;
      state = rewound(state, state.next - STEP_BACK);
      round = 'go on';
    } finally {
      stop.abort();
    }
  }
}

/** All blocks below this height were looked at. */
function reached(state: WalletScanState, height: number): WalletScanState {
  return { ...state, next: height, found: state.found.filter(({ block }) => block.height < height) };
}

function foundTx(
  { txid, received, spent }: Extract<ScanEvent, { kind: 'match' }>['matches'][number],
  block: FoundTx['block'],
  scripts: WalletScripts,
): FoundTx {
  return {
    block: { height: block.height, hash: block.hash, timeSeconds: block.timeSeconds },
    txid,
    received: received.flatMap(({ vout, script, sats }) => {
      const place = scripts.find(script);
      return place ? [{ ...place, vout, script: toHex(script), sats }] : [];
    }),
    spent: spent.map(({ outpoint }) => ({ txid: outpoint.txid, vout: outpoint.vout })),
  };
}

/** Derives what the gap limit asks for behind the used indices, and as many again, so that it seldom has to. */
function extend(scripts: WalletScripts, found: readonly FoundTx[], gapLimit: number): boolean {
  const before = JSON.stringify(scripts.counts());
  for (const { descriptor, branch, index } of found.flatMap(({ received }) => received)) {
    if (scripts.counts()[descriptor]![branch]! < index + 1 + gapLimit) {
      scripts.deriveTo({ descriptor, branch }, index + 1 + 2 * gapLimit);
    }
  }
  return JSON.stringify(scripts.counts()) !== before;
}
