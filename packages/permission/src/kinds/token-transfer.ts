import type { TokenTransferGrant } from '../grant.ts';
import type { TokenTransfer } from '../intent.ts';
import type { KindRules, Mismatch } from './kind.ts';
import { isWallet, notAmong } from './members.ts';

/** Tokens, by the routes that the grant names, and to whom it names. */
export const tokenTransfer: KindRules<TokenTransferGrant, TokenTransfer> = {
  namesOfGrant,
  namesOfAction: ({ asset, to }) => [to, asset],
  coverAction,
  coverOutflow: (grant, { asset, to, holds }) => knows(grant, asset) ?? notOpenTo(grant, to, holds),
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
  const { asset, route, to, from, holds } = action;
  const unknown = knows(grant, asset);
  if (unknown) return unknown;
  if (grant.routes !== 'any' && !grant.routes.includes(route)) {
    return { code: 'route_not_granted', asked: route, permitted: grant.routes.length };
  }
  if (!isWallet(from, request)) {
    const owner = notAmong(grant.accounts ?? [], from, 'account_not_granted');
    if (owner) return owner;
  }
  return notOpenTo(grant, to, holds);
}

/** Who gets tokens is a recipient; who gets the right to take them, a spender. */
function notOpenTo(
  { recipients, spenders }: TokenTransferGrant,
  to: string,
  holds: TokenTransfer['holds'],
): Mismatch | undefined {
  return holds === 'spent'
    ? notAmong(recipients, to, 'recipient_not_permitted')
    : notAmong(spenders, to, 'spender_not_permitted');
}

function knows({ assets }: TokenTransferGrant, asset: string): Mismatch | undefined {
  if (assets.some((granted) => granted.asset === asset)) return undefined;
  return { code: 'asset_not_granted', asked: asset, permitted: assets.length };
}
