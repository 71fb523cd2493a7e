import { describe, expect, it } from 'vitest';
import { toJson } from '../json.ts';
import { parseGrant, ACTION_KINDS, ROUTES } from './grant-parse.ts';

// A grant of each kind with every member that it can have; then each member wrong.

const A = `0x${'aa'.repeat(20)}`;
const B = `0x${'bb'.repeat(20)}`;
const HASH = `0x${'cd'.repeat(32)}`;
const TOKEN = `erc20:${A}`;
const FEE = { type: 'max-fee', limit: '5' };
const VOLUME = (asset: string) => ({ type: 'volume', asset, limit: '5', window: { ever: true } });
const numbered = { id: 'g1', createdSeq: 1, label: 'Payroll' };
const scope = { ...numbered, client: 'bot', wallet: 'hot', chain: 'eip155:1', unlimited: ['native'], accounts: [B] };
const DELEGATECALL = 'the called code acts as the caller and may take everything';
const where = [
  { path: '/a', test: 'equals', value: '5' },
  { path: '/b', test: 'equals', value: true },
  { path: '/c', test: 'one-of', values: ['x', false] },
  { path: '/d', test: 'range', min: '-5', max: '5' },
  { path: '/e', test: 'range', min: null, max: '0' },
  { path: '/f', test: 'range', min: '0', max: null },
  { path: '/g', test: 'prefix', value: 'a b\n' },
  { path: '/h', test: 'is-wallet' },
];

const GRANTS: Readonly<Record<string, object>> = {
  'ether-transfer': { ...scope, kind: 'ether-transfer', recipients: [A], constraints: [] },
  'token-transfer': {
    ...{
      ...scope,
      kind: 'token-transfer',
      assets: [{ asset: TOKEN, symbol: 'USDT', decimals: 6 }, { asset: `erc20:${B}` }],
    },
    ...{ routes: ROUTES, recipients: 'any', spenders: [B], constraints: [VOLUME(TOKEN), VOLUME(`erc20:${B}`)] },
  },
  'contract-call': {
    ...{ ...scope, kind: 'contract-call', contracts: [A], functions: [{ function: 'f()', where }], constraints: [FEE] },
    ...{ recipients: [B], delegatecall: DELEGATECALL },
  },
  'opaque-call': {
    ...{ ...scope, kind: 'opaque-call', contracts: [A], selectors: ['0x12345678', 'none'], constraints: [FEE] },
    acknowledge: 'calls are not understood and may move anything that the contract may move',
    delegatecall: DELEGATECALL,
  },
  'contract-creation': { ...scope, kind: 'contract-creation', initCodeHashes: [HASH], constraints: [FEE] },
  'typed-data': {
    ...{ ...scope, kind: 'typed-data', contract: A, name: 'App 2', recipients: 'any', constraints: [] },
    types: [
      { primaryType: 'Order', typeHash: HASH, where },
      { primaryType: 'Vote', where: [] },
    ],
    acknowledge: 'what the signed data allows is not understood',
  },
  message: {
    ...{ ...scope, kind: 'message', constraints: [] },
    messages: [{ prefix: 'Log in ' }, { template: 'I am {}, {}\nand nobody else' }],
  },
  delegation: {
    ...{ ...scope, kind: 'delegation', delegates: [A], constraints: [] },
    acknowledge: 'the delegate controls the whole wallet on this chain',
  },
  deny: {
    ...{
      ...numbered,
      kind: 'deny',
      client: { group: 'bots' },
      wallet: 'hot',
      chain: 'eip155:1',
      actions: ACTION_KINDS,
    },
    ...{ assets: [TOKEN], addresses: [A], functions: ['f()'], routes: ROUTES },
  },
  cap: { ...numbered, kind: 'cap', wallet: 'hot', chain: 'eip155:1', constraints: [FEE] },
};

function refusal(kind: string, patch: object) {
  const parsed = parseGrant({ ...GRANTS[kind], ...patch });
  return parsed.ok ? 'taken' : [parsed.error.code, parsed.error.path, parsed.error.expected];
}
const codeAt = (kind: string, patch: object) => {
  const found = refusal(kind, patch);
  return typeof found === 'string' ? found : `${found[0]} ${found[1]}`;
};

