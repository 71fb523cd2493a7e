import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createUsage } from './budget/usage.ts';
import type { PermissionRequest } from './decision.ts';
import { PLAIN_ZONES } from './engine.fixture.ts';
import { evaluate } from './evaluate.ts';
import { ASSETS, grantsOf, KINDS, requestsOf, START } from './every-kind.fixture.ts';
import type { AnyOf, Condition, PermittingGrant } from './grant.ts';
import { createGrantIndex } from './grant-index.ts';
import type { Action, NamedValue, Outflow } from './intent.ts';

/**
 * An oracle for what a grant covers, of every kind, written from docs/permissions.md and not from the engine: everything
 * that is asked for is named in the grant. The fixture's conditions are few, and are judged here by hand.
 */

const isIn = (list: AnyOf<string> | undefined, item: string) => list === 'any' || (list ?? []).includes(item);

function isMet({ path, test }: Condition, values: readonly NamedValue[], wallet: string): boolean {
  const amount = values.find(({ name }) => name === 'amount')!.value as bigint;
  const to = values.find(({ name }) => name === 'to')!.value as string;
  switch (`${path} ${test}`) {
    case '/amount range':
      return amount <= 2n;
    case '/amount equals':
      return amount === 1n;
    case '/to one-of':
      return to === '0xaa' || to === '0xbb';
    case '/1 prefix':
      return true;
    case '/to is-wallet':
      return to === wallet;
    default:
      throw new Error(`the fixture has no ${path} ${test}`);
  }
}

function namesAction(grant: PermittingGrant, action: Action, { address }: PermissionRequest): boolean {
  const meets = (where: readonly Condition[], values: readonly NamedValue[]) =>
    where.every((condition) => isMet(condition, values, address));
  if (grant.kind === 'ether-transfer' && action.kind === grant.kind) return isIn(grant.recipients, action.recipient);
  if (grant.kind === 'token-transfer' && action.kind === grant.kind) {
    const list = action.holds === 'spent' ? grant.recipients : grant.spenders;
    return (
      grant.assets.some(({ asset }) => asset === action.asset) &&
      isIn(grant.routes, action.route) &&
      isIn(list, action.to) &&
      ['wallet', address, ...(grant.accounts ?? [])].includes(action.from)
    );
  }
  if (grant.kind === 'contract-call' && action.kind === grant.kind) {
    const rules = grant.functions.filter((rule) => rule.function === action.function);
    return (
      grant.contracts.includes(action.contract) &&
      (action.callType === 'call' || 'delegatecall' in grant) &&
      rules.some(({ where }) => meets(where, action.args))
    );
  }
  if (grant.kind === 'opaque-call' && action.kind === grant.kind) {
    return (
      grant.contracts.includes(action.contract) &&
      (action.callType === 'call' || 'delegatecall' in grant) &&
      isIn(grant.selectors, action.selector ?? 'none')
    );
  }
  if (grant.kind === 'contract-creation' && action.kind === grant.kind) {
    return isIn(grant.initCodeHashes, action.initCodeHash);
  }
  if (grant.kind === 'typed-data' && action.kind === grant.kind) {
    const { verifyingContract, name } = action.domain;
    const isKnown = action.registered && verifyingContract !== null;
    return (
      (verifyingContract ?? 'none') === grant.contract &&
      (!('name' in grant) || grant.name === name) &&
      (isKnown || 'acknowledge' in grant) &&
      grant.types.some(
        ({ primaryType, typeHash = action.typeHash, where }) =>
          primaryType === action.primaryType && typeHash === action.typeHash && meets(where, action.fields),
      )
    );
  }
  if (grant.kind === 'message' && action.kind === grant.kind) {
    const { text } = action;
    return grant.messages.some((rule) =>
      'prefix' in rule
        ? text.startsWith('Log in: ')
        : rule.template === 'Pay all'
          ? text === 'Pay all'
          : text === 'Log in: a',
    );
  }
  if (grant.kind === 'delegation' && action.kind === grant.kind) {
    return grant.delegates.includes(action.delegate) && grant.chain === `eip155:${action.chainId}`;
  }
  return false;
}

function namesOutflow(grant: PermittingGrant, { asset, to, holds }: Outflow, { address }: PermissionRequest): boolean {
  const isOwn = to === 'wallet' || to === address;
  switch (grant.kind) {
    case 'ether-transfer':
      return isIn(grant.recipients, to);
    case 'token-transfer':
      return (
        grant.assets.some((each) => each.asset === asset) &&
        isIn(holds === 'spent' ? grant.recipients : grant.spenders, to)
      );
    case 'contract-call':
      return isOwn || grant.contracts.includes(to) || isIn(grant.recipients, to);
    case 'opaque-call':
      return grant.contracts.includes(to);
    case 'contract-creation':
      return asset === 'native';
    case 'typed-data':
      return isOwn || grant.contract === to || isIn(grant.recipients, to);
    case 'message':
    case 'delegation':
      return false;
  }
}

function names(grant: PermittingGrant, request: PermissionRequest): boolean {
  const { intent, address, client, groups } = request;
  const own = ['wallet', address, ...(grant.accounts ?? [])];
  const mayBeOpaque = grant.kind === 'opaque-call' || (grant.kind === 'typed-data' && 'acknowledge' in grant);
  return (
    (typeof grant.client === 'string' ? grant.client === client : groups.includes(grant.client.group)) &&
    grant.chain === intent.chain &&
    (intent.opaque === null || mayBeOpaque) &&
    intent.actions.length > 0 &&
    intent.actions.every(
      (action) => namesAction(grant, action, request) && (!('sender' in action) || own.includes(action.sender)),
    ) &&
    intent.outflows.every((flow) => namesOutflow(grant, flow, request) && own.includes(flow.account))
  );
}

it('a grant covers a request if and only if it names all of it', () => {
  const seen = new Map(KINDS.map((kind) => [kind as string, { yes: 0, no: 0 }]));
  const cases = fc.constantFrom(...KINDS).chain((kind) => fc.tuple(grantsOf(kind), fc.array(requestsOf(kind))));
  fc.assert(
    fc.property(cases, ([grants, requests]) => {
      for (const grant of grants) {
        // Nothing is limited, so that only coverage is left to judge.
        const open = { ...grant, constraints: [], unlimited: [...ASSETS] };
        for (const asked of requests) {
          const request = { ...asked, replaces: null };
          const decision = evaluate(request, createGrantIndex([open]), createUsage(), START, PLAIN_ZONES);
          expect(decision.verdict).toBe(names(grant, request) ? 'permit' : 'deny');
          seen.get(grant.kind)![decision.verdict === 'permit' ? 'yes' : 'no']++;
        }
      }
    }),
    { numRuns: 1_500 },
  );
  for (const [kind, { yes, no }] of seen) expect([kind, yes > 20, no > 20]).toEqual([kind, true, true]);
});
