import { CodedError } from '@keepwatch/base';
import {
  COMMAND_VALUES,
  type CommandName,
  type CommandParams,
  type CommandValue,
  type EntryPurpose,
  type ApprovalInfo,
  type GrantDraft,
  type GrantInfo,
  type MethodParams,
  type MethodResult,
  type PeerInfo,
  type ReplayTotals,
  type SealedBox,
  type VaultStatus,
  type WalletInfo,
} from '@keepwatch/protocol';
import { createEntryRecipient, sealEntry, type IdentitySigner, type JsonObject } from '@keepwatch/wire';
import type { Connection } from './connection.ts';
import { entryCrypto, wireCrypto } from './crypto-node.ts';
import { replayGrants, type ReplayFinding, type ReplayOptions } from './operator-replay.ts';
import { demandReceipt, type CheckedReceipt } from './receipt.ts';
import { allApprovals, allContracts, allGrants, allPeers, allWallets, type RegisteredContract } from './lists.ts';
import { atVersion, signedCommand, type CommandOptions } from './signed-command.ts';

export type { CommandOptions };

export interface CommandAnswer<N extends CommandName> {
  /** The state version after the command. */
  readonly version: number;
  readonly value: CommandValue<N>;
  /** The journal's proof that this very command was carried out; `null` where it leaves no entry. */
  readonly receipt: CheckedReceipt | null;
}

/** Where a secret comes from: bytes that are wiped as soon as they have been sealed. */
export type Secret = Uint8Array;

/** The owner's side of a vault. Every method can throw the codes of `protocol`'s table and of the connection. */
export interface Operator {
  status(): Promise<VaultStatus>;
  peers(): Promise<readonly PeerInfo[]>;
  wallets(): Promise<readonly WalletInfo[]>;
  /** Requests that wait for operators. */
  approvals(): Promise<readonly ApprovalInfo[]>;
  contracts(): Promise<readonly RegisteredContract[]>;
  grants(options?: { readonly revoked?: boolean }): Promise<readonly GrantInfo[]>;
  query<N extends OperatorQuery>(method: N, params: MethodParams<N>): Promise<MethodResult<N>>;
  /**
   * What these grants, and no others, would have decided in the past: the requests in the journal whose verdict would be
   * another, and those that could not be tried; then the totals. Nothing is signed or consumed.
   */
  replay(candidates: readonly GrantDraft[], options?: ReplayOptions): AsyncGenerator<ReplayFinding, ReplayTotals>;
  /** Signs the command and has it carried out. For commands with secrets in them, seal those first. */
  command<N extends CommandName>(
    name: N,
    params: CommandParams<N>,
    options?: CommandOptions,
  ): Promise<CommandAnswer<N>>;
  /** Seals a secret to a one-time key of the vault, so that it opens only in the vault's locked memory. Wipes it. */
  sealSecret(purpose: EntryPurpose, secret: Secret): Promise<SealedBox>;
  /**
   * A wallet's mnemonic or private key, opened by a one-time key of this process. The caller wipes it.
   * Wipes `password`.
   */
  backupWallet(
    wallet: string,
    password: Secret,
  ): Promise<{ readonly kind: 'mnemonic' | 'key'; readonly secret: Secret; readonly receipt: CheckedReceipt | null }>;
  /** Streams an encrypted backup of the whole vault. Wipes `password`, under which it is encrypted. */
  backup(
    password: Secret,
    options: { readonly onProgress?: Progress },
  ): AsyncGenerator<Uint8Array, CheckedReceipt | null>;
  /** Uploads a backup to a vault that has not been initialised, and opens it. Wipes `password`. */
  restore(
    backup: Uint8Array,
    password: Secret,
    options?: { readonly onProgress?: Progress },
  ): Promise<CommandAnswer<'vault.restore'>>;
}

export type OperatorQuery =
  | 'grant.explain'
  | 'grant.lint'
  | 'contract.suggestions'
  | 'journal.read'
  | 'journal.verify'
  | 'journal.receipt'
  | 'receipts.read'
  | 'doctor.report';

export type Progress = (done: number, total: number) => void;

/** Bytes of a backup in one request: 4/3 of them in base64url stay below the method's limit. */
const UPLOAD_BYTES = 120_000;

