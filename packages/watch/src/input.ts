import type { ScriptRange } from './script-index.ts';
import type { ChainInput } from './chain-input.ts';
import type { WatchSettings } from './settings.ts';
import type { WatchedWallet } from './wallet.ts';

/** All that the watch is told: what happens on the chain, what its owner wants, and how the machine around it fares. */
export type WatchInput = ChainInput | OwnerInput | MachineInput;

export type OwnerInput =
  | { readonly kind: 'settings'; readonly settings: WatchSettings }
  /**
   * Added, or changed where the id is known. With other descriptors or outpoints it begins anew, and its past is looked through
   * again: all that it had, and what comes before where its birthday says so. With a larger gap limit it goes on, and its past
   * is looked through for what lies further on.
   */
  | { readonly kind: 'wallet'; readonly wallet: WatchedWallet }
  | { readonly kind: 'wallet-removed'; readonly wallet: string }
  /** Its past is to be looked through again: since its birthday or, where it has none, since it was added. */
  | { readonly kind: 'rescan'; readonly wallet: string }
  /**
   * Scripts that were asked for (`dueScripts`), as `deriveScripts` gave them, one after the other. The sources look for them
   * once they are durable. In blocks that these had looked through by then, told or not, a scan looks for them.
   */
  | ({ readonly kind: 'scripts' } & ScriptRange);

export type MachineInput =
  /** The monitor was started; told once, before anything else. */
  | { readonly kind: 'started' }
  /** A source that was known is no longer among those that are asked: what was wrong with it is over. */
  | { readonly kind: 'source-gone'; readonly source: string }
  /** What a confirmation within the next few blocks costs. */
  | { readonly kind: 'feerate'; readonly satPerVbyte: number }
  | { readonly kind: 'disk'; readonly freeBytes: number }
  /** How far the clock is from what others say; positive: it is ahead of them. */
  | { readonly kind: 'clock'; readonly skewSeconds: number }
  | { readonly kind: 'channel'; readonly channel: string; readonly alive: boolean; readonly words: string };
