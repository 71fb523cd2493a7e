import { describe, expect, it } from 'vitest';
import type { Constraint } from '../constraint.ts';
import { BOB, etherGrant, EVE, PLAIN_ZONES, tokenGrant, USDT, USDT_ASSET, volume } from '../engine.fixture.ts';
import {
  ACKNOWLEDGE_DELEGATECALL,
  ACKNOWLEDGE_DELEGATION,
  ACKNOWLEDGE_OPAQUE_CALL,
  ACKNOWLEDGE_UNREGISTERED_TYPE,
  type Grant,
  type PermittingGrant,
} from '../grant.ts';
import { lint } from './lint.ts';

/** Each finding has a grant that shows it and one, as like it as can be, that does not. */

const NOW = 1_000_000;
const topics = (...grants: readonly Grant[]) =>
  lint(grants, NOW, PLAIN_ZONES).map(({ topic, grant, about }) =>
    about === null ? `${topic} ${grant}` : `${topic} ${grant} ${about}`,
  );

const scope = { client: 'bot', wallet: 'hot', chain: 'eip155:1' } as const;
const fee: Constraint = { type: 'max-fee', limit: 10n ** 15n };
const tokens = volume(1_000n, 3_600, USDT_ASSET);
const forEver: Constraint = { type: 'volume', asset: USDT_ASSET, limit: 1_000n, window: { ever: true } };
const outstanding: Constraint = { type: 'outstanding', asset: USDT_ASSET, limit: 1_000n };
const plain = etherGrant({ constraints: [volume(10n ** 18n)] });

it('has nothing to say of a plain grant', () => {
  expect(topics(plain)).toEqual([]);
  expect(topics()).toEqual([]);
});

describe('a grant that can never match', () => {
  const never = (grant: Grant) => topics(grant).filter((each) => each.startsWith('never_matches'));

  it.each<[string, Grant, Grant]>([
    ['names nobody', etherGrant({ ...plain, recipients: [] }), plain],
    [
      'has ended',
      etherGrant({ constraints: [volume(9n), { type: 'validity', fromMs: null, untilMs: NOW }] }),
      etherGrant({ constraints: [volume(9n), { type: 'validity', fromMs: null, untilMs: NOW + 1 }] }),
    ],
    [
      'has too small a fee',
      etherGrant({ constraints: [volume(9n), { type: 'max-fee', limit: 20_999n }] }),
      etherGrant({ constraints: [volume(9n), { type: 'max-fee', limit: 21_000n }] }),
    ],
    [
      'has too little gas',
      etherGrant({ constraints: [volume(9n), { type: 'gas-limit', limit: 20_999n }] }),
      etherGrant({ constraints: [volume(9n), { type: 'gas-limit', limit: 21_000n }] }),
    ],
  ])('%s', (_, shows, shows_not) => {
    expect(never(shows)).toEqual(['never_matches g1']);
    expect(never(shows_not)).toEqual([]);
  });
});

describe('a limit that is never needed', () => {
  const never = (...constraints: Constraint[]) =>
    topics(etherGrant({ constraints })).filter((each) => each.startsWith('never_needed'));

  it('is a volume where a longer window allows no more', () => {
    expect(never(volume(100n, 60), volume(100n, 3_600))).toEqual(['never_needed g1']);
    expect(never(volume(100n, 60), volume(101n, 3_600))).toEqual([]);
    expect(never(volume(100n, 60), { type: 'volume', asset: 'native', limit: 9n, window: { ever: true } })).toEqual([
      'never_needed g1',
    ]);
    expect(never(volume(100n, 60), volume(9n, 3_600, USDT_ASSET))).toEqual([]);
  });

  it('is a value that a volume of the same limits already', () => {
    expect(never(volume(100n), { type: 'max-value', asset: 'native', limit: 100n })).toEqual(['never_needed g1']);
    expect(never(volume(100n), { type: 'max-value', asset: 'native', limit: 99n })).toEqual([]);
  });
});

describe('a limit that another grant bypasses', () => {
  const limited = tokenGrant({ constraints: [forEver, fee] });
  const bypassed = (other: Grant, grant: Grant = limited) =>
    topics(grant, other).filter((each) => each.startsWith('bypassed'));
  const opaque: PermittingGrant = {
    ...{ ...scope, id: 'o', createdSeq: 2, kind: 'opaque-call', contracts: [USDT], selectors: 'any' },
    ...{ acknowledge: ACKNOWLEDGE_OPAQUE_CALL, constraints: [fee] },
  };
  const call: PermittingGrant = {
    ...{ ...scope, id: 'c', createdSeq: 2, kind: 'contract-call', contracts: [USDT] },
    ...{ functions: [{ function: 'f()', where: [] }], constraints: [fee] },
  };
  const typed: PermittingGrant = {
    ...{ ...scope, id: 'd', createdSeq: 2, kind: 'typed-data', contract: USDT },
    ...{ types: [{ primaryType: 'Vote', where: [] }], constraints: [] },
  };
  const delegation: PermittingGrant = {
    ...{ ...scope, id: 'e', createdSeq: 2, kind: 'delegation', delegates: [EVE], constraints: [] },
    acknowledge: ACKNOWLEDGE_DELEGATION,
  };

  it.each<[string, Grant, string[]]>([
    [
      'lets the asset leave without one',
      { ...limited, id: 'u', constraints: [fee], unlimited: [USDT_ASSET] },
      ['bypassed t1 u'],
    ],
    ['has one of its own', { ...limited, id: 'u' }, []],
    ['lets another asset leave', { ...call, unlimited: ['native'] }, []],
    ['permits calls that are not understood', opaque, ['bypassed t1 o']],
    ['permits such calls to another client', { ...opaque, client: 'other' }, []],
    ['permits such calls of another wallet', { ...opaque, wallet: 'cold' }, []],
    ['permits calls that are understood', call, []],
    ['lets code act as the caller', { ...call, delegatecall: ACKNOWLEDGE_DELEGATECALL }, ['bypassed t1 c']],
    ['permits data that are understood', typed, []],
    ['permits data that are not', { ...typed, acknowledge: ACKNOWLEDGE_UNREGISTERED_TYPE }, ['bypassed t1 d']],
    ['hands the wallet over', delegation, ['bypassed t1 e']],
  ])('which %s', (_, other, found) => {
    expect(bypassed(other)).toEqual(found);
  });

  it('of ether, by whoever commands the wallet, and not by an opaque call, whose value is counted', () => {
    expect(bypassed(delegation, plain)).toEqual(['bypassed g1 e']);
    expect(bypassed(opaque, plain)).toEqual([]);
  });
});

