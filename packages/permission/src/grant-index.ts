import { byAge } from './evaluate.ts';
import type { Grant } from './grant.ts';

/** Finds the grants that can speak of a request without looking at those of others. */
export interface GrantIndex {
  /** Throws a RangeError where a grant of this id is there already. */
  add(grant: Grant): void;
  /** Whether there was such a grant. */
  remove(grantId: string): boolean;
  get(grantId: string): Grant | undefined;
  /** The grants of this client, wallet and chain (CAIP-2), oldest first. */
  candidates(client: string, wallet: string, chain: string): readonly Grant[];
}

export function createGrantIndex(): GrantIndex {
  const byId = new Map<string, Grant>();
  const byScope = new Map<string, readonly Grant[]>();
  const scopeOf = ({ client, wallet, chain }: Pick<Grant, 'client' | 'wallet' | 'chain'>) =>
    JSON.stringify([client, wallet, chain]);

  return {
    add(grant) {
      if (byId.has(grant.id)) throw new RangeError('a grant of this id is there already');
      byId.set(grant.id, grant);
      const scope = scopeOf(grant);
      byScope.set(scope, [...(byScope.get(scope) ?? []), grant].sort(byAge));
    },
    remove(grantId) {
      const grant = byId.get(grantId);
      if (grant === undefined) return false;
      byId.delete(grantId);
      const scope = scopeOf(grant);
      const rest = (byScope.get(scope) ?? []).filter(({ id }) => id !== grantId);
      if (rest.length > 0) byScope.set(scope, rest);
      else byScope.delete(scope);
      return true;
    },
    get: (grantId) => byId.get(grantId),
    candidates: (client, wallet, chain) => byScope.get(scopeOf({ client, wallet, chain })) ?? [],
  };
}
