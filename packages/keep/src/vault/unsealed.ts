import { CodedError, mapEach, toBase64url, type MaybePromise } from '@keepwatch/base';
import { createJournal, type Appended, type Journal, type JournalFault, type RecordWrite } from '@keepwatch/journal';
import { vaultId } from '@keepwatch/wire';
import { signApprovedDigests, type KeyRing, type Slot } from '../secure/index.ts';
import type { VaultEvent } from '../state/events.ts';
import { decodeEntry } from '../state/events.ts';
import { emptyState, fold } from '../state/fold.ts';
import { decodeSnapshot, encodeSnapshot } from '../state/snapshot.ts';
import { FOLD_VERSION, mayConnect, type State } from '../state/state.ts';
import { approvalHolds } from '../step/sign.ts';
import type { SignEffect } from '../step/step.ts';
import { mirrorState } from './boot-state.ts';
import type { Unsealed, VaultContext } from './context.ts';
import { createEngine, type Engine, type Job, type Signature } from './engine.ts';
import { steadyTime } from './keep-clock.ts';
import { createWalletKeys, type WalletKeys } from './wallet-keys.ts';
import type { SealedKeys } from './sealed-keys.ts';
import { createWalletRoom, WALLET_KEY_SPACE } from './wallet-room.ts';

/** Builds what exists only while the vault is unsealed: journal, folded state, wallet keys, engine. */

/**
 * A snapshot is saved when this many entries were journaled since the last one, and at each seal: few enough that
 * folding them takes some seconds, so many that saving does not hold up a vault that signs thousands a second.
 */
const SNAPSHOT_EVERY = 250_000;

export async function openJournal(vault: VaultContext, ring: KeyRing): Promise<Journal> {
  const { store, sha256 } = vault.deps;
  const opened = await createJournal(
    { store, sha256, signHead: (bytes) => ring.signReceipt(bytes), cipher: ring.journalCipher },
    { vault: toBase64url(vaultId(sha256, ring.receiptPublicKey())) },
  );
  if (!opened.ok) throw journalError(opened.error);
  return opened.value;
}

/** A fault of the journal as an error: it names the entry and what is wrong with it. */
export function journalError(fault: JournalFault): CodedError {
  return new CodedError(fault.code, fault.message, { details: { seq: fault.seq } });
}

/**
 * The state as the journal tells it: from the latest snapshot that belongs to this chain, then entry by entry. `folded`
 * and `bytes`: how many entries those were, and how long.
 */
export async function loadState(journal: Journal): Promise<{ state: State; folded: number; bytes: number }> {
  const snapshot = await journal.latestSnapshot(FOLD_VERSION);
  const state = snapshot ? decodeSnapshot(snapshot.bytes) : emptyState();
  const from = state.seq;
  let length = 0;
  for (;;) {
    const read = await journal.read(state.seq + 1, 1_000);
    if (!read.ok) throw journalError(read.error);
    for (const { seq, bytes } of read.value) {
      length += bytes.length;
      fold(state, seq, decodeEntry(bytes));
    }
    if (read.value.length === 0) return { state, folded: state.seq - from, bytes: length };
  }
}

/** Opens every wallet's key. `behind`: one of them at least waits for re-encryption, seen on the way. */
export async function openWalletKeys(
  records: SealedKeys,
  ring: KeyRing,
): Promise<{ keys: WalletKeys; behind: boolean }> {
  const keys = createWalletKeys();
  let behind = false;
  for (;;) {
    const next = records.next();
    const page = next instanceof Promise ? await next : next;
    if (page.length === 0) return { keys, behind };
    const slots = ring.openSecrets(WALLET_KEY_SPACE, page);
    for (const [i, { key, value }] of page.entries()) {
      keys.push(key, slots[i]!);
      behind ||= ring.isBehind(value);
    }
  }
}