/** `identity` is the operator's own key, which the connection was opened with. */
export function createOperator(connection: Connection, identity: IdentitySigner): Operator {
  const authority = connection.info;

  const present = async () => (await connection.call('vault.status', {})).version;
  const command: Operator['command'] = (name, params, options = {}) =>
    atVersion(options, present, (expects) => send(name, params, expects));

  async function send<N extends CommandName>(
    name: N,
    params: CommandParams<N>,
    expects: number,
  ): Promise<CommandAnswer<N>> {
    const jws = await signedCommand(identity, {
      vault: authority.vault,
      method: name,
      params: params as JsonObject,
      expects,
    });
    const { version, receipt, value } = await connection.call('command', { jws });
    // A restored vault signs with the receipt key from the backup: its receipts hold under the new identity alone.
    const checkable = receipt !== null && name !== 'vault.restore';
    return { version, value: readValue(name, value), receipt: checkable ? receiptOf(jws, receipt) : null };
  }

  /** The receipt must be for this very command, not for another one of the past. */
  function receiptOf(jws: string, json: unknown): CheckedReceipt {
    const checked = demandReceipt(json, authority);
    if (checked.entry['command'] === jws) return checked;
    throw new CodedError('receipt_other_command', 'The receipt is for another command than the one that was sent.', {
      remedy: 'Do not trust this connection. Look at the vault, and at what its journal says.',
    });
  }

  async function sealSecret(purpose: EntryPurpose, secret: Secret): Promise<SealedBox> {
    try {
      const { key } = await connection.call('entry.begin', { purpose });
      const sealed = sealEntry(entryCrypto, key, connection.sessionId, secret);
      if (sealed.ok && key.purpose === purpose) return sealed.value;
      throw new CodedError('entry_malformed', 'The vault’s one-time key is not valid.');
    } finally {
      secret.fill(0);
    }
  }

  return {
    command,
    sealSecret,
    status: () => connection.call('vault.status', {}),
    peers: () => allPeers(connection),
    wallets: () => allWallets(connection),
    grants: (options = {}) => allGrants(connection, options),
    approvals: () => allApprovals(connection),
    contracts: () => allContracts(connection),
    replay: (candidates, options = {}) => replayGrants(connection, candidates, options),
    query: (method, params) => connection.call(method, params),

    async backupWallet(wallet, password) {
      const recipient = createEntryRecipient(entryCrypto, 'wallet.backup');
      const sealedPassword = await sealSecret('wallet.backup', password);
      const answer = await command('wallet.backup', { wallet, password: sealedPassword, recipient: recipient.key });
      const opened = recipient.open(answer.value.sealed, connection.sessionId);
      if (!opened.ok) throw new CodedError(opened.error, 'The wallet’s backup cannot be opened.');
      return { kind: answer.value.kind, secret: opened.value, receipt: answer.receipt };
    },

    async *backup(password, { onProgress }) {
      const sealed = await sealSecret('vault.backup', password);
      const { receipt } = await command('vault.backup', { password: sealed });
      for (let offset = 0; ;) {
        const { bytes, total } = await connection.call('backup.read', { offset });
        const piece = wireCrypto.codec.fromBase64url(bytes);
        if (!piece || (piece.length === 0 && offset < total)) {
          throw new CodedError('backup_malformed', 'The vault answered with a piece of the backup that is none.');
        }
        yield piece;
        offset += piece.length;
        onProgress?.(offset, total);
        if (offset >= total) return receipt;
      }
    },

    async restore(backup, password, { onProgress } = {}) {
      const total = backup.length;
      if (total === 0) {
        password.fill(0);
        throw new CodedError('backup_malformed', 'The file is empty: it is no backup.', {
          remedy: 'Use another copy of the backup.',
        });
      }
      for (let offset = 0; offset < total; offset += UPLOAD_BYTES) {
        const bytes = wireCrypto.codec.toBase64url(backup.subarray(offset, offset + UPLOAD_BYTES));
        const { received } = await connection.call('backup.write', { offset, total, bytes });
        onProgress?.(received, total);
      }
      const sealed = await sealSecret('vault.restore', password);
      return command('vault.restore', { password: sealed, time: Date.now() });
    },
  };
}

function readValue<N extends CommandName>(name: N, value: unknown): CommandValue<N> {
  if (!Object.hasOwn(COMMAND_VALUES, name)) return null as CommandValue<N>;
  const parsed = COMMAND_VALUES[name as keyof typeof COMMAND_VALUES].safeParse(value);
  if (parsed.success) return parsed.data as CommandValue<N>;
  throw new CodedError('message_malformed', `The vault answered ${name} with something else than was agreed.`, {
    remedy: 'Update this client or the vault, so that both speak the same version.',
  });
}