describe.each(Object.keys(GRANTS))('a grant of the kind %s', (kind) => {
  const grant = GRANTS[kind]!;

  it('is taken with all of its members, and written as it was', () => {
    const parsed = parseGrant(grant);
    expect(parsed.ok ? toJson(parsed.value) : parsed.error).toEqual(grant);
  });

  it('has no member of another kind', () => {
    const others = new Set(Object.values(GRANTS).flatMap((each) => Object.keys(each)));
    for (const member of others) {
      if (member in grant) continue;
      expect(codeAt(kind, { [member]: [] })).toBe(`unknown_member /${member}`);
    }
  });

  it('needs each member but those that may be left out', () => {
    const optional = ['label', 'unlimited', 'accounts', 'name', 'delegatecall'];
    if (kind === 'contract-call' || kind === 'typed-data') optional.push('recipients');
    if (kind === 'typed-data') optional.push('acknowledge');
    if (kind === 'deny') optional.push('actions', 'assets', 'addresses', 'functions', 'routes');
    for (const member of Object.keys(grant)) {
      const { [member]: _, ...rest } = grant as Record<string, unknown>;
      const parsed = parseGrant(rest);
      if (optional.includes(member) && member !== 'unlimited') expect([member, parsed.ok]).toEqual([member, true]);
      else if (!optional.includes(member)) {
        const path = parsed.ok ? 'taken' : parsed.error.path;
        expect(path).toBe(`/${member}`);
      }
    }
  });

  it('has an id, a place in the order and a name that people can read', () => {
    expect(codeAt(kind, { id: 'x'.repeat(128) })).toBe('taken');
    expect(codeAt(kind, { id: 'x'.repeat(129) })).toBe('invalid_text /id');
    expect(codeAt(kind, { createdSeq: 0 })).toBe('taken');
    for (const createdSeq of [-1, 0.5, 2 ** 53, '1', null]) {
      expect(codeAt(kind, { createdSeq })).toBe('invalid_sequence /createdSeq');
    }
    expect(codeAt(kind, { label: 'a  b' })).toBe('invalid_text /label');
  });
});

describe('whom a grant names', () => {
  it('is a client or a group by its name, and never anybody by that word', () => {
    expect(codeAt('ether-transfer', { client: { group: 'bots' } })).toBe('taken');
    expect(refusal('ether-transfer', { client: 'any' })).toEqual(['invalid_text', '/client', 'a name other than any']);
    expect(refusal('ether-transfer', { wallet: 'any' })).toEqual(['invalid_text', '/wallet', 'a name other than any']);
    expect(refusal('cap', { wallet: 'any' })).toEqual(['invalid_text', '/wallet', 'a name other than any']);
    expect(codeAt('ether-transfer', { client: {} })).toBe('invalid_text /client/group');
    expect(codeAt('ether-transfer', { client: { group: 'a', more: 1 } })).toBe('unknown_member /client/more');
    expect(codeAt('ether-transfer', { client: 'x'.repeat(129) })).toBe('invalid_text /client');
    expect(codeAt('ether-transfer', { chain: 'any' })).toBe('invalid_chain /chain');
  });

  it('is anybody, any wallet and any chain where a rule forbids', () => {
    expect(codeAt('deny', { client: 'any', wallet: 'any', chain: 'any' })).toBe('taken');
    expect(codeAt('deny', { client: 'bot' })).toBe('taken');
    expect(codeAt('deny', { client: ['any'] })).toBe('invalid_text /client');
    expect(codeAt('deny', { wallet: '' })).toBe('invalid_text /wallet');
    expect(codeAt('deny', { chain: '1' })).toBe('invalid_chain /chain');
  });
});

