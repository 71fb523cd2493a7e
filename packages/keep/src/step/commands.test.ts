import { createZones } from '@keepwatch/base';
import type { GrantDraft } from '@keepwatch/protocol';
import { describe, expect, it } from 'vitest';
import { createKeccak256 } from '../crypto/keccak.ts';
import { emptyState, fold } from '../state/fold.ts';
import { stepCommand } from './commands.ts';
import { createRegistries } from './registries.ts';

const keccak256 = await createKeccak256();
const deps = { keccak256, zones: createZones(process.versions.tz), registries: createRegistries(keccak256) };
const by = { by: 'owner', command: 'jws' };
const now = { wallMs: 1, keepMs: 1 };
const volume = (window: object) => ({ type: 'volume', asset: 'native', limit: '1000', window });
const weekly = (zone: string) => ({ type: 'weekly', zone, spans: [{ days: ['mon'], from: '08:00', to: '20:00' }] });
const cap = (...constraints: readonly object[]) =>
  ({ kind: 'cap', wallet: 'w', chain: 'eip155:1', constraints }) as unknown as GrantDraft;

describe('a grant', () => {
  const create = (grant: GrantDraft) =>
    stepCommand(emptyState(), { name: 'grant.create', params: { grant } }, by, now, deps);

  it.each([
    ['a calendar', cap(volume({ calendar: 'day', zone: 'Europe/Belrin' }))],
    ['hours', cap(volume({ seconds: 60 }), weekly('Europe/Belrin'))],
  ])('with %s of a time zone that does not exist is refused when it is created', (_, draft) => {
    expect(create(draft)).toMatchObject({
      kind: 'refused',
      refusal: { code: 'grant_invalid', details: { zone: 'Europe/Belrin' } },
    });
  });

  it('with one that exists is looked at further', () => {
    const draft = cap(volume({ calendar: 'day', zone: 'Europe/Berlin' }), weekly('UTC'));
    expect(create(draft)).toMatchObject({ kind: 'refused', refusal: { code: 'wallet_unknown' } });
  });

  it('is told with the names of its wallet and its client, and not with their ids', () => {
    const state = emptyState();
    const peer = { peer: 'p', role: 'client' as const, name: 'bot', key: { alg: 'EdDSA' as const, publicKey: 'AAAA' } };
    const address = `0x${'11'.repeat(20)}`;
    const wallet = { wallet: 'w', name: 'main', address, publicKey: 'AAAA', seed: null, path: null };
    fold(state, 1, { type: 'peer.registered', via: 'approval', peer, ...by, at: 1, salt: '' });
    fold(state, 2, { type: 'wallets.added', wallets: [wallet], nonceFloors: [], ...by, at: 1, salt: '' } as never);
    const told = (grant: object) =>
      stepCommand(state, { name: 'grant.create', params: { grant: grant as GrantDraft } }, by, now, deps);
    const deny = { kind: 'deny', client: 'p', wallet: 'w', chain: 'any' };
    expect(told(deny)).toMatchObject({
      value: { sentence: 'never anything with wallet main, whoever of bot asks on any chain' },
    });
    expect(told(cap(volume({ seconds: 60 })))).toMatchObject({
      value: { sentence: expect.stringContaining('whatever is granted, wallet main as a whole') as string },
    });
  });

  it('of a journal is taken as it stands there', () => {
    const state = emptyState();
    const draft = cap(volume({ calendar: 'day', zone: 'Europe/Belrin' }));
    fold(state, 1, { type: 'grant.created', grant: 'g1', draft, ...by, at: 1, salt: '' });
    expect(state.grants.get('g1')?.draft).toEqual(draft);
  });
});