export function createUnsealed(
  vault: VaultContext,
  parts: {
    ring: KeyRing;
    journal: Journal;
    state: State;
    walletKeys: WalletKeys;
    /** How many entries were folded behind the last snapshot. */
    entriesSinceSnapshot?: number;
    closing?: boolean;
  },
): Unsealed {
  const { deps } = vault;
  const { ring, journal, walletKeys } = parts;
  const unsealed: { -readonly [K in keyof Unsealed]: Unsealed[K] } = {
    ...parts,
    engine: undefined as unknown as Engine,
    walletRoom: createWalletRoom({
      memory: deps.ringMemory,
      sha256: deps.sha256,
      keccak256: deps.keccak256,
      seal: (space, id, secret) => ring.putSecret(space, id, secret),
      open: (space, record) => ring.openSecret(space, record),
    }),
    lastActivityMs: deps.clock().monotonicMs,
    entriesSinceSnapshot: parts.entriesSinceSnapshot ?? 0,
    snapshot: Promise.resolve(),
    closing: parts.closing ?? false,
    replay: null,
  };
  unsealed.engine = startEngine(vault, unsealed, walletKeys, journal);
  return unsealed;
}

function startEngine(
  vault: VaultContext,
  unsealed: { state: State; engine: Engine; entriesSinceSnapshot: number },
  walletKeys: WalletKeys,
  journal: Journal,
): Engine {
  const { deps } = vault;
  let mirrored: ReturnType<typeof mirrorState> | null = null;
  return createEngine({
    state: unsealed.state,
    entropy: deps.entropy,
    soon: deps.soon,
    now: () => keepTime(vault, unsealed.state),
    append: (entries, writes, timeMs, tightens) => appendWithReserve(vault, journal, entries, writes, timeMs, tightens),
    sign: (effects) => signAll(vault, walletKeys, effects),
    signaturesWait: () => deps.signingThread?.hasUnclaimed() ?? false,
    mirror(state, versionBefore) {
      if (state.version === versionBefore) return [];
      if (state.epoch > journal.epoch()) journal.startEpoch(state.epoch);
      mirrored = mirrorState(vault, state);
      return [mirrored.write];
    },
    committed(event, seq, receipt) {
      if (mirrored) {
        vault.boot = mirrored.table;
        mirrored = null;
      }
      tell(vault, unsealed.state, event, receipt);
      unsealed.entriesSinceSnapshot++;
      if (unsealed.entriesSinceSnapshot % SNAPSHOT_EVERY === 0) deps.soon(() => void saveSnapshot(vault));
      void seq;
    },
    broken: (error, tightening) => recover(vault, error, tightening),
  });
}

/** The keep's time: the wall clock, but no jump of it that nobody confirmed, and never behind the journal. Milliseconds. */
export function keepTime(vault: VaultContext, state: Pick<State, 'time'>): number {
  return Math.max(steadyTime(vault.clockWatch, vault.deps.clock()), state.time);
}

/**
 * Commits; where the disk is full, only what tightens may use the reserve. When the disk is nearly full everything else
 * is refused before it is tried, so that the reserve suffices.
 */
function appendWithReserve(
  vault: VaultContext,
  journal: Journal,
  entries: readonly Uint8Array[],
  writes: readonly RecordWrite[],
  timeMs: number,
  tightens: boolean,
): MaybePromise<Appended> {
  const { reserve } = vault.deps;
  if (!tightens) {
    if (reserve.low()) throw storageFull();
    return journal.append(entries, writes, timeMs);
  }
  try {
    return journal.append(entries, writes, timeMs);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'storage_full') throw error;
    reserve.release();
    return journal.append(entries, writes, timeMs);
  }
}

function storageFull(): CodedError {
  return new CodedError('storage_full', 'The disk is full: nothing was journaled, so nothing was signed.', {
    remedy: 'Free space where the vault’s data lies. Sealing and revoking still work.',
  });
}

/** Signs what was approved: the digest is computed again from the bytes, so that no other bytes are ever signed. */
function signAll(
  vault: VaultContext,
  walletKeys: WalletKeys,
  effects: readonly SignEffect[],
): MaybePromise<readonly (Signature | null)[]> {
  const approved: { key: Slot; digest: Uint8Array }[] = [];
  const holds = mapEach(effects, (effect) => {
    const key = walletKeys.get(effect.wallet);
    if (!key || !approvalHolds(effect, vault.deps.keccak256)) return false;
    approved.push({ key, digest: effect.digest });
    return true;
  });
  const place = (signatures: readonly Signature[]) => {
    let next = 0;
    return mapEach(holds, (held) => (held ? signatures[next++]! : null));
  };
  const aside = vault.deps.signingThread?.sign(approved);
  return aside ? aside.then(place) : place(signApprovedDigests(approved));
}

