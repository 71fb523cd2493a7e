import { toDisplay, type Transaction } from '@keepwatch/bitcoin';

/** A coin, and what it takes to spend it. */
export interface Coin {
  readonly sats: bigint;
  readonly script: Uint8Array;
  /** Of a coinbase: the height of its block. */
  readonly minedAt: number | null;
}

export const keyOf = (txid: string, vout: number): string => `${txid}:${vout}`;

export const inputsOf = ({ inputs }: Transaction): readonly string[] =>
  inputs.map(({ previous, vout }) => keyOf(toDisplay(previous), vout));
