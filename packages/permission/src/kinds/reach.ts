import type { PermittingGrant } from '../grant.ts';

/** Why a grant can cover nothing at all: what it lists is empty. */
export function fallsShort(grant: PermittingGrant): string[] {
  const empty = (list: readonly unknown[] | 'any', what: string) =>
    list !== 'any' && list.length === 0 ? [`it names no ${what}`] : [];
  switch (grant.kind) {
    case 'ether-transfer':
      return empty(grant.recipients, 'recipient');
    case 'token-transfer': {
      const nobody = [...empty(grant.recipients, 'recipient'), ...empty(grant.spenders, 'spender')];
      return [...empty(grant.routes, 'route'), ...(nobody.length === 2 ? nobody : [])];
    }
    case 'contract-call':
      return empty(grant.contracts, 'contract');
    case 'opaque-call':
      return [...empty(grant.contracts, 'contract'), ...empty(grant.selectors, 'selector')];
    case 'contract-creation':
      return empty(grant.initCodeHashes, 'init code');
    case 'typed-data':
    case 'message':
    case 'delegation':
      return [];
  }
}
