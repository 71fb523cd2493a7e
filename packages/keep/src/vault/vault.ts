import { createTokenBucket, fromBase64url, toBase64url, type CodedError } from '@keepwatch/base';
import type { StoredBatch } from '@keepwatch/journal';
import type { Caller, SignedHeadJson, VaultStatus } from '@keepwatch/protocol';
import { headToJson, type AcceptedPeer, type Admission, type PeerClaim } from '@keepwatch/wire';
import { BOOT_TABLE_RECORD, decodeBootTable, type BootPeer } from '../boot/boot-table.ts';
import { retryAfterMs } from '../boot/throttle.ts';
import { peerId, toPeerKey } from '../peers/peer-id.ts';
import { judgeRememberedHead } from '../peers/remembered-head.ts';
import { coded } from '../peers/sessions.ts';
import { createEntryKeys, ed25519PublicKey, ed25519SigningKey, ed25519Verify } from '../secure/index.ts';
import { mayConnect } from '../state/state.ts';
import { saveBootNow } from './boot-state.ts';
import type { VaultContext, VaultDeps } from './context.ts';
import { lookAtClock, watchClock } from './keep-clock.ts';
import { identityOf, phaseOf, RECEIPT_SEED_KEY, runJob, sealReceiptSeed, sealVault, vaultOf } from './lifecycle.ts';
import { sweepScratchFiles } from './scratch-files.ts';
import { keepTime } from './unsealed.ts';

/** The vault as its process holds it: what is true at the start, who is let in, and what time does to it. */

const ENTRY_LIFETIME_MS = 2 * 60_000;
const ENTRY_LIMIT = 64;
/** Challenge numbers are taken in blocks, so that a handshake costs no write and a restart never goes back. */
const NONCE_BLOCK = 4_096;
/** Handshakes of keys that nobody has registered, for all of them together. */
const STRANGERS = { perSecond: 8, burst: 64 };
const TOKEN_LIFETIME_MS = 24 * 3_600_000;

export async function openVault(deps: VaultDeps): Promise<VaultContext> {
  sweepScratchFiles(deps.dataDir);
  const boot = decodeBootTable(deps.boot.cipher, await deps.store.get(BOOT_TABLE_RECORD.space, BOOT_TABLE_RECORD.key));
  const vault: VaultContext = {
    deps,
    entryKeys: createEntryKeys(deps.memory, { lifetimeMs: ENTRY_LIFETIME_MS, limit: ENTRY_LIMIT }),
    boot,
    clockWatch: watchClock(deps.clock()),
    unsealed: null,
    busy: null,
    nextNonce: boot.nonceCeiling,
    sealings: 0,
    strangers: createTokenBucket(STRANGERS.perSecond, STRANGERS.burst, deps.clock().monotonicMs),
  };
  if (boot.receiptKey === '') await makeReceiptKey(vault);
  return vault;
}

/** First start: the receipt key exists before there is a password, because the identity that peers pin commits to it. */
async function makeReceiptKey(vault: VaultContext): Promise<void> {
  const { memory, store } = vault.deps;
  const seed = memory.allocRandom(32);
  const key = ed25519SigningKey(memory, seed);
  await store.commit([], [{ op: 'put', space: 'boot', key: RECEIPT_SEED_KEY, value: sealReceiptSeed(vault, seed) }]);
  saveBootNow(vault, { receiptKey: toBase64url(ed25519PublicKey(key)) });
  memory.free(seed);
  memory.free(key);
}

/** A new bootstrap token while nobody is registered; null where there is an operator. */
export function freshToken(vault: VaultContext): { token: string; expiresMs: number } | null {
  if (vault.boot.peers.length > 0) return null;
  const token = {
    token: toBase64url(vault.deps.entropy(32)),
    expiresMs: vault.deps.clock().wallMs + TOKEN_LIFETIME_MS,
  };
  saveBootNow(vault, { token });
  return token;
}

