import fc from 'fast-check';
import { constraintKey, type Constraint, type Window } from './constraint.ts';
import type { PermissionRequest, Replaced } from './decision.ts';
import {
  ACKNOWLEDGE_DELEGATECALL,
  ACKNOWLEDGE_DELEGATION,
  ACKNOWLEDGE_OPAQUE_CALL,
  ACKNOWLEDGE_UNREGISTERED_TYPE,
  type Condition,
  type DenyRule,
  type PermittingGrant,
  type WalletCap,
} from './grant.ts';
import type { Action, ActionKind, Amount, Fee, Intent, NamedValue, Outflow, TokenTransfer } from './intent.ts';
import { ACTION_KINDS as KINDS } from './parse/grant-parse.ts';

export { KINDS };

/**
 * Random grants and requests of every kind, with constraints of every type. The names are few and the numbers small, so
 * that grants and requests meet, limits are reached to the unit, and permits and denials are both common.
 */

/** When scenes begin: a Thursday, 00:00 UTC. */
export const START = 70 * 86_400_000;

const WALLET = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const SAFE = '0x5afe000000000000000000000000000000000000';
const PEOPLE = ['0xaa', '0xbb', '0xcc'] as const;
const CONTRACTS = ['0xc1', '0xc2'] as const;
const TOKENS = ['erc20:0xc1', 'erc721:0xc1', 'erc1155:0xc1/7'] as const;
export const ASSETS = ['native', ...TOKENS] as const;
const HASHES = ['0xh1', '0xh2'] as const;
const FUNCTIONS = ['pay(uint256,address)', 'take()'] as const;
const SELECTORS = ['0x11111111', '0x22222222'] as const;
const TYPES = ['Order', 'Vote'] as const;
const TEXTS = ['Log in: a', 'Log in: b', 'Pay all'] as const;
const ROUTES = ['transfer', 'transfer-from', 'approve', 'permit', 'erc777', 'order', 'approval-for-all'] as const;

const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 4 }, { arbitrary: fc.constantFrom(usual, ...others), weight: 1 });
export const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary, weight: 1 });
const anyOf = <T>(all: readonly T[]) =>
  fc.oneof(fc.constant('any' as const), fc.subarray([...all]), fc.constant([...all]));
