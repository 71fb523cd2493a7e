import { describe, expect, it } from 'vitest';
import { BOB, etherGrant, etherRequest, EVE, tokenGrant, tokenRequest, USDT_ASSET } from './engine.fixture.ts';
import type { Grant } from './grant.ts';
import { createGrantIndex, scopeOf } from './grant-index.ts';

const ids = (grants: readonly Grant[]) => grants.map(({ id }) => id);

describe('createGrantIndex', () => {
  it('finds grants by client or group, wallet and chain, oldest first', () => {
    const index = createGrantIndex([
      etherGrant({ id: 'b', createdSeq: 2 }),
      etherGrant({ id: 'c', createdSeq: 2 }),
      etherGrant({ id: 'a', createdSeq: 1, client: { group: 'bots' } }),
      etherGrant({ id: 'x', client: 'other' }),
      etherGrant({ id: 'y', wallet: 'cold' }),
      etherGrant({ id: 'z', chain: 'eip155:10' }),
      etherGrant({ id: 'n', client: { group: 'bot' } }),
    ]);
    expect(ids(index.inScope(scopeOf(etherRequest({}, { groups: ['bots'] }))))).toEqual(['a', 'b', 'c']);
    expect(ids(index.inScope(scopeOf(etherRequest())))).toEqual(['b', 'c']);
  });

  it('looks at none that names somebody or something else', () => {
    const index = createGrantIndex([
      etherGrant({ id: 'bob' }),
      etherGrant({ id: 'eve', recipients: [EVE] }),
      etherGrant({ id: 'any', recipients: 'any', createdSeq: 0 }),
      tokenGrant({ id: 'to bob' }),
      tokenGrant({ id: 'to eve', recipients: [EVE] }),
      tokenGrant({ id: 'of usdt', recipients: 'any' }),
      tokenGrant({ id: 'of another', recipients: 'any', assets: [{ asset: 'erc20:0x00' }] }),
    ]);
    expect(ids(index.candidates(etherRequest({ to: BOB })))).toEqual(['any', 'bob']);
    expect(ids(index.candidates(tokenRequest({ to: EVE })))).toEqual(['of usdt', 'to eve']);
    expect(ids(index.candidates(tokenRequest({ to: EVE, asset: `${USDT_ASSET}0` })))).toEqual(['to eve']);
  });

  it('forgets what is removed, everywhere', () => {
    const index = createGrantIndex([etherGrant(), etherGrant({ id: 'g2' })]);
    expect(() => index.add(etherGrant())).toThrow(RangeError);
    expect(index.remove('g1')).toBe(true);
    expect(index.remove('g1')).toBe(false);
    expect(index.get('g1')).toBeUndefined();
    expect(ids(index.candidates(etherRequest()))).toEqual(['g2']);
    expect(index.remove('g2')).toBe(true);
    expect(index.inScope(scopeOf(etherRequest()))).toEqual([]);
  });

  it('finds deny rules for whoever and whatever they are, and caps of a wallet', () => {
    const rule = { kind: 'deny', createdSeq: 1, wallet: 'hot', chain: 'eip155:1', client: 'any' } as const;
    const index = createGrantIndex([
      { ...rule, id: 'all' },
      { ...rule, id: 'any wallet', wallet: 'any' },
      { ...rule, id: 'any chain', chain: 'any' },
      { ...rule, id: 'anything', wallet: 'any', chain: 'any' },
      { ...rule, id: 'bot', client: 'bot' },
      { ...rule, id: 'group', client: { group: 'bots' } },
      { ...rule, id: 'other', client: 'other' },
      { ...rule, id: 'cold', wallet: 'cold' },
      { id: 'cap', createdSeq: 1, kind: 'cap', wallet: 'hot', chain: 'eip155:1', constraints: [] },
    ]);
    const forAll = ['all', 'any chain', 'any wallet', 'anything', 'bot'];
    expect(ids(index.denials(etherRequest()))).toEqual(forAll);
    expect(ids(index.denials(etherRequest({}, { groups: ['bots'] })))).toEqual([...forAll, 'group']);
    expect(ids(index.caps('hot', 'eip155:1'))).toEqual(['cap']);
    expect(index.caps('hot', 'eip155:10')).toEqual([]);
    for (const id of forAll) index.remove(id);
    index.remove('cap');
    expect(index.denials(etherRequest())).toEqual([]);
    expect(index.caps('hot', 'eip155:1')).toEqual([]);
  });
});