function tell(vault: VaultContext, state: State, event: VaultEvent, receipt: () => unknown): void {
  const { events } = vault.deps;
  switch (event.type) {
    case 'request.permitted':
    case 'request.denied':
      return notifyObservers(state, event.wallet, (observers) => events.decided(event.wallet, observers, receipt));
    case 'request.awaiting': {
      const approval = state.approvals.get(event.approval);
      return approval && events.approvalAsked(approval);
    }
    case 'approval.given': {
      const { approval, client, given, needed } = event;
      return events.approvalDecided(client, {
        approval,
        state: given < needed ? 'waiting' : 'approved',
        given,
        needed,
      });
    }
    case 'approval.rejected':
      return events.approvalDecided(event.client, { approval: event.approval, state: 'rejected', given: 0, needed: 0 });
    case 'peer.revoked':
      return events.peerGone(event.peer, 'revoked');
    case 'peer.proposed':
      return events.proposed(event.peer, event.role, event.name);
    case 'vault.resumed':
      return events.peersChecked((peer, role) => isLive(state, peer, role));
    default:
      return;
  }
}

function notifyObservers(state: State, wallet: string, tellThem: (observers: ReadonlySet<string>) => void): void {
  const observers = state.observers.get(wallet);
  if (observers) tellThem(observers);
}

export function isLive(state: State, peer: string, role: string): boolean {
  return state.peers.get(peer)?.role === role && mayConnect(state, peer);
}

/**
 * A commit failed. A full disk rolled everything back, so the state is folded anew and what only tightens is tried
 * again, alone. Any other failure leaves unknown what is on the disk: the process ends, and the next start reads it.
 */
function recover(vault: VaultContext, error: CodedError, tightening: readonly Job[]): void {
  const { unsealed, deps } = vault;
  if (error.code !== 'storage_full') return deps.events.fatal(error);
  const giveUp = () => {
    for (const job of tightening) job.failed(error);
  };
  // The unseal itself found the disk full: it has failed, and the state that it folded goes with it.
  if (!unsealed) return giveUp();
  unsealed.engine.stop(error);
  reload(vault, unsealed.ring).then(
    (parts) => {
      // Sealed meanwhile.
      if (vault.unsealed !== unsealed) return giveUp();
      vault.unsealed = createUnsealed(vault, { ...unsealed, ...parts });
      for (const job of tightening) vault.unsealed.engine.submit(job);
    },
    (failure: CodedError) => {
      giveUp();
      if (vault.unsealed === unsealed) deps.events.fatal(failure);
    },
  );
}

/** Journal and state as the disk has them: an epoch that a failed batch was to begin has not begun. */
async function reload(vault: VaultContext, ring: KeyRing): Promise<{ journal: Journal; state: State }> {
  const journal = await openJournal(vault, ring);
  const { state } = await loadState(journal);
  return { journal, state };
}

/** One after another: the last one, of a vault that is being sealed, waits for the one before. */
export function saveSnapshot(vault: VaultContext): Promise<void> {
  const { unsealed } = vault;
  if (!unsealed) return Promise.resolve();
  return (unsealed.snapshot = unsealed.snapshot.then(() => takeSnapshot(vault, unsealed)));
}

async function takeSnapshot(vault: VaultContext, unsealed: Unsealed): Promise<void> {
  const { deps } = vault;
  const { journal, state, entriesSinceSnapshot } = unsealed;
  if (vault.unsealed !== unsealed || entriesSinceSnapshot === 0 || deps.reserve.low()) return;
  // While a batch is not durable the state is ahead of the journal: that must never be saved as its fold.
  if (state.seq !== journal.head()?.lastSeq) return;
  unsealed.entriesSinceSnapshot = 0;
  try {
    await journal.saveSnapshot(FOLD_VERSION, encodeSnapshot(state));
  } catch (error) {
    // A snapshot only saves time at the next start.
    deps.events.log('warn', 'no snapshot was saved', { code: error instanceof CodedError ? error.code : 'unknown' });
  }
}