const some = <T>(all: readonly T[]) => fc.oneof(fc.constant([...all]), fc.subarray([...all], { minLength: 1 }));
/** Leaves out what is undefined. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;

// Requests.

const amounts = fc.bigInt(0n, 12n);
const values = fc.oneof(fc.constant(0n), amounts);
const senders = mostly('wallet', WALLET, SAFE);
const flow = (asset: string, amount: Amount, to: string, more: Partial<Outflow> = {}): Outflow => ({
  ...{ account: 'wallet', asset, amount, to, route: 'value', holds: 'spent', untilMs: null },
  ...more,
});

interface Deed {
  readonly action: Action;
  readonly outflows: readonly Outflow[];
  readonly opaque: string | null;
}
const deed = (action: Action, outflows: readonly Outflow[] = [], opaque: string | null = null): Deed => ({
  action,
  outflows,
  opaque,
});
const sent = (value: bigint, to: string, account: string) =>
  value === 0n ? [] : [flow('native', value, to, { account })];

const args: fc.Arbitrary<readonly NamedValue[]> = fc
  .record({ amount: fc.bigInt(0n, 4n), to: fc.constantFrom(...PEOPLE, WALLET) })
  .map(({ amount, to }) => [
    { name: 'amount', type: 'uint256', value: amount },
    { name: 'to', type: 'address', value: to },
  ]);
const callTypes = mostly('call' as const, 'delegatecall' as const);
const UNTIL = [START + 1, START + 5_000] as const;

const DEEDS: { readonly [K in ActionKind]: fc.Arbitrary<Deed> } = {
  'ether-transfer': fc
    .record({ sender: senders, recipient: fc.constantFrom(...PEOPLE), amount: amounts })
    .map(({ sender, recipient, amount }) =>
      deed({ kind: 'ether-transfer', sender, recipient, amount }, sent(amount, recipient, sender)),
    ),
  'token-transfer': fc
    .record({
      ...{ sender: senders, from: senders, asset: fc.constantFrom(...TOKENS), to: fc.constantFrom(...PEOPLE) },
      ...{ amount: mostly<Amount>(1n, 0n, 3n, 7n, 'unlimited'), route: fc.constantFrom(...ROUTES) },
      ...{ allows: fc.boolean(), untilMs: fc.constantFrom(null, ...UNTIL) },
    })
    .map(({ allows, ...rest }) => {
      const holds = holdsOf(rest.route, allows);
      const standard = rest.asset.slice(0, rest.asset.indexOf(':')) as TokenTransfer['standard'];
      const untilMs = holds === 'allowance' ? rest.untilMs : null;
      const { from, asset, amount, to, route } = rest;
      return deed({ kind: 'token-transfer', standard, token: '0xc1', ...rest, holds, untilMs }, [
        flow(asset, amount, to, { account: from, route, holds, untilMs }),
      ]);
    }),
  'contract-call': fc
    .record({
      ...{ sender: senders, contract: fc.constantFrom(...CONTRACTS), function: fc.constantFrom(...FUNCTIONS), args },
      ...{ value: values, callType: callTypes, leak: rarely(fc.tuple(fc.constantFrom(...TOKENS), amounts)) },
      to: fc.constantFrom(...PEOPLE, 'wallet'),
    })
    .map(({ leak, to, ...call }) =>
      deed({ kind: 'contract-call', ...call }, [
        ...sent(call.value, call.contract, call.sender),
        ...(leak ? [flow(leak[0], leak[1], to, { route: 'router' })] : []),
      ]),
    ),
  'opaque-call': fc
    .record({
      ...{ sender: senders, contract: fc.constantFrom(...CONTRACTS), value: values, callType: callTypes },
      selector: fc.constantFrom(null, ...SELECTORS),
    })
    .map((call) =>
      deed({ kind: 'opaque-call', why: 'unknown', ...call }, sent(call.value, call.contract, call.sender), 'unknown'),
    ),
  'contract-creation': fc
    .record({ initCodeHash: fc.constantFrom(...HASHES), value: values })
    .map(({ initCodeHash, value }) =>
      deed({ kind: 'contract-creation', initCodeBytes: 9, initCodeHash, value }, sent(value, '0xnew', 'wallet')),
    ),
  'typed-data': fc
    .record({
      ...{ contract: mostly<string | null>('0xc1', '0xc2', null), name: mostly('App', 'Other'), args },
      ...{ primaryType: mostly(...TYPES), typeHash: mostly(...HASHES), registered: mostly(true, false) },
      ...{ offer: rarely(fc.tuple(fc.constantFrom(...ASSETS), amounts)), to: fc.constantFrom('0xc1', ...PEOPLE) },
      untilMs: fc.constantFrom(null, ...UNTIL),
    })
    .map(({ contract, name, args: fields, primaryType, typeHash, registered, offer, to, untilMs }) => {
      const domain = { name, version: null, chainId: 1n, verifyingContract: contract, salt: null };
      return deed(
        { kind: 'typed-data', domain, primaryType, typeHash, fields, registered },
        offer ? [flow(offer[0], offer[1], to, { route: 'order', holds: 'allowance', untilMs })] : [],
        registered ? null : 'unregistered_type',
      );
    }),
  message: fc.constantFrom(...TEXTS).map((text) => deed({ kind: 'message', text })),
  delegation: fc
    .record({ delegate: fc.constantFrom(...CONTRACTS), chainId: mostly(1n, 0n) })
    .map(({ delegate, chainId }) => deed({ kind: 'delegation', delegate, chainId, nonce: 0n })),
};

function holdsOf(route: TokenTransfer['route'], allows: boolean): 'spent' | 'allowance' {
  if (route === 'erc777') return allows ? 'allowance' : 'spent';
  return route === 'transfer' || route === 'transfer-from' ? 'spent' : 'allowance';
}

const fees: fc.Arbitrary<Fee> = fc.record({
  maxFeeWei: fc.bigInt(0n, 4n),
  gasLimit: fc.bigInt(1n, 4n),
  maxFeePerGas: fc.bigInt(1n, 4n),
  maxPriorityFeePerGas: fc.bigInt(0n, 3n),
});
const FREE: readonly ActionKind[] = ['typed-data', 'message', 'delegation'];

const replaced: fc.Arbitrary<Replaced | undefined> = rarely(
  fc.record({
    by: fc.constantFrom('same-intent' as const, 'cancellation' as const),
    grant: fc.constantFrom('g0', 'g1', 'g2', null),
    maxFeeWei: fc.bigInt(0n, 4n),
  }),
);

export const requestsOf = (kind: ActionKind): fc.Arbitrary<PermissionRequest> => {
  const usual = fc.array(DEEDS[kind], { minLength: 1, maxLength: 2 });
  // Sometimes of two kinds, or of nothing at all.
  const mixed = fc.tuple(
    DEEDS[kind],
    fc.constantFrom(...KINDS).chain((other) => DEEDS[other]),
  );
  return fc
    .record({
      client: mostly('bot', 'other'),
      groups: mostly<readonly string[]>(['bots'], []),
      approvals: mostly(0, 1, 2),
      replaces: replaced,
      chain: mostly('eip155:1', 'eip155:10'),
      fee: fees,
      deeds: fc.oneof<fc.MaybeWeightedArbitrary<readonly Deed[]>[]>(
        { arbitrary: usual, weight: 12 },
        { arbitrary: mixed, weight: 1 },
        { arbitrary: fc.constant<readonly Deed[]>([]), weight: 1 },
      ),
    })
    .map(({ chain, fee, deeds, replaces = null, ...rest }) => {
      const isFree = FREE.includes(kind);
      const intent: Intent = {
        form: isFree ? (kind as Intent['form']) : 'transaction',
        chain,
        nonce: 0,
        fee: isFree ? null : fee,
        actions: deeds.map(({ action }) => action),
        outflows: deeds.flatMap(({ outflows }) => outflows),
        opaque: deeds.map(({ opaque }) => opaque).find((why) => why !== null) ?? null,
        notes: [],
      };
      return { ...rest, replaces, wallet: 'hot', address: WALLET, intent };
    });
};

// Grants.

const windows: fc.Arbitrary<Window> = fc.constantFrom<Window>(
  ...[{ seconds: 1 }, { seconds: 5 }, { ever: true as const }],
  { calendar: 'day', zone: 'UTC' },
  { calendar: 'week', zone: 'Fixed/East' },
);
const assets = fc.constantFrom(...ASSETS);
const limits = fc.bigInt(0n, 30n);

export const CONSTRAINTS: { readonly [T in Constraint['type']]: fc.Arbitrary<Constraint> } = {
  volume: fc.record({ type: fc.constant('volume'), asset: assets, limit: limits, window: windows }),
  count: fc.record({ type: fc.constant('count'), limit: fc.integer({ min: 0, max: 5 }), window: windows }),
  'max-value': fc.record({ type: fc.constant('max-value'), asset: assets, limit: fc.bigInt(0n, 12n) }),
  'gas-limit': fc.record({ type: fc.constant('gas-limit'), limit: fc.bigInt(1n, 4n) }),
  'max-fee-per-gas': fc.record({ type: fc.constant('max-fee-per-gas'), limit: fc.bigInt(1n, 4n) }),
  'max-priority-fee': fc.record({ type: fc.constant('max-priority-fee'), limit: fc.bigInt(0n, 3n) }),
  'max-fee': fc.record({ type: fc.constant('max-fee'), limit: fc.bigInt(0n, 4n) }),
  validity: fc.record({
    type: fc.constant('validity'),
    fromMs: fc.constantFrom(null, START + 1_000),
    untilMs: fc.constantFrom(null, START + 10_000, START + 100_000_000),
  }),
  weekly: fc.record({
    type: fc.constant('weekly'),
    zone: mostly('UTC', 'Fixed/East', 'Nowhere/Land'),
    spans: fc.array(
      fc.record({
        days: fc.subarray(['mon', 'thu', 'fri'] as const, { minLength: 1 }),
        from: fc.constantFrom('00:00', '08:00'),
        to: fc.constantFrom('24:00', '08:00', '00:30'),
      }),
      { maxLength: 2 },
    ),
  }),
  'min-interval': fc.record({ type: fc.constant('min-interval'), seconds: fc.integer({ min: 1, max: 3 }) }),
  outstanding: fc.record({ type: fc.constant('outstanding'), asset: assets, limit: fc.bigInt(0n, 9n) }),
  quorum: fc.record({
    type: fc.constant('quorum'),
    above: fc.record({ asset: assets, amount: fc.bigInt(0n, 8n) }),
    approvals: fc.integer({ min: 1, max: 2 }),
  }),
};

export const constraints = fc.oneof(...Object.values(CONSTRAINTS), CONSTRAINTS.quorum);

/** Wide limits of what may leave by most grants, so that it is the other constraints that say no. */
const bases: fc.Arbitrary<readonly Constraint[]> = fc.subarray(
  ASSETS.map((asset): Constraint => ({ type: 'volume', asset, limit: 40n, window: { ever: true } })),
  { minLength: 3 },
);
/** Two of the same key are no grant: which one holds? */
const distinct = (list: readonly Constraint[]) =>
  list.filter((each, i) => list.findIndex((other) => constraintKey(other) === constraintKey(each)) === i);
