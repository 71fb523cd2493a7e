import type { GrantInfo, PeerInfo } from '@keepwatch/protocol';
import { describe, expect, it } from 'vitest';
import { countsOf, fateOf, grantsWithoutClient, namesOf, type ResumeChoice, type Standing } from './resume-choice.ts';

const peer = (id: string, role: PeerInfo['role'], state: PeerInfo['state'] = 'registered') =>
  ({ peer: id, name: `name of ${id}`, role, state }) as PeerInfo;
const grant = (id: string, draft: object, revoked: number | null = null) =>
  ({ grant: id, draft: { kind: 'ether-transfer', ...draft }, revoked }) as unknown as GrantInfo;

const standing: Standing = {
  peers: [
    ...[peer('me', 'operator'), peer('deputy', 'operator'), peer('bot', 'client'), peer('shop', 'client')],
    ...[peer('asks', 'client', 'proposed'), peer('gone', 'client', 'revoked')],
  ],
  grants: [
    grant('g1', { client: 'bot', label: 'payouts' }),
    grant('g2', { client: 'bot' }),
    grant('g3', { client: 'shop' }),
    grant('g4', { client: { group: 'bots' } }),
    grant('g5', { client: 'gone' }, 1),
    grant('g6', { kind: 'deny', client: 'shop' }),
    grant('g7', { kind: 'cap' }),
  ],
};

const fate = (choice: Partial<Record<'peers' | 'grants', readonly string[]>> & { all?: string }) => {
  const { revoked, kept } = fateOf(chosen(choice), standing);
  const ids = ({ peers, grants }: Standing) => [...peers.map((each) => each.peer), ...grants.map((each) => each.grant)];
  expect(ids(kept).filter((id) => ids(revoked).includes(id))).toEqual([]);
  expect([...ids(kept), ...ids(revoked)].sort()).toEqual(['bot', 'deputy', 'g1', 'g2', 'g3', 'g4', 'me', 'shop']);
  return ids(revoked);
};
const chosen = ({ peers = [], grants = [], all = '' }: Parameters<typeof fate>[0]): ResumeChoice => ({
  ...{ peers: new Set(['me', ...peers]), grants: new Set(grants) },
  ...{ allPeers: all.includes('peers'), allGrants: all.includes('grants') },
});

describe('a resume', () => {
  it('revokes all that permits something and is not named', () => {
    expect(fate({})).toEqual(['deputy', 'bot', 'shop', 'g1', 'g2', 'g3', 'g4']);
    expect(fate({ peers: ['bot'], grants: ['g1', 'g4'] })).toEqual(['deputy', 'shop', 'g2', 'g3']);
    expect(fate({ all: 'peers' })).toEqual(['g1', 'g2', 'g3', 'g4']);
    expect(fate({ all: 'peers grants' })).toEqual([]);
  });

  it('ends the grants of a client that does not stay, whatever is said of grants', () => {
    expect(fate({ all: 'grants' })).toEqual(['deputy', 'bot', 'shop', 'g1', 'g2', 'g3']);
    expect(grantsWithoutClient(chosen({ peers: ['bot'], grants: ['g1', 'g3', 'g4', 'g6'] }), standing)).toEqual([
      standing.grants[2],
    ]);
    expect(grantsWithoutClient(chosen({ grants: ['g1', 'g3'], all: 'peers' }), standing)).toEqual([]);
  });

  it('is told by names and by counts', () => {
    const { kept, revoked } = fateOf(chosen({ peers: ['bot'], grants: ['g2'] }), standing);
    expect(namesOf(revoked)).toEqual({
      ...{ operators: ['name of deputy'], clients: ['name of shop'], grants: ['g1 (payouts)', 'g3', 'g4'] },
    });
    expect(countsOf(kept)).toBe('1 operator, 1 client and 1 grant');
    expect(countsOf(revoked)).toBe('1 operator, 1 client and 3 grants');
    expect(countsOf({ peers: [], grants: [] })).toBe('nothing');
    expect(countsOf({ peers: [], grants: standing.grants.slice(0, 1) })).toBe('1 grant');
  });
});
