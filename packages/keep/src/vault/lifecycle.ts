import { CodedError, fromBase64url, toBase64url } from '@keepwatch/base';
import { MAX_NAME_CHARS, type CommandParams, type EntryPurpose, type SealedBox } from '@keepwatch/protocol';
import { keepIdentity, vaultId } from '@keepwatch/wire';
import { sealedStanding } from '../boot/sealed-standing.ts';
import { onThisClock, retryAfterMs, type FailedUnseals } from '../boot/throttle.ts';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { createKeyRing, KDF_PRESETS, type KeyRing, type Slot } from '../secure/index.ts';
import type { ByCommand, SealReason, VaultEvent } from '../state/events.ts';
import { emptyState } from '../state/fold.ts';
import type { State } from '../state/state.ts';
import { clocksAgree } from '../step/commands.ts';
import { knowsPeersOf, saveBoot } from './boot-state.ts';
import type { Unsealed, VaultContext } from './context.ts';
import type { JobResult } from './engine.ts';
import { watchClock } from './keep-clock.ts';
import { readKeysAhead } from './sealed-keys.ts';
import { submit } from './submit.ts';
import { createUnsealed, isLive, loadState, openJournal, openWalletKeys, saveSnapshot } from './unsealed.ts';
import { createWalletKeys } from './wallet-keys.ts';

/** The vault's phases: uninitialised → sealed ⇄ unsealed. Everything here is started by an operator or by the clock. */

export type Phase = 'uninitialised' | 'sealed' | 'unsealed';

export function phaseOf(vault: VaultContext): Phase {
  return vault.unsealed ? 'unsealed' : vault.boot.initialised ? 'sealed' : 'uninitialised';
}

/** Runs one lifecycle command at a time. Error code `vault_busy`. */
export async function exclusively<T>(vault: VaultContext, what: string, run: () => Promise<T>): Promise<T> {
  if (vault.busy !== null) throw coded('vault_busy', { with: vault.busy });
  vault.busy = what;
  try {
    return await run();
  } finally {
    vault.busy = null;
  }
}

/** The secret that was sealed to a one-time key of this session. The caller frees it. */
export function openEntry(vault: VaultContext, session: PeerSession, purpose: EntryPurpose, box: SealedBox): Slot {
  const opened = vault.entryKeys.open(box, purpose, session.id, vault.deps.clock().wallMs);
  if (!opened.ok) throw coded(opened.error);
  return opened.value;
}

/** Opens secrets, uses them, and frees them whatever happens. */
export async function withEntries<T>(
  vault: VaultContext,
  session: PeerSession,
  boxes: readonly (readonly [EntryPurpose, SealedBox])[],
  use: (...secrets: Slot[]) => Promise<T>,
): Promise<T> {
  const slots: Slot[] = [];
  try {
    for (const [purpose, box] of boxes) slots.push(openEntry(vault, session, purpose, box));
    return await use(...slots);
  } finally {
    for (const slot of slots) vault.deps.memory.free(slot);
  }
}

export async function initVault(
  vault: VaultContext,
  session: PeerSession,
  params: CommandParams<'vault.init'>,
  by: ByCommand,
): Promise<JobResult> {
  const { deps, sealings } = vault;
  const operator = vault.boot.peers.find(({ peer }) => peer === session.peer);
  if (!operator) throw coded('not_allowed');
  return withEntries(vault, session, [['vault.init', params.password]], async (password) => {
    if (vault.boot.initialised) throw coded('vault_initialised');
    const ring = newRing(vault);
    const receiptSeed = openReceiptSeed(vault);
    try {
      const writes = await ring.initialise(password, KDF_PRESETS[params.kdf], receiptSeed);
      const journal = await openJournal(vault, ring);
      const unsealed = createUnsealed(vault, { ring, journal, state: emptyState(), walletKeys: createWalletKeys() });
      const identity = identityOf(vault);
      const events: VaultEvent[] = [
        { type: 'vault.initialised', identity, vault: vaultOf(vault), ...by },
        { type: 'peer.registered', via: 'bootstrap', by: null, command: null, peer: operator },
        { type: 'vault.unsealed', time: params.time, zones: deps.zones.version, ...by },
      ];
      if (!clocksAgree({ time: 0 }, params.time, deps.clock().wallMs)) events.push(disagreement(vault, params.time));
      startClock(vault, { time: 0 }, params.time);
      const result = await runJob(unsealed, events, [
        ...writes,
        { op: 'delete', space: 'boot', key: RECEIPT_SEED_KEY },
      ]);
      enter(vault, unsealed, 'initialised', sealings);
      return result;
    } catch (error) {
      ring.lock();
      throw error;
    } finally {
      deps.memory.free(receiptSeed);
    }
  });
}

