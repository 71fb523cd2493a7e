import { describe, expect, it } from 'vitest';
import { createUsage } from '../budget/usage.ts';
import {
  EVE,
  feeOf,
  outflow,
  PLAIN_ZONES,
  requestOf,
  tokenGrant,
  tokenRequest,
  WALLET,
  BOB,
  volume,
} from '../engine.fixture.ts';
import { evaluate } from '../evaluate.ts';
import type { Condition, Grant } from '../grant.ts';
import { createGrantIndex } from '../grant-index.ts';
import type { Action, Intent, NamedValue } from '../intent.ts';

const CONTRACT = '0xc0ffee0000000000000000000000000000000000';
const scope = {
  id: 'g1',
  createdSeq: 1,
  client: 'bot',
  wallet: 'hot',
  chain: 'eip155:1',
  constraints: [volume(1000n)],
};
const noFee = { ...scope, constraints: [] };

function codeOf(grant: Grant, action: Action, intent: Partial<Intent> = {}): string {
  const request = requestOf({ actions: [action], ...intent });
  const decision = evaluate(request, createGrantIndex([grant]), createUsage(), 0, PLAIN_ZONES);
  return decision.verdict === 'deny' ? decision.reasons[0]!.code : decision.verdict;
}

describe('contract-call', () => {
  const args: NamedValue[] = [
    { name: 'amount', type: 'uint256', value: 5n },
    { name: 'receiver', type: 'address', value: WALLET },
    {
      name: 'order',
      type: 'tuple',
      value: [
        { name: 'path', type: 'address[]', value: [CONTRACT, BOB] },
        { name: 'memo', type: 'string', value: 'order 7' },
        { name: 'flags', type: 'bool[]', value: [] },
      ],
    },
  ];
  const call = {
    kind: 'contract-call',
    sender: 'wallet',
    contract: CONTRACT,
    function: 'swap()',
    args,
    value: 0n,
    callType: 'call',
  } as const;
  const grant = (where: readonly Condition[] = [], patch: object = {}): Grant => ({
    ...{ ...scope, kind: 'contract-call', contracts: [CONTRACT], functions: [{ function: 'swap()', where }] },
    ...patch,
  });

  it.each<[Condition, string]>([
    [{ path: '/amount', test: 'equals', value: '5' }, 'permit'],
    [{ path: '/0', test: 'equals', value: '5' }, 'permit'],
    [{ path: '/-3', test: 'equals', value: '5' }, 'permit'],
    [{ path: '/amount', test: 'equals', value: '05' }, 'condition_not_met'],
    [{ path: '/amount', test: 'range', min: 5n, max: 5n }, 'permit'],
    [{ path: '/amount', test: 'range', min: 6n, max: null }, 'condition_not_met'],
    [{ path: '/amount', test: 'range', min: null, max: 4n }, 'condition_not_met'],
    [{ path: '/receiver', test: 'range', min: null, max: 4n }, 'condition_not_met'],
    [{ path: '/receiver', test: 'is-wallet' }, 'permit'],
    [{ path: '/order/path/1', test: 'is-wallet' }, 'condition_not_met'],
    [{ path: '/order/path/-1', test: 'one-of', values: [EVE, BOB] }, 'permit'],
    [{ path: '/order/path/*', test: 'one-of', values: [CONTRACT, BOB] }, 'permit'],
    [{ path: '/order/path/*', test: 'one-of', values: [BOB] }, 'condition_not_met'],
    [{ path: '/order/flags/*', test: 'equals', value: true }, 'condition_not_met'],
    [{ path: '/order/memo', test: 'prefix', value: 'order ' }, 'permit'],
    [{ path: '/order/memo', test: 'prefix', value: 'rder' }, 'condition_not_met'],
    [{ path: '/order', test: 'equals', value: 'order 7' }, 'condition_not_met'],
    [{ path: '/nothing', test: 'equals', value: '5' }, 'condition_not_met'],
    [{ path: '/amount/0', test: 'equals', value: '5' }, 'condition_not_met'],
    [{ path: '/9', test: 'equals', value: '5' }, 'condition_not_met'],
  ])('condition %#: $1', (condition, expected) => {
    expect(codeOf(grant([condition]), call)).toBe(expected);
  });

  it('is one of the functions of one of the contracts, and not by delegatecall unless that is acknowledged', () => {
    expect(codeOf(grant(), { ...call, function: 'swap(uint256)' })).toBe('function_not_granted');
    expect(codeOf(grant(), { ...call, contract: BOB })).toBe('contract_not_granted');
    expect(codeOf(grant(), { ...call, callType: 'delegatecall' })).toBe('delegatecall_not_granted');
    expect(codeOf(grant([], { delegatecall: 'yes' }), { ...call, callType: 'delegatecall' })).toBe('permit');
  });

  it('gives to the contract, the wallet and named recipients alone', () => {
    const to = (who: string) => ({ outflows: [outflow('native', 5n, who, 'router')] });
    expect([CONTRACT, WALLET, 'wallet', BOB].map((who) => codeOf(grant(), call, to(who)))).toEqual([
      ...['permit', 'permit', 'permit', 'recipient_not_permitted'],
    ]);
    expect(codeOf(grant([], { recipients: [BOB] }), call, to(BOB))).toBe('permit');
    expect(codeOf(grant([], { recipients: 'any' }), call, to(EVE))).toBe('permit');
  });

  it('takes no argument of which two have the name', () => {
    const twice = { ...call, args: [...args, { name: 'amount', type: 'uint256', value: 5n }] };
    expect(codeOf(grant([{ path: '/amount', test: 'equals', value: '5' }]), twice)).toBe('condition_not_met');
  });
});

