import { assertNever } from '@keepwatch/base';
import {
  constraintsOf,
  describeGrant,
  isBudgetConstraint,
  parseGrant,
  permits,
  unknownZones,
} from '@keepwatch/permission';
import type { CommandName, CommandParams } from '@keepwatch/protocol';
import type { ByCommand, NewWallet } from '../state/events.ts';
import { raisedFloorIsLower } from '../state/nonces.ts';
import { clientOf, mayCommand, nonceKey, type State } from '../state/state.ts';
import { giveApproval, rejectApproval } from './approval-commands.ts';
import { accept, type CommandOutcome } from './command-outcome.ts';
import { registerContract, removeContract } from './contract-commands.ts';
import { namesOfGrant } from './grant-names.ts';
import { settleRequest } from './settlement.ts';
import { refuse, type StepDeps } from './step.ts';

/** How far the operator's clock and the machine's may differ, in ms, for the operator's to confirm it. */
export const TIME_TOLERANCE_MS = 120_000;

/** Commands that change nothing but the folded state: decided here, without keys or I/O. */
export type PolicyCommand = {
  [N in PolicyCommandName]: { readonly name: N; readonly params: CommandParams<N> };
}[PolicyCommandName];

type PolicyCommandName = Extract<
  CommandName,
  | 'vault.configure'
  | 'vault.confirm-time'
  | 'vault.resume'
  | 'peer.approve'
  | 'peer.reject'
  | 'peer.rename'
  | 'peer.revoke'
  | 'peer.observe'
  | 'wallet.floor'
  | 'wallet.rename'
  | 'grant.create'
  | 'grant.revoke'
  | 'grant.lift'
  | 'peer.groups'
  | 'wallet.delegated'
  | 'wallet.settle'
  | 'contract.register'
  | 'contract.remove'
  | 'approval.give'
  | 'approval.reject'
>;

const POLICY_COMMANDS: readonly CommandName[] = [
  'vault.configure',
  'vault.confirm-time',
  'vault.resume',
  'peer.approve',
  'peer.reject',
  'peer.rename',
  'peer.revoke',
  'peer.observe',
  'wallet.floor',
  'wallet.rename',
  'grant.create',
  'grant.revoke',
  'grant.lift',
  'peer.groups',
  'wallet.delegated',
  'wallet.settle',
  'contract.register',
  'contract.remove',
  'approval.give',
  'approval.reject',
] satisfies readonly PolicyCommandName[];

export function isPolicyCommand(command: { name: CommandName; params: unknown }): command is PolicyCommand {
  return POLICY_COMMANDS.includes(command.name);
}

/** Decides one operator's command. Authority, expiry and state version have been checked by the caller. Pure. */
export function stepCommand(
  state: State,
  command: PolicyCommand,
  by: ByCommand,
  now: { readonly wallMs: number; readonly keepMs: number },
  deps: StepDeps,
): CommandOutcome {
  const { wallMs, keepMs } = now;
  switch (command.name) {
    case 'vault.configure':
      return accept({ type: 'vault.configured', idleSealSeconds: command.params.idleSealSeconds, ...by });
    case 'vault.confirm-time':
      return confirmTime(state, command.params.time, by, wallMs);
    case 'vault.resume':
      return resume(state, command.params, by);
    case 'peer.approve':
      return approvePeer(state, command.params, by);
    case 'peer.reject':
      if (!state.proposals.has(command.params.peer)) return unknown('peer', command.params.peer);
      return accept({ type: 'peer.rejected', peer: command.params.peer, ...by });
    case 'peer.rename': {
      const { peer, name } = command.params;
      if (!livePeer(state, peer)) return unknown('peer', peer);
      if (peerNamed(state, name, peer)) return nameTaken(name);
      return accept({ type: 'peer.renamed', peer, name, ...by });
    }
    case 'peer.revoke':
      return revokePeer(state, command.params.peer, by);
    case 'peer.observe':
      return observe(state, command.params, by);
    case 'wallet.floor':
      return setFloor(state, command.params, by);
    case 'wallet.rename': {
      const { wallet, name } = command.params;
      if (!state.wallets.has(wallet)) return unknown('wallet', wallet);
      if (walletNamed(state, name, wallet)) return nameTaken(name);
      return accept({ type: 'wallet.renamed', wallet, name, ...by });
    }
    case 'grant.create':
      return createGrant(state, command.params, by, keepMs, deps);
    case 'grant.revoke': {
      const stored = liveGrant(state, command.params.grant);
      if (!stored) return unknown('grant', command.params.grant);
      if (!permits(stored.grant)) {
        return refuse('grant_restricts', `${stored.id} permits nothing: to end it would widen what is allowed.`);
      }
      return accept({ type: 'grant.revoked', grant: stored.id, ...by });
    }
    case 'grant.lift': {
      const stored = liveGrant(state, command.params.grant);
      if (!stored || permits(stored.grant)) return unknown('grant', command.params.grant);
      return accept({ type: 'grant.lifted', grant: stored.id, ...by });
    }
    case 'peer.groups':
      return setGroups(state, command.params, by);
    case 'wallet.delegated': {
      const { wallet, chain, delegated } = command.params;
      if (!state.wallets.has(wallet)) return unknown('wallet', wallet);
      return accept({ type: 'wallet.delegated', wallet, chain, delegated, ...by });
    }
    case 'wallet.settle':
      return settleRequest(state, command.params, by.by, by.command);
    case 'contract.register':
      return registerContract(state, command.params, by, deps);
    case 'contract.remove':
      return removeContract(state, command.params, by, deps);
    case 'approval.give':
      return giveApproval(state, command.params, by, keepMs);
    case 'approval.reject':
      return rejectApproval(state, command.params, by, keepMs);
    default:
      return assertNever(command);
  }
}