/** Whether this key may begin a session. Without effect: anybody can cause it. */
export function admit(vault: VaultContext, claim: PeerClaim): Admission {
  const known = registered(vault, claim);
  if (claim.wish === 'session') {
    return known?.role === claim.role ? { admit: true } : { admit: false, code: 'peer_unknown' };
  }
  if (claim.role === 'operator' && vault.boot.peers.length === 0) {
    const { token } = vault.boot;
    if (!token || token.expiresMs <= vault.deps.clock().wallMs) return { admit: false, code: 'token_invalid' };
    return { admit: true, token: fromBase64url(token.token)! };
  }
  // Proposals are journaled, so a sealed vault takes none; and a handshake costs work, so strangers get few.
  const open = vault.unsealed !== null && vault.strangers.take(vault.deps.clock().monotonicMs);
  return open ? { admit: true } : { admit: false, code: 'registration_closed' };
}

function registered(vault: VaultContext, claim: PeerClaim): BootPeer | undefined {
  const id = peerId(vault.deps.sha256, claim.key);
  if (!vault.unsealed) return vault.boot.peers.find(({ peer }) => peer === id);
  const { state } = vault.unsealed;
  return mayConnect(state, id) ? state.peers.get(id) : undefined;
}

/** A challenge's number: never the same twice, over restarts too. */
export function advanceNonce(vault: VaultContext): number {
  if (vault.nextNonce >= vault.boot.nonceCeiling) saveBootNow(vault, { nonceCeiling: vault.nextNonce + NONCE_BLOCK });
  return vault.nextNonce++;
}

/**
 * A peer has proved its key. A proved token registers the first operator and is used up in the same transaction, so
 * that of two peers with one token only one becomes it.
 */
export function acceptPeer(
  vault: VaultContext,
  accepted: AcceptedPeer,
): { peer: string; caller: 'operator' | 'client' | 'candidate' } | CodedError {
  const { claim, tokenProved } = accepted;
  const peer = peerId(vault.deps.sha256, claim.key);
  if (tokenProved) {
    if (vault.boot.peers.length > 0 || !vault.boot.token) return coded('token_invalid');
    const operator: BootPeer = { peer, role: 'operator', name: 'first operator', key: toPeerKey(claim.key) };
    saveBootNow(vault, { token: null, peers: [operator] });
    return { peer, caller: 'operator' };
  }
  compareHead(vault, peer, accepted.head);
  // Between challenge and proof the peer may have been revoked.
  const known = registered(vault, claim);
  if (claim.wish === 'session')
    return known?.role === claim.role ? { peer, caller: known.role } : coded('peer_unknown');
  return { peer, caller: 'candidate' };
}

/** A remembered head that this journal does not hold: an older database was put back. Nothing is signed any more. */
function compareHead(vault: VaultContext, peer: string, head: unknown): void {
  if (!vault.boot.initialised) return;
  const { store, sha256, events } = vault.deps;
  const verdict = judgeRememberedHead(
    head,
    {
      vault: vaultOf(vault),
      receiptPublicKey: fromBase64url(vault.boot.receiptKey)!,
      last: store.lastBatch() as StoredBatch | undefined,
      batchEndingAt: (seq) => store.batchEndingAt(seq) as StoredBatch | undefined,
    },
    { sha256, ed25519Verify },
  );
  if ((verdict !== 'behind' && verdict !== 'beside') || vault.boot.rollback) return;
  const remembered = head as SignedHeadJson;
  const words =
    verdict === 'behind'
      ? `a peer remembers entry ${remembered.lastSeq}, which this journal does not have: an older database was put back`
      : `a peer remembers another entry ${remembered.lastSeq} than this journal has: it is not the database that peer knows`;
  events.log('error', 'rollback detected', { verdict, peer, seq: remembered.lastSeq });
  saveBootNow(vault, { rollback: { words, head: remembered, since: vault.deps.clock().wallMs } });
  if (!vault.unsealed || vault.unsealed.state.signingFrozen) return;
  runJob(vault.unsealed, [{ type: 'signing.frozen', reason: 'rollback', words }], [], true).catch((error: unknown) =>
    events.log('error', 'the freeze was not journaled', { error: String(error) }),
  );
}

