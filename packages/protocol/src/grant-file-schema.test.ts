import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { grantFile } from './grant-shapes.ts';

/** The published JSON Schema, as it lies in docs, against what the program itself takes. */

const file = new URL('../../../docs/schemas/grants.schema.json', import.meta.url);
const published = z.fromJSONSchema(JSON.parse(readFileSync(file, 'utf8')) as never);

const ALICE = `0x${'11'.repeat(20)}`;
const scope = { client: 'Pay roll', wallet: 'main', chain: 'eip155:1' };
const volume = { type: 'volume', asset: 'native', limit: '1000', window: { seconds: 3600 } };
const fee = { type: 'max-fee', limit: '1' };
const ether = { ...scope, kind: 'ether-transfer', recipients: [ALICE], constraints: [volume] };
const call = {
  ...{ ...scope, kind: 'contract-call', contracts: [ALICE], functions: [{ function: 'f(uint256)', where: [] }] },
  constraints: [fee],
};

const GOOD: Readonly<Record<string, object>> = {
  'of a client by its name': ether,
  'of a client by its id': { ...ether, client: '_zGTkQ9gF3MDDUB2oKPAg-' },
  'of a group': { ...ether, client: { group: 'bots' }, label: 'rent' },
  'for anybody': { ...ether, recipients: 'any' },
  'over a calendar': {
    ...ether,
    constraints: [
      { ...volume, window: { calendar: 'month', zone: 'Europe/Berlin' } },
      { type: 'weekly', zone: 'Europe/Berlin', spans: [{ days: ['mon', 'thu'], from: '08:00', to: '20:00' }] },
    ],
  },
  'of tokens': {
    ...{ ...scope, kind: 'token-transfer', assets: [{ asset: `erc20:${ALICE}`, symbol: 'TUSD', decimals: 6 }] },
    ...{ routes: ['transfer', 'permit2'], recipients: [ALICE], spenders: [] },
    constraints: [{ ...volume, asset: `erc20:${ALICE}`, window: { ever: true } }, fee],
  },
  'of a call with conditions': {
    ...call,
    functions: [{ function: 'f(uint256)', where: [{ path: '/amount', test: 'range', min: null, max: '5' }] }],
  },
  'of calls that are not understood': {
    ...{ ...scope, kind: 'opaque-call', contracts: [ALICE], selectors: ['0x12345678', 'none'], constraints: [fee] },
    acknowledge: 'calls are not understood and may move anything that the contract may move',
  },
  'of contracts that are made': {
    ...{ ...scope, kind: 'contract-creation', initCodeHashes: 'any', constraints: [fee] },
  },
  'of typed data': {
    ...{ ...scope, kind: 'typed-data', contract: ALICE, types: [{ primaryType: 'Vote', where: [] }], constraints: [] },
  },
  'of texts': { ...scope, kind: 'message', messages: [{ prefix: 'Log in to ' }], constraints: [] },
  'of a delegation': {
    ...{ ...scope, kind: 'delegation', delegates: [ALICE], constraints: [] },
    acknowledge: 'the delegate controls the whole wallet on this chain',
  },
  'that denies': { kind: 'deny', client: 'any', wallet: 'any', chain: 'any', addresses: [ALICE] },
  'that caps': { kind: 'cap', wallet: 'main', chain: 'eip155:1', constraints: [volume] },
};

const BAD: Readonly<Record<string, object>> = {
  'of no kind': { ...ether, kind: 'everything' },
  'with a member that is not known': { ...ether, recipient: ALICE },
  'without recipients': { ...scope, kind: 'ether-transfer', constraints: [volume] },
  'to an address with 41 digits': { ...ether, recipients: [`${ALICE}1`] },
  'with an amount that is a number': { ...ether, constraints: [{ ...volume, limit: 1000 }] },
  'with a window of no kind': { ...ether, constraints: [{ ...volume, window: { days: 1 } }] },
  'with a constraint that is not known': { ...ether, constraints: [volume, { type: 'mood' }] },
  'without its acknowledgement': {
    ...{ ...scope, kind: 'delegation', delegates: [ALICE], constraints: [] },
  },
  'that denies on a chain that is none': { kind: 'deny', client: 'any', wallet: 'any', chain: 'mainnet' },
};

describe('a file of grants', () => {
  const judge = (json: unknown) => [grantFile.safeParse(json).success, published.safeParse(json).success];

  it.each(Object.entries(GOOD))('takes a grant %s, by the program and by the schema', (_, grant) => {
    expect(judge({ $schema: './grants.schema.json', grants: [grant] })).toEqual([true, true]);
  });

  it.each(Object.entries(BAD))('refuses a grant %s, by the program and by the schema', (_, grant) => {
    expect(judge({ grants: [ether, grant] })).toEqual([false, false]);
  });

  it('has its grants in a list, and nothing else', () => {
    expect(judge({ grants: [] })).toEqual([true, true]);
    for (const other of [{}, [], { grants: {} }, { grants: [], rules: [] }, null]) {
      expect(judge(other)).toEqual([false, false]);
    }
  });

  it('may have the capitals of a checksum in addresses: the command line reads them before the program looks', () => {
    const capitals = `0x${'AA'.repeat(20)}`;
    expect(judge({ grants: [{ ...ether, recipients: [capitals] }] })).toEqual([false, true]);
    const unlimited = { ...ether, unlimited: [`erc20:${capitals}`] };
    expect(judge({ grants: [unlimited] })).toEqual([false, true]);
  });

  it('is refused by the program where nothing limits what leaves, which a schema cannot say', () => {
    expect(judge({ grants: [{ ...ether, constraints: [] }] })).toEqual([false, true]);
  });
});