describe('opaque-call', () => {
  const call = {
    kind: 'opaque-call',
    sender: 'wallet',
    contract: CONTRACT,
    selector: '0x12345678',
    value: 0n,
    callType: 'call',
    why: 'unknown',
  } as const;
  const grant = (patch: object = {}): Grant => ({
    ...scope,
    kind: 'opaque-call',
    contracts: [CONTRACT],
    selectors: 'any',
    acknowledge: 'x' as never,
    ...patch,
  });

  it('is by contract and selector', () => {
    expect(codeOf(grant(), call, { opaque: 'unknown' })).toBe('permit');
    expect(codeOf(grant({ contracts: [BOB] }), call, { opaque: 'unknown' })).toBe('contract_not_granted');
    expect(codeOf(grant({ selectors: ['0x00000000'] }), call, { opaque: 'unknown' })).toBe('selector_not_granted');
    expect(codeOf(grant({ selectors: ['none'] }), { ...call, selector: null }, { opaque: 'unknown' })).toBe('permit');
    expect(codeOf(grant(), { ...call, callType: 'delegatecall' }, { opaque: 'unknown' })).toBe(
      'delegatecall_not_granted',
    );
  });

  it('is the only kind that takes a call that is opaque as a whole', () => {
    const known = {
      ...scope,
      kind: 'contract-call',
      contracts: [CONTRACT],
      functions: [{ function: 'f()', where: [] }],
    } as const;
    const call = {
      kind: 'contract-call',
      sender: 'wallet',
      contract: CONTRACT,
      function: 'f()',
      args: [],
      value: 0n,
      callType: 'call',
    } as const;
    expect(codeOf(known, call)).toBe('permit');
    expect(codeOf(known, call, { opaque: 'a leaf is unknown' })).toBe('opaque_not_granted');
  });
});

describe('contract-creation', () => {
  const hash = `0x${'ab'.repeat(32)}`;
  const creation = { kind: 'contract-creation', initCodeHash: hash, initCodeBytes: 5, value: 0n } as const;

  it('is by the hash of the init code, or explicitly any', () => {
    const grant = (initCodeHashes: readonly string[] | 'any'): Grant => ({
      ...scope,
      kind: 'contract-creation',
      initCodeHashes,
    });
    expect(codeOf(grant([hash]), creation)).toBe('permit');
    expect(codeOf(grant('any'), creation)).toBe('permit');
    expect(codeOf(grant([]), creation)).toBe('init_code_not_granted');
    expect(codeOf(grant('any'), creation, { outflows: [outflow('native', 5n, 'new', 'value')] })).toBe('permit');
    expect(codeOf(grant('any'), creation, { outflows: [outflow('erc20:0x00', 5n, BOB)] })).toBe(
      'recipient_not_permitted',
    );
  });
});

