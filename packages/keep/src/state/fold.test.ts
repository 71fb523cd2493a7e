import { expect, it } from 'vitest';
import { emptyState, fold } from './fold.ts';
import type { Role } from '@keepwatch/protocol';
import type { VaultEvent } from './events.ts';
import type { State } from './state.ts';

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
