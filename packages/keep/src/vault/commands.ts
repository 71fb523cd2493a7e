import { CodedError } from '@keepwatch/base';
import {
  COMMANDS,
  type CommandName,
  type CommandParams,
  type AnyCommandSpec,
  type MethodResult,
  type ReceiptJson,
} from '@keepwatch/protocol';
import { openCommand, type Command } from '@keepwatch/wire';
import { identityOf, initVault, exclusively, phaseOf, sealVault, unsealVault } from './lifecycle.ts';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { isPolicyCommand, stepCommand } from '../step/commands.ts';
import { prepareBackup } from './backup.ts';
import type { VaultContext } from './context.ts';
import type { JobResult } from './engine.ts';
import { changePassword, rotateRoot } from './rotation.ts';
import { restoreVault } from './restore.ts';
import { decideAt, type CarriedOut, type Order } from './order.ts';
import type { TlsEdge } from './tls-edge.ts';
import { addWallets, backUpWallet, importWallet } from './wallets.ts';
import { watchClock } from './keep-clock.ts';

/** Carries out what operators sign. Authority, freshness and version are checked here, once, for every command. */

/** How long a command may live, ms: so long are the ids of carried-out commands remembered. */
const MAX_LIFETIME_MS = 10 * 60_000;
const MAX_REMEMBERED = 100_000;

/**
 * What a vault takes, besides what tightens, while a rollback that a peer proved is not settled: operators that were
 * revoked in the lost history are operators here. They shall not let anybody in, grant or export anything on the quiet;
 * a resume names who stays, and everybody sees it.
 */
const BEFORE_RESUME: readonly CommandName[] = ['vault.unseal', 'vault.resume', 'vault.confirm-time'];

function historyLost(words: string): CodedError {
  return new CodedError('signing_frozen', `Until a resume this vault takes only what tightens: ${words}.`, {
    remedy: 'Look into the reason, then say with `keepwatch vault resume` who and what stays in force.',
  });
}

export interface Commands {
  run(session: PeerSession, jws: string): Promise<MethodResult<'command'>>;
}

export function createCommands(vault: VaultContext, edge: TlsEdge): Commands {
  /** Ids of accepted commands and until when they are remembered. After a restart the state version takes over. */
  const seen = new Map<string, number>();

  function remember(command: Command, nowMs: number): void {
    for (const [id, until] of seen) {
      if (until > nowMs) break;
      seen.delete(id);
    }
    if (seen.has(command.id)) throw coded('command_repeated');
    if (seen.size >= MAX_REMEMBERED) throw coded('rate_limited');
    seen.set(command.id, nowMs + MAX_LIFETIME_MS);
  }

  return {
    async run(session, jws) {
      const nowMs = vault.deps.clock().wallMs;
      const command = open(vault, session, jws, nowMs);
      const name = command.method;
      if (!isCommand(name)) throw coded('method_unknown', { command: name });
      const spec: AnyCommandSpec = COMMANDS[name];
      const parsed = spec.params.safeParse(command.params);
      if (!parsed.success) {
        const issues = parsed.error.issues.slice(0, 8).map(({ path, message }) => `${path.join('.')}: ${message}`);
        throw coded('params_invalid', { issues });
      }
      checkPhase(vault, spec.phase);
      const tightens = spec.tightens === true;
      if (vault.boot.rollback && !tightens && !BEFORE_RESUME.includes(name))
        throw historyLost(vault.boot.rollback.words);
      if (!tightens && command.expects !== versionOf(vault)) throw conflict(vault, command);
      remember(command, nowMs);
      const order: Order = {
        vault,
        session,
        by: { by: session.peer, command: jws },
        expects: tightens ? null : command.expects,
        wallMs: nowMs,
      };
      const { result, value } = await carryOut(order, edge, { name, params: parsed.data } as AnyCommand);
      return {
        version: versionOf(vault),
        receipt: result && result.events > 0 ? receiptOf(result, jws) : null,
        value,
      };
    },
  };
}

/** Of the last event that the command caused: what it only brought to light (a wrong clock, an old history) may stand behind. */
function receiptOf({ events, receipt }: JobResult, jws: string): ReceiptJson {
  for (let i = events - 1; i > 0; i--) {
    const found = receipt(i);
    if ((JSON.parse(found.entry) as { command?: unknown }).command === jws) return found;
  }
  return receipt(0);
}

