import type { DenyRule } from '../grant.ts';
import type { ActionKind, Route } from '../intent.ts';
import { listed } from '../words/names.ts';

/** What a deny rule can name of one action, or of one outflow: see `forbiddenBy`, which looks at each of them alone. */
interface Shape {
  readonly action?: ActionKind;
  readonly asset?: (asset: string) => boolean;
  readonly route?: (route: Route) => boolean;
  readonly hasFunction?: true;
  readonly hasAddress?: true;
}

const always = () => true;

const SHAPES: readonly Shape[] = [
  // Whatever leaves, by any action.
  { asset: always, route: always, hasAddress: true },
  {
    action: 'ether-transfer',
    asset: (asset) => asset === 'native',
    route: (route) => route === 'value',
    hasAddress: true,
  },
  {
    action: 'token-transfer',
    asset: (asset) => asset !== 'native',
    route: (route) => route !== 'value',
    hasAddress: true,
  },
  { action: 'contract-call', hasFunction: true, hasAddress: true },
  { action: 'opaque-call', hasAddress: true },
  { action: 'contract-creation' },
  { action: 'typed-data', hasAddress: true },
  { action: 'message', hasAddress: true },
  { action: 'delegation', hasAddress: true },
];

/** Why a deny rule can never match, however a request looks; undefined where it can. */
export function neverMatches(rule: DenyRule): string | undefined {
  if (SHAPES.some((shape) => fits(rule, shape))) return undefined;
  const named = (['actions', 'assets', 'routes', 'functions', 'addresses'] as const).filter(
    (member) => rule[member] !== undefined,
  );
  return `no single action, and nothing that leaves, has what it names as ${listed(named)} all at once: make a rule of each`;
}

function fits({ actions, assets, routes, functions, addresses }: DenyRule, shape: Shape): boolean {
  return (
    (actions === undefined || (shape.action !== undefined && actions.includes(shape.action))) &&
    (assets === undefined || (shape.asset !== undefined && assets.some(shape.asset))) &&
    (routes === undefined || (shape.route !== undefined && routes.some(shape.route))) &&
    (functions === undefined || shape.hasFunction === true) &&
    (addresses === undefined || shape.hasAddress === true)
  );
}

/** Functions of tokens: at a registered token a call of them is no call but a transfer, by this route. */
const TOKEN_FUNCTIONS: Readonly<Record<string, Route>> = {
  'transfer(address,uint256)': 'transfer',
  'transferFrom(address,address,uint256)': 'transfer-from',
  'safeTransferFrom(address,address,uint256)': 'transfer-from',
  'safeTransferFrom(address,address,uint256,bytes)': 'transfer-from',
  'safeTransferFrom(address,address,uint256,uint256,bytes)': 'transfer-from',
  'approve(address,uint256)': 'approve',
  'increaseAllowance(address,uint256)': 'increase-allowance',
  'setApprovalForAll(address,bool)': 'approval-for-all',
  'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)': 'permit',
};

/** Functions that the rule forbids and does not see where the token is registered. */
export function overlooked({ functions = [] }: DenyRule): string[] {
  return functions.flatMap((each) => {
    const route = Object.hasOwn(TOKEN_FUNCTIONS, each) ? TOKEN_FUNCTIONS[each] : undefined;
    return route === undefined
      ? []
      : [`${each} of a registered token is a transfer by the route ${route}, which it does not see: forbid that route`];
  });
}