const constraintLists = fc
  .tuple(bases, fc.array(constraints, { maxLength: 3 }))
  .map(([base, rest]) => distinct([...base, ...rest]));

const conditions: fc.Arbitrary<readonly Condition[]> = fc.array(
  fc.constantFrom<Condition>(
    { path: '/amount', test: 'range', min: null, max: 2n },
    { path: '/amount', test: 'equals', value: '1' },
    { path: '/to', test: 'one-of', values: ['0xaa', '0xbb'] },
    { path: '/1', test: 'prefix', value: '0x' },
    { path: '/to', test: 'is-wallet' },
  ),
  { maxLength: 1 },
);

const SHARED = {
  createdSeq: fc.nat({ max: 2 }),
  client: mostly<PermittingGrant['client']>('bot', { group: 'bots' }, 'other'),
  wallet: fc.constant('hot'),
  chain: mostly('eip155:1', 'eip155:10'),
  constraints: constraintLists,
  unlimited: rarely(some(ASSETS)),
  accounts: rarely(fc.constant([SAFE])),
};

const acknowledged = rarely(fc.constant(ACKNOWLEDGE_DELEGATECALL));

const GRANTS: { readonly [K in ActionKind]: fc.Arbitrary<object> } = {
  'ether-transfer': fc.record({ ...SHARED, recipients: anyOf(PEOPLE) }),
  'token-transfer': fc.record({
    ...{ ...SHARED, assets: some(TOKENS).map((list) => list.map((asset) => ({ asset }))), routes: anyOf(ROUTES) },
    ...{ recipients: anyOf(PEOPLE), spenders: anyOf(PEOPLE) },
  }),
  'contract-call': fc.record({
    ...{ ...SHARED, contracts: some(CONTRACTS), recipients: rarely(anyOf(PEOPLE)), delegatecall: acknowledged },
    functions: fc.array(fc.record({ function: fc.constantFrom(...FUNCTIONS), where: conditions }), { minLength: 1 }),
  }),
  'opaque-call': fc.record({
    ...{ ...SHARED, contracts: some(CONTRACTS), selectors: anyOf(['none', ...SELECTORS]) },
    ...{ delegatecall: acknowledged, acknowledge: fc.constant(ACKNOWLEDGE_OPAQUE_CALL) },
  }),
  'contract-creation': fc.record({ ...SHARED, initCodeHashes: anyOf(HASHES) }),
  'typed-data': fc.record({
    ...{ ...SHARED, contract: mostly('0xc1', 'none', '0xc2'), name: rarely(fc.constant('App')) },
    ...{ recipients: rarely(anyOf(PEOPLE)), acknowledge: rarely(fc.constant(ACKNOWLEDGE_UNREGISTERED_TYPE)) },
    types: fc.array(
      fc
        .record({ primaryType: mostly(...TYPES), typeHash: rarely(fc.constantFrom(...HASHES)), where: conditions })
        .map(compact),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  message: fc.record({
    ...SHARED,
    messages: some([{ prefix: 'Log in: ' }, { template: 'Log {}: a' }, { template: 'Pay all' }]),
  }),
  delegation: fc.record({
    ...{ ...SHARED, delegates: some(CONTRACTS), acknowledge: fc.constant(ACKNOWLEDGE_DELEGATION) },
  }),
};

/** Grants mostly of one kind, with ids g0, g1, … */
export const grantsOf = (kind: ActionKind, maxLength = 4): fc.Arbitrary<readonly PermittingGrant[]> =>
  fc
    .array(
      mostly(kind, ...KINDS).chain((each) => GRANTS[each].map((grant) => compact({ ...grant, kind: each }))),
      { maxLength },
    )
    .map((list) => list.map((grant, i) => ({ id: `g${i}`, ...grant }) as PermittingGrant));

export const caps: fc.Arbitrary<WalletCap> = fc
  .record({
    createdSeq: fc.nat({ max: 3 }),
    chain: mostly('eip155:1', 'eip155:10'),
    constraints: fc.array(constraints, { minLength: 1, maxLength: 2 }).map(distinct),
  })
  .map((cap) => ({ id: 'cap', kind: 'cap', wallet: 'hot', ...cap }));

export const denyRules: fc.Arbitrary<DenyRule> = fc
  .record({
    client: mostly<DenyRule['client']>('any', 'bot', { group: 'bots' }, 'other'),
    wallet: mostly('any', 'hot', 'cold'),
    chain: mostly('any', 'eip155:1', 'eip155:10'),
    actions: rarely(some(KINDS)),
    assets: rarely(some(ASSETS)),
    addresses: rarely(some([...PEOPLE, ...CONTRACTS, WALLET])),
    functions: rarely(some(FUNCTIONS)),
    routes: rarely(some([...ROUTES, 'value'])),
  })
  .map((rule) => ({ id: 'deny', createdSeq: 9, kind: 'deny', ...compact(rule) }) as DenyRule);

/** A kind, grants mostly of that kind, and requests of it over time (milliseconds since the last one). */
export interface Scene {
  readonly kind: ActionKind;
  readonly grants: readonly PermittingGrant[];
  readonly schedule: readonly (readonly [gapMs: number, request: PermissionRequest])[];
}

const gaps = fc.constantFrom(
  ...[0, 0, 1, 500, 999, 1_000, 1_001, 5_000],
  // What hours, allowances and spans of the week end at.
  ...[1_800_000, 3_600_000, 28_800_000, 40_000_000, 88_200_000],
);

export const scenes = (maxRequests = 12): fc.Arbitrary<Scene> =>
  fc.constantFrom(...KINDS).chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      grants: grantsOf(kind),
      schedule: fc.array(fc.tuple(gaps, requestsOf(kind)), { minLength: 1, maxLength: maxRequests }),
    }),
  );