export async function unsealVault(
  vault: VaultContext,
  session: PeerSession,
  params: CommandParams<'vault.unseal'>,
  by: ByCommand,
): Promise<JobResult> {
  const { sealings } = vault;
  return withEntries(vault, session, [['vault.unseal', params.password]], async (password) => {
    await countTry(vault);
    return unsealWith(vault, { password, time: params.time, sealings }, by);
  });
}

export interface UnsealTerms {
  readonly password: Slot;
  /** The operator's clock, ms. */
  readonly time: number;
  /** `vault.sealings` when the command arrived. */
  readonly sealings: number;
}

/** The try has been counted. */
export async function unsealWith(vault: VaultContext, terms: UnsealTerms, by: ByCommand): Promise<JobResult> {
  const { deps } = vault;
  const { password, time, sealings } = terms;
  const ring = newRing(vault);
  const sealedKeys = readKeysAhead(deps.store, deps.soon);
  try {
    const unlocked = await ring.unlock(password, deps.store);
    sealedKeys.stop();
    if (!unlocked.ok) throw passwordError(vault, unlocked.error);
    if (unlocked.value.writes.length > 0) await deps.store.commit([], unlocked.value.writes);
    unlocked.value.adopt();
    const derivedMs = deps.clock().monotonicMs;
    const wallets = await openWalletKeys(sealedKeys, ring);
    if (wallets.behind || (await othersBehind(vault, ring))) await catchUp(vault, ring);
    const journal = await openJournal(vault, ring);
    const { state, folded, bytes } = await loadState(journal);
    const parts = { ring, journal, state, walletKeys: wallets.keys, entriesSinceSnapshot: folded };
    const unsealed = createUnsealed(vault, parts);
    if (!vault.boot.restored) checkBootTable(vault, state);
    const events = unsealEvents(vault, state, time, by);
    startClock(vault, state, time);
    // A peer may prove a rollback until the last moment.
    const decided = () =>
      ({ kind: 'accepted', events: [...events, ...rollbackFreeze(vault, state)], value: null }) as const;
    const { result } = await submit(unsealed, decided);
    await saveBoot(vault, { failedUnseals: { count: 0, lastMs: 0 } });
    enter(vault, unsealed, 'unsealed', sealings);
    if (bytes > LONG_TAIL_BYTES) deps.soon(() => void saveSnapshot(vault));
    const openMs = deps.clock().monotonicMs - derivedMs;
    deps.events.log('info', 'keys and state are loaded', { openMs, wallets: state.wallets.size, entries: state.seq });
    return result;
  } catch (error) {
    sealedKeys.stop();
    ring.lock();
    throw error;
  }
}

function unsealEvents(vault: VaultContext, state: State, time: number, by: ByCommand): readonly VaultEvent[] {
  const { boot, deps } = vault;
  const events: VaultEvent[] = [];
  if (boot.restored) {
    const known = boot.peers.find(({ peer }) => peer === by.by);
    if (!known) throw coded('not_allowed');
    const operator = { ...known, name: freeName(state, known.name, known.peer) };
    events.push({ type: 'vault.restored', identity: identityOf(vault), epoch: state.epoch + 1, operator, ...by });
  }
  events.push({ type: 'vault.unsealed', time, zones: deps.zones.version, ...by });
  if (!clocksAgree(state, time, deps.clock().wallMs)) events.push(disagreement(vault, time));
  return events;
}

function rollbackFreeze({ boot }: VaultContext, state: State): readonly VaultEvent[] {
  if (!boot.rollback || state.signingFrozen) return [];
  return [{ type: 'signing.frozen', reason: 'rollback', words: boot.rollback.words }];
}

