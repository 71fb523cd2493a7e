import { createZones } from '@keepwatch/base';
import { expect, it } from 'vitest';
import { emptyState, fold } from './fold.ts';
import type { GrantDraft, Role } from '@keepwatch/protocol';
import { usageReport } from '@keepwatch/permission';
import { createKeccak256 } from '../crypto/keccak.ts';
import { stepCommand } from '../step/commands.ts';
import { createRegistries } from '../step/registries.ts';
import type { VaultEvent } from './events.ts';
import type { State, StoredGrant } from './state.ts';

const keccak256 = await createKeccak256();
const deps = { keccak256, zones: createZones(process.versions.tz), registries: createRegistries(keccak256) };
const by = { by: 'owner', command: 'jws' };
const peer = (id: string, role: Role) => ({
  peer: id,
  role,
  name: id,
  key: { alg: 'EdDSA' as const, publicKey: 'AAAA' },
});

function folded(...events: readonly VaultEvent[]): State {
  const state = emptyState();
  events.forEach((event, i) => fold(state, i + 1, { ...event, at: i, salt: '' }));
  return state;
}

it('registers a key anew without what it could observe before, in the index by wallet too', () => {
  const registered: VaultEvent = { type: 'peer.registered', via: 'approval', peer: peer('bot', 'client'), ...by };
  const observing: VaultEvent = { type: 'peer.observing', peer: 'bot', wallets: ['w'], ...by };
  expect(folded(registered, observing).observers).toEqual(new Map([['w', new Set(['bot'])]]));

  const again = folded(registered, observing, registered);
  expect(again.observers).toEqual(new Map());
  expect(again.peers.get('bot')!.observes).toEqual(new Set());

  const restored: VaultEvent = {
    type: 'vault.restored',
    identity: 'i',
    epoch: 2,
    operator: peer('bot', 'operator'),
    ...by,
  };
  expect(folded(registered, observing, restored).observers).toEqual(new Map());
});

it('resumes with any number of peers and grants by one command: those that are not named are kept, as spent', () => {
  const clients = Array.from({ length: 30 }, (_, i) => `bot-${i}`);
  const grants = clients.flatMap((client, i) =>
    Array.from({ length: 100 }, (_, j): VaultEvent => {
      const constraints = [{ type: 'volume' as const, asset: 'native', limit: '1000', window: { seconds: 3_600 } }];
      const draft = { client, wallet: 'w', chain: 'eip155:1', kind: 'ether-transfer', recipients: 'any', constraints };
      return { type: 'grant.created', grant: `g${i * 100 + j + 1}`, draft: draft as GrantDraft, ...by };
    }),
  );
  const state = folded(
    { type: 'peer.registered', via: 'approval', peer: peer('owner', 'operator'), ...by },
    ...clients.map((id): VaultEvent => ({ type: 'peer.registered', via: 'approval', peer: peer(id, 'client'), ...by })),
    ...grants,
    { type: 'signing.frozen', reason: 'rollback', words: 'rollback' },
  );
  const params = {
    peers: ['owner'],
    grants: [{ grant: 'g1', remaining: [{ constraint: 0, left: '400' }] }],
    nonceFloors: [],
    others: { peers: 'kept', grants: 'spent' },
  } as const;
  expect(JSON.stringify(params).length).toBeLessThan(200);
  const outcome = stepCommand(state, { name: 'vault.resume', params } as never, by, { wallMs: 0, keepMs: 0 }, deps);
  if (outcome.kind !== 'accepted') throw new Error(outcome.refusal.message);
  const now = state.time;
  for (const event of outcome.events) fold(state, state.seq + 1, { ...event, at: now, salt: '' });

  expect([...state.peers.values()].every(({ revoked }) => revoked === null)).toBe(true);
  expect([...state.grants.values()].every(({ revoked }) => revoked === null)).toBe(true);
  const left = ({ grant }: StoredGrant) =>
    usageReport(grant, state.usage, now, deps.zones).flatMap((line) => ('remaining' in line ? [line.remaining] : []));
  expect(left(state.grants.get('g1')!)).toEqual([400n]);
  expect(left(state.grants.get('g2')!)).toEqual([0n]);
  expect(left(state.grants.get('g3000')!)).toEqual([0n]);
});

it('keeps no grant of a peer that a resume revokes', () => {
  const constraints = [{ type: 'volume' as const, asset: 'native', limit: '1000', window: { seconds: 3_600 } }];
  const draft = {
    client: 'bot',
    wallet: 'w',
    chain: 'eip155:1',
    kind: 'ether-transfer',
    recipients: 'any',
    constraints,
  };
  const state = folded(
    { type: 'peer.registered', via: 'approval', peer: peer('owner', 'operator'), ...by },
    { type: 'peer.registered', via: 'approval', peer: peer('bot', 'client'), ...by },
    { type: 'grant.created', grant: 'g1', draft: draft as GrantDraft, ...by },
    { type: 'signing.frozen', reason: 'rollback', words: 'rollback' },
    {
      ...{ type: 'vault.resumed', epoch: 2, peers: ['owner'], grants: [], nonceFloors: [] },
      ...{ others: { peers: 'revoked', grants: 'spent' }, ...by },
    },
  );
  expect(state.peers.get('bot')!.revoked).not.toBeNull();
  expect(state.grants.get('g1')!.revoked).not.toBeNull();
});

it('takes a request that waits as its entry has it: those of before name no fee, and snapshots were made of them', () => {
  const asked = { key: '0'.repeat(36), request: 'r', payload: null, asks: 'Client bot wants to', digest: 'd' };
  const named = { client: 'bot', wallet: 'w', chain: 'eip155:1', form: 'transaction' as const, nonce: 7 };
  const awaiting = {
    type: 'request.awaiting' as const,
    ...asked,
    ...named,
    approval: 'a',
    grant: 'g1',
    needed: 2,
    expires: 99,
  };
  const approvalOf = (event: VaultEvent) => folded(event).approvals.get('a');
  expect(Object.keys(approvalOf(awaiting)!)).not.toContain('nonce');
  expect(approvalOf({ ...awaiting, maxFeeWei: '630' })).toMatchObject({ nonce: 7, maxFeeWei: '630' });
});
