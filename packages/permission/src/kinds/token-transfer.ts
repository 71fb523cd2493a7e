import { assertNever } from '@keepwatch/base';
import type { TokenTransferGrant } from '../grant.ts';
import type { Route, TokenTransfer } from '../intent.ts';
import type { KindRules, Mismatch } from './kind.ts';
import { isWallet, notAmong } from './members.ts';

/** Tokens, by the routes that the grant names, and to whom it names. */
export const tokenTransfer: KindRules<TokenTransferGrant, TokenTransfer> = {
  namesOfGrant,
  namesOfAction: ({ asset, to }) => [to, asset],
  coverAction,
  coverOutflow(grant, { asset, to, holds }) {
    const unknown = knows(grant, asset);
    if (unknown) return unknown;
    return holds === 'spent'
      ? notAmong(grant.recipients, to, 'recipient_not_permitted')
      : notAmong(grant.spenders, to, 'spender_not_permitted');
  },
  coversOpaque: () => false,
};

/** By the others' addresses where the grant lists them; else by the assets. */
function namesOfGrant({ assets, recipients, spenders }: TokenTransferGrant): readonly string[] {
  if (recipients === 'any' || spenders === 'any') return assets.map(({ asset }) => asset);
  return [...new Set([...recipients, ...spenders])];
}

function coverAction(
  grant: TokenTransferGrant,
  action: TokenTransfer,
  request: Parameters<typeof isWallet>[1],
): Mismatch | undefined {
  const { asset, route, to, from } = action;
  const unknown = knows(grant, asset);
  if (unknown) return unknown;
  if (grant.routes !== 'any' && !grant.routes.includes(route)) {
    return { code: 'route_not_granted', asked: route, permitted: grant.routes.length };
  }
  if (!isWallet(from, request)) {
    const owner = notAmong(grant.accounts ?? [], from, 'account_not_granted');
    if (owner) return owner;
  }
  return gives(route) === 'tokens'
    ? notAmong(grant.recipients, to, 'recipient_not_permitted')
    : notAmong(grant.spenders, to, 'spender_not_permitted');
}

function knows({ assets }: TokenTransferGrant, asset: string): Mismatch | undefined {
  if (assets.some((granted) => granted.asset === asset)) return undefined;
  return { code: 'asset_not_granted', asked: asset, permitted: assets.length };
}

/** Whether a route hands over the tokens, or the right to take them. */
function gives(route: Route): 'tokens' | 'allowance' {
  switch (route) {
    case 'value':
    case 'transfer':
    case 'transfer-from':
    case 'permit2-transfer':
    case 'eip3009':
    case 'erc777':
    case 'transfer-and-call':
    case 'vault-4626':
    case 'weth':
    case 'shares':
    case 'aave-withdraw':
    case 'lending':
    case 'router':
    case 'safe':
      return 'tokens';
    case 'approve':
    case 'increase-allowance':
    case 'permit':
    case 'dai-permit':
    case 'permit2':
    case 'approval-for-all':
    case 'aave-delegation':
    case 'compound-allow':
    case 'order':
      return 'allowance';
    default:
      return assertNever(route);
  }
}