describe('a budget that a wider grant shadows', () => {
  const shadowed = (...grants: Grant[]) => topics(...grants).filter((each) => each.startsWith('shadowed'));

  it('is one within it: together they allow the sum', () => {
    const wide = etherGrant({ ...plain, id: 'w', recipients: [BOB, EVE] });
    expect(shadowed(plain, wide)).toEqual(['shadowed g1 w']);
    expect(shadowed(plain, etherGrant({ ...wide, recipients: [EVE] }))).toEqual([]);
    expect(shadowed(plain, etherGrant({ ...wide, recipients: 'any' }))).toEqual(['shadowed g1 w']);
    expect(shadowed(plain, etherGrant({ ...wide, chain: 'eip155:10' }))).toEqual([]);
  });

  it('by all that the kind names', () => {
    const wide = tokenGrant({ id: 'w', routes: 'any', recipients: 'any', spenders: 'any' });
    const narrow = tokenGrant({ routes: ['transfer'] });
    expect(shadowed(narrow, wide)).toEqual(['shadowed t1 w']);
    expect(shadowed(narrow, { ...wide, routes: ['approve'] })).toEqual([]);
    expect(shadowed({ ...narrow, spenders: [EVE] }, { ...wide, spenders: [] })).toEqual([]);
    expect(shadowed(narrow, { ...wide, assets: [{ asset: `erc20:${EVE}` }] })).toEqual([]);
    expect(shadowed(narrow, plain)).toEqual([]);
  });
});

describe('a window that means less than it seems', () => {
  const found = (grant: Grant) => topics(grant).filter((each) => /^(resets|needs_observer)/.test(each));

  it('is one of allowances, which outlive it', () => {
    expect(found(tokenGrant({ spenders: [EVE], constraints: [tokens, fee] }))).toEqual(['resets t1']);
    expect(found(tokenGrant({ spenders: [], constraints: [tokens, fee] }))).toEqual([]);
    expect(found(tokenGrant({ spenders: [EVE], constraints: [forEver, fee] }))).toEqual([]);
  });

  it('but where what is outstanding is limited, for which somebody has to tell how things end', () => {
    expect(found(tokenGrant({ spenders: [EVE], constraints: [tokens, outstanding, fee] }))).toEqual([
      'needs_observer t1',
    ]);
  });
});

describe('what limits do not see', () => {
  it('are tokens that take a fee or change balances: the argument counts', () => {
    expect(topics(tokenGrant({ constraints: [forEver, fee] }))).toEqual(['counts_argument t1']);
    expect(topics(plain)).not.toContain('counts_argument g1');
  });

  it('are fees for data on an L2', () => {
    expect(topics(etherGrant({ ...plain, chain: 'eip155:10' }))).toEqual(['fees_outside g1']);
    expect(topics(etherGrant({ ...plain, chain: 'eip155:1' }))).toEqual([]);
  });

  it('is what is named as unlimited, and a delegate', () => {
    expect(topics(etherGrant({ ...plain, unlimited: ['native'] }))).toEqual(['unlimited g1']);
    const delegation: Grant = {
      ...{ ...scope, id: 'e', createdSeq: 2, kind: 'delegation', delegates: [EVE], constraints: [] },
      acknowledge: ACKNOWLEDGE_DELEGATION,
    };
    expect(topics(delegation)).toEqual(['hands_over e']);
  });

  it('is a text of which little is given', () => {
    const text = (messages: Extract<Grant, { kind: 'message' }>['messages']): Grant => ({
      ...{ ...scope, id: 'm', createdSeq: 2, kind: 'message', messages, constraints: [] },
    });
    expect(topics(text([{ prefix: 'Log in t' }, { prefix: 'Sign' }]))).toEqual(['short_prefix m']);
    expect(topics(text([{ prefix: 'Log in t' }]))).toEqual([]);
    expect(topics(text([{ template: 'I {}' }]))).toEqual(['short_prefix m']);
  });
});

it('looks at caps as well, and finds nothing in a deny rule', () => {
  const cap: Grant = {
    ...{ id: 'cap', createdSeq: 3, kind: 'cap', wallet: 'hot', chain: 'eip155:1' },
    constraints: [volume(9n), { type: 'validity', fromMs: null, untilMs: 1 }],
  };
  expect(topics(cap)).toEqual(['never_matches cap']);
  expect(topics({ id: 'd', createdSeq: 1, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' })).toEqual([]);
});
