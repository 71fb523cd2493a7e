import { describe, expect, it } from 'vitest';
import { BOB, etherGrant, tokenGrant } from '../engine.fixture.ts';
import {
  ACKNOWLEDGE_DELEGATION,
  ACKNOWLEDGE_OPAQUE_CALL,
  type ContractCallGrant,
  type OpaqueCallGrant,
  type PermittingGrant,
} from '../grant.ts';
import { fallsShort } from './reach.ts';

const scope = { id: 'g', createdSeq: 1, client: 'bot', wallet: 'hot', chain: 'eip155:1', constraints: [] } as const;
const call: ContractCallGrant = { ...scope, kind: 'contract-call', contracts: [BOB], functions: [] };
const opaque: OpaqueCallGrant = {
  ...{ ...scope, kind: 'opaque-call', contracts: [BOB], selectors: 'any', acknowledge: ACKNOWLEDGE_OPAQUE_CALL },
};

describe('a grant that names nothing covers nothing', () => {
  it.each<[string, PermittingGrant, readonly string[]]>([
    ['ether to nobody', etherGrant({ recipients: [] }), ['it names no recipient']],
    ['ether to one', etherGrant(), []],
    ['ether to anybody', etherGrant({ recipients: 'any' }), []],
    [
      'tokens to and for nobody',
      tokenGrant({ recipients: [], spenders: [] }),
      ['it names no recipient', 'it names no spender'],
    ],
    ['tokens to nobody, for a spender', tokenGrant({ recipients: [], spenders: [BOB] }), []],
    ['tokens to one, for no spender', tokenGrant({ spenders: [] }), []],
    ['tokens by no route', tokenGrant({ routes: [] }), ['it names no route']],
    ['tokens by one route', tokenGrant({ routes: ['transfer'] }), []],
    ['calls of nothing', { ...call, contracts: [] }, ['it names no contract']],
    ['calls of one contract', call, []],
    [
      'opaque calls of nothing',
      { ...opaque, contracts: [], selectors: [] },
      ['it names no contract', 'it names no selector'],
    ],
    ['opaque calls by no selector', { ...opaque, selectors: [] }, ['it names no selector']],
    ['opaque calls by any selector', opaque, []],
    ['no contract to create', { ...scope, kind: 'contract-creation', initCodeHashes: [] }, ['it names no init code']],
    ['any contract to create', { ...scope, kind: 'contract-creation', initCodeHashes: 'any' }, []],
    ['typed data', { ...scope, kind: 'typed-data', contract: BOB, types: [] }, []],
    ['messages', { ...scope, kind: 'message', messages: [] }, []],
    ['delegations', { ...scope, kind: 'delegation', delegates: [BOB], acknowledge: ACKNOWLEDGE_DELEGATION }, []],
  ])('%s', (_, grant, reasons) => {
    expect(fallsShort(grant)).toEqual(reasons);
  });
});