describe('a member that is wrong', () => {
  const many = (length: number) => Array.from({ length }, (_, i) => `0x${i.toString(16).padStart(40, '0')}`);
  const acknowledged = (words: string) => ['not_acknowledged', '/acknowledge', `'${words}'`];

  it.each<[string, object, string]>([
    ['ether-transfer', { recipients: 'all' }, 'invalid_list /recipients'],
    ['ether-transfer', { recipients: many(1_000) }, 'taken'],
    ['ether-transfer', { unlimited: [] }, 'invalid_list /unlimited'],
    ['ether-transfer', { unlimited: ['ETH'] }, 'invalid_asset /unlimited/0'],
    ['ether-transfer', { accounts: [] }, 'invalid_list /accounts'],
    ['ether-transfer', { accounts: many(65) }, 'invalid_list /accounts'],
    ['ether-transfer', { accounts: ['safe'] }, 'invalid_address /accounts/0'],
    ['token-transfer', { assets: [] }, 'invalid_list /assets'],
    ['token-transfer', { assets: [{ asset: TOKEN, decimals: 78 }] }, 'invalid_limit /assets/0/decimals'],
    ['token-transfer', { assets: [{ asset: TOKEN, decimals: 77 }] }, 'taken'],
    ['token-transfer', { assets: [{ asset: TOKEN, decimals: 0 }] }, 'taken'],
    ['token-transfer', { assets: [{ asset: TOKEN, decimals: -1 }] }, 'invalid_limit /assets/0/decimals'],
    ['token-transfer', { assets: [{ asset: TOKEN, symbol: '' }] }, 'invalid_text /assets/0/symbol'],
    ['token-transfer', { assets: [{ asset: TOKEN, symbol: 'x'.repeat(33) }] }, 'invalid_text /assets/0/symbol'],
    ['token-transfer', { assets: [{ asset: TOKEN, name: 'x' }] }, 'unknown_member /assets/0/name'],
    ['token-transfer', { routes: ['teleport'] }, 'invalid_route /routes/0'],
    ['token-transfer', { routes: 'all' }, 'invalid_list /routes'],
    ['token-transfer', { spenders: 'all' }, 'invalid_list /spenders'],
    ['contract-call', { contracts: 'any' }, 'invalid_list /contracts'],
    ['contract-call', { contracts: [] }, 'taken'],
    ['contract-call', { functions: [] }, 'invalid_list /functions'],
    ['contract-call', { functions: [{ function: 'f', where: [] }] }, 'invalid_function /functions/0/function'],
    ['contract-call', { functions: [{ function: 'f()' }] }, 'invalid_list /functions/0/where'],
    ['contract-call', { delegatecall: true }, 'not_acknowledged /delegatecall'],
    ['opaque-call', { selectors: 'all' }, 'invalid_list /selectors'],
    ['opaque-call', { selectors: ['0x1234567'] }, 'invalid_selector /selectors/0'],
    ['opaque-call', { delegatecall: 'yes' }, 'not_acknowledged /delegatecall'],
    ['contract-creation', { initCodeHashes: 'all' }, 'invalid_list /initCodeHashes'],
    ['contract-creation', { initCodeHashes: ['0x'] }, 'invalid_hash /initCodeHashes/0'],
    ['contract-creation', { initCodeHashes: 'any' }, 'taken'],
    ['typed-data', { contract: 'none' }, 'taken'],
    ['typed-data', { contract: 'any' }, 'invalid_address /contract'],
    ['typed-data', { name: '' }, 'invalid_text /name'],
    ['typed-data', { types: [] }, 'invalid_list /types'],
    ['typed-data', { types: [{ primaryType: '', where: [] }] }, 'invalid_text /types/0/primaryType'],
    ['typed-data', { types: [{ primaryType: 'A', typeHash: '0x', where: [] }] }, 'invalid_hash /types/0/typeHash'],
    ['message', { messages: [] }, 'invalid_list /messages'],
    ['message', { messages: ['x'] }, 'not_an_object /messages/0'],
    ['message', { messages: [{ prefix: '' }] }, 'invalid_text /messages/0/prefix'],
    ['message', { messages: [{ prefix: 'a', template: 'b' }] }, 'unknown_member /messages/0/prefix'],
    ['delegation', { delegates: [] }, 'invalid_list /delegates'],
    ['delegation', { delegates: 'any' }, 'invalid_list /delegates'],
    ['deny', { actions: [] }, 'invalid_list /actions'],
    ['deny', { actions: ['deny'] }, 'unknown_kind /actions/0'],
    ['deny', { assets: [] }, 'invalid_list /assets'],
    ['deny', { addresses: [] }, 'invalid_list /addresses'],
    ['deny', { functions: [] }, 'invalid_list /functions'],
    ['deny', { routes: [] }, 'invalid_list /routes'],
    ['deny', { routes: 'any' }, 'invalid_list /routes'],
    ['cap', { constraints: [] }, 'invalid_list /constraints'],
    ['cap', { client: 'bot' }, 'unknown_member /client'],
  ])('%s: %j is %s', (kind, patch, found) => {
    expect(codeAt(kind, patch)).toBe(found);
  });

  it('is an acknowledgement that is not said word for word', () => {
    expect(refusal('delegation', { acknowledge: 'yes' })).toEqual(
      acknowledged('the delegate controls the whole wallet on this chain'),
    );
    expect(refusal('typed-data', { acknowledge: '' })).toEqual(
      acknowledged('what the signed data allows is not understood'),
    );
  });

  it('says which kinds there are', () => {
    expect(parseGrant({ kind: 'lunar' })).toEqual({
      ok: false,
      error: {
        ...{ code: 'unknown_kind', path: '/kind' },
        expected:
          'one of ether-transfer, token-transfer, contract-call, opaque-call, contract-creation, typed-data, message, delegation, deny, cap',
      },
    });
    expect(parseGrant({})).toMatchObject({ error: { code: 'unknown_kind' } });
  });
});

