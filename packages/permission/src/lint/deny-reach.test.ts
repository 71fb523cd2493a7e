import { describe, expect, it } from 'vitest';
import { BOB, PLAIN_ZONES, USDT_ASSET } from '../engine.fixture.ts';
import type { DenyRule } from '../grant.ts';
import { lint } from './lint.ts';

const rule: DenyRule = { id: 'd', createdSeq: 1, kind: 'deny', client: 'any', wallet: 'any', chain: 'any' };
const findings = (patch: Partial<DenyRule>) =>
  lint([{ ...rule, ...patch }], 0, PLAIN_ZONES).map(({ topic, words }) => `${topic}: ${words}`);
const never = (named: string) => [
  `never_matches: no single action, and nothing that leaves, has what it names as ${named} all at once: make a rule of each`,
];

describe('a deny rule', () => {
  it.each<Partial<DenyRule>>([
    {},
    { actions: ['message'] },
    { assets: [USDT_ASSET], routes: ['approve'], addresses: [BOB] },
    { assets: ['native'], routes: ['value'] },
    { assets: ['native'], routes: ['weth'] },
    { functions: ['swap()'], addresses: [BOB] },
    { functions: ['swap()'], actions: ['message', 'contract-call'] },
    { actions: ['ether-transfer'], assets: ['native', USDT_ASSET], routes: ['value'] },
    { actions: ['token-transfer'], assets: ['native', USDT_ASSET], routes: ['value', 'permit'] },
    { actions: ['contract-creation'] },
    ...(['opaque-call', 'typed-data', 'message', 'delegation'] as const).map((action) => ({
      ...{ actions: [action], addresses: [BOB] },
    })),
  ])('that can match has nothing said of it: %j', (patch) => {
    expect(findings(patch)).toEqual([]);
  });

  it.each<[Partial<DenyRule>, string]>([
    [{ functions: ['swap()'], assets: [USDT_ASSET] }, 'assets and functions'],
    [{ functions: ['swap()'], routes: ['router'] }, 'routes and functions'],
    [{ functions: ['swap()'], actions: ['message', 'opaque-call'] }, 'actions and functions'],
    [{ actions: ['contract-creation'], addresses: [BOB] }, 'actions and addresses'],
    [
      { actions: ['contract-call', 'typed-data'], assets: ['native'], addresses: [BOB] },
      'actions, assets and addresses',
    ],
    [{ actions: ['opaque-call'], routes: ['value'] }, 'actions and routes'],
    [{ actions: ['ether-transfer'], assets: [USDT_ASSET] }, 'actions and assets'],
    [{ actions: ['ether-transfer'], routes: ['transfer', 'weth'] }, 'actions and routes'],
    [{ actions: ['token-transfer'], assets: ['native'] }, 'actions and assets'],
    [{ actions: ['token-transfer'], routes: ['value'] }, 'actions and routes'],
  ])('that names what nothing has at once never matches: %j', (patch, named) => {
    expect(findings(patch)).toEqual(never(named));
  });

  it('by a function of tokens overlooks the tokens that are registered', () => {
    expect(findings({ functions: ['swap()', 'approve(address,uint256)'] })).toEqual([
      'overlooks: approve(address,uint256) of a registered token is a transfer by the route approve, which it does not see: forbid that route',
    ]);
    expect(findings({ functions: ['approve(address)', 'toString'] })).toEqual([]);
  });

  it.each([
    ['transfer(address,uint256)', 'transfer'],
    ['transferFrom(address,address,uint256)', 'transfer-from'],
    ['safeTransferFrom(address,address,uint256)', 'transfer-from'],
    ['safeTransferFrom(address,address,uint256,bytes)', 'transfer-from'],
    ['safeTransferFrom(address,address,uint256,uint256,bytes)', 'transfer-from'],
    ['increaseAllowance(address,uint256)', 'increase-allowance'],
    ['setApprovalForAll(address,bool)', 'approval-for-all'],
    ['permit(address,address,uint256,uint256,uint8,bytes32,bytes32)', 'permit'],
  ])('%s is seen by the route %s', (name, route) => {
    expect(findings({ functions: [name] })[0]).toContain(`by the route ${route},`);
  });
});
