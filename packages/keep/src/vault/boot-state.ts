import { canonicalJson, type Json, type MaybePromise } from '@keepwatch/base';
import type { RecordWrite, StoredBatch } from '@keepwatch/journal';
import { encodeBootTable, type BootPeer, type BootTable, type TlsState } from '../boot/boot-table.ts';
import { mayConnect, type State } from '../state/state.ts';
import type { VaultContext } from './context.ts';

/** Changes of the boot table: memory follows the store, never the other way round. */

/** Writes the changed table by itself. */
export async function saveBoot(
  vault: VaultContext,
  change: Partial<BootTable>,
  writes: readonly RecordWrite[] = [],
  batches: readonly StoredBatch[] = [],
): Promise<void> {
  const next: BootTable = { ...vault.boot, ...change };
  const committed = vault.deps.store.commit(batches, [...writes, encodeBootTable(vault.deps.boot.cipher, next)]);
  // No turn of the event loop lies between commit and memory where the store is synchronous.
  if (committed instanceof Promise) await committed;
  vault.boot = { ...vault.boot, ...change };
}

/** The same for the synchronous steps of a handshake; the embedded store commits before it returns. */
export function saveBootNow(vault: VaultContext, change: Partial<BootTable>): void {
  const next: BootTable = { ...vault.boot, ...change };
  const committed: MaybePromise<void> = vault.deps.store.commit([], [encodeBootTable(vault.deps.boot.cipher, next)]);
  if (committed instanceof Promise) throw new TypeError('the store of a keep commits synchronously');
  vault.boot = next;
}

/** What the boot table repeats of the state, so that it becomes durable in the same transaction. */
export function mirrorState(vault: VaultContext, state: State): { table: BootTable; write: RecordWrite } {
  const table: BootTable = {
    ...vault.boot,
    initialised: true,
    restored: false,
    epoch: state.epoch,
    version: state.version,
    peers: livePeers(state),
    tls: laterTls(vault.boot.tls, state.tls),
    // Only a resume, which begins an epoch, settles it: the freeze itself may still be on its way to the journal.
    rollback: state.epoch > vault.boot.epoch ? null : vault.boot.rollback,
  };
  return { table, write: encodeBootTable(vault.deps.boot.cipher, table) };
}

/** A rotation takes effect in the transaction that journals it; a key that was adopted at a start is the boot table's. */
function laterTls(known: TlsState | null, journaled: TlsState | null): TlsState | null {
  return journaled?.statement && journaled.counter > (known?.counter ?? 0) ? journaled : known;
}

function livePeers(state: State): readonly BootPeer[] {
  return [...state.peers.values()]
    .filter(({ peer }) => mayConnect(state, peer))
    .map(({ peer, role, name, key }) => ({ peer, role, name, key }));
}

/** Whether the boot table says of the peers what the state says; true while sealed, when there is nothing to compare. */
export function mirrorsState({ boot, unsealed }: Pick<VaultContext, 'boot' | 'unsealed'>): boolean {
  return unsealed === null || knowsPeersOf(boot, unsealed.state);
}

/** As canonical JSON: a table that was read has its members in another order than one that was just made. */
export function knowsPeersOf(boot: BootTable, state: State): boolean {
  const text = (peers: readonly BootPeer[]) => canonicalJson(peers as unknown as Json);
  return text(boot.peers) === text(livePeers(state));
}
