import type { CodedError, Entropy, Instant, Keccak256, MaybePromise, Sha256, TokenBucket } from '@keepwatch/base';
import type { Journal, JournalStore } from '@keepwatch/journal';
import type { Zones } from '@keepwatch/permission';
import type { ReplayTotals, VaultStatus } from '@keepwatch/protocol';
import type { WireCrypto } from '@keepwatch/wire';
import type { BootKey } from '../boot/boot-key.ts';
import type { BootTable } from '../boot/boot-table.ts';
import type { EntryKeys, KeyRing, SecureMemory, SigningThread } from '../secure/index.ts';
import type { Approval } from '../state/approvals.ts';
import type { State } from '../state/state.ts';
import type { PeerSession } from '../peers/sessions.ts';
import type { Registries } from '../step/registries.ts';
import type { Replay } from '../step/replay.ts';
import type { StepDeps } from '../step/step.ts';
import type { ClockWatch } from './keep-clock.ts';
import type { Engine } from './engine.ts';
import type { WalletKeys } from './wallet-keys.ts';
import type { WalletRoom } from './wallet-room.ts';

/** A store that can also make overwritten records leave its write-ahead log. */
export interface KeepStore extends JournalStore {
  checkpoint(): MaybePromise<void>;
}

/** What the vault is given: everything that reaches outside of it. */
export interface VaultDeps {
  readonly store: KeepStore;
  /** Where the vault's files lie; scratch files of backups stand beside them. */
  readonly dataDir: string;
  /** For what lives as long as the process: boot key, one-time keys, passwords on their way. */
  readonly memory: SecureMemory;
  /** For root, data and wallet keys: sealing wipes all of it. */
  readonly ringMemory: SecureMemory;
  readonly boot: BootKey;
  readonly crypto: WireCrypto;
  readonly sha256: Sha256;
  readonly keccak256: Keccak256;
  readonly zones: Zones;
  readonly registries: Registries;
  readonly clock: () => Instant;
  readonly entropy: Entropy;
  readonly soon: (run: () => void) => void;
  /** Space on the disk that is held back for sealing and revoking. */
  readonly reserve: DiskReserve;
  /** The outside world learns of it: sessions, supervisor, log. */
  readonly events: VaultEvents;
  /** The scheme under which a new vault encrypts; older ones exist so that older vaults open. */
  readonly scheme?: 1 | 2;
  /** Sees the first keys of `ringMemory`, and signs with them. */
  readonly signingThread?: Pick<SigningThread, 'sign' | 'hasUnclaimed'>;
}

export interface DiskReserve {
  /** Bytes free where the journal lies, the reserve not counted. */
  readonly low: () => boolean;
  release(): void;
  restore(): void;
}

/** What became of a request that waits. */
export interface ApprovalDecided {
  readonly approval: string;
  readonly state: 'waiting' | 'approved' | 'rejected';
  readonly given: number;
  readonly needed: number;
}

export interface VaultEvents {
  readonly phase: (phase: VaultStatus['phase'], reason: string) => void;
  readonly peerGone: (peer: string, reason: string) => void;
  /** After an unseal or restore: sessions that the journal does not support end. */
  readonly peersChecked: (live: (peer: string, role: string) => boolean) => void;
  /** A request was decided; `observers` may follow the wallet's receipts. */
  readonly decided: (wallet: string, observers: ReadonlySet<string>, receipt: () => unknown) => void;
  /** A request waits for operators; or what became of one, for the client that asked. */
  readonly approvalAsked: (approval: Approval) => void;
  readonly approvalDecided: (client: string, decided: ApprovalDecided) => void;
  readonly proposed: (peer: string, role: 'operator' | 'client', name: string) => void;
  readonly log: (level: 'info' | 'warn' | 'error', words: string, details?: Record<string, unknown>) => void;
  /** The store can no longer be trusted to hold what memory believes: the process has to end. */
  readonly fatal: (error: CodedError) => void;
}

/** What exists only while the vault is unsealed. */
export interface Unsealed {
  readonly state: State;
  readonly engine: Engine;
  readonly journal: Journal;
  readonly ring: KeyRing;
  readonly walletRoom: WalletRoom;
  readonly walletKeys: WalletKeys;
  lastActivityMs: number;
  entriesSinceSnapshot: number;
  /** Ends when no snapshot is being saved. */
  snapshot: Promise<void>;
  /** The seal is on its way to the journal: nothing else is taken in, so that nothing is signed behind it. */
  closing: boolean;
  /** At most one at a time, so that memory stays bounded: it holds a second state. */
  replay: ReplayRun | null;
}

/** Candidate grants on their way through the journal, for one operator's session. */
export interface ReplayRun {
  readonly session: PeerSession;
  readonly replay: Replay;
  readonly deps: StepDeps;
  /** Characters of JSON of the candidates so far. */
  chars: number;
  /** The last entry that is looked at. */
  upTo: number;
  totals: ReplayTotals;
  /** A step is under way. */
  busy: boolean;
}

/** The vault's memory. One object, changed by the lifecycle alone. */
export interface VaultContext {
  readonly deps: VaultDeps;
  readonly entryKeys: EntryKeys;
  boot: BootTable;
  clockWatch: ClockWatch;
  unsealed: Unsealed | null;
  /** A lifecycle command is under way (unseal, restore …): no other starts. */
  busy: string | null;
  /** The next challenge's number. */
  nextNonce: number;
  /** How often the vault was told to seal: an unseal that was under way meanwhile must not succeed. */
  sealings: number;
  readonly strangers: TokenBucket;
}