/** What a caller may know of the vault: a stranger learns only that it is there, a client not how many others there are. */
export function statusFor(vault: VaultContext, caller: Caller): VaultStatus {
  const status = statusOf(vault);
  switch (caller) {
    case 'operator':
      return status;
    case 'client':
      return { ...status, counts: null };
    case 'candidate':
      return { ...status, counts: null, head: null, version: 0, idleSealSeconds: null, retryAfterMs: 0 };
  }
}

export function statusOf(vault: VaultContext): VaultStatus {
  const { deps, boot, unsealed } = vault;
  const now = deps.clock().wallMs;
  const last = deps.store.lastBatch() as StoredBatch | undefined;
  const state = unsealed?.state;
  return {
    phase: phaseOf(vault),
    identity: identityOf(vault),
    version: state?.version ?? boot.version,
    epoch: state?.epoch ?? boot.epoch,
    time: unsealed ? keepTime(vault, unsealed.state) : now,
    clockFrozen: state?.clockFrozen ?? null,
    signingFrozen:
      state?.signingFrozen ?? (boot.rollback ? { reason: boot.rollback.words, since: boot.rollback.since } : null),
    head: last ? headJson(vault, last) : null,
    retryAfterMs: retryAfterMs(boot.failedUnseals, now),
    idleSealSeconds: state?.idleSealSeconds ?? null,
    counts: state ? countsOf(state) : null,
  };
}

function countsOf(state: NonNullable<VaultContext['unsealed']>['state']): VaultStatus['counts'] {
  const live = [...state.peers.values()].filter(({ revoked }) => revoked === null);
  return {
    operators: live.filter(({ role }) => role === 'operator').length,
    clients: live.filter(({ role }) => role === 'client').length,
    wallets: state.wallets.size,
    grants: [...state.grants.values()].filter(({ revoked }) => revoked === null).length,
    proposals: state.proposals.size,
  };
}

/** A batch's head, which can be read while sealed. */
export function headJson(vault: VaultContext, batch: StoredBatch): SignedHeadJson {
  const { epoch, firstSeq, lastSeq, root, prev, timeMs, signature } = batch;
  return headToJson({ version: 1, vault: vaultOf(vault), epoch, firstSeq, lastSeq, root, prev, timeMs, signature });
}

/** Once a second: did the machine sleep, did the wall clock jump, has nobody asked for anything for long? */
export async function tick(vault: VaultContext): Promise<void> {
  const { deps } = vault;
  const now = deps.clock();
  const { verdict, watch } = lookAtClock(vault.clockWatch, now);
  vault.clockWatch = watch;
  const { unsealed } = vault;
  if (!unsealed) return;
  if (verdict.kind === 'slept') {
    deps.events.log('warn', 'the machine slept; the vault seals', { forMs: Math.round(verdict.forMs) });
    // Not one at a time like other commands: whatever is under way, sealing comes first.
    await sealVault(vault, 'resume-from-sleep');
    return;
  }
  if (verdict.kind === 'jumped' && !unsealed.state.clockFrozen) {
    const reason = `the clock jumped by ${Math.round(verdict.byMs / 1000)} s`;
    deps.events.log('error', reason);
    const event = {
      type: 'clock.frozen',
      reason,
      wallMs: now.wallMs,
      expectedMs: Math.round(verdict.expectedMs),
    } as const;
    await runJob(unsealed, [event], [], true);
    return;
  }
  const { idleSealSeconds } = unsealed.state;
  if (idleSealSeconds !== null && now.monotonicMs - unsealed.lastActivityMs > idleSealSeconds * 1_000) {
    await sealVault(vault, 'idle');
  }
}

/** Whether a receipt's wallet is one that this peer may follow. */
export function mayObserve(vault: VaultContext, peer: string, wallet: string): boolean {
  return vault.unsealed?.state.peers.get(peer)?.observes.has(wallet) ?? false;
}
