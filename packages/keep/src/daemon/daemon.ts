import { CodedError, fromBase64url, type Clock, type Json, createZones } from '@keepwatch/base';
import { openSqliteStore, type SqliteStore } from '@keepwatch/journal';
import { decodeLinkControl, type LinkWriter } from '@keepwatch/protocol';
import { createKeepHandshake } from '@keepwatch/wire';
import { loadBootKey } from '../boot/boot-key.ts';
import { createKeccak256 } from '../crypto/keccak.ts';
import { createWireCrypto, sha256 } from '../crypto/wire-crypto.ts';
import type { JailReport } from '../jail/jail.ts';
import { createHandlers, type Handlers } from '../methods/handlers.ts';
import { createSigning } from '../methods/sign.ts';
import { openLink } from '../peers/link-io.ts';
import { createSessions, type PeerSession, type SessionHost, type Sessions } from '../peers/sessions.ts';
import { createSecureMemory, randomBytes, randomizeSigner, type SigningThread } from '../secure/index.ts';
import { dropReplay } from '../methods/replay.ts';
import { dropBackup } from '../vault/backup.ts';
import { createCommands } from '../vault/commands.ts';
import type { DiskReserve, VaultContext, VaultEvents } from '../vault/context.ts';
import { createDiskReserve } from '../vault/disk-reserve.ts';
import { phaseOf, sealVault, wipe } from '../vault/lifecycle.ts';
import { dropUpload } from '../vault/restore.ts';
import { createTlsEdge, type TlsEdge } from '../vault/tls-edge.ts';
import { acceptPeer, admit, advanceNonce, openVault, statusFor, tick } from '../vault/vault.ts';
import { approvalInfo } from '../methods/desk.ts';
import { createRegistries } from '../step/registries.ts';
import { connectionString, offerToken, removeTokenFile, type Address } from './bootstrap.ts';
import { examine } from './doctor.ts';
import type { Log } from './log.ts';

export interface DaemonOptions {
  readonly dataDir: string;
  /** File of the boot key; in the data directory unless a credential is given. */
  readonly bootKeyPath: string;
  readonly linkFd: number;
  readonly allowUnlockedMemory: boolean;
  readonly adoptTls: boolean;
  /** The encryption scheme of a new vault; the current one unless an older release must read it. */
  readonly scheme?: 1 | 2;
}

export interface DaemonDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly jail: JailReport;
  /** To the supervisor. */
  readonly report: (event: Record<string, unknown>) => void;
  /** The process must end: what memory believes may not be what the disk holds, or gate is gone. */
  readonly exit: (code: number) => void;
  /** Left out: one thread signs everything. */
  readonly signingThread: SigningThread | undefined;
}

export interface Daemon {
  /** Where peers reach the edge. */
  listening(address: Address): void;
  seal(reason: 'sleep' | 'shutdown'): Promise<void>;
}

const CHALLENGE_LIFETIME_MS = 10_000;
const TICK_MS = 1_000;
const EXIT_STORAGE = 74;