describe('typed-data', () => {
  const domain = { name: 'App', version: '1', chainId: 1n, verifyingContract: CONTRACT, salt: null };
  const fields: NamedValue[] = [{ name: 'to', type: 'address', value: WALLET }];
  const data = {
    kind: 'typed-data',
    domain,
    primaryType: 'Order',
    typeHash: '0xaa',
    fields,
    registered: true,
  } as const;
  const grant = (patch: object = {}): Grant => ({
    ...noFee,
    kind: 'typed-data',
    contract: CONTRACT,
    types: [{ primaryType: 'Order', where: [] }],
    ...patch,
  });
  const judge = (of: Grant, action: Action = data, intent: Partial<Intent> = {}) =>
    codeOf(of, action, { form: 'typed-data', fee: null, nonce: null, ...intent });

  it('is by domain, primary type and fields', () => {
    expect(judge(grant())).toBe('permit');
    expect(judge(grant({ name: 'App' }))).toBe('permit');
    expect(judge(grant({ name: 'Other' }))).toBe('domain_not_granted');
    expect(judge(grant({ contract: BOB }))).toBe('domain_not_granted');
    expect(judge(grant({ types: [{ primaryType: 'Other', where: [] }] }))).toBe('type_not_granted');
    expect(judge(grant({ types: [{ primaryType: 'Order', typeHash: '0xbb', where: [] }] }))).toBe('type_not_granted');
    expect(
      judge(grant({ types: [{ primaryType: 'Order', where: [{ path: '/to', test: 'equals', value: BOB }] }] })),
    ).toBe('condition_not_met');
    expect(judge(grant(), data, { outflows: [outflow('native', 0n, BOB, 'order')] })).toBe('recipient_not_permitted');
  });

  it('is registered and complete, unless it is acknowledged that it is not', () => {
    const bare = { ...domain, verifyingContract: null };
    const open = grant({ acknowledge: 'x' });
    expect(judge(grant(), { ...data, registered: false })).toBe('type_not_registered');
    expect(judge(grant(), { ...data, domain: { ...domain, chainId: null } })).toBe('type_not_registered');
    expect(judge(grant(), data, { opaque: 'unregistered' })).toBe('opaque_not_granted');
    expect(judge(open, { ...data, registered: false }, { opaque: 'unregistered' })).toBe('permit');
    expect(judge({ ...open, contract: 'none' } as Grant, { ...data, domain: bare })).toBe('permit');
    expect(judge(grant({ contract: 'none' }), { ...data, domain: bare })).toBe('type_not_registered');
  });
});

describe('message', () => {
  const grant: Grant = {
    ...noFee,
    kind: 'message',
    messages: [{ prefix: 'Log in:\n' }, { template: 'Nonce: {} at {}.' }],
  };
  it.each([
    ['Log in:\nanything', 'permit'],
    ['log in:\n', 'message_not_granted'],
    ['Nonce: 7 at noon.', 'permit'],
    ['Nonce: 7 at .', 'message_not_granted'],
  ])('%j: %s', (text, expected) => {
    expect(codeOf(grant, { kind: 'message', text }, { fee: null })).toBe(expected);
  });
});

describe('delegation', () => {
  const grant: Grant = { ...noFee, kind: 'delegation', delegates: [CONTRACT], acknowledge: 'x' as never };
  const action = { kind: 'delegation', delegate: CONTRACT, chainId: 1n, nonce: 3n } as const;
  it('is to a listed delegate on the chain of the grant, never on all chains', () => {
    expect(codeOf(grant, action, { fee: null })).toBe('permit');
    expect(codeOf(grant, { ...action, delegate: BOB }, { fee: null })).toBe('delegate_not_granted');
    expect(codeOf(grant, { ...action, chainId: 0n }, { fee: null })).toBe('delegate_not_granted');
    expect(codeOf(grant, action, { fee: feeOf(1n) })).toBe('no_fee_limit');
  });
});