describe('a condition', () => {
  const MOST = (1n << 256n) - 1n;
  const LEAST = -(1n << 255n);
  const taken = (condition: unknown) =>
    refusal('contract-call', { functions: [{ function: 'f()', where: [condition] }] });
  const at = (member: string) => `/functions/0/where/0${member}`;
  const range = (min: unknown, max: unknown) => ({ path: '/a', test: 'range', min, max });

  it('is a range of what integers of an ABI can be, with one end at least', () => {
    expect(taken(range(`${LEAST}`, `${MOST}`))).toBe('taken');
    expect(taken(range('5', '5'))).toBe('taken');
    expect(taken(range('-5', '-5'))).toBe('taken');
    const order = ['invalid_condition', at('/max'), 'not below min; not both may be null'];
    expect(taken(range('5', '4'))).toEqual(order);
    expect(taken(range('-4', '-5'))).toEqual(order);
    expect(taken(range(null, null))).toEqual(order);
    for (const bound of [`${LEAST - 1n}`, `${MOST + 1n}`, '-0', '05', '--5', '-', '', 5, 5n, undefined]) {
      expect(taken(range(bound, null)).slice(0, 2)).toEqual(['invalid_condition', at('/min')]);
      expect(taken(range(null, bound)).slice(0, 2)).toEqual(['invalid_condition', at('/max')]);
    }
  });

  it('compares with texts and truth values alone', () => {
    for (const value of [5, null, '', 'a\u0000', ['x']]) {
      expect(taken({ path: '/a', test: 'equals', value }).slice(0, 2)).toEqual(['invalid_text', at('/value')]);
      expect(taken({ path: '/a', test: 'one-of', values: [value] }).slice(0, 2)).toEqual([
        'invalid_text',
        at('/values/0'),
      ]);
    }
    expect(taken({ path: '/a', test: 'prefix', value: true }).slice(0, 2)).toEqual(['invalid_text', at('/value')]);
    expect(taken({ path: '/a', test: 'one-of', values: [] }).slice(0, 2)).toEqual(['invalid_list', at('/values')]);
  });

  it('is one of five, with the members of that one', () => {
    const tests = 'one of equals, one-of, range, prefix, is-wallet';
    expect(taken({ path: '/a', test: 'later' })).toEqual(['invalid_condition', at('/test'), tests]);
    expect(taken({ path: '/a', test: 'constructor' })).toEqual(['invalid_condition', at('/test'), tests]);
    expect(taken({ path: '/a' })).toEqual(['invalid_condition', at('/test'), tests]);
    expect(taken('x')).toEqual(['not_an_object', at(''), 'an object']);
    expect(taken({ path: 'a', test: 'is-wallet' }).slice(0, 2)).toEqual(['invalid_condition', at('/path')]);
    expect(taken({ path: '/a', test: 'is-wallet', value: 'x' }).slice(0, 2)).toEqual(['unknown_member', at('/value')]);
    expect(taken({ path: '/a', test: 'range', min: '1' }).slice(0, 2)).toEqual(['invalid_condition', at('/max')]);
  });

  it('stands beside fifteen others at most', () => {
    const of = (length: number) =>
      refusal('contract-call', {
        functions: [
          { function: 'f()', where: Array.from({ length }, (_, i) => ({ path: `/${i}`, test: 'is-wallet' })) },
        ],
      });
    expect(of(16)).toBe('taken');
    expect(of(17)).toEqual(['invalid_list', '/functions/0/where', 'a list of 0 to 16']);
  });
});

describe('a template', () => {
  const of = (template: unknown) => refusal('message', { messages: [{ template }] });
  const MEANT = 'at most 16 placeholders {} with text between them, and no other braces';

  it('has text between its placeholders, and no other braces', () => {
    for (const template of ['plain', '{}', 'a {} b {}', '{} b', Array.from({ length: 17 }, () => 'a').join('{}')]) {
      expect(of(template)).toBe('taken');
    }
    for (const template of [
      'a {}{} b',
      'a {b} c',
      'a { b',
      'a } b',
      '{{}}',
      '{} {',
      Array.from({ length: 18 }, () => 'a').join('{}'),
    ]) {
      expect([template, of(template)]).toEqual([template, ['invalid_message', '/messages/0/template', MEANT]]);
    }
    expect(of('').slice(0, 2)).toEqual(['invalid_text', '/messages/0/template']);
    expect(of(5).slice(0, 2)).toEqual(['invalid_text', '/messages/0/template']);
  });
});
