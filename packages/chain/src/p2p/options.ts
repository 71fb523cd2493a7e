import type { Entropy } from '@keepwatch/base';
import type { Network, Vouched } from '@keepwatch/bitcoin';

export interface P2pDeps {
  readonly entropy: Entropy;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Addresses that a name leads to. Default: the machine's own resolver. With a proxy it is never asked. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  /** One line of what happens between us and our peers. */
  readonly log?: (line: string) => void;
}

export interface P2pOptions {
  readonly name: string;
  readonly network: Network;
  /** Headers, filter headers and the address book are kept here. One process at a time. */
  readonly dataDir: string;
  /** `host:port` of nodes that are always kept. */
  readonly peers?: readonly string[];
  /** Whether other nodes are looked for. Default: yes, but not on regtest. */
  readonly discover?: boolean;
  /** Names that lead to nodes, with a port where it is not the network's. Default: those of the network. */
  readonly seeds?: readonly string[];
  /** SOCKS5. `isolate`: credentials of its own for each connection (Tor gives each a circuit of its own). */
  readonly proxy?: { readonly host: string; readonly port: number; readonly isolate: boolean };
  /** What is known of the chain beforehand. Default: what the release vouches for. */
  readonly vouched?: Vouched;
  readonly tuning?: Partial<P2pTuning>;
}

/** Times in ms. */
export interface P2pTuning {
  readonly target: number;
  readonly dialMs: number;
  readonly answerMs: number;
  readonly pingMs: number;
  readonly tickMs: number;
  readonly rotateMs: number;
  readonly banMs: number;
  /** How long a new block waits until several peers have it, so that none of them is believed alone. */
  readonly graceMs: number;
  /** Without a block for so long all peers are asked anew, and those behind us are left. */
  readonly slowTipMs: number;
  /** A tip that is older is worth a word (main chain). */
  readonly staleMs: number;
  /** Between two questions whether what was sighted is still there. */
  readonly recheckMs: number;
  /** How long a broadcast waits to be heard back. */
  readonly broadcastMs: number;
}

export const TUNING: P2pTuning = {
  target: 8,
  dialMs: 20_000,
  answerMs: 20_000,
  pingMs: 120_000,
  tickMs: 5_000,
  rotateMs: 3_600_000,
  banMs: 24 * 3_600_000,
  graceMs: 5_000,
  slowTipMs: 30 * 60_000,
  staleMs: 2 * 3_600_000,
  recheckMs: 60_000,
  broadcastMs: 30_000,
};