describe('of every kind', () => {
  const typedAction = {
    kind: 'typed-data',
    primaryType: 'Order',
    typeHash: '0xaa',
    fields: [],
    registered: true,
    domain: { name: null, version: null, chainId: 1n, verifyingContract: CONTRACT, salt: null },
  } as const;
  const call = { sender: 'wallet', contract: CONTRACT, value: 0n, callType: 'call' } as const;
  const KINDS: readonly (readonly [Grant, Action])[] = [
    [
      { ...scope, kind: 'ether-transfer', recipients: [BOB] },
      { kind: 'ether-transfer', sender: 'wallet', recipient: BOB, amount: 0n },
    ],
    [tokenGrant({ id: 'g1', unlimited: ['native'] }), tokenRequest().intent.actions[0]!],
    [
      { ...scope, kind: 'contract-call', contracts: [CONTRACT], functions: [{ function: 'f()', where: [] }] },
      { kind: 'contract-call', function: 'f()', args: [], ...call },
    ],
    [
      { ...scope, kind: 'contract-creation', initCodeHashes: 'any' },
      { kind: 'contract-creation', initCodeHash: '0xaa', initCodeBytes: 1, value: 0n },
    ],
    [{ ...scope, kind: 'typed-data', contract: CONTRACT, types: [{ primaryType: 'Order', where: [] }] }, typedAction],
    [
      { ...scope, kind: 'message', messages: [{ prefix: 'a' }] },
      { kind: 'message', text: 'ab' },
    ],
    [
      { ...scope, kind: 'delegation', delegates: [CONTRACT], acknowledge: 'x' as never },
      { kind: 'delegation', delegate: CONTRACT, chainId: 1n, nonce: 0n },
    ],
  ];

  it.each(KINDS.map(([grant, action]) => [grant.kind, grant, action] as const))(
    '%s covers what it names, and nothing that is opaque or leaves elsewhere',
    (_, grant, action) => {
      expect(codeOf(grant, action)).toBe('permit');
      expect(codeOf(grant, action, { opaque: 'a leaf is unknown' })).toBe('opaque_not_granted');
      expect(codeOf(grant, action, { outflows: [outflow('erc20:0xee', 0n, EVE)] })).toBe(
        grant.kind === 'token-transfer' ? 'asset_not_granted' : 'recipient_not_permitted',
      );
      // Two kinds in one request are covered by none.
      const other = { kind: action.kind === 'message' ? 'delegation' : 'message', text: 'ab' } as unknown as Action;
      const both = evaluate(
        requestOf({ actions: [action, other] }),
        createGrantIndex([grant]),
        createUsage(),
        0,
        PLAIN_ZONES,
      );
      expect(both).toMatchObject({ reasons: [{ code: 'kind_not_granted', asked: other.kind }] });
    },
  );

  const reasonOf = (grant: Grant, action: Action, intent: Partial<Intent> = {}) => {
    const request = requestOf({ actions: [action], ...intent });
    const decision = evaluate(request, createGrantIndex([grant]), createUsage(), 0, PLAIN_ZONES);
    return decision.verdict === 'deny' ? decision.reasons[0] : decision;
  };
  const typedGrant = KINDS[4]![0];

  it('says what was asked for and how many the grant names', () => {
    const of = (patch: object) => ({ ...typedGrant, ...patch }) as Grant;
    expect(reasonOf(of({ name: 'App' }), typedAction)).toEqual({
      ...{ code: 'domain_not_granted', grant: 'g1', asked: 'none' },
    });
    const named = { ...typedAction, domain: { ...typedAction.domain, name: 'Other' } };
    expect(reasonOf(of({ name: 'App' }), named)).toMatchObject({ code: 'domain_not_granted', asked: 'Other' });
    const where = [{ path: '/to', test: 'is-wallet' }];
    expect(reasonOf(of({ types: [{ primaryType: 'Order', where }] }), typedAction)).toEqual({
      ...{ code: 'condition_not_met', grant: 'g1', asked: 'Order /to' },
    });
    const hashed = (typeHash: string) => of({ types: [{ primaryType: 'Order', typeHash, where: [] }] });
    expect(reasonOf(hashed('0xaa'), typedAction)).toMatchObject({ verdict: 'permit' });
    expect(reasonOf(hashed('0xbb'), typedAction)).toEqual({
      ...{ code: 'type_not_granted', grant: 'g1', asked: 'Order', permitted: 1 },
    });
    const [[, message], [, delegation]] = [KINDS[5]!, KINDS[6]!];
    const text = 'x'.repeat(100);
    expect(reasonOf(KINDS[5]![0], { ...message, text } as Action)).toEqual({
      ...{ code: 'message_not_granted', grant: 'g1', asked: 'x'.repeat(80), permitted: 1 },
    });
    expect(reasonOf(KINDS[6]![0], { ...delegation, chainId: 0n } as Action)).toEqual({
      ...{ code: 'delegate_not_granted', grant: 'g1', asked: `${CONTRACT} on chain 0` },
    });
    const functions = [{ function: 'f()', where }];
    expect(reasonOf({ ...KINDS[2]![0], functions } as Grant, KINDS[2]![1])).toEqual({
      ...{ code: 'condition_not_met', grant: 'g1', asked: 'f() /to' },
    });
  });

  it('typed data give to their contract, the wallet and who is named', () => {
    const to = (who: string, patch: object = {}) =>
      reasonOf({ ...typedGrant, ...patch } as Grant, typedAction, { outflows: [outflow('native', 0n, who, 'order')] });
    for (const who of [CONTRACT, WALLET, 'wallet']) expect(to(who)).toMatchObject({ verdict: 'permit' });
    expect(to(BOB)).toMatchObject({ code: 'recipient_not_permitted', permitted: 0 });
    expect(to(BOB, { recipients: [BOB] })).toMatchObject({ verdict: 'permit' });
  });

  it('an opaque call gives to its own contract, and by delegatecall where that is acknowledged', () => {
    const grant: Grant = {
      ...{ ...scope, kind: 'opaque-call', contracts: [CONTRACT], selectors: 'any', acknowledge: 'x' as never },
    };
    const action: Action = { kind: 'opaque-call', selector: null, why: 'x', ...call };
    const to = (who: string) => ({ opaque: 'x', outflows: [outflow('native', 0n, who, 'value')] });
    expect(codeOf(grant, action, to(CONTRACT))).toBe('permit');
    expect(codeOf(grant, action, to(BOB))).toBe('recipient_not_permitted');
    const open = { ...grant, delegatecall: 'x' } as unknown as Grant;
    expect(codeOf(open, { ...action, callType: 'delegatecall' }, { opaque: 'x' })).toBe('permit');
  });

  it('conditions look at values of their own type alone', () => {
    const where = (condition: Condition, value: NamedValue['value']) => {
      const grant = { ...KINDS[2]![0], functions: [{ function: 'f()', where: [condition] }] } as Grant;
      const args = [{ name: 'x', type: '?', value }];
      return codeOf(grant, { ...KINDS[2]![1], args } as Action) === 'permit';
    };
    const range = { path: '/x', test: 'range', min: 0n, max: 9n } as const;
    expect(where(range, 9n)).toBe(true);
    expect(where(range, '5')).toBe(false);
    expect(where(range, true)).toBe(false);
    expect(where({ ...range, min: null }, -5n)).toBe(true);
    expect(where({ ...range, max: null }, 99n)).toBe(true);
    expect(where({ path: '/x', test: 'equals', value: true }, true)).toBe(true);
    expect(where({ path: '/x', test: 'equals', value: true }, false)).toBe(false);
    expect(where({ path: '/x', test: 'equals', value: 'true' }, true)).toBe(false);
    expect(where({ path: '/x', test: 'one-of', values: ['5', true] }, true)).toBe(true);
    expect(where({ path: '/x', test: 'one-of', values: ['5'] }, [5n])).toBe(false);
    expect(where({ path: '/x', test: 'one-of', values: [undefined as never] }, [5n])).toBe(false);
    expect(where({ path: '/x', test: 'prefix', value: '5' }, 5n)).toBe(false);
    expect(where({ path: '/x', test: 'is-wallet' }, WALLET)).toBe(true);
    expect(where({ path: '/x', test: 'later' } as never, 5n)).toBe(false);
    expect(where({ path: '/x/*', test: 'equals', value: '5' }, [])).toBe(false);
    expect(where({ path: '/x/*/0', test: 'equals', value: '5' }, [[5n], [5n]])).toBe(true);
    expect(where({ path: '/x/*/0', test: 'equals', value: '5' }, [[5n], []])).toBe(false);
    expect(where({ path: '/x/10', test: 'equals', value: '5' }, [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 5n])).toBe(
      true,
    );
    const odd = [{ name: '1x', type: '?', value: 5n }];
    expect(where({ path: '/x/1x', test: 'equals', value: '5' }, odd)).toBe(true);
    expect(where({ path: '/x/x1', test: 'equals', value: '5' }, [{ ...odd[0]!, name: 'x1' }])).toBe(true);
    expect(where({ path: '/x/-', test: 'equals', value: '5' }, [{ ...odd[0]!, name: '-' }])).toBe(true);
  });

  it('one condition of several rules for a function is enough, and all of one rule are', () => {
    const grant = (...functions: readonly (readonly Condition[])[]) =>
      ({ ...KINDS[2]![0], functions: functions.map((where) => ({ function: 'f()', where })) }) as Grant;
    const action = { ...KINDS[2]![1], args: [{ name: 'x', type: 'uint256', value: 5n }] } as Action;
    const is = (value: string): Condition => ({ path: '/x', test: 'equals', value });
    expect(codeOf(grant([is('4')], [is('5')]), action)).toBe('permit');
    expect(codeOf(grant([is('4')], [is('6')]), action)).toBe('condition_not_met');
    expect(codeOf(grant([is('5'), is('4')]), action)).toBe('condition_not_met');
  });
});
