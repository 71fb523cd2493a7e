import type { Network } from '@keepwatch/bitcoin';
import { DEFAULT_GAP_LIMIT, type LabelType } from '@keepwatch/watch';

/** What a file of another program says of a wallet: public parts alone. */
export interface ImportedWallet {
  readonly name: string | null;
  /** Each as `text#checksum`, checked. */
  readonly descriptors: readonly string[];
  readonly addresses: readonly string[];
  /** Null: the file does not say. */
  readonly birthday: Birthday | null;
  /** So wide that every address which the program handed out is watched, used or not. Null: the usual one is. */
  readonly gapLimit: number | null;
}

/** What a wallet of the watch takes. */
export const MAX_GAP_LIMIT = 10_000;

/** `handedOut`: addresses of the branch that has most. Behind them the usual gap follows, as far as a gap may reach. */
export function gapBehind(handedOut: number): number | null {
  return handedOut === 0 ? null : Math.min(handedOut + DEFAULT_GAP_LIMIT, MAX_GAP_LIMIT);
}

/** `timeSeconds`: seconds since 1970. */
export type Birthday = { readonly height: number } | { readonly timeSeconds: number };

/** What somebody called a transaction, an address, a coin or a key (BIP329 §Specification). */
export interface ImportedLabel {
  readonly type: LabelType;
  readonly ref: string;
  readonly label: string;
}

export type ImportFormat =
  'bitcoin-core' | 'sparrow' | 'electrum' | 'specter' | 'liana' | 'bip388' | 'bip329' | 'descriptors';

export interface Imported {
  readonly format: ImportFormat;
  readonly wallets: readonly ImportedWallet[];
  readonly labels: readonly ImportedLabel[];
}

export type ImportErrorCode =
  /** None of the formats that are known. */
  | 'import_unknown_format'
  /** The format is known, and what it must hold is missing or wrong. */
  | 'import_malformed'
  /** A private key, a seed, or an encrypted file: the monitor takes public parts alone. */
  | 'import_private_key'
  | 'import_wrong_network';

/** `words` never hold the text of the file: it may be a private key. */
export interface ImportError {
  readonly code: ImportErrorCode;
  readonly words: string;
}

/** Leaves a nest of readers at once; caught where reading begins, and never seen outside. */
export class ImportRefused extends Error {
  readonly reason: ImportError;

  constructor(reason: ImportError) {
    super(reason.words);
    this.name = 'ImportRefused';
    this.reason = reason;
  }
}

export function refuse(code: ImportErrorCode, words: string): never {
  throw new ImportRefused({ code, words });
}

/** What every reader of one format is given. */
export interface Reading {
  readonly network: Network;
}
