import type { PermissionRequest } from './decision.ts';
import { byAge, type DenyRule, type Grant, type Party, type PermittingGrant, type WalletCap } from './grant.ts';
import { rulesOfKind } from './kinds/table.ts';

/**
 * Finds the grants that can speak of a request without looking at others: by client or group, wallet, chain and kind,
 * and there by what the grant names (a recipient, a contract, an asset).
 */
export interface GrantIndex extends GrantLookup {
  /** Throws a RangeError where a grant of this id is there already. */
  add(grant: Grant): void;
  /** Whether there was such a grant. */
  remove(grantId: string): boolean;
}

/** Who asks, for which wallet on which chain. */
export type Scope = Pick<PermissionRequest, 'client' | 'groups' | 'wallet'> & { readonly chain: string };

export interface GrantLookup {
  get(grantId: string): Grant | undefined;
  /** The permitting grants of this client and its groups for this wallet and chain, oldest first. */
  inScope(scope: Scope): readonly PermittingGrant[];
  /** Those of them that can cover the request, oldest first. No other can. */
  candidates(request: PermissionRequest): readonly PermittingGrant[];
  /** Deny rules for this client, wallet and chain, oldest first. */
  denials(request: PermissionRequest): readonly DenyRule[];
  /** Caps of this wallet on this chain, oldest first. */
  caps(wallet: string, chain: string): readonly WalletCap[];
}

const NONE: readonly never[] = [];

export function scopeOf({ client, groups, wallet, intent }: PermissionRequest): Scope {
  return { client, groups, wallet, chain: intent.chain };
}

export function createGrantIndex(grants: readonly Grant[] = []): GrantIndex {
  const byId = new Map<string, Grant>();
  const rooms = new Map<string, Room>();
  const denyRules = new Map<string, DenyRule[]>();
  const caps = new Map<string, WalletCap[]>();

  function change(grant: Grant, edit: Edit): void {
    if (grant.kind === 'deny') return editAt(denyRules, keyOf(grant.wallet, grant.chain), edit, grant);
    if (grant.kind === 'cap') return editAt(caps, keyOf(grant.wallet, grant.chain), edit, grant);
    const scope = keyOf(partyKey(grant.client), grant.wallet, grant.chain);
    const room = rooms.get(scope) ?? { grants: [], names: new Map() };
    room.grants = edit(room.grants, grant);
    for (const name of rulesOfKind(grant.kind).namesOfGrant(grant)) {
      editAt(room.names, nameKey(grant.kind, name), edit, grant);
    }
    if (room.grants.length > 0) rooms.set(scope, room);
    else rooms.delete(scope);
    last = null;
  }

  /** The room that was looked for last: a request asks several times, and a key made anew is hashed anew each time. */
  let last: {
    readonly client: string;
    readonly wallet: string;
    readonly chain: string;
    room: Room | undefined;
  } | null = null;

  function roomOf(client: string, wallet: string, chain: string): Room | undefined {
    if (last === null || last.client !== client || last.wallet !== wallet || last.chain !== chain) {
      last = { client, wallet, chain, room: rooms.get(keyOf(partyKey(client), wallet, chain)) };
    }
    return last.room;
  }

  function roomsOf({ client, groups, wallet, chain }: Scope): readonly (Room | undefined)[] {
    const found = [roomOf(client, wallet, chain)];
    for (const group of groups) found.push(rooms.get(keyOf(partyKey({ group }), wallet, chain)));
    return found;
  }

  const index: GrantIndex = {
    add(grant) {
      if (byId.has(grant.id)) throw new RangeError('a grant of this id is there already');
      byId.set(grant.id, grant);
      change(grant, insert);
    },
    remove(grantId) {
      const grant = byId.get(grantId);
      if (grant === undefined) return false;
      byId.delete(grantId);
      change(grant, drop);
      return true;
    },
    get: (grantId) => byId.get(grantId),
    inScope({ client, groups, wallet, chain }) {
      // Most clients are in no group, and each request comes through here.
      if (groups.length === 0) return roomOf(client, wallet, chain)?.grants ?? NONE;
      return merge(roomsOf({ client, groups, wallet, chain }).map((room) => room?.grants));
    },
    candidates(request) {
      const [action] = request.intent.actions;
      if (action === undefined) return NONE;
      const lists: (readonly PermittingGrant[] | undefined)[] = [];
      const names = rulesOfKind(action.kind).namesOfAction(action);
      for (const room of roomsOf(scopeOf(request))) {
        if (room === undefined) continue;
        for (const name of names) lists.push(room.names.get(nameKey(action.kind, name)));
      }
      return merge(lists);
    },
    denials(request) {
      const { wallet, intent } = request;
      if (denyRules.size === 0) return NONE;
      const wallets = [wallet, 'any'].flatMap((each) => [keyOf(each, intent.chain), keyOf(each, 'any')]);
      return merge(wallets.map((key) => denyRules.get(key))).filter(({ client }) => speaksOf(client, request));
    },
    caps: (wallet, chain) => caps.get(keyOf(wallet, chain)) ?? NONE,
  };
  for (const grant of grants) index.add(grant);
  return index;
}

/** The permitting grants of one party for one wallet and chain. */
interface Room {
  grants: PermittingGrant[];
  /** By kind and by what a grant names. */
  readonly names: Map<string, PermittingGrant[]>;
}

/** No name holds a line break, so no two keys are the same by chance. */
function keyOf(first: string, second: string, third?: string): string {
  return third === undefined ? `${first}\n${second}` : `${first}\n${second}\n${third}`;
}
const nameKey = (kind: string, name: string) => `${kind}\n${name}`;
const partyKey = (party: Party) => (typeof party === 'string' ? `client ${party}` : `group ${party.group}`);

function speaksOf(party: Party | 'any', { client, groups }: PermissionRequest): boolean {
  if (typeof party !== 'string') return groups.includes(party.group);
  return party === 'any' || party === client;
}

/** Gives the list with the grant in it, or without it. */
type Edit = <G extends Grant>(list: G[] | undefined, grant: G) => G[];

/** Grants usually come oldest first, so the place is looked for from the end. */
const insert: Edit = (list, grant) => {
  if (list === undefined) return [grant];
  let at = list.length;
  while (at > 0 && byAge(grant, list[at - 1]!) < 0) at--;
  list.splice(at, 0, grant);
  return list;
};

const drop: Edit = (list, grant) => (list ?? []).filter(({ id }) => id !== grant.id);

function editAt<G extends Grant>(map: Map<string, G[]>, key: string, edit: Edit, grant: G): void {
  const list = edit(map.get(key), grant);
  if (list.length > 0) map.set(key, list);
  else map.delete(key);
}

/** Several lists in the order of age as one, each grant once. */
function merge<G extends Grant>(lists: readonly (readonly G[] | undefined)[]): readonly G[] {
  const full: (readonly G[])[] = [];
  for (const list of lists) if (list !== undefined) full.push(list);
  if (full.length <= 1) return full[0] ?? NONE;
  return [...new Set(full.flat())].sort(byAge);
}
