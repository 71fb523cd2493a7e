import { assertNever } from '@keepwatch/base';
import type { Grant, PermittingGrant, TokenTransferGrant } from '../grant.ts';
import type { Route } from '../intent.ts';
import { refuse, type GrantError } from './reader.ts';

type Refusal = { readonly ok: false; readonly error: GrantError };

/** What such a grant needs to limit and does not: the engine would deny every request under it. */
export function missingLimit(grant: Grant): Refusal | undefined {
  switch (grant.kind) {
    case 'ether-transfer':
      return noVolume(grant, 'native');
    case 'token-transfer': {
      for (const { asset } of grant.assets) {
        const missing = noVolume(grant, asset);
        if (missing) return missing;
      }
      return isSigned(grant) ? undefined : noFee(grant);
    }
    case 'contract-call':
    case 'opaque-call':
    case 'contract-creation':
      return noFee(grant);
    case 'typed-data':
    case 'message':
    case 'delegation':
    case 'deny':
      return undefined;
    case 'cap':
      return grant.constraints.length > 0 ? undefined : refuse('invalid_list', '/constraints', 'at least one');
    default:
      return assertNever(grant);
  }
}

/** Routes that are signed as data and cost the wallet no fee. */
const SIGNED: readonly Route[] = ['permit', 'dai-permit', 'permit2', 'permit2-transfer', 'eip3009', 'order'];

function isSigned({ routes }: TokenTransferGrant): boolean {
  return routes !== 'any' && routes.every((route) => SIGNED.includes(route));
}

function hasVolume({ unlimited = [], constraints }: PermittingGrant, asset: string): boolean {
  return unlimited.includes(asset) || constraints.some((each) => each.type === 'volume' && each.asset === asset);
}

function noVolume(grant: PermittingGrant, asset: string): Refusal | undefined {
  if (hasVolume(grant, asset)) return undefined;
  return refuse('no_volume_limit', '/constraints', `a volume of ${asset}, or ${asset} in unlimited`);
}

function noFee(grant: PermittingGrant): Refusal | undefined {
  if (hasVolume(grant, 'native') || grant.constraints.some(({ type }) => type === 'max-fee')) return undefined;
  return refuse('no_fee_limit', '/constraints', 'a volume of native, which fees count in, or a max-fee');
}
