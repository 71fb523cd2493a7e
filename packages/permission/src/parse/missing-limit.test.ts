import { describe, expect, it } from 'vitest';
import type { Constraint } from '../constraint.ts';
import { BOB, etherGrant, EVE, tokenGrant, USDT_ASSET, volume } from '../engine.fixture.ts';
import {
  ACKNOWLEDGE_DELEGATION,
  ACKNOWLEDGE_OPAQUE_CALL,
  type Grant,
  type GrantKind,
  type TokenTransferGrant,
} from '../grant.ts';
import type { Route } from '../intent.ts';
import { missingLimit } from './missing-limit.ts';

const FEE: Constraint = { type: 'max-fee', limit: 5n };
const ETHER = volume(100n);
const TOKENS = volume(100n, 3600, USDT_ASSET);
const COUNT: Constraint = { type: 'count', limit: 1, window: { ever: true } };
const scope = { id: 'g', createdSeq: 1, client: 'bot', wallet: 'hot', chain: 'eip155:1' } as const;

const expectedOf = (grant: Grant) => {
  const missing = missingLimit(grant);
  return missing && [missing.error.code, missing.error.path, missing.error.expected];
};
const NO_FEE = ['no_fee_limit', '/constraints', 'a volume of native, which fees count in, or a max-fee'];
const noVolume = (asset: string) => [
  ...['no_volume_limit', '/constraints', `a volume of ${asset}, or ${asset} in unlimited`],
];

/** One grant of every kind that permits, with no constraint. */
const KINDS: Readonly<Record<Exclude<GrantKind, 'deny' | 'cap'>, Grant>> = {
  'ether-transfer': etherGrant({ constraints: [] }),
  'token-transfer': tokenGrant({ constraints: [] }),
  'contract-call': { ...scope, kind: 'contract-call', contracts: [BOB], functions: [], constraints: [] },
  'opaque-call': {
    ...{ ...scope, kind: 'opaque-call', contracts: [BOB], selectors: 'any', constraints: [] },
    acknowledge: ACKNOWLEDGE_OPAQUE_CALL,
  },
  'contract-creation': { ...scope, kind: 'contract-creation', initCodeHashes: 'any', constraints: [] },
  'typed-data': { ...scope, kind: 'typed-data', contract: BOB, types: [], constraints: [] },
  message: { ...scope, kind: 'message', messages: [], constraints: [] },
  delegation: {
    ...{ ...scope, kind: 'delegation', delegates: [BOB], constraints: [] },
    acknowledge: ACKNOWLEDGE_DELEGATION,
  },
};
const withConstraints = (kind: keyof typeof KINDS, ...constraints: Constraint[]) => ({ ...KINDS[kind], constraints });

describe('a limit that is missing', () => {
  it.each([
    ['ether-transfer', noVolume('native')],
    ['token-transfer', noVolume(USDT_ASSET)],
    ['contract-call', NO_FEE],
    ['opaque-call', NO_FEE],
    ['contract-creation', NO_FEE],
    ['typed-data', undefined],
    ['message', undefined],
    ['delegation', undefined],
  ] as const)('of a grant for %s without any', (kind, missing) => {
    expect(expectedOf(KINDS[kind])).toEqual(missing);
  });

  it('is a volume of the very asset: neither of another, nor a limit of another type', () => {
    expect(expectedOf(withConstraints('ether-transfer', ETHER))).toBeUndefined();
    expect(expectedOf(withConstraints('ether-transfer', TOKENS, FEE, COUNT))).toEqual(noVolume('native'));
    const outstanding: Constraint = { type: 'outstanding', asset: 'native', limit: 5n };
    const most: Constraint = { type: 'max-value', asset: 'native', limit: 5n };
    expect(expectedOf(withConstraints('ether-transfer', outstanding, most))).toEqual(noVolume('native'));
    expect(expectedOf({ ...etherGrant({ constraints: [] }), unlimited: ['native'] })).toBeUndefined();
    expect(expectedOf({ ...etherGrant({ constraints: [] }), unlimited: [USDT_ASSET] })).toEqual(noVolume('native'));
  });

  it('is one of each token that the grant names', () => {
    const other = `erc20:${EVE}`;
    const two = tokenGrant({ assets: [{ asset: USDT_ASSET }, { asset: other }], constraints: [TOKENS, FEE] });
    expect(expectedOf(two)).toEqual(noVolume(other));
    expect(expectedOf({ ...two, unlimited: [other] })).toBeUndefined();
  });

  it.each(['contract-call', 'opaque-call', 'contract-creation'] as const)('of fees, of a %s', (kind) => {
    expect(expectedOf(withConstraints(kind, FEE))).toBeUndefined();
    expect(expectedOf(withConstraints(kind, ETHER))).toBeUndefined();
    expect(expectedOf({ ...withConstraints(kind), unlimited: ['native'] } as Grant)).toBeUndefined();
    expect(expectedOf(withConstraints(kind, TOKENS, COUNT))).toEqual(NO_FEE);
  });

  const byRoutes = (routes: TokenTransferGrant['routes']) => expectedOf(tokenGrant({ routes, constraints: [TOKENS] }));

  it.each<Route>(['permit', 'dai-permit', 'permit2', 'permit2-transfer', 'eip3009', 'order'])(
    'is none of fees where tokens leave by a signature alone: %s',
    (route) => {
      expect(byRoutes([route])).toBeUndefined();
      expect(byRoutes([route, 'transfer'])).toEqual(NO_FEE);
    },
  );

  it('is one of fees by any other route', () => {
    expect(byRoutes(['transfer'])).toEqual(NO_FEE);
    expect(byRoutes('any')).toEqual(NO_FEE);
  });

  it('of a cap is any at all; a deny rule has none', () => {
    const cap = (...constraints: Constraint[]): Grant => ({
      ...{ id: 'c', createdSeq: 1, kind: 'cap', wallet: 'hot', chain: 'eip155:1', constraints },
    });
    expect(expectedOf(cap())).toEqual(['invalid_list', '/constraints', 'at least one']);
    expect(expectedOf(cap(COUNT))).toBeUndefined();
    expect(expectedOf({ id: 'd', createdSeq: 1, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' })).toBe(
      undefined,
    );
  });
});