/**
 * From now on the wall clock is compared with itself. Where operator and machine disagree, the earlier of the two dates
 * the journal until the time is confirmed: the later one might lie years ahead, and the keep could never go back.
 */
function startClock(vault: VaultContext, state: Pick<State, 'time'>, operatorMs: number): void {
  const now = vault.deps.clock();
  const agreed = clocksAgree(state, operatorMs, now.wallMs);
  vault.clockWatch = watchClock(agreed ? now : { ...now, wallMs: Math.min(now.wallMs, operatorMs) });
}

/** The restored journal knows operators of its own, and one of them may have this name. */
function freeName(state: State, wanted: string, peer: string): string {
  const taken = new Set([...state.peers.values()].filter((each) => each.peer !== peer).map(({ name }) => name));
  const letters = [...wanted];
  let name = wanted;
  for (let i = 2; taken.has(name); i++) {
    const number = ` ${i}`;
    name =
      letters
        .slice(0, MAX_NAME_CHARS - number.length)
        .join('')
        .trimEnd() + number;
  }
  return name;
}

/** Every password tried is counted before it is tried: killing the keep gives no free guess. Returns what was counted before. */
export async function countTry(vault: VaultContext): Promise<FailedUnseals> {
  const nowMs = vault.deps.clock().wallMs;
  const failed = onThisClock(vault.boot.failedUnseals, nowMs);
  if (failed !== vault.boot.failedUnseals) await saveBoot(vault, { failedUnseals: failed });
  const waitMs = retryAfterMs(failed, nowMs);
  if (waitMs > 0) throw coded('unseal_throttled', { retryAfterMs: waitMs });
  await saveBoot(vault, { failedUnseals: { count: failed.count + 1, lastMs: nowMs } });
  return failed;
}

export function passwordError(vault: VaultContext, code: string): CodedError {
  switch (code) {
    case 'wrong_password':
      return coded(code, { retryAfterMs: retryAfterMs(vault.boot.failedUnseals, vault.deps.clock().wallMs) });
    case 'vault_uninitialised':
    case 'vault_busy':
      return coded(code);
    default:
      return coded('internal_error');
  }
}

/** A rotation is unfinished, or a key other than a wallet's waits for re-encryption. */
async function othersBehind(vault: VaultContext, ring: KeyRing): Promise<boolean> {
  if (ring.rootIds().length > 1) return true;
  for (const space of ['receipt-key', 'data-key', 'seed'] as const) {
    for (const { value } of await vault.deps.store.list(space)) if (ring.isBehind(value)) return true;
  }
  return false;
}

/** Re-encrypts what an older scheme or root key still protects; goes on where a kill interrupted it. */
export async function catchUp(vault: VaultContext, ring: KeyRing): Promise<void> {
  const { store, events } = vault.deps;
  const pending = await ring.pendingRewraps(store);
  if (pending === 0 && ring.rootIds().length === 1) return;
  events.log('info', 're-encrypting keys', { pending });
  for (let done = false; !done;) {
    const chunk = await ring.rewrapChunk(store, 500);
    if (chunk.writes.length > 0) await store.commit([], chunk.writes);
    done = chunk.done;
  }
  const finished = await ring.finishRotation(store);
  if (!finished.ok) throw coded('vault_busy', { with: finished.error });
  if (finished.value.writes.length > 0) await store.commit([], finished.value.writes);
  finished.value.adopt();
  await store.checkpoint();
}

/** Whoever the boot table let in and the journal does not know is sent away; the journal is the truth. */
function checkBootTable(vault: VaultContext, state: State): void {
  const { events } = vault.deps;
  if (!knowsPeersOf(vault.boot, state)) {
    events.log('warn', 'the boot table did not agree with the journal; the journal was followed');
  }
  events.peersChecked((peer, role) => isLive(state, peer, role));
}

function disagreement(vault: VaultContext, operatorMs: number): VaultEvent {
  const { wallMs } = vault.deps.clock();
  return {
    type: 'clock.frozen',
    reason: "the operator's clock and the machine's did not agree at the unseal",
    wallMs,
    expectedMs: operatorMs,
  };
}

