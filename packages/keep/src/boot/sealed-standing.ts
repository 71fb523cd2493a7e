import { canonicalBytes, fromUtf8, type MaybePromise } from '@keepwatch/base';
import type { RecordWrite } from '@keepwatch/journal';
import type { State } from '../state/state.ts';
import type { BootCipher } from './boot-table.ts';

/**
 * What observers may know while the vault is sealed, when nobody can read its journal: the last permit of each wallet that
 * they observe. It is written in the transaction that journals the seal and holds as long as that entry is the journal's
 * last; a vault that was killed has none, and then says so.
 */
interface SealedStanding {
  /** The entry that records the seal. */
  readonly seq: number;
  /** By peer: the wallets that it observes, and their last permits; 0: none. */
  readonly peers: readonly (readonly [string, readonly (readonly [string, number])[]])[];
}

const SPACE = 'boot';
const KEY = 'sealed-standing';
const PLACE = 'boot/sealed-standing';

/** `seq`: the entry that will record the seal. */
export function sealedStanding(cipher: BootCipher, state: State, seq: number): RecordWrite {
  const peers = [...state.peers.values()]
    .filter(({ observes, revoked }) => revoked === null && observes.size > 0)
    .map(({ peer, observes }) => [peer, [...observes].map((wallet) => [wallet, lastPermitOf(state, wallet)])]);
  return { op: 'put', space: SPACE, key: KEY, value: cipher.seal(PLACE, canonicalBytes({ seq, peers } as never)) };
}

/** What the peer observed when the vault was sealed; undefined where the journal's last entry, `lastSeq`, is no such seal. */
export function readSealedStanding(
  store: { get(space: string, key: string): MaybePromise<Uint8Array | undefined> },
  cipher: BootCipher,
  lastSeq: number,
  peer: string,
): ReadonlyMap<string, number> | undefined {
  const sealed = store.get(SPACE, KEY);
  const plain = sealed instanceof Uint8Array ? cipher.open(PLACE, sealed) : undefined;
  const text = plain && fromUtf8(plain);
  if (text === undefined) return undefined;
  const { seq, peers } = JSON.parse(text) as SealedStanding;
  return seq === lastSeq ? new Map(peers.find(([id]) => id === peer)?.[1]) : undefined;
}

export const lastPermitOf = (state: State, wallet: string): number => state.lastPermits.get(wallet) ?? 0;