/** Wires the keep together. Decides nothing. */
export async function startDaemon(options: DaemonOptions, deps: DaemonDeps): Promise<Daemon> {
  const { clock, log, report } = deps;
  const memoryOptions = { allowUnlockedMemory: options.allowUnlockedMemory };
  const memory = createSecureMemory(memoryOptions);
  const { signingThread } = deps;
  const ringMemory = createSecureMemory(signingThread ? { ...memoryOptions, shared: signingThread } : memoryOptions);
  randomizeSigner(memory);
  const crypto = createWireCrypto();
  const keccak256 = await createKeccak256();
  const now = () => clock.now();
  // Sessions, link and TLS edge need the vault and the vault tells them what happened: they meet here.
  const late: { sessions?: Sessions; writer?: LinkWriter; announce?: () => void } = {};
  let address: Address | null = null;
  let edgeReady = false;
  let announced = '';

  const events: VaultEvents = {
    log,
    phase(phase, reason) {
      log('info', `the vault is ${phase}`, { reason });
      report({ event: phase === 'sealed' ? 'sealed' : 'phase', phase, reason });
      late.sessions?.notify(({ caller }) => caller === 'operator', 'vault.phase', { phase, reason });
      // A restore gives the vault another identity.
      late.announce?.();
    },
    peerGone: (peer, reason) => late.sessions?.endPeer(peer, reason),
    peersChecked: (live) =>
      late.sessions?.endUnless(({ peer, caller }) => caller === 'candidate' || live(peer, caller), 'peer_unknown'),
    decided(wallet, observers, receipt) {
      const params = { wallet, receipt: receipt() } as Json;
      late.sessions?.notify(({ peer, caller }) => caller === 'client' && observers.has(peer), 'receipt', params);
    },
    approvalAsked(approval) {
      const params = { approval: approvalInfo(approval) } as unknown as Json;
      late.sessions?.notify(({ caller }) => caller === 'operator', 'approval.asked', params);
    },
    approvalDecided(client, decided) {
      const params = { ...decided } as unknown as Json;
      late.sessions?.notify(({ peer, caller }) => caller === 'client' && peer === client, 'approval.decided', params);
    },
    proposed: (peer, role, name) =>
      late.sessions?.notify(({ caller }) => caller === 'operator', 'peer.proposed', { peer, role, name }),
    fatal(error) {
      log('error', 'the store failed; the keep ends and starts again sealed', { code: error.code });
      deps.exit(EXIT_STORAGE);
    },
  };

  // The boot key first: the store syncs the directory, and with it the new file's name.
  const boot = loadBootKey(memory, options.bootKeyPath);
  const reserve = createDiskReserve(options.dataDir, () => clock.now().monotonicMs);
  const store = openStore(`${options.dataDir}/vault.db`, reserve);
  reserve.restore();
  const vault = await openVault({
    store,
    boot,
    dataDir: options.dataDir,
    memory,
    ringMemory,
    crypto,
    sha256,
    keccak256,
    registries: createRegistries(keccak256),
    zones: createZones(process.versions.tz),
    clock: now,
    entropy: randomBytes,
    soon: (run) => void setImmediate(run),
    reserve,
    events,
    ...(signingThread ? { signingThread } : {}),
    ...(options.scheme ? { scheme: options.scheme } : {}),
  });

  const announce = () => {
    const connection = connectionString(vault, address);
    if (!edgeReady || !address || connection === undefined || connection === announced) return;
    announced = connection;
    // First, for it is written to the disk: a vault that cannot is not ready.
    const offer = offerToken(vault, address);
    report({ event: 'ready', phase: phaseOf(vault), connection });
    if (offer) report({ event: 'bootstrap', ...offer });
  };
  late.announce = announce;

  const tls = createTlsEdge(vault, {
    send: (message) => late.writer?.control(message),
    rotated(statement) {
      late.sessions?.notify(() => true, 'tls.rotated', { statement });
      announce();
    },
    ready() {
      edgeReady = true;
      announce();
    },
    adopt: options.adoptTls,
  });
  const signing = createSigning(vault);
  const handlers = createHandlers({
    vault,
    commands: createCommands(vault, tls),
    signing,
    sessions: () => late.sessions!,
    doctor: () => ({ findings: examine(vault, deps.jail, { unjournaledDenials: signing.unjournaled() }) }),
  });

  const link = openLink(options.linkFd, {
    frame(frame) {
      if (frame.type !== 'control') return late.sessions!.frame(frame);
      const message = decodeLinkControl(frame.payload);
      if (message) tls.control(message);
    },
    closed(why) {
      log('warn', 'the link to gate is gone', { why });
      tls.linkLost();
      late.sessions!.dropAll();
      deps.exit(0);
    },
  });
  late.writer = link.writer;
  late.sessions = createSessions(
    sessionHost(vault, handlers, { announceUsed: () => tokenUsed(vault, report), log }, tls),
    link.writer,
  );

  const timer = setInterval(() => {
    tick(vault).catch((error: CodedError) => log('warn', 'a tick failed', { code: error.code }));
  }, TICK_MS);
  timer.unref();

  return {
    listening(at) {
      address = at;
      announce();
    },
    async seal(reason) {
      await sealVault(vault, reason);
      wipe(vault, reason);
    },
  };
}

/** Opening settles the write-ahead log, which takes space: on a full disk the reserve gives it. */
function openStore(path: string, reserve: DiskReserve): SqliteStore {
  try {
    return openSqliteStore({ path });
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'storage_full') throw error;
    reserve.release();
    return openSqliteStore({ path });
  }
}

function tokenUsed(vault: VaultContext, report: DaemonDeps['report']): void {
  removeTokenFile(vault.deps.dataDir);
  report({ event: 'bootstrapped' });
}

function sessionHost(
  vault: VaultContext,
  handlers: Handlers,
  tell: { announceUsed: () => void; log: Log },
  tls: TlsEdge,
): SessionHost {
  return {
    now: () => vault.deps.clock().wallMs,
    handshake: () =>
      createKeepHandshake(
        {
          crypto: vault.deps.crypto,
          boot: vault.deps.boot.signer,
          receiptPublicKey: fromBase64url(vault.boot.receiptKey)!,
          admit: (claim) => admit(vault, claim),
          advanceNonce: () => advanceNonce(vault),
        },
        { tlsPins: tls.pins(), lifetimeMs: CHALLENGE_LIFETIME_MS },
      ),
    accept(accepted) {
      const admitted = acceptPeer(vault, accepted);
      if (accepted.tokenProved && 'caller' in admitted) tell.announceUsed();
      return admitted;
    },
    ready: ({ peer, caller }) => ({ peer, caller, status: statusFor(vault, caller) }) as unknown as Json,
    call: (session: PeerSession, method, params) => handlers[method](session, params as never),
    sealed() {
      const phase = phaseOf(vault);
      return phase === 'unsealed' ? null : phase === 'sealed' ? 'vault_sealed' : 'vault_uninitialised';
    },
    ended(session) {
      vault.entryKeys.forget(session.id);
      dropBackup(session);
      dropUpload(session);
      dropReplay(vault, session);
    },
    // After the promises of this turn: a batch's answers are all there by then.
    soon: (run) => process.nextTick(run),
    log: tell.log,
  };
}