function enter(vault: VaultContext, unsealed: Unsealed, reason: string, sealings: number): void {
  // Somebody sealed while the password was being hashed: that somebody is right.
  if (vault.sealings !== sealings) throw coded('vault_sealed');
  vault.unsealed = unsealed;
  vault.deps.events.phase('unsealed', reason);
}

/**
 * Of entries behind the last snapshot: so many that the next start is worth another one. Bytes and not entries, for one
 * entry may hold a hundred wallets.
 */
const LONG_TAIL_BYTES = 4 << 20;

/** Submits events as one job and waits until they are durable. */
export function runJob(
  unsealed: Unsealed,
  events: readonly VaultEvent[],
  writes: Parameters<Unsealed['journal']['append']>[1],
  tightens = false,
): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    unsealed.engine.submit({ decide: () => ({ events, writes }), done: resolve, failed: reject, tightens });
  });
}

/**
 * Wipes every key. The journal learns of it first if it can; where it cannot, the vault is sealed all the same: memory
 * is what matters now.
 */
export async function sealVault(
  vault: VaultContext,
  reason: SealReason,
  by: { by: string | null; command: string | null } = { by: null, command: null },
): Promise<JobResult | null> {
  const { unsealed, deps } = vault;
  vault.sealings++;
  if (!unsealed) return null;
  let result: JobResult | null = null;
  unsealed.closing = true;
  try {
    const events = [{ type: 'vault.sealed', reason, ...by } as const];
    // What stands in the same batch before it is folded by then, and nothing comes behind it.
    const decide = (state: State) => ({
      ...({ kind: 'accepted', events, value: null } as const),
      writes: [sealedStanding(deps.boot.cipher, state, state.seq + 1)],
    });
    result = (await submit(unsealed, decide, true)).result;
    // A snapshot takes its time, and only who leaves in peace has it.
    if (reason === 'idle' || reason === 'shutdown') await saveSnapshot(vault);
  } catch (error) {
    deps.events.log('error', 'sealing was not journaled', {
      code: error instanceof CodedError ? error.code : 'unknown',
    });
  }
  wipe(vault, reason);
  return result;
}

/** At once, without the journal. */
export function wipe(vault: VaultContext, reason: string): void {
  const { unsealed } = vault;
  vault.sealings++;
  if (!unsealed) return;
  vault.unsealed = null;
  unsealed.engine.stop(coded('vault_sealed'));
  unsealed.walletKeys.clear();
  unsealed.ring.lock();
  vault.deps.events.phase('sealed', reason);
}

export function newRing(vault: VaultContext): KeyRing {
  const { ringMemory, scheme } = vault.deps;
  return createKeyRing({ memory: ringMemory }, scheme ? { scheme } : {});
}

/** The receipt key of a vault without a root key, sealed under the boot key. */
export const RECEIPT_SEED_KEY = 'receipt-seed';
const RECEIPT_SEED_PLACE = 'boot/receipt-seed';

export function sealReceiptSeed(vault: Pick<VaultContext, 'deps'>, seed: Slot): Uint8Array {
  return vault.deps.boot.sealSecret(RECEIPT_SEED_PLACE, seed);
}

function openReceiptSeed(vault: VaultContext): Slot {
  const sealed = vault.deps.store.get('boot', RECEIPT_SEED_KEY);
  const seed = sealed instanceof Uint8Array ? vault.deps.boot.openSecret(RECEIPT_SEED_PLACE, sealed) : undefined;
  if (!seed) throw new CodedError('boot_key_wrong', 'The receipt key does not open under this boot key.');
  return seed;
}

/** The name of the vault's journal, base64url. */
export function vaultOf({ deps, boot }: VaultContext): string {
  return toBase64url(vaultId(deps.sha256, fromBase64url(boot.receiptKey) ?? new Uint8Array()));
}

/** The identity that the connection string carries, base64url. */
export function identityOf(vault: VaultContext): string {
  const { deps, boot } = vault;
  const receiptKey = fromBase64url(boot.receiptKey) ?? new Uint8Array();
  return toBase64url(keepIdentity(deps.sha256, deps.boot.signer.publicKey, receiptKey));
}