/** New wallets, whose keys the caller has made: each public key is in the vault once, each name once. Pure. */
export function stepAddWallets(
  state: State,
  wallets: readonly NewWallet[],
  nonceFloors: readonly { chain: string; floor: number }[],
  by: ByCommand,
): CommandOutcome {
  for (const wallet of wallets) {
    const same = state.wallets.get(wallet.wallet);
    if (same) {
      return refuse('wallet_exists', `The vault holds this key already, as “${same.name}”.`, undefined, {
        wallet: same.wallet,
      });
    }
    if (walletNamed(state, wallet.name)) return nameTaken(wallet.name);
  }
  const floors = wallets.flatMap(({ wallet }) => nonceFloors.map((floor) => ({ wallet, ...floor })));
  return accept(
    { type: 'wallets.added', wallets, nonceFloors: floors, ...by },
    { wallets: wallets.map(({ wallet, name, address, path }) => ({ wallet, name, address, path })) },
  );
}

function confirmTime(state: State, time: number, by: ByCommand, wallMs: number): CommandOutcome {
  if (!clocksAgree(state, time, wallMs)) {
    return refuse(
      'clock_disagrees',
      `The machine's clock says ${iso(wallMs)}, the operator's ${iso(time)}, and the journal ends at ${iso(state.time)}.`,
      'Set the clock that is wrong, then confirm again.',
    );
  }
  return accept({ type: 'clock.confirmed', time, ...by });
}

const iso = (ms: number) => new Date(ms).toISOString();

/** The operator's time confirms the machine's when both agree and neither lies behind the journal. */
export function clocksAgree(state: Pick<State, 'time'>, operatorMs: number, wallMs: number): boolean {
  return Math.abs(operatorMs - wallMs) <= TIME_TOLERANCE_MS && wallMs >= state.time - TIME_TOLERANCE_MS;
}

function approvePeer(state: State, params: CommandParams<'peer.approve'>, by: ByCommand): CommandOutcome {
  const proposal = state.proposals.get(params.peer);
  if (!proposal) return unknown('peer', params.peer);
  if (proposal.role !== params.role) {
    return refuse(
      'role_differs',
      `The proposal asks for the role of ${proposal.role}, the approval names ${params.role}.`,
      'Approve what was asked for, or reject it.',
    );
  }
  if (peerNamed(state, params.name, params.peer)) return nameTaken(params.name);
  return accept({
    type: 'peer.registered',
    via: 'approval',
    peer: { peer: proposal.peer, role: proposal.role, name: params.name, key: proposal.key },
    ...by,
  });
}

function revokePeer(state: State, id: string, by: ByCommand): CommandOutcome {
  const peer = livePeer(state, id);
  if (!peer) return unknown('peer', id);
  const others = [...state.peers.keys()].filter((other) => other !== id && mayCommand(state, other));
  if (mayCommand(state, id) && others.length === 0) {
    return refuse(
      'last_operator',
      'This is the only operator; without one nobody could ever command the vault again.',
      'Register another operator first.',
    );
  }
  return accept({ type: 'peer.revoked', peer: id, ...by });
}

function observe(state: State, params: CommandParams<'peer.observe'>, by: ByCommand): CommandOutcome {
  const peer = livePeer(state, params.peer);
  if (!peer || peer.role !== 'client') return unknown('peer', params.peer);
  for (const wallet of params.wallets) if (!state.wallets.has(wallet)) return unknown('wallet', wallet);
  return accept({ type: 'peer.observing', peer: params.peer, wallets: [...new Set(params.wallets)], ...by });
}

function setGroups(state: State, params: CommandParams<'peer.groups'>, by: ByCommand): CommandOutcome {
  const peer = livePeer(state, params.peer);
  if (!peer || peer.role !== 'client') return unknown('peer', params.peer);
  return accept({ type: 'peer.grouped', peer: params.peer, groups: [...new Set(params.groups)], ...by });
}