export type AnyCommand = { [N in CommandName]: { readonly name: N; readonly params: CommandParams<N> } }[CommandName];

async function carryOut(order: Order, edge: TlsEdge, command: AnyCommand): Promise<CarriedOut> {
  const { vault, session, by } = order;
  if (isPolicyCommand(command)) return carryOutPolicy(order, command);
  switch (command.name) {
    case 'vault.init':
      return done(await exclusively(vault, command.name, () => initVault(vault, session, command.params, by)));
    case 'vault.unseal':
      return done(await exclusively(vault, command.name, () => unsealVault(vault, session, command.params, by)));
    case 'vault.restore':
      return exclusively(vault, command.name, () => restoreVault(order, command.params));
    case 'vault.seal':
      return done(await sealVault(vault, 'command', by));
    case 'vault.password':
      return exclusively(vault, command.name, () => changePassword(order, command.params));
    case 'vault.rotate-root':
      return exclusively(vault, command.name, () => rotateRoot(order, command.params));
    case 'vault.rotate-tls':
      return exclusively(vault, command.name, () => edge.rotate(order));
    case 'vault.backup':
      return exclusively(vault, command.name, () => prepareBackup(order, command.params));
    case 'wallet.create':
      return addWallets(order, command.params);
    case 'wallet.import':
      return importWallet(order, command.params);
    case 'wallet.backup':
      return exclusively(vault, command.name, () => backUpWallet(order, command.params));
    default:
      throw new CodedError('internal_error', 'A command has no one to carry it out.');
  }
}

async function carryOutPolicy(order: Order, command: Extract<AnyCommand, Parameters<typeof stepCommand>[1]>) {
  const { vault, by, wallMs } = order;
  const submitted = await decideAt(order, (state, keepMs) =>
    stepCommand(state, command, by, { wallMs, keepMs }, vault.deps),
  );
  if (command.name === 'vault.confirm-time') vault.clockWatch = watchClock(vault.deps.clock());
  return submitted;
}

const done = (result: JobResult | null): CarriedOut => ({ result, value: null });

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

export function versionOf(vault: VaultContext): number {
  return vault.unsealed?.state.version ?? vault.boot.version;
}

function conflict(vault: VaultContext, command: Command): CodedError {
  const version = versionOf(vault);
  return coded('version_conflict', { version, expected: command.expects });
}

function checkPhase(vault: VaultContext, needed: AnyCommandSpec['phase']): void {
  const phase = phaseOf(vault);
  if (needed === phase || (needed === 'initialised' && phase !== 'uninitialised')) return;
  switch (phase) {
    case 'uninitialised':
      throw coded('vault_uninitialised');
    case 'sealed':
      throw coded(needed === 'uninitialised' ? 'vault_initialised' : 'vault_sealed');
    case 'unsealed':
      throw coded(needed === 'uninitialised' ? 'vault_initialised' : 'vault_unsealed');
  }
}

/**
 * Commands that bring the operator's time with them are opened by that time: they must reach a machine whose clock is
 * wrong. Fresh they are all the same, for the one-time key in them, or the version that they expect, serves once.
 */
function open(vault: VaultContext, session: PeerSession, jws: string, nowMs: number): Command {
  const identity = identityOf(vault);
  const context = { vault: identity, nowMs, maxLifetimeMs: MAX_LIFETIME_MS };
  const opened = openCommand(vault.deps.crypto, session.key, jws, context);
  if (opened.ok) return opened.value;
  if (opened.error === 'command_expired') {
    const timed = openCommand(vault.deps.crypto, session.key, jws, { ...context, nowMs: 0, maxLifetimeMs: Infinity });
    if (timed.ok && isFreshByItsOwnTime(timed.value)) return timed.value;
  }
  throw coded(opened.error);
}

function isFreshByItsOwnTime({ method, params, expires }: Command): boolean {
  const time = params['time'];
  return (
    ['vault.init', 'vault.unseal', 'vault.confirm-time', 'vault.restore'].includes(method) &&
    typeof time === 'number' &&
    expires > time &&
    expires - time <= MAX_LIFETIME_MS
  );
}
