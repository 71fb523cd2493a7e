import { CodedError, canonicalBytes, fromUtf8, type Json } from '@keepwatch/base';
import type { RecordWrite } from '@keepwatch/journal';
import type { PeerKey, Role, SignedHeadJson } from '@keepwatch/protocol';

/**
 * The small table that must live while the vault is sealed: who may connect, the counters that never go back, failed
 * unseals. It is sealed under a key derived from the boot key, so that only this installation reads or writes it; the
 * journal is the truth about peers, and unsealing compares.
 */
export interface BootTable {
  readonly initialised: boolean;
  /** A backup was put here, and no unseal has begun the new epoch yet. */
  readonly restored: boolean;
  /** Public receipt key, base64url: half of the identity, and what remembered heads are verified with while sealed. */
  readonly receiptKey: string;
  readonly epoch: number;
  /** State version, so that an operator can sign an unseal against what it sees. */
  readonly version: number;
  readonly peers: readonly BootPeer[];
  /** Challenge numbers below it may have been used: a start continues from here. */
  readonly nonceCeiling: number;
  readonly failedUnseals: { readonly count: number; readonly lastMs: number };
  readonly token: BootstrapToken | null;
  readonly tls: TlsState | null;
  /** A peer proved that an older journal was put back. */
  readonly rollback: { readonly words: string; readonly head: SignedHeadJson; readonly since: number } | null;
}

export interface BootPeer {
  readonly peer: string;
  readonly role: Role;
  readonly name: string;
  readonly key: PeerKey;
}

export interface BootstrapToken {
  /** base64url, 32 bytes. */
  readonly token: string;
  readonly expiresMs: number;
}

/** What the keep has said of the edge's TLS key. */
export interface TlsState {
  readonly fingerprint: string;
  readonly counter: number;
  /** The signed statement of the last rotation, for peers that still hold the fingerprint before it. */
  readonly statement: string | null;
}

/** Seals bytes under the boot key, bound to a place. */
export interface BootCipher {
  seal(place: string, plaintext: Uint8Array): Uint8Array;
  open(place: string, sealed: Uint8Array): Uint8Array | undefined;
}

const SPACE = 'boot';
const KEY = 'table';
const PLACE = 'boot/table';

export const EMPTY_BOOT_TABLE: BootTable = {
  initialised: false,
  restored: false,
  receiptKey: '',
  epoch: 1,
  version: 0,
  peers: [],
  nonceCeiling: 0,
  failedUnseals: { count: 0, lastMs: 0 },
  token: null,
  tls: null,
  rollback: null,
};

export function encodeBootTable(cipher: BootCipher, table: BootTable): RecordWrite {
  return { op: 'put', space: SPACE, key: KEY, value: cipher.seal(PLACE, canonicalBytes(table as unknown as Json)) };
}

/** Error code `boot_key_wrong`: the data directory belongs to another boot key, or the table was altered. */
export function decodeBootTable(cipher: BootCipher, sealed: Uint8Array | undefined): BootTable {
  if (sealed === undefined) return EMPTY_BOOT_TABLE;
  const plain = cipher.open(PLACE, sealed);
  const text = plain && fromUtf8(plain);
  if (text === undefined) {
    throw new CodedError('boot_key_wrong', 'The boot table does not open under this boot key.', {
      remedy: 'Put back the boot key that belongs to this data directory, or restore the vault from a backup.',
    });
  }
  return JSON.parse(text) as BootTable;
}

export const BOOT_TABLE_RECORD = { space: SPACE, key: KEY } as const;