function setFloor(state: State, params: CommandParams<'wallet.floor'>, by: ByCommand): CommandOutcome {
  const { wallet, chain, floor } = params;
  if (!state.wallets.has(wallet)) return unknown('wallet', wallet);
  const book = state.nonces.get(nonceKey(wallet, chain));
  if (raisedFloorIsLower(book, floor)) {
    return refuse('nonce_floor_falls', `The floor stands at ${book?.floor ?? 0} and never falls.`);
  }
  return accept({ type: 'wallet.floored', wallet, chain, floor, ...by });
}

function createGrant(
  state: State,
  params: CommandParams<'grant.create'>,
  by: ByCommand,
  keepMs: number,
  { zones }: StepDeps,
): CommandOutcome {
  const draft = params.grant;
  const grant = `g${state.grantCount + 1}`;
  const parsed = parseGrant({ id: grant, createdSeq: state.seq + 1, ...draft });
  if (!parsed.ok)
    return refuse('grant_invalid', `The grant's ${parsed.error.path} must be ${parsed.error.expected}.`, undefined, {
      ...parsed.error,
    });
  // A journal of before may hold such a grant: there it is never met, and stays so.
  const [zone] = unknownZones(constraintsOf(parsed.value), keepMs, zones);
  if (zone !== undefined) {
    const remedy = 'Name a time zone of the IANA database, such as Europe/Berlin.';
    return refuse('grant_invalid', `There is no time zone ${zone} here: the grant would permit nothing.`, remedy, {
      zone,
    });
  }
  const client = clientOf(parsed.value);
  if (client !== null && client !== 'any' && livePeer(state, client)?.role !== 'client') return unknown('peer', client);
  if (draft.wallet !== 'any' && !state.wallets.has(draft.wallet)) return unknown('wallet', draft.wallet);
  return accept(
    { type: 'grant.created', grant, draft, ...by },
    { grant, sentence: describeGrant(parsed.value, namesOfGrant(state, parsed.value)) },
  );
}

function resume(state: State, params: CommandParams<'vault.resume'>, by: ByCommand): CommandOutcome {
  const { peers, grants, nonceFloors, others } = params;
  if (!state.signingFrozen) return refuse('not_frozen', 'Signing is not frozen: there is nothing to resume.');
  if (!params.peers.includes(by.by)) {
    return refuse('last_operator', 'The list of peers must name the operator who resumes.');
  }
  for (const peer of params.peers) if (!livePeer(state, peer)) return unknown('peer', peer);
  for (const { grant, remaining } of params.grants) {
    const stored = liveGrant(state, grant);
    if (!stored) return unknown('grant', grant);
    const client = clientOf(stored.grant);
    const stays = client === null || others?.peers === 'kept' || peers.includes(client);
    if (!stays && permits(stored.grant)) {
      const words = `The list of peers must name ${client} as well: ${grant} is a grant of that client.`;
      return refuse('peer_unknown', words, 'Name the client, or leave the grant out.');
    }
    for (const { constraint, left } of remaining) {
      const limited = constraintsOf(stored.grant)[constraint];
      const hasLimit = limited !== undefined && isBudgetConstraint(limited) && limited.type !== 'min-interval';
      if (!hasLimit || !/^(0|[1-9][0-9]{0,77})$/.test(left) || BigInt(left) > BigInt(limited.limit)) {
        return refuse('grant_invalid', `What remains of ${grant} must lie within the limits of its constraints.`);
      }
    }
  }
  for (const { wallet, chain, floor } of params.nonceFloors) {
    if (!state.wallets.has(wallet)) return unknown('wallet', wallet);
    const book = state.nonces.get(nonceKey(wallet, chain));
    if (raisedFloorIsLower(book, floor)) {
      return refuse('nonce_floor_falls', `The floor of wallet ${wallet} on ${chain} never falls.`);
    }
  }
  const resumed = { peers, grants, nonceFloors, ...(others ? { others } : {}) };
  return accept({ type: 'vault.resumed', epoch: state.epoch + 1, ...resumed, ...by });
}

function liveGrant(state: State, id: string) {
  const grant = state.grants.get(id);
  return grant && grant.revoked === null ? grant : undefined;
}

function livePeer(state: State, id: string) {
  const peer = state.peers.get(id);
  return peer && peer.revoked === null ? peer : undefined;
}

function peerNamed(state: State, name: string, except: string): boolean {
  return [...state.peers.values()].some((peer) => peer.name === name && peer.revoked === null && peer.peer !== except);
}

function walletNamed(state: State, name: string, except?: string): boolean {
  const wallet = state.wallets.named(name);
  return wallet !== undefined && wallet !== except;
}

const nameTaken = (name: string) => refuse('name_taken', `Something else is called “${name}” already.`);

const unknown = (what: 'peer' | 'wallet' | 'grant', id: string) =>
  refuse(`${what}_unknown`, `There is no ${what} ${id} here, or it is no longer in force.`);
