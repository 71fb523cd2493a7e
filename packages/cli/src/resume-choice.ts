import type { GrantInfo, PeerInfo } from '@keepwatch/protocol';
import { showCount } from './values.ts';

/** What becomes of peers and grants when an operator ends a freeze: what is not named is revoked. Pure. */

export interface ResumeChoice {
  /** Ids of who stays, the operator who resumes among them. */
  readonly peers: ReadonlySet<string>;
  readonly allPeers: boolean;
  /** Ids of grants that were named. */
  readonly grants: ReadonlySet<string>;
  readonly allGrants: boolean;
}

export interface Standing {
  readonly peers: readonly PeerInfo[];
  readonly grants: readonly GrantInfo[];
}

/** Of those that are in force now. What only restricts stays whatever is chosen, and is not counted. */
export function fateOf(choice: ResumeChoice, { peers, grants }: Standing): { kept: Standing; revoked: Standing } {
  const stays = (peer: string) => choice.allPeers || choice.peers.has(peer);
  const grantStays = (grant: GrantInfo) => {
    const client = clientOf(grant);
    if (client !== null && !stays(client)) return false;
    return choice.allGrants || choice.grants.has(grant.grant);
  };
  const registered = peers.filter(({ state }) => state === 'registered');
  const permitting = grants.filter(({ draft, revoked }) => revoked === null && permits(draft));
  return {
    kept: {
      peers: registered.filter(({ peer }) => stays(peer)),
      grants: permitting.filter(grantStays),
    },
    revoked: {
      peers: registered.filter(({ peer }) => !stays(peer)),
      grants: permitting.filter((grant) => !grantStays(grant)),
    },
  };
}

/** Grants that were named, and whose client does not stay: the vault keeps none such. */
export function grantsWithoutClient(choice: ResumeChoice, { grants }: Standing): readonly GrantInfo[] {
  return grants.filter((grant) => {
    const client = clientOf(grant);
    const named = choice.grants.has(grant.grant) && permits(grant.draft);
    return named && client !== null && !choice.allPeers && !choice.peers.has(client);
  });
}

const permits = ({ kind }: GrantInfo['draft']) => kind !== 'deny' && kind !== 'cap';

/** The one client of a grant; null where it is of a group. */
export function clientOf({ draft }: GrantInfo): string | null {
  return draft.kind === 'cap' || typeof draft.client !== 'string' ? null : draft.client;
}

/** `1 operator, 2 clients and 3 grants`; `nothing`. */
export function countsOf({ peers, grants }: Standing): string {
  const ofRole = (role: PeerInfo['role']) => peers.filter((peer) => peer.role === role).length;
  return inWords([
    [ofRole('operator'), 'operator'],
    [ofRole('client'), 'client'],
    [grants.length, 'grant'],
  ]);
}

function inWords(counts: readonly (readonly [number, string])[]): string {
  const parts = counts.flatMap(([count, what]) => (count === 0 ? [] : [showCount(count, what)]));
  const last = parts.pop();
  if (last === undefined) return 'nothing';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

/** By the names that can be typed; kinds of which there is none are left out. */
export function namesOf({ peers, grants }: Standing): Readonly<Record<string, readonly string[]>> {
  const ofRole = (role: PeerInfo['role']) => peers.filter((peer) => peer.role === role).map(({ name }) => name);
  const named = {
    operators: ofRole('operator'),
    clients: ofRole('client'),
    grants: grants.map(({ grant, draft }) => (draft.label === undefined ? grant : `${grant} (${draft.label})`)),
  };
  return Object.fromEntries(Object.entries(named).filter(([, names]) => names.length > 0));
}
